"""``omni-iml annotate run``: annotations of tampered pictures, step by step."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omni_iml.cli import options
from omni_iml.cli.annotators import AnnotatorName, check_mllm, local, measured, openai_chat
from omni_iml.cli.failures import SOME_UNREADABLE, Debug, WrongUsage, emit, exit_codes, needs
from omni_iml.cli.mllm import MLLM, Adapter, Bits, DeviceMap, DType, DTypeName, Limits, asks_for_local
from omni_iml.cli.names import DomainName, SplitName
from omni_iml.types import MAX_PIXELS, OmniError

if TYPE_CHECKING:
    from omni_iml.annotate.forecast import Forecast
    from omni_iml.annotate.jobs import Job
    from omni_iml.annotate.running import Work


class MethodName(StrEnum):
    """The choices of ``--method``."""

    CHAIN = "chain"
    SINGLE = "single"


def run(
    pictures: Annotated[Path, typer.Argument(help="A CSV list (image, mask, domain, ...) or a folder.")],
    work: Annotated[Path, typer.Option(help="Work directory; a run that was cut off goes on in it.")],
    masks: Annotated[Path | None, typer.Option(help="Of a folder of pictures: the folder of masks.")] = None,
    domain: Annotated[DomainName | None, typer.Option(help="Of a folder of pictures: their domain.")] = None,
    source: Annotated[str | None, typer.Option(help="Of a folder of pictures: name of the source set.")] = None,
    split: Annotated[SplitName | None, typer.Option(help="Of a folder of pictures: their split.")] = None,
    group: Annotated[
        bool | None, typer.Option("--group/--no-group", help="Let the model group regions; known for the paper's sets.")
    ] = None,
    annotator: Annotated[
        AnnotatorName | None, typer.Option(help="Who writes; by default evidence: measurements, offline.")
    ] = None,
    mllm: Annotated[
        str | None,
        typer.Option(
            metavar="local:FOLDER", help="Let a model in this process write (extra mllm).", rich_help_panel=MLLM
        ),
    ] = None,
    adapter: Adapter = None,
    dtype: DType = DTypeName.AUTO,
    bits: Bits = None,
    device_map: DeviceMap = None,
    method: Annotated[MethodName, typer.Option(help="The three steps, or one query a picture.")] = MethodName.CHAIN,
    model: Annotated[str | None, typer.Option(help="Name of the model; of a local one, as results have it.")] = None,
    base_url: Annotated[str | None, typer.Option(help="Address of a server that speaks the OpenAI protocol.")] = None,
    spell_form: Annotated[
        bool, typer.Option("--spell-form", help="Write the answer's form into the prompt, for servers that need it.")
    ] = False,
    prompts: Annotated[Path | None, typer.Option(help="Folder with prompts of your own.")] = None,
    batch: Annotated[bool, typer.Option("--batch", help="Use the batch API.")] = False,
    poll: Annotated[float, typer.Option(min=0, help="Seconds between looks at a batch.")] = 30.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print prompts and greatest cost; ask nothing.")] = False,
    concurrency: Annotated[int, typer.Option(min=1, help="Questions in flight at a time.")] = 4,
    per_minute: Annotated[float | None, typer.Option(min=0.01, help="Questions a minute at most.")] = None,
    attempts: Annotated[int, typer.Option(min=1, help="Attempts at a question where the service fails.")] = 5,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for an answer.")] = 120.0,
    budget: Annotated[float | None, typer.Option(min=0, help="What all runs in WORK may spend; needs prices.")] = None,
    price_in: Annotated[float, typer.Option(min=0, help="Price of a million tokens of questions.")] = 0.0,
    price_out: Annotated[float, typer.Option(min=0, help="Price of a million tokens of answers.")] = 0.0,
    max_tokens: Annotated[int, typer.Option(min=16, help="Longest answer, in tokens.")] = 1500,
    max_side: Annotated[int, typer.Option(min=64, help="Longest side of a picture that is sent.")] = 1536,
    max_instances: Annotated[int, typer.Option(min=1, help="Refuse masks with more regions.")] = 100,
    max_pixels: options.MaxPixels = MAX_PIXELS,
    debug: Debug = False,
) -> None:
    """Write annotations for tampered pictures with masks, step by step.

    The key of a service is read from OPENAI_API_KEY. A model in this process (--mllm) is asked one question at a time,
    each once, with the form of the answer in the prompt. Exit code: 0 if every picture has its annotation, 1 if some
    have not (each is named, and the rest is finished), 2 for wrong usage, 3 if something else failed.
    """
    with exit_codes(debug):
        with needs("annotate", "annotate run"):
            from omni_iml.annotate.forecast import forecast
            from omni_iml.annotate.prompts import load_prompts
            from omni_iml.annotate.queue import Queue
            from omni_iml.annotate.reading import RapidReader
            from omni_iml.annotate.running import Run, Settings, Work, enter
            from omni_iml.annotate.spending import Prices
        if budget is not None and not (price_in or price_out):
            raise WrongUsage("--budget needs prices to count with; say --price-in and --price-out.")
        who = AnnotatorName.EVIDENCE if annotator is None else annotator
        if mllm is not None:
            check_mllm(mllm, annotator, base_url)
        elif asks_for_local(adapter, dtype, bits, device_map):
            raise WrongUsage("--adapter, --bits, --device-map and --dtype are for --mllm; leave them out.")
        if batch and (mllm is not None or who is not AnnotatorName.OPENAI):
            raise WrongUsage(f"--batch: the annotator {mllm or who.value} has no batches; leave it out.")
        settings = Settings(
            concurrency=concurrency,
            attempts=attempts,
            per_minute=per_minute,
            budget=budget,
            prices=Prices(price_in, price_out),
            max_tokens=max_tokens,
            max_side=max_side,
            spell_form=spell_form or mllm is not None,
            unusable_attempts=2 if mllm is None else 1,
            max_instances=max_instances,
            max_pixels=max_pixels,
        )
        try:
            jobs = _jobs(pictures, masks, domain, source, split, group)
            texts = load_prompts(prompts)
            if dry_run:
                _print_forecast(forecast(jobs, method.value, texts, settings), len(jobs))
                return
            state = Work(Queue(work, create=True), method.value, texts, RapidReader, settings)
            limits = Limits(timeout=timeout, max_tokens=max_tokens, max_side=max_side)
            if mllm is not None:
                answers: Any = local(mllm, model, limits, adapter, dtype, bits, device_map)
            elif who is AnnotatorName.EVIDENCE:
                answers = measured()
            else:
                answers = openai_chat(model, base_url, limits, spell_form)
            enter(state, jobs, annotator=answers.name, model=answers.model)
        except (OmniError, FileNotFoundError) as error:
            raise WrongUsage(str(error)) from error
        if batch:
            from omni_iml.annotate.batches import BatchRun

            going: Any = BatchRun(state, answers, poll=poll)
        else:
            going = Run(state, answers)
        going.go()
        _finish(state, going.stopped)


def _jobs(
    pictures: Path,
    masks: Path | None,
    domain: DomainName | None,
    source: str | None,
    split: SplitName | None,
    group: bool | None,
) -> list[Job]:
    from omni_iml.annotate.jobs import jobs_of_folders, jobs_of_list

    if pictures.is_file():
        return jobs_of_list(pictures)
    if masks is None or domain is None:
        raise WrongUsage(f"{pictures}: a folder needs --masks and --domain; or name a CSV list.")
    name = source or pictures.resolve().name
    return jobs_of_folders(
        pictures, masks, domain.value, name, split=None if split is None else split.value, fragments=group
    )


def _print_forecast(found: Forecast, pictures: int) -> None:
    for name, text in found.prompts.items():
        emit(f"--- {name} ---\n{text}\n")
    for cause in found.unusable:
        print(cause, file=sys.stderr)
    emit(
        f"{pictures} pictures, {len(found.unusable)} of them unusable; {found.questions} questions; about "
        f"{found.tokens_in:,} tokens in and at most {found.tokens_out:,} out; cost at most {found.cost:.2f}."
    )


def _finish(state: Work, stopped: str) -> None:
    from omni_iml.annotate.exporting import status as count

    found = count(state.queue)
    print_status(found)
    if stopped:
        print(f"Stopped: {stopped}.", file=sys.stderr)
    if found.finished < found.pictures:
        raise typer.Exit(SOME_UNREADABLE)


def print_status(found: Any) -> None:
    """Print an `annotate.exporting.status`: failures on standard error, counts on standard output."""
    from omni_iml.text import printable

    for name, instance, step, error in found.failures:
        which = "" if instance < 0 else f", instance {instance}"
        print(printable(f"{name}{which}, {step}: {error}"), file=sys.stderr)
    for step, states in found.steps.items():
        emit(f"{step}: " + ", ".join(f"{count} {state}" for state, count in sorted(states.items())))
    if found.calls:
        calls = ", ".join(f"{count} {outcome}" for outcome, count in found.calls.items())
        emit(f"questions: {calls}; {found.tokens_in:,} tokens in, {found.tokens_out:,} out; cost {found.cost:.4f}")
    emit(f"{found.finished} of {found.pictures} pictures finished, {len(found.failures)} steps failed.")
