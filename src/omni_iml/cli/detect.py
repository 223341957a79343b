"""``omni-iml detect``: pictures in, verdicts, masks and JSON out."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omni_iml.cli import options
from omni_iml.cli.failures import SOME_UNREADABLE, Debug, WrongUsage, describe, emit, exit_codes
from omni_iml.cli.names import PrecisionName
from omni_iml.types import MAX_PIXELS, UnreadableImage

if TYPE_CHECKING:
    from omni_iml.inference.detector import Detector
    from omni_iml.io.find import Found

_OWN_SUFFIXES = (".mask.png", ".heatmap.png", ".overlay.png", ".explanation.png")


class RuntimeName(StrEnum):
    """The choices of ``--runtime``."""

    ONNX = "onnx"
    OPENVINO = "openvino"
    TORCH = "torch"
    AUTO = "auto"


def detect(
    sources: options.Sources,
    out: Annotated[
        Path | None, typer.Option(help="Write JSON, mask, heat map and overlay of each picture here.")
    ] = None,
    model: options.Model = None,
    runtime: Annotated[
        RuntimeName, typer.Option(help="What runs the model; auto: the fastest here.")
    ] = RuntimeName.ONNX,
    threads: options.Threads = None,
    precision: Annotated[
        PrecisionName, typer.Option(help="Arithmetic of --runtime torch; auto: bfloat16 on GPUs that have it.")
    ] = PrecisionName.AUTO,
    mask_threshold: Annotated[
        float, typer.Option(min=0, max=1, help="A pixel above this probability is in the mask.")
    ] = 0.5,
    max_pixels: options.MaxPixels = MAX_PIXELS,
    frames: options.Frames = "first",
    pages: options.Pages = None,
    dpi: options.Dpi = 200,
    password: options.Password = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: Debug = False,
) -> None:
    """Find where pictures were edited, those inside PDF, office, ZIP and mail files among them.

    Exit code: 0 if every picture was analysed, 1 if some could not be read (each is named, the others are done), 2 for
    wrong usage, 3 if something else failed.
    """
    with exit_codes(debug):
        from omni_iml.inference.detector import Detector

        choice = choice_of(frames, pages, dpi, password)
        found, bad = pictures(sources, out)
        try:
            detector = Detector(model, runtime.value, threads, mask_threshold, max_pixels, precision.value)
        except ValueError as error:
            raise WrongUsage(f"{error}.") from error
        unreadable = _run(detector, found, bad, out, choice, as_json=as_json, quiet=quiet, debug=debug)
        if unreadable:
            raise typer.Exit(SOME_UNREADABLE)


def choice_of(frames: str, pages: str | None, dpi: float, password: str | None) -> dict[str, Any]:
    """The options that say which pictures of a file are looked at, as `Detector.detect_parts` takes them."""
    from omni_iml.io.pages import WrongSelection, parse_pages

    chosen: str | int = int(frames) if frames.isascii() and frames.isdigit() else frames
    if chosen not in ("first", "all") and not (isinstance(chosen, int) and chosen >= 1):
        raise WrongUsage(f"--frames {frames}: there are no such frames; say first, all, or a number from 1.")
    if pages is not None:
        try:
            parse_pages(pages)
        except WrongSelection as error:
            raise WrongUsage(f"--{error}") from error
    return {"frames": chosen, "pages": pages, "dpi": dpi, "password": password}


def pictures(sources: Sequence[str], out: Path | None) -> tuple[list[Found], list[UnreadableImage]]:
    """The pictures that the sources name, no two of which write to the same files, and the sources that name none."""
    from omni_iml.io.find import find_source, resolve_collisions

    good: list[Found] = []
    bad: list[UnreadableImage] = []
    for source in sources:
        try:
            good.extend(find_source(source))
        except UnreadableImage as error:
            bad.append(error)
    try:
        placed = resolve_collisions(good)
    except UnreadableImage as error:  # the pictures may be fine: it is naming them together that is refused
        raise WrongUsage(str(error)) from error
    found = [item for item in placed if str(item.path) in sources or not _is_own_output(item.path)]
    if not found:
        causes = "; ".join(str(error).removesuffix(".") for error in bad) or f"{', '.join(sources)}: only our own maps"
        raise WrongUsage(f"There is nothing to analyse ({causes}); name pictures or folders of pictures.")
    if out is not None:
        _refuse_collisions(found)
        make_output_folder(out)
    return found, bad


def make_output_folder(out: Path) -> None:
    """Make the folder of ``--out`` where it is not there, and see before any work is done that files can be made in it.

    Args:
        out: the folder.

    Raises:
        WrongUsage: it cannot be made, or not be written to.
    """
    from omni_iml.io.whole_file import UnwritableFile, check_writable, make_folder

    try:
        make_folder(out)
        check_writable(out)
    except UnwritableFile as error:
        raise WrongUsage(str(error)) from error


def _is_own_output(path: Path) -> bool:
    """Whether an earlier run wrote the file: a map beside the JSON of the same picture."""
    for suffix in _OWN_SUFFIXES:
        if path.name.endswith(suffix):
            stem = path.name.removesuffix(suffix)
            return any(
                path.with_name(stem + ending).is_file() for ending in (".json", ".explanation.json", ".refinement.json")
            )
    return False


def _refuse_collisions(found: Sequence[Found]) -> None:
    """Names that differ only in characters which some file system refuses would share their output files."""
    from omni_iml.report.files import output_stem

    taken: dict[str, Path] = {}
    for item in found:
        stem = os.path.normcase(output_stem(item.relative.as_posix()))
        if stem in taken:
            raise WrongUsage(
                f"{item.path}: its results would overwrite those of {taken[stem]}; "
                "rename one of them, or write to different folders."
            )
        taken[stem] = item.path


def _run(
    detector: Detector,
    found: Sequence[Found],
    bad: Sequence[UnreadableImage],
    out: Path | None,
    choice: Mapping[str, Any],
    *,
    as_json: bool,
    quiet: bool,
    debug: bool,
) -> int:
    """Analyse every picture of every file and report; returns how many could not be read."""
    from omni_iml.cli.summary import Summary
    from omni_iml.report import save, to_json
    from omni_iml.report.files import output_stem

    unreadable = len(bad)
    taken: set[str] = set()
    with Summary(len(found), quiet=quiet) as summary:
        for error in bad:
            summary.fail(describe(error, debug))
        for item in found:
            for result in detector.detect_parts(item.path, **choice):
                if isinstance(result, UnreadableImage):
                    unreadable += 1
                    summary.fail(describe(result, debug))
                    continue
                name = item.relative.as_posix() + result.part
                if out is not None:
                    # Files were told apart before; this is about a part that is named like another file's.
                    stem = os.path.normcase(output_stem(name))
                    if stem in taken:
                        unreadable += 1
                        cause = "its results would overwrite those of another picture"
                        clash = UnreadableImage(f"{item.path}{result.part}", cause, "analyse the file on its own")
                        summary.fail(describe(clash, debug))
                        continue
                    taken.add(stem)
                    save(result, out, name)
                if as_json:
                    emit(json.dumps(to_json(result)))
                summary.add(name, result)
            summary.advance()
    summary.print(unreadable, out)
    return unreadable
