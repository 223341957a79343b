"""``omni-iml annotate``: structured explanations for tampered pictures, written, reviewed and counted."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omni_iml.cli.annotate_run import print_status, run
from omni_iml.cli.failures import SOME_UNREADABLE, Debug, WrongUsage, emit, exit_codes, needs
from omni_iml.cli.names import DomainName, SplitName

if TYPE_CHECKING:
    from omni_iml.annotate.checking import Problem
    from omni_iml.annotate.schema import Annotation

annotate = typer.Typer(
    name="annotate",
    help="Write structured explanations of forgeries (needs the extra named annotate).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

WorkFolder = Annotated[Path, typer.Argument(metavar="WORK", help="Work directory of a run.")]

annotate.command()(run)


@annotate.command()
def status(work: WorkFolder, debug: Debug = False) -> None:
    """Say where a work directory stands: steps, failures, tokens and cost."""
    with exit_codes(debug):
        from omni_iml.annotate.exporting import status as count

        print_status(count(_queue(work)))


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


def _queue(work: Path) -> Any:
    from omni_iml.annotate.queue import Queue, WrongWork

    try:
        return Queue(work)
    except WrongWork as error:
        raise WrongUsage(str(error)) from error
