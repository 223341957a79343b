"""Explanations under distortion (C-T13): each picture is distorted, localised anew and explained anew.

Who explains is a function, so that measurements, a local model and a service are run alike. What it says is kept as it
comes, a file a distortion in the form that `reading.read_predictions` takes, and nothing is asked twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from omni_iml.annotate.checking import Problem, Report
from omni_iml.annotate.schema import Annotation, Domain, published_form
from omni_iml.evaluation.distortions import CLASSIC, Distortion, displayed_pixels
from omni_iml.evaluation.explanations.results import UNDISTORTED
from omni_iml.evidence.text_lines import TextReader
from omni_iml.explain.explaining import explain_image
from omni_iml.explain.interpreting import Interpreter
from omni_iml.io import load
from omni_iml.io.orientation import to_displayed
from omni_iml.io.paths import openable
from omni_iml.io.whole_file import write_whole
from omni_iml.text import printable
from omni_iml.types import Detection, EvidenceImage, OmniError

Localize = Callable[[EvidenceImage], Detection]
"""Picture to detection; `Detector.analyse` is one."""

Explain = Callable[[EvidenceImage, Detection, Domain], Mapping[str, Any]]
"""Picture, detection and domain to ``{"instances": [...]}`` in the published form, or ``{"output": text}``."""

PAPER: tuple[Distortion, ...] = (Distortion("none"), *(one for one in CLASSIC if one.family != "noise"))
"""C-T13's columns: the picture itself, two sizes, two blurs, two qualities."""


class OtherRun(OmniError):  # noqa: N818 - named for what is found
    """A folder that holds what somebody else said."""


def measured_explanation(reader: TextReader | None = None) -> Explain:
    """The explanation by measurement, which needs no language model.

    Args:
        reader: reads the text; None to do without.

    Returns:
        A function for `run`.
    """

    def explain(image: EvidenceImage, detection: Detection, _: Domain) -> Mapping[str, Any]:
        found = explain_image(image, None, detection, reader)
        return {"instances": published_form(one.instance for one in found.regions)}

    return explain


def model_explanation(interpreter: Interpreter) -> Explain:
    """The explanation by a multimodal model.

    Args:
        interpreter: asks it.

    Returns:
        A function for `run`.
    """

    def explain(image: EvidenceImage, detection: Detection, domain: Domain) -> Mapping[str, Any]:
        said = interpreter.interpret(to_displayed(image.pixels, image.orientation), detection.mask > 0, domain)
        if said.status in ("failed", "timed out"):  # not an answer: a later run asks again
            raise OmniError(said.cause)
        return {"output": said.raw}

    return explain


def run(
    pairs: Iterable[tuple[Annotation, Path]],
    folder: Path,
    localize: Localize,
    explain: Explain,
    *,
    distortions: Sequence[Distortion] = PAPER,
    seed: int = 0,
    about: Mapping[str, Any] | None = None,
    report: Report,
) -> dict[str, Path]:
    """Explain every picture under every distortion.

    Args:
        pairs: true rows and their picture files.
        folder: for the files, made if it does not exist; what is in them is not asked again.
        localize: finds the regions of a picture.
        explain: says why.
        distortions: any; "none" is the file as it is.
        seed: of noise.
        about: who localises and explains, and how, as `json` writes it; kept in the folder as ``run.json``, so that
            nobody's answers pass for another's. None to keep nothing.
        report: takes pictures that could not be explained; a later run tries them again.

    Returns:
        The file of each distortion, by its name; ``none.jsonl`` for "none".

    Raises:
        OSError: the folder cannot be made or written to.
        OtherRun: it holds what somebody else said.
    """
    openable(folder).mkdir(parents=True, exist_ok=True)
    if about is not None:
        _claim(folder, about)
    rows = list(pairs)
    files = {}
    for distortion in distortions:
        name = distortion.name if distortion.family != "none" else UNDISTORTED
        files[name] = folder / f"{name}.jsonl"
        _one_view(rows, files[name], distortion, localize, explain, seed, report)
    return files


def _claim(folder: Path, about: Mapping[str, Any]) -> None:
    file = folder / "run.json"
    text = json.dumps(about, indent=2, sort_keys=True) + "\n"
    if openable(file).exists():
        try:
            found = json.loads(openable(file).read_text(encoding="utf-8"))
        except ValueError:
            found = None
        other = found if isinstance(found, dict) else {}
        differing = sorted(key for key in {*about, *other} if about.get(key) != other.get(key))
        if differing:
            raise OtherRun(f"{folder}: what was said there was asked otherwise ({', '.join(differing)}); name another.")
    elif any(openable(folder).glob("*.jsonl")):
        raise OtherRun(f"{folder}: holds answers and no run.json that says whose they are; name another folder.")
    else:
        write_whole(file, lambda out: out.write(text.encode("utf-8")))


def _one_view(
    rows: Sequence[tuple[Annotation, Path]],
    file: Path,
    distortion: Distortion,
    localize: Localize,
    explain: Explain,
    seed: int,
    report: Report,
) -> None:
    done = {(row.get("image"), row.get("source")) for row in _kept(file)}
    with openable(file).open("a", encoding="utf-8") as lines:
        for row, path in rows:
            if (row.image, row.source) in done:
                continue
            try:
                image = _distorted(path, distortion, seed)
                said = explain(image, localize(image), row.domain)
            except (OmniError, OSError) as error:
                report(Problem(f"{path}, {distortion.name}", "", printable(str(error))))
                continue
            line = {"image": row.image, "source": row.source, **said}
            lines.write(json.dumps(line, ensure_ascii=False) + "\n")
            lines.flush()


def _distorted(path: Path, distortion: Distortion, seed: int) -> EvidenceImage:
    if distortion.family == "none":
        return load(path)
    return load(distortion(displayed_pixels(path), seed=seed).data)


def _kept(file: Path) -> Iterator[Mapping[str, Any]]:
    """Lines of an earlier run; one that was cut off is removed, so that the next begins on a line of its own."""
    if not openable(file).exists():
        return
    data = openable(file).read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        openable(file).write_bytes(whole)
    for line in whole.decode("utf-8", "replace").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            yield row
