"""Before anything is asked: what would be sent, and what it would cost at most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from omni_iml.annotate.annotator import Question, Subject
from omni_iml.annotate.highlighting import highlight
from omni_iml.annotate.jobs import Job
from omni_iml.annotate.prompts import Prompt
from omni_iml.annotate.running import Settings
from omni_iml.annotate.scene import Scene, read_scene
from omni_iml.annotate.schema import TEXT_DOMAINS
from omni_iml.annotate.spending import tokens_of
from omni_iml.annotate.steps import ASKED, Method
from omni_iml.types import OmniError

_ANSWER = "<the answer of the step before>"


@dataclass(frozen=True)
class Forecast:
    """What a run would do.

    Attributes:
        questions: number of queries.
        tokens_in: of all questions, estimated.
        tokens_out: of all answers, at most.
        cost: at most.
        prompts: each prompt that would be sent, filled in for the first instance that it is sent for, by name.
        unusable: one sentence for each picture that could not be read.
    """

    questions: int
    tokens_in: int
    tokens_out: int
    cost: float
    prompts: dict[str, str]
    unusable: tuple[str, ...]


def forecast(jobs: list[Job], method: Method, prompts: Mapping[str, Prompt], settings: Settings) -> Forecast:
    """Go through the pictures without asking, and without reading text.

    Grouping is taken to leave as many objects as there are regions, which is the most.

    Args:
        jobs: the pictures.
        method: the chain, or one query a picture.
        prompts: by name.
        settings: with prices and limits.

    Returns:
        What a run would do.
    """
    count = tokens = 0
    sent: dict[str, str] = {}
    unusable: list[str] = []
    for job in jobs:
        try:
            scene = read_scene(
                job.picture, job.mask, max_instances=settings.max_instances, max_pixels=settings.max_pixels
            )
        except OmniError as error:
            unusable.append(str(error))
            continue
        for name, text, regions in _asked(job, scene, method, prompts):
            reference = highlight(scene, [[region] for region in regions], numbered=name == "group")
            subject = Subject(str(job.picture), scene.pixels, (), (), job.domain)
            step = name.partition("_")[0]
            question = Question(step, text, (scene.pixels, reference), ASKED[step][1], subject)
            query = question.query(spell_form=settings.spell_form)
            sent.setdefault(name, query.text)
            count += 1
            tokens += tokens_of(query, settings.max_side)
    answers = count * settings.max_tokens
    return Forecast(count, tokens, answers, settings.prices.cost(tokens, answers), sent, tuple(unusable))


def _asked(
    job: Job, scene: Scene, method: Method, prompts: Mapping[str, Prompt]
) -> Iterator[tuple[str, str, list[int]]]:
    every = list(range(len(scene.boxes)))
    values = {
        "domain": job.domain.replace("_", " "),
        "count": str(len(every)),
        "last": str(len(every) - 1),
        "content": _ANSWER,
        "line": _ANSWER,
        "analysis": _ANSWER,
    }
    if method == "single":
        yield "single", prompts["single"].fill(**values, position=""), every
        return
    if job.fragments and job.domain not in TEXT_DOMAINS and len(every) > 1:
        yield "group", prompts["group"].fill(**values, position=""), every
    for region in every:
        names = [f"describe_{job.domain}", f"examine_{job.domain}"]
        for name in names if job.domain in TEXT_DOMAINS else ["recognise", *names]:
            yield name, prompts[name].fill(**values, position=scene.position([region]).lower()), [region]
