"""``omni-iml explain``: what was measured at each region, in words and numbers."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omni_iml.cli import interpreters as named
from omni_iml.cli import options
from omni_iml.cli.detect import choice_of, pictures
from omni_iml.cli.failures import SOME_UNREADABLE, Debug, WrongUsage, describe, emit, exit_codes
from omni_iml.cli.mllm import (
    MLLM,
    Adapter,
    Bits,
    DeviceMap,
    DType,
    DTypeName,
    check_mllm_is_named,
    without_bars,
)
from omni_iml.cli.names import DomainName
from omni_iml.text import printable
from omni_iml.types import MAX_PIXELS, OmniError, UnreadableImage

if TYPE_CHECKING:
    from omni_iml.annotate.schema import Domain
    from omni_iml.evidence.text_lines import TextReader
    from omni_iml.explain import Explanation, Interpreter
    from omni_iml.inference.detector import Detector
    from omni_iml.types import EvidenceImage


def explain(
    ctx: typer.Context,
    sources: options.Sources,
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
    model: options.Model = None,
    threads: options.Threads = None,
    mllm: named.Model = None,
    mllm_model: named.ModelName = None,
    adapter: Adapter = None,
    dtype: DType = DTypeName.AUTO,
    bits: Bits = None,
    device_map: DeviceMap = None,
    query: named.Query = named.DEFAULT.query,
    domain: Annotated[
        DomainName | None, typer.Option(help="Domain of the pictures, for the query.", rich_help_panel=MLLM)
    ] = None,
    axis: named.Axis = named.DEFAULT.axis,
    mask_colors: named.MaskColors = named.DEFAULT.mask_colors,
    spell_form: named.SpellForm = False,
    max_side: named.MaxSide = named.DEFAULT.max_side,
    max_tokens: named.MaxTokens = named.DEFAULT.max_tokens,
    timeout: named.Timeout = named.DEFAULT.timeout,
    attempts: named.Attempts = named.DEFAULT.attempts,
    max_pixels: options.MaxPixels = MAX_PIXELS,
    frames: options.Frames = "first",
    pages: options.Pages = None,
    dpi: options.Dpi = 200,
    password: options.Password = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: Debug = False,
) -> None:
    """Say what sets each edited region apart, as measured against places of its shape in the same picture.

    With --mllm a multimodal model says what it sees as well. Exit code: 0 if every picture was explained, 1 if some
    could not be read (a mask included) or the model gave no usable answer, 2 for wrong usage, 3 if something else
    failed.
    """
    with exit_codes(debug):
        from omni_iml.cli.outputs import Outputs
        from omni_iml.cli.own_files import EXPLANATION
        from omni_iml.explain import save, to_json
        from omni_iml.inference.detector import Detector
        from omni_iml.io.parts import load_parts

        check_mllm_is_named(ctx, mllm)
        if quiet:
            without_bars()
        choice = choice_of(frames, pages, dpi, password)
        if masks is not None and not masks.is_dir():
            raise WrongUsage(f"{masks}: there is no such folder of masks; name the one that detect wrote.")
        found, bad = pictures(sources)
        outputs = None if out is None else Outputs(out, EXPLANATION, found)
        detector = None if masks is not None else Detector(model, threads=threads, max_pixels=max_pixels)
        reader = text_reader(ocr)
        interpreter = None
        if mllm is not None:
            asking = named.Options(
                mllm_model, adapter, dtype, bits, device_map, query, axis, mask_colors, spell_form, max_side,
                max_tokens, timeout, attempts,
            )  # fmt: skip
            interpreter = named.interpreter_of(mllm, asking)
        failed = len(bad)
        for error in bad:
            print(describe(error, debug), file=sys.stderr)
        for item in found:
            for image in load_parts(item.path, max_pixels=max_pixels, **choice):
                try:
                    if isinstance(image, UnreadableImage):
                        raise image
                    name = item.relative.as_posix() + image.part
                    if outputs is not None:
                        outputs.claim(image.source + image.part, name)
                    explanation = _explained(image, name, masks, detector, reader, interpreter, domain)
                except OmniError as error:
                    failed += 1
                    print(describe(error, debug), file=sys.stderr)
                    if outputs is not None:
                        outputs.discard(item, error)
                    continue
                if outputs is not None:
                    outputs.saved(name, save(explanation, outputs.folder, name).values())
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
    doubts: list[str] = []
    # A folder of true masks has none for an authentic picture.
    mask: Any = read_mask(path, width, height, doubts) if path.is_file() else np.zeros((height, width), bool)
    image = replace(image, warnings=(*image.warnings, *doubts))
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
