"""``omni-iml refine``: a mask refined by what its explanation names."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omni_iml.cli import options
from omni_iml.cli.detect import choice_of, pictures
from omni_iml.cli.failures import SOME_UNREADABLE, Debug, WrongUsage, describe, emit, exit_codes
from omni_iml.cli.mllm import without_bars
from omni_iml.cli.names import DomainName
from omni_iml.text import printable
from omni_iml.types import MAX_PIXELS, OmniError, UnreadableImage

if TYPE_CHECKING:
    from omni_iml.explain.refine.refining import Finder, Refinement
    from omni_iml.types import EvidenceImage


MODELS = "Models for natural pictures and faces"


def refine(
    sources: options.Sources,
    results: Annotated[
        Path, typer.Option(help="Folder of <file name>.explanation.json, as explain wrote them.", file_okay=False)
    ],
    out: Annotated[Path, typer.Option(help="Write <file name>.mask.png and .refinement.json of each picture here.")],
    domain: Annotated[
        DomainName, typer.Option(help="document and scene_text are read; natural and face are looked at by models.")
    ],
    masks: Annotated[
        Path | None,
        typer.Option(help="Folder of <file name>.mask.png, and .heatmap.png where there is one; by default --results."),
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="Folder of true masks <file name>.mask.png: prints IoU before and after.")
    ] = None,
    detector: Annotated[
        str | None,
        typer.Option(metavar="FOLDER", help="Grounding DINO, or hf://owner/name@revision.", rich_help_panel=MODELS),
    ] = None,
    segmenter: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="SAM, or hf://owner/name@revision.", rich_help_panel=MODELS)
    ] = None,
    device: Annotated[str | None, typer.Option(help="Where they go: cpu, cuda:0.", rich_help_panel=MODELS)] = None,
    threshold: Annotated[
        float, typer.Option(min=0, max=1, help="Least score of what the detector finds.", rich_help_panel=MODELS)
    ] = 0.25,
    max_pixels: options.MaxPixels = MAX_PIXELS,
    frames: options.Frames = "first",
    pages: options.Pages = None,
    dpi: options.Dpi = 200,
    password: options.Password = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: Debug = False,
) -> None:
    """Find what an explanation names in the picture again, and refine the mask by it (appendix H.2).

    Of files with several pages or frames, say --frames, --pages and --dpi as explain was told.

    Exit code: 0 if every picture was refined, 1 if some could not be (mask or explanation missing included), 2 for
    wrong usage, 3 if something else failed.
    """
    with exit_codes(debug):
        from omni_iml.cli.outputs import Outputs
        from omni_iml.cli.own_files import REFINEMENT
        from omni_iml.explain.refine.refining import save, to_json
        from omni_iml.io.parts import load_parts

        if quiet:
            without_bars()
        choice = choice_of(frames, pages, dpi, password)
        masks = masks or results
        for folder in (results, masks, truth):
            if folder is not None and not folder.is_dir():
                raise WrongUsage(f"{folder}: there is no such folder; name one that explain or detect wrote.")
            if folder is not None and out.resolve() == folder.resolve():
                raise WrongUsage(f"{out}: the refined masks would overwrite those there; name another --out.")
        finder = _finder(domain, detector, segmenter, device, threshold)
        found, bad = pictures(sources)
        outputs = Outputs(out, REFINEMENT, found)
        failed = len(bad)
        for error in bad:
            print(describe(error, debug), file=sys.stderr)
        for item in found:
            for image in load_parts(item.path, max_pixels=max_pixels, **choice):
                try:
                    if isinstance(image, UnreadableImage):
                        raise image
                    name = item.relative.as_posix() + image.part
                    outputs.claim(image.source + image.part, name)
                    doubts: list[str] = []
                    refinement = _refined(image, name, results, masks, truth, finder, doubts)
                except OmniError as error:
                    failed += 1
                    print(describe(error, debug), file=sys.stderr)
                    outputs.discard(item, error)
                    continue
                for doubt in doubts:
                    print(printable(f"Warning: {doubt}"), file=sys.stderr)
                save(refinement, out, name)
                if as_json:
                    emit(json.dumps(to_json(name, refinement)))
                if not quiet:
                    _print(name, refinement)
        if failed:
            raise typer.Exit(SOME_UNREADABLE)


def _finder(
    domain: DomainName, detector: str | None, segmenter: str | None, device: str | None, threshold: float
) -> Finder:
    if domain in (DomainName.DOCUMENT, DomainName.SCENE_TEXT):
        from omni_iml.cli.explain import text_reader
        from omni_iml.explain.refine.text_boxes import TextFinder

        reader = text_reader(True)
        assert reader is not None
        return TextFinder(reader)
    if detector is None or segmenter is None:
        raise WrongUsage(
            f"--domain {domain}: needs a Grounding DINO and a SAM; name them with --detector and --segmenter."
        )
    try:
        from omni_iml.explain.refine.grounding import ObjectFinder, UnreadableFinder
    except ModuleNotFoundError as error:
        raise WrongUsage(
            f"--domain {domain}: {error.name} is not installed; run pip install 'omni-iml[mllm]'."
        ) from error
    try:
        return ObjectFinder(detector, segmenter, device=device, threshold=threshold)
    except UnreadableFinder as error:
        raise WrongUsage(str(error)) from error


def _refined(
    image: EvidenceImage,
    name: str,
    results: Path,
    masks: Path,
    truth: Path | None,
    finder: Finder,
    doubts: list[str],
) -> Refinement:
    import numpy as np

    from omni_iml.explain.masks import UnreadableMask, read_mask
    from omni_iml.explain.refine.mentions import mentions_of, read_explanation
    from omni_iml.explain.refine.refining import refine_picture
    from omni_iml.io.orientation import to_displayed
    from omni_iml.metrics.pictures import read_gray
    from omni_iml.report.files import output_stem

    def beside(folder: Path, ending: str) -> Path:
        stem = folder / output_stem(name)
        return stem.with_name(stem.name + ending)

    pixels = to_displayed(image.pixels, image.orientation)
    height, width = pixels.shape[:2]
    explanation = read_explanation(beside(results, ".explanation.json"), width, height)
    mask = read_mask(beside(masks, ".mask.png"), width, height, doubts)
    probability: Any = None
    heat = beside(masks, ".heatmap.png")
    if heat.is_file():
        gray = read_gray(heat)
        if gray.shape != mask.shape:
            raise UnreadableMask(f"{heat}: the map has other pixels than {name}; give the one that detect wrote.")
        probability = gray / np.float32(np.iinfo(gray.dtype).max)
    true = None if truth is None else beside(truth, ".mask.png")
    # As for explain --masks, an authentic picture has no file among the true masks.
    known: Any = None if true is None else np.zeros_like(mask)
    if true is not None and true.is_file():
        known = read_mask(true, width, height, doubts)
    return refine_picture(pixels, mask, mentions_of(explanation), finder, probability=probability, truth=known)


def _print(name: str, refinement: Refinement) -> None:
    from omni_iml.explain.refine.listing import listed, listed_regions

    ious = refinement.ious
    gain = "" if ious is None else f"; IoU {ious[0]:.3f} before, {ious[1]:.3f} after"
    count = len(refinement.candidates)
    print(
        f"{printable(name)}: {len(refinement.mentions)} named, {count} place{'' if count == 1 else 's'} found{gain}",
        file=sys.stderr,
    )
    changes, rests = listed(refinement.refined.changes)
    for change in changes:
        boxes, more = listed_regions(change)
        where = " ".join(str(list(box)) for box in boxes) or "new"
        where += f" and {more} more" if more else ""
        pixels = f"{change.pixels_before} -> {change.pixels_after} pixels"
        print(printable(f"  {change.kind} {where}, {pixels}: {change.reason}"), file=sys.stderr)
    for rest in rests:
        pixels = f"{rest.pixels_before} -> {rest.pixels_after} pixels"
        print(f"  {rest.kind} {rest.changes} more, {pixels}", file=sys.stderr)
