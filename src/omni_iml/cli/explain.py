"""``omni-iml explain``: what was measured at each region, in words and numbers."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omni_iml.cli.detect import choice_of, pictures
from omni_iml.cli.failures import SOME_UNREADABLE, WrongUsage, describe, emit, exit_codes
from omni_iml.cli.mllm import MLLM, Adapter, Bits, DeviceMap, DType, DTypeName, Limits, opened
from omni_iml.cli.names import DomainName
from omni_iml.text import printable
from omni_iml.types import MAX_PIXELS, OmniError, UnreadableImage

if TYPE_CHECKING:
    from omni_iml.annotate.schema import Domain
    from omni_iml.evidence.text_lines import TextReader
    from omni_iml.explain import Asking, Explanation, Interpreter
    from omni_iml.inference.detector import Detector
    from omni_iml.types import EvidenceImage


class QueryName(StrEnum):
    """The choices of ``--query``."""

    REFERENCE = "reference"
    PLAIN = "plain"
    ZERO_SHOT = "zero_shot"


class AxisName(StrEnum):
    """The choices of ``--axis``."""

    LONGEST = "longest"
    HORIZONTAL = "horizontal"


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
    model: Annotated[
        str | None, typer.Option(help="Model file, or hf://owner/name@revision; the bundled one if left out.")
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads for the model; by default all cores.")] = None,
    mllm: Annotated[
        str | None,
        typer.Option(metavar="local:FOLDER|endpoint:URL", help="Ask a multimodal model as well.", rich_help_panel=MLLM),
    ] = None,
    mllm_model: Annotated[
        str | None, typer.Option(help="Its name, where the endpoint offers several.", rich_help_panel=MLLM)
    ] = None,
    adapter: Adapter = None,
    dtype: DType = DTypeName.AUTO,
    bits: Bits = None,
    device_map: DeviceMap = None,
    query: Annotated[QueryName, typer.Option(help="Which query of F.2.", rich_help_panel=MLLM)] = QueryName.REFERENCE,
    domain: Annotated[
        DomainName | None, typer.Option(help="Domain of the pictures, for the query.", rich_help_panel=MLLM)
    ] = None,
    axis: Annotated[
        AxisName, typer.Option(help="How picture and reference are joined.", rich_help_panel=MLLM)
    ] = AxisName.LONGEST,
    mask_colors: Annotated[
        str,
        typer.Option(metavar="TAMPERED,AUTHENTIC", help="Colours of the mask, as names.", rich_help_panel=MLLM),
    ] = "white,black",
    spell_form: Annotated[
        bool,
        typer.Option("--spell-form", help="Ask for JSON explicitly, if not fine-tuned.", rich_help_panel=MLLM),
    ] = False,
    max_side: Annotated[
        int, typer.Option(min=64, help="Longest side of the picture that is shown.", rich_help_panel=MLLM)
    ] = 1280,
    max_tokens: Annotated[int, typer.Option(min=16, help="Longest answer, in tokens.", rich_help_panel=MLLM)] = 2048,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for it.", rich_help_panel=MLLM)] = 120.0,
    attempts: Annotated[int, typer.Option(min=1, help="Attempts where it fails.", rich_help_panel=MLLM)] = 3,
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

    With --mllm a multimodal model says what it sees as well. Exit code: 0 if every picture was explained, 1 if some
    could not be read (a mask included) or the model gave no usable answer, 2 for wrong usage, 3 if something else
    failed.
    """
    with exit_codes(debug):
        from omni_iml.explain import Interpreter, save, to_json
        from omni_iml.inference.detector import Detector
        from omni_iml.io.parts import load_parts

        choice = choice_of(frames, pages, dpi, password)
        if masks is not None and not masks.is_dir():
            raise WrongUsage(f"{masks}: there is no such folder of masks; name the one that detect wrote.")
        found, bad = pictures(sources, out)
        detector = None if masks is not None else Detector(model, threads=threads, max_pixels=max_pixels)
        reader = text_reader(ocr)
        interpreter = None
        if mllm is not None:
            asking = _asking(query, axis, mask_colors, max_side, spell_form, attempts)
            # Twice the side, for picture and reference: nothing is reduced a second time.
            limits = Limits(timeout=timeout, max_tokens=max_tokens, max_side=2 * max_side)
            interpreter = Interpreter(opened(mllm, mllm_model, limits, adapter, dtype, bits, device_map), asking)
        failed = len(bad)
        for error in bad:
            print(describe(error, debug), file=sys.stderr)
        for item in found:
            for image in load_parts(item.path, max_pixels=max_pixels, **choice):
                try:
                    if isinstance(image, UnreadableImage):
                        raise image
                    name = item.relative.as_posix() + image.part
                    explanation = _explained(image, name, masks, detector, reader, interpreter, domain)
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
                if (said := explanation.interpretation) is not None and said.status != "answered":
                    failed += 1
                    what = f"{name}: {said.model or mllm}: {said.status}: {said.cause}."
                    print(printable(what), file=sys.stderr)
        if failed:
            raise typer.Exit(SOME_UNREADABLE)


