"""What a person sees of a run, on standard error: a progress bar on a terminal, then a table."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from omni_iml.report.wording import LIMITS, VERDICTS, fitness_sentences, printable
from omni_iml.types import Detection, Verdict

_STYLES: dict[Verdict, str] = {"tampered": "bold", "inconclusive": "italic", "no_trace": ""}
_FEW = 3
"""Pictures that share a warning are named one by one up to this many."""
_NARROW = 120
"""Columns of the table where standard error is no terminal, whose width could be asked for."""


class Summary(AbstractContextManager["Summary"]):
    """Collects what the table says while the pictures are analysed.

    Args:
        total: how many pictures there are.
        quiet: print nothing at all.
    """

    def __init__(self, total: int, *, quiet: bool) -> None:
        plain = Console(stderr=True)
        self._console = plain if plain.is_terminal else Console(stderr=True, width=_NARROW)
        self._quiet = quiet
        self._rows: list[tuple[str, Verdict, str, str]] = []
        self._warnings: dict[str, list[str]] = {}
        self._notes: dict[str, list[str]] = {}
        self._progress = Progress(
            TextColumn("Analysing"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=quiet or not plain.is_terminal,
        )
        self._task = self._progress.add_task("", total=total)

    def __enter__(self) -> Summary:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def add(self, name: str, detection: Detection) -> None:
        """Take note of one result.

        Args:
            name: how the table calls the picture.
            detection: its result; only a few words of it are kept.
        """
        name = printable(name)
        self._rows.append((name, detection.verdict, f"{detection.score:.2f}", _where(detection)))
        for warning in detection.warnings:
            self._warnings.setdefault(printable(warning), []).append(name)
        if detection.fitness is not None and detection.fitness.grade == "poor":
            note = printable(" ".join(fitness_sentences(detection.fitness)))
            self._notes.setdefault(note, []).append(name)

    def advance(self) -> None:
        """One more picture is done, well or badly."""
        self._progress.advance(self._task)

    def fail(self, error: str) -> None:
        """Name a picture that could not be read, above the progress bar; said in quiet runs too.

        Args:
            error: what to say, from `omni_iml.cli.failures.describe`.
        """
        self._console.print(Text(error), soft_wrap=True)

    def print(self, unreadable: int, out: Path | None) -> None:
        """Print the table, the warnings and where the files are.

        Args:
            unreadable: how many pictures could not be read.
            out: the output folder, if there is one.
        """
        if self._quiet:
            return
        if self._rows:
            table = Table("Picture", "Verdict", "Score", "Regions", box=None, pad_edge=False)
            table.columns[0].overflow = "fold"
            for name, verdict, score, where in self._rows:
                table.add_row(Text(name), Text(VERDICTS[verdict], style=_STYLES[verdict]), score, where)
            self._console.print(table)
        lines = [f"Warning: {_named(names)}: {warning}" for warning, names in self._warnings.items()]
        lines += [f"Note: {_named(names)}: {note}" for note, names in self._notes.items()]
        lines.append(f"{len(self._rows)} analysed, {unreadable} unreadable.")
        if out is not None and self._rows:
            lines.append(f"Masks, heat maps, overlays and JSON are in {printable(str(out))}.")
        lines.append(LIMITS)
        for line in lines:
            self._console.print(Text(line), soft_wrap=True)


def _where(detection: Detection) -> str:
    """The regions in a few words: how many, how much of the picture, and where the largest lies."""
    regions = detection.regions
    if not regions:
        return "none"
    share = sum(region.area_share for region in regions)
    return f"{len(regions)} ({share:.1%}), {regions[0].position.lower()}"


def _named(names: list[str]) -> str:
    """The pictures that a warning is about; of many, the first and how many there are."""
    return ", ".join(names) if len(names) <= _FEW else f"{names[0]} and {len(names) - 1} more"
