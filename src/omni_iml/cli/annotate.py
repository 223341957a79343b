"""``omni-iml annotate``: structured explanations for tampered pictures, written, reviewed and counted."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omni_iml.cli.annotators import AnnotatorName, check_mllm, local, measured, openai_chat
from omni_iml.cli.failures import SOME_UNREADABLE, WrongUsage, emit, exit_codes, needs
from omni_iml.cli.mllm import MLLM, Adapter, Bits, DeviceMap, DType, DTypeName, Limits, asks_for_local
from omni_iml.cli.names import DomainName
from omni_iml.types import MAX_PIXELS, OmniError

if TYPE_CHECKING:
    from omni_iml.annotate.checking import Problem
    from omni_iml.annotate.forecast import Forecast
    from omni_iml.annotate.jobs import Job
    from omni_iml.annotate.running import Work
    from omni_iml.annotate.schema import Annotation

annotate = typer.Typer(
    name="annotate",
    help="Write structured explanations of forgeries (needs the extra named annotate).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

WorkFolder = Annotated[Path, typer.Argument(metavar="WORK", help="Work directory of a run.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]


class MethodName(StrEnum):
    """The choices of ``--method``."""

    CHAIN = "chain"
    SINGLE = "single"


class SplitName(StrEnum):
    """The choices of ``--split``."""

    TRAIN = "train"
    TEST = "test"


@annotate.command()
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
    max_pixels: Annotated[int, typer.Option(min=1, help="Refuse pictures with more pixels.")] = MAX_PIXELS,
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


@annotate.command()
def status(work: WorkFolder, debug: Debug = False) -> None:
    """Say where a work directory stands: steps, failures, tokens and cost."""
    with exit_codes(debug):
        from omni_iml.annotate.exporting import status as count

        _print_status(count(_queue(work)))


@annotate.command()
def retry(work: WorkFolder, debug: Debug = False) -> None:
    """Let the failed steps wait again; the next run asks them."""
    with exit_codes(debug):
        emit(f"{_queue(work).retry()} failed steps wait again.")


@annotate.command()
def export(
    work: WorkFolder,
    out: Annotated[Path, typer.Argument(help="File to write: .jsonl or .parquet.")],
    corrected: Annotated[
        bool, typer.Option("--corrected", help="Reviewers' corrections in place of the model's text.")
    ] = False,
    debug: Debug = False,
) -> None:
    """Write the finished annotations."""
    with exit_codes(debug):
        with needs("annotate", "annotate export"):
            from omni_iml.annotate import exporting, write_rows
            from omni_iml.annotate.checking import WrongAnnotations
        try:
            count = write_rows(exporting.export(_queue(work), corrected=corrected), out)
        except WrongAnnotations as error:
            raise WrongUsage(str(error)) from error
        print(f"{count} pictures.", file=sys.stderr)
        emit(str(out))


@annotate.command()
def convert(
    published: Annotated[list[Path], typer.Argument(help="Published files: .pkl or .json, one a source set.")],
    out: Annotated[Path, typer.Option(help="File to write: .jsonl or .parquet.")],
    source: Annotated[str | None, typer.Option(help="Name of the source set; by default the file's.")] = None,
    domain: Annotated[DomainName | None, typer.Option(help="Domain; by default that of the set.")] = None,
    split: Annotated[SplitName | None, typer.Option(help="Split; by default what the name says.")] = None,
    images: Annotated[Path | None, typer.Option(help="Folder of the pictures: lists names without one.")] = None,
    debug: Debug = False,
) -> None:
    """Read published files of Omni-273k, running nothing of what a pickle holds.

    Exit code: 0, or 1 if some entries are wrong or some names have no picture; each is named.
    """
    with exit_codes(debug):
        with needs("annotate", "annotate convert"):
            from omni_iml.annotate import join, pictures_below, read_published, read_rows, write_rows
            from omni_iml.annotate.checking import WrongAnnotations
        problems = Problems()
        try:
            count = write_rows(
                (
                    row
                    for path in published
                    for row in read_published(
                        path,
                        problems,
                        source=source,
                        domain=None if domain is None else domain.value,
                        split=None if split is None else split.value,
                    )
                ),
                out,
            )
            if images is not None:
                joined = join(read_rows(out, problems), pictures_below(images))
                for name in joined.rows_without_picture:
                    problems.say(f"{name}: has no picture in {images}, or more than one.")
                print(f"{len(joined.pairs)} rows have their picture; ", end="", file=sys.stderr)
                print(f"{len(joined.pictures_without_row)} pictures have no row.", file=sys.stderr)
        except (WrongAnnotations, FileNotFoundError) as error:
            raise WrongUsage(str(error)) from error
        print(f"{count} rows, {problems.count} problems.", file=sys.stderr)
        emit(str(out))
        if problems.count:
            raise typer.Exit(SOME_UNREADABLE)


@annotate.command()
def review(
    work: WorkFolder,
    reviewer: Annotated[str, typer.Option(help="Your name, as it stands beside your reviews.")],
    sample: Annotated[int | None, typer.Option(min=1, help="Pictures of each domain; by default all.")] = None,
    seed: Annotated[int, typer.Option(help="Of the sample; the same for all reviewers.")] = 0,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port; by default a free one.")] = None,
    debug: Debug = False,
) -> None:
    """Open a page to read, correct, accept or reject annotations (needs the extra named review)."""
    with exit_codes(debug):
        with needs("review", "annotate review"):
            from omni_iml.annotate.page import review_page, serve
            from omni_iml.annotate.reviewing import items

            queue = _queue(work)
            chosen = items(queue, sample=sample, seed=seed)
            if not chosen or not reviewer.strip():
                raise WrongUsage(f"{work}: there is nothing to review, or no reviewer's name; finish a run first.")
            page = review_page(queue, chosen, reviewer.strip())
        serve(page, host=host, port=port)


@annotate.command()
def stats(
    data: Annotated[Path, typer.Argument(metavar="ROWS", help="Rows (.jsonl, .parquet) or a work directory.")],
    single: Annotated[
        Path | None, typer.Option(help="Rows of the baseline: compare both with the reviewed text (C-T20).")
    ] = None,
    debug: Debug = False,
) -> None:
    """Print the statistics of C-T7 and C-T1 beside the published ones, and what reviews say.

    Exit code: 0, or 1 if some rows are wrong; each is named.
    """
    with exit_codes(debug):
        with needs("annotate", "annotate stats"):
            from omni_iml.annotate import exporting, read_rows, report, statistics
            from omni_iml.annotate.agreement import review_report
            from omni_iml.annotate.checking import WrongAnnotations
            from omni_iml.annotate.comparison import compare, comparison_report
        problems = Problems()

        def rows_of(path: Path) -> Iterator[Annotation]:
            return exporting.export(_queue(path)) if path.is_dir() else read_rows(path, problems)

        reviewed: list[Annotation] = []

        def noted() -> Iterator[Annotation]:
            for row in rows_of(data):
                if row.reviews:
                    reviewed.append(row)
                yield row

        try:
            emit(report(statistics(noted())).rstrip("\n"))
            if reviewed:
                emit("\n" + review_report(reviewed).rstrip("\n"))
            if single is not None:
                if not reviewed:
                    raise WrongUsage(f"{data}: has no reviews to compare with; review some of it first.")
                with needs("annotate", "annotate stats"):
                    both = {"single": compare(list(rows_of(single)), reviewed), "chain": compare(reviewed, reviewed)}
                emit("\n" + comparison_report(both).rstrip("\n"))
        except WrongAnnotations as error:
            raise WrongUsage(str(error)) from error
        if problems.count:
            raise typer.Exit(SOME_UNREADABLE)


class Problems:
    """Prints problems on standard error and counts them."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, problem: Problem) -> None:
        """Take one in."""
        self.say(str(problem))

    def say(self, text: str) -> None:
        """Take one sentence in."""
        from omni_iml.text import printable

        self.count += 1
        print(printable(text), file=sys.stderr)


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


def _queue(work: Path) -> Any:
    from omni_iml.annotate.queue import Queue, WrongWork

    try:
        return Queue(work)
    except WrongWork as error:
        raise WrongUsage(str(error)) from error


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
    _print_status(found)
    if stopped:
        print(f"Stopped: {stopped}.", file=sys.stderr)
    if found.finished < found.pictures:
        raise typer.Exit(SOME_UNREADABLE)


def _print_status(found: Any) -> None:
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
