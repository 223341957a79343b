"""``omni-iml explain``: what was measured at each region, in words and numbers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omni_iml.cli.detect import choice_of, pictures
from omni_iml.cli.failures import SOME_UNREADABLE, WrongUsage, describe, emit, exit_codes
from omni_iml.types import MAX_PIXELS, OmniError, UnreadableImage

if TYPE_CHECKING:
    from omni_iml.evidence.text_lines import TextReader
    from omni_iml.explain import Explanation
    from omni_iml.inference.detector import Detector
    from omni_iml.types import EvidenceImage


def explain(
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE...", help="Pictures, documents, folders or globs.")],
    out: Annotated[
        Path | None, typer.Option(help="Write <file name>.explanation.json and .explanation.png of each picture here.")
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(help="Folder of masks <file name>.mask.png to explain in place of what a model finds."),
    ] = None,
    ocr: Annotated[
        bool | None, typer.Option("--ocr/--no-ocr", help="Read the text; by default if rapidocr is installed.")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Model file; the bundled one if left out.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads for the model; by default all cores.")] = None,
    max_pixels: Annotated[int, typer.Option(min=1, help="Refuse pictures with more pixels.")] = MAX_PIXELS,
    frames: Annotated[
        str, typer.Option(metavar="first|all|N", help="Frames or pages of a picture that has several.")
    ] = "first",
    pages: Annotated[str | None, typer.Option(metavar="1-3,7", help="Pages of PDF documents; by default all.")] = None,
    dpi: Annotated[
        float, typer.Option(min=1, max=10_000, help="Dots an inch at which PDF pages are drawn, where they must be.")
    ] = 200,
    password: Annotated[
        str | None, typer.Option(envvar="OMNI_IML_PASSWORD", help="Opens encrypted PDF documents.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a picture on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="On stderr, print errors only.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Say what sets each edited region apart, as measured against places of its shape in the same picture.

    Exit code: 0 if every picture was explained, 1 if some could not be read (a mask included), 2 for wrong usage, 3 if
    something else failed.
    """
    with exit_codes(debug):
        from omni_iml.explain import save, to_json
        from omni_iml.inference.detector import Detector
        from omni_iml.io.parts import load_parts

        choice = choice_of(frames, pages, dpi, password)
        if masks is not None and not masks.is_dir():
            raise WrongUsage(f"{masks}: there is no such folder of masks; name the one that detect wrote.")
        found, bad = pictures(sources, out)
        detector = None if masks is not None else Detector(model, threads=threads, max_pixels=max_pixels)
        reader = _reader(ocr)
        failed = len(bad)
        for error in bad:
            print(describe(error, debug), file=sys.stderr)
        for item in found:
            for image in load_parts(item.path, max_pixels=max_pixels, **choice):
                try:
                    if isinstance(image, UnreadableImage):
                        raise image
                    name = item.relative.as_posix() + image.part
                    explanation = _explained(image, name, masks, detector, reader)
                except OmniError as error:
                    failed += 1
                    print(describe(error, debug), file=sys.stderr)
                    continue
                if out is not None:
                    save(explanation, out, name)
                if as_json:
                    emit(json.dumps(to_json(explanation)))
                if not quiet:
                    _print(name, explanation)
        if failed:
            raise typer.Exit(SOME_UNREADABLE)


def _reader(asked: bool | None) -> TextReader | None:
    from omni_iml.evidence.text_lines import MissingReader, TextReader

    if asked is False:
        return None
    try:
        return TextReader()
    except MissingReader as error:
        if asked:
            raise WrongUsage(str(error)) from error
        return None


def _explained(
    image: EvidenceImage, name: str, masks: Path | None, detector: Detector | None, reader: TextReader | None
) -> Explanation:
    from omni_iml.explain import explain_image, read_mask
    from omni_iml.io.orientation import to_displayed
    from omni_iml.report.files import output_stem

    if masks is None:
        assert detector is not None
        return explain_image(image, None, detector.analyse(image), reader)
    import numpy as np

    stem = masks / output_stem(name)
    path = stem.with_name(stem.name + ".mask.png")
    height, width = to_displayed(image.pixels, image.orientation).shape[:2]
    # A folder of true masks has none for an authentic picture.
    mask: Any = read_mask(path, width, height) if path.is_file() else np.zeros((height, width), bool)
    return explain_image(image, mask, None, reader)


def _print(name: str, explanation: Explanation) -> None:
    from rich.console import Console
    from rich.text import Text

    from omni_iml.report.wording import VERDICTS, printable

    console = Console(stderr=True, highlight=False)
    detection = explanation.detection
    said = "" if detection is None else f"{VERDICTS[detection.verdict]}, score {detection.score:.2f}; "
    count = len(explanation.regions)
    heading = f"{printable(name)}: {said}{count} region{'' if count == 1 else 's'}, {explanation.findings} findings"
    console.print(Text(heading, "bold"), soft_wrap=True)
    for one in explanation.regions:
        about = f"  {one.instance.tampered_region} ({one.region.position}). {one.instance.relative_position}."
        console.print(Text(printable(about)), soft_wrap=True)
        for finding in one.findings:
            console.print(Text(printable(f"    {finding.title}: {finding.sentence}")), soft_wrap=True)
        if not one.findings:
            console.print(Text(f"    {one.note or 'Nothing unusual was measured.'}"), soft_wrap=True)