def text_reader(asked: bool | None) -> TextReader | None:
    """What reads the text of pictures.

    Args:
        asked: True to insist, False to do without, None to read if rapidocr is installed.

    Returns:
        The reader, or None.

    Raises:
        WrongUsage: it is insisted on and not installed.
    """
    from omni_iml.evidence.text_lines import MissingReader, TextReader

    if asked is False:
        return None
    try:
        return TextReader()
    except MissingReader as error:
        if asked:
            raise WrongUsage(str(error)) from error
        return None


def _asking(query: QueryName, axis: AxisName, colours: str, max_side: int, spell_form: bool, attempts: int) -> Asking:
    from PIL import ImageColor

    from omni_iml.explain import Asking
    from omni_iml.explain.reference import MaskColours
    from omni_iml.mllm.patience import Patience

    try:
        tampered, authentic = (ImageColor.getrgb(each.strip())[:3] for each in colours.split(","))
    except ValueError as error:
        raise WrongUsage(f"--mask-colors {colours}: are no two colours; write white,black or #ffd000,black.") from error
    return Asking(
        mode=query.value,
        axis=axis.value,
        colours=MaskColours(tampered, authentic),
        max_side=max_side,
        spell_form=spell_form,
        patience=Patience(attempts),
    )


def _explained(
    image: EvidenceImage,
    name: str,
    masks: Path | None,
    detector: Detector | None,
    reader: TextReader | None,
    interpreter: Interpreter | None,
    domain: DomainName | None,
) -> Explanation:
    from omni_iml.explain import explain_image, read_mask
    from omni_iml.io.orientation import to_displayed
    from omni_iml.report.files import output_stem

    kind: Domain | None = None if domain is None else domain.value
    if masks is None:
        assert detector is not None
        return explain_image(image, None, detector.analyse(image), reader, interpreter, kind)
    import numpy as np

    stem = masks / output_stem(name)
    path = stem.with_name(stem.name + ".mask.png")
    height, width = to_displayed(image.pixels, image.orientation).shape[:2]
    # A folder of true masks has none for an authentic picture.
    mask: Any = read_mask(path, width, height) if path.is_file() else np.zeros((height, width), bool)
    return explain_image(image, mask, None, reader, interpreter, kind)


def _print(name: str, explanation: Explanation) -> None:
    from rich.console import Console
    from rich.text import Text

    from omni_iml.report.wording import VERDICTS

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
    for warning in explanation.warnings:
        console.print(Text(printable(f"  Warning: {warning}")), soft_wrap=True)
    if (heard := explanation.interpretation) is not None and heard.answer.regions:
        form = "" if heard.answer.valid else f" ({len(heard.answer.problems)} departures from the form)"
        console.print(Text(printable(f"  {heard.model} says{form}:"), "bold"), soft_wrap=True)
        for region in heard.answer.regions:
            about = f"  {region.tampered_region or '?'} ({region.absolute_position or '?'}). {region.relative_position}"
            console.print(Text(printable(about)), soft_wrap=True)
            for title, description in region.artifacts.items():
                console.print(Text(printable(f"    {title}: {description}")), soft_wrap=True)
