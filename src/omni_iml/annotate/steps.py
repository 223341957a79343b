"""The steps of the method: what is asked at each, and what its answer leads to (section 4.1, appendix D.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from omni_iml.annotate.annotator import Question, Subject
from omni_iml.annotate.answers import Findings, Form, Grouping, Placing, Recognition, Single, listed, titled
from omni_iml.annotate.examination import examined
from omni_iml.annotate.highlighting import highlight
from omni_iml.annotate.prompts import NAMES, Prompt
from omni_iml.annotate.queue import WHOLE, Queue, Row
from omni_iml.annotate.reading import Line, Reader, line_of, read_region
from omni_iml.annotate.scene import Scene
from omni_iml.annotate.schema import TEXT_DOMAINS, Domain
from omni_iml.mllm import Unusable

Method = Literal["chain", "single"]
FIRST = "split"
"""Step 0, which asks nothing: connected components, and the text lines of documents and scene text."""


@dataclass(frozen=True)
class Outcome:
    """What a step came to.

    Attributes:
        answer: JSON-able, kept in the queue.
        following: instance and step of the rows that it makes possible.
    """

    answer: Any
    following: tuple[tuple[int, str], ...] = ()


def split(scene: Scene, domain: Domain, method: Method, *, fragments: bool, reader: Reader | None) -> Outcome:
    """Step 0.

    Args:
        scene: picture and regions.
        domain: of the picture.
        method: the chain, or one query a picture.
        fragments: one object may be several regions: the model groups them.
        reader: OCR, for text domains.

    Returns:
        Each object's regions and position, and the text lines.
    """
    regions = range(len(scene.boxes))
    lines = reader.lines(scene.pixels) if reader and domain in TEXT_DOMAINS and method == "chain" else []
    answer = {
        "objects": [{"regions": [index], "position": scene.position([index])} for index in regions],
        "boxes": [list(box) for box in scene.boxes],
        "lines": [[line.text, *line.box] for line in lines],
    }
    if method == "single":
        return Outcome(answer, ((WHOLE, "single"),))
    if fragments and domain not in TEXT_DOMAINS and len(scene.boxes) > 1:
        return Outcome(answer, ((WHOLE, "group"),))
    return Outcome(answer, tuple((index, "recognise") for index in regions))


def objects_of(queue: Queue, picture: int) -> list[dict[str, Any]]:
    """The objects of a picture, as grouped by the model or else one a region.

    Args:
        queue: where the answers are.
        picture: its id.

    Returns:
        Dicts with "regions" and "position", and "content" where grouping gave one.
    """
    grouped = queue.answer_of(picture, WHOLE, "group")
    whole = grouped or queue.answer_of(picture, WHOLE, FIRST)
    objects: list[dict[str, Any]] = whole["objects"]
    return objects


def read_text(queue: Queue, row: Row, scene: Scene, reader: Reader) -> Outcome:
    """Step 1 for text: content and line by OCR; asks nothing.

    Args:
        queue: where the answers are.
        row: of step "recognise".
        scene: picture and regions.
        reader: OCR.

    Returns:
        Content and relative position.
    """
    regions = objects_of(queue, row.picture)[row.instance]["regions"]
    known = queue.answer_of(row.picture, WHOLE, FIRST)["lines"]
    box = scene.box(regions)
    line = line_of([Line(text, (x0, y0, x1, y1)) for text, x0, y0, x1, y1 in known], box)
    answer = {"content": read_region(reader, scene.pixels, box), "relative_position": line}
    return Outcome(answer, ((row.instance, "describe"),))


def question(queue: Queue, row: Row, scene: Scene, prompts: Mapping[str, Prompt]) -> Question:
    """What is asked at a step.

    Args:
        queue: where the answers of the steps before are.
        row: the step.
        scene: picture and regions.
        prompts: by name.

    Returns:
        The question: one instance each, but for "group" and "single".
    """
    domain: Domain = row.job["domain"]
    objects = objects_of(queue, row.picture)
    asked = objects if row.instance == WHOLE else [objects[row.instance]]
    groups: Sequence[Sequence[int]] = [each["regions"] for each in asked]
    values = {"domain": domain.replace("_", " "), "count": str(len(groups)), "last": str(len(groups) - 1)}
    findings: Form | None = None
    name, form = ASKED[row.step]
    if row.instance != WHOLE:
        values["position"] = asked[0]["position"].lower()
        if row.step == "recognise" and "content" in asked[0]:
            name, form = "locate", Placing
            values["content"] = asked[0]["content"]
        if row.step in ("describe", "examine"):
            recognised = queue.answer_of(row.picture, row.instance, "recognise")
            values |= {"content": recognised["content"], "line": recognised["relative_position"]}
            name = f"{row.step}_{domain}"
        if row.step == "examine":
            findings = Findings.model_validate(queue.answer_of(row.picture, row.instance, "describe"))
            values["analysis"] = listed(findings.findings)
    reference = highlight(scene, groups, numbered=row.step == "group")
    subject = Subject(
        row.job["picture"], scene.pixels, tuple(scene.mask(group) for group in groups),
        tuple(scene.box(group) for group in groups), domain, findings,
    )  # fmt: skip
    return Question(name.partition("_")[0], prompts[name].fill(**values), (scene.pixels, reference), form, subject)


def outcome(queue: Queue, row: Row, scene: Scene, form: Form) -> Outcome:
    """What an answer leads to.

    Args:
        queue: where the answers of the steps before are.
        row: the step.
        scene: picture and regions.
        form: the answer.

    Returns:
        What is kept, and what follows.

    Raises:
        Unusable: the answer is in the form, but says nothing usable.
    """
    match form:
        case Grouping():
            objects = _grouped(form, scene)
            return Outcome({"objects": objects}, tuple((index, "recognise") for index in range(len(objects))))
        case Recognition() | Placing():
            known = objects_of(queue, row.picture)[row.instance].get("content")
            content = form.content.strip() if isinstance(form, Recognition) else known
            if not content:
                raise Unusable("the answer does not say what the object is")
            answer = {"content": content, "relative_position": form.relative_position.strip()}
            return Outcome(answer, ((row.instance, "describe"),))
        case Findings() if row.step == "describe":
            return Outcome(form.model_dump(), ((row.instance, "examine"),) if form.findings else ())
        case Findings():
            before = Findings.model_validate(queue.answer_of(row.picture, row.instance, "describe"))
            left = examined(before.findings, form.findings)
            return Outcome({"artifacts": titled(list(left.kept)), "removed": left.removed})
        case Single():
            instances = [
                {
                    "Tampered Region": each.content.strip(),
                    "Absolute Position": each.position,
                    "Relative Position": each.relative_position.strip(),
                    "Artifacts": titled(each.artifacts),
                }
                for each in form.instances
            ]
            if not instances or not all(each["Tampered Region"] for each in instances):
                raise Unusable("the answer does not say what was tampered with")
            return Outcome({"instances": instances})
    raise TypeError(f"{type(form).__name__} answers no step")


ASKED: dict[str, tuple[str, type[Form]]] = {
    "group": ("group", Grouping),
    "recognise": ("recognise", Recognition),
    "describe": ("describe", Findings),
    "examine": ("examine", Findings),
    "single": ("single", Single),
}
"""By step: the prompt, without its domain, and the form of the answer."""


def prompts_of(method: Method) -> tuple[str, ...]:
    """The prompts that a method may send.

    Args:
        method: the chain, or one query a picture.

    Returns:
        Their names.
    """
    return ("single",) if method == "single" else tuple(name for name in NAMES if name != "single")


def _grouped(form: Grouping, scene: Scene) -> list[dict[str, Any]]:
    """Objects with each region in exactly one: what the model left out is an object of its own, without a content."""
    free = set(range(len(scene.boxes)))
    objects: list[dict[str, Any]] = []
    for each in form.objects:
        regions = sorted(free.intersection(each.regions))
        if regions:
            free.difference_update(regions)
            known = {"content": each.content.strip()} if each.content.strip() else {}
            objects.append({"regions": regions, "position": each.position, **known})
    objects += [{"regions": [index], "position": scene.position([index])} for index in sorted(free)]
    return objects
