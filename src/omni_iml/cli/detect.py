"""``omni-iml detect``: pictures in, verdicts, masks and JSON out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omni_iml.cli import options
from omni_iml.cli.failures import SOME_UNREADABLE, Debug, WrongUsage, describe, emit, exit_codes
from omni_iml.cli.names import PrecisionName
from omni_iml.types import MAX_PIXELS, UnreadableImage

if TYPE_CHECKING:
    from omni_iml.cli.outputs import Outputs
    from omni_iml.inference.detector import Detector
    from omni_iml.io.find import Found
    from omni_iml.types import Detection


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
        from omni_iml.cli.outputs import Outputs
        from omni_iml.cli.own_files import DETECTION
        from omni_iml.inference.detector import Detector

        choice = choice_of(frames, pages, dpi, password)
        found, bad = pictures(sources)
        outputs = None if out is None else Outputs(out, DETECTION, found)
        try:
            detector = Detector(model, runtime.value, threads, mask_threshold, max_pixels, precision.value)
        except ValueError as error:
            raise WrongUsage(f"{error}.") from error
        unreadable = _run(detector, found, bad, outputs, choice, as_json=as_json, quiet=quiet, debug=debug)
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


def pictures(sources: Sequence[str]) -> tuple[list[Found], list[UnreadableImage]]:
    """The pictures that the sources name, maps of ours only where they are named, and the sources that name none."""
    from omni_iml.cli.own_files import is_own_map
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
    found = [item for item in placed if str(item.path) in sources or not is_own_map(item.path)]
    if not found:
        causes = "; ".join(str(error).removesuffix(".") for error in bad) or f"{', '.join(sources)}: only our own maps"
        raise WrongUsage(f"There is nothing to analyse ({causes}); name pictures or folders of pictures.")
    return found, bad


def _run(
    detector: Detector,
    found: Sequence[Found],
    bad: Sequence[UnreadableImage],
    outputs: Outputs | None,
    choice: Mapping[str, Any],
    *,
    as_json: bool,
    quiet: bool,
    debug: bool,
) -> int:
    """Analyse every picture of every file and report; returns how many could not be read."""
    from omni_iml.cli.summary import Summary
    from omni_iml.report import save, to_json

    unreadable = len(bad)
    with Summary(len(found), quiet=quiet) as summary:
        for error in bad:
            summary.fail(describe(error, debug))
        for item in found:
            for result in _results(detector, item, outputs, choice):
                if isinstance(result, UnreadableImage):
                    unreadable += 1
                    summary.fail(describe(result, debug))
                    if outputs is not None:
                        outputs.discard(item, result)
                    continue
                name = item.relative.as_posix() + result.part
                if outputs is not None:
                    save(result, outputs.folder, name)
                if as_json:
                    emit(json.dumps(to_json(result)))
                summary.add(name, result)
            summary.advance()
    summary.print(unreadable, None if outputs is None else outputs.folder)
    return unreadable


def _results(
    detector: Detector, item: Found, outputs: Outputs | None, choice: Mapping[str, Any]
) -> Iterator[Detection | UnreadableImage]:
    """What a file gives; in place of a result whose files are not free, the error that says so."""
    if outputs is not None and choice["frames"] == "first" and (blocked := outputs.blocked(item)) is not None:
        yield blocked
        return
    for result in detector.detect_parts(item.path, **choice):
        if outputs is not None and not isinstance(result, UnreadableImage):
            try:
                outputs.claim(f"{item.path}{result.part}", item.relative.as_posix() + result.part)
            except UnreadableImage as error:
                yield error
                continue
        yield result
