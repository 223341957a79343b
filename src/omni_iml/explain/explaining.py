"""A picture and its mask in, an `Explanation` out: measure each region, name it, place it, word it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from time import perf_counter
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.annotate.schema import Domain, Instance
from omni_iml.evidence.copy_move import matrix_of
from omni_iml.evidence.lettering import measure_lettering
from omni_iml.evidence.measures import measure_regions, thresholds
from omni_iml.evidence.measuring import Measurement
from omni_iml.evidence.placements import SMALLEST
from omni_iml.evidence.text_lines import SCRIPTS, TextLine, TextReader, UnreadableText
from omni_iml.explain.instances import Instances, instances_of, masks_of
from omni_iml.explain.interpreting import Interpretation, Interpreter
from omni_iml.explain.naming import in_text, line_of, name_of, place_of
from omni_iml.inference.detector import Detector
from omni_iml.io import load
from omni_iml.io.orientation import to_displayed
from omni_iml.report.wording import VERDICTS
from omni_iml.types import MAX_PIXELS, Box, Detection, EvidenceImage, Region

Arrow = tuple[tuple[float, float], tuple[float, float]]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Explained:
    """One region and what was measured of it.

    Attributes:
        region: where it is, displayed pixels.
        instance: the paper's four keys; its artifacts are the findings.
        measurements: everything that could be measured, findings or not.
        note: why nothing could be measured; empty where something was.
        arrow: from the middle of the source to the middle of the region, displayed pixels, where a copy-move is found.
    """

    region: Region
    instance: Instance
    measurements: tuple[Measurement, ...]
    note: str = ""
    arrow: Arrow | None = None

    @property
    def findings(self) -> tuple[Measurement, ...]:
        """The measurements that are unusual enough to be reported, the strongest first."""
        found = [one for one in self.measurements if one.is_finding]
        return tuple(sorted(found, key=lambda one: -one.strength / one.threshold))


@dataclass(frozen=True, repr=False)
class Explanation:
    """What can be said of a picture's regions, in displayed orientation.

    Attributes:
        source: how the source was named.
        part: which picture of its file this is.
        sha256: digest of the source's bytes.
        pixels: uint8 ``(height, width, 3)`` RGB.
        mask: bool ``(height, width)``, True = tampered.
        mask_from: "detected" by a model, or "given".
        detection: what the model said; None where the mask was given.
        regions: the largest first.
        text_lines: what was read; None where nobody asked for it, or it could not be read, which a warning says.
        warnings: what a reader should know.
        timing_ms: milliseconds by step.
        interpretation: what a multimodal model said; None where none was asked.
    """

    source: str
    part: str
    sha256: str
    pixels: NDArray[np.uint8]
    mask: Mask
    mask_from: Literal["detected", "given"]
    detection: Detection | None
    regions: tuple[Explained, ...]
    text_lines: tuple[TextLine, ...] | None
    warnings: tuple[str, ...]
    timing_ms: Mapping[str, float] = field(default_factory=dict)
    interpretation: Interpretation | None = None

    @property
    def findings(self) -> int:
        """How many findings there are in all."""
        return sum(len(region.findings) for region in self.regions)

    def __repr__(self) -> str:
        """One line."""
        return f"Explanation({self.source!r}, {len(self.regions)} regions, {self.findings} findings)"


def explain(
    source: object,
    mask: Mask | None = None,
    *,
    detector: Detector | None = None,
    reader: TextReader | None = None,
    interpreter: Interpreter | None = None,
    domain: Domain | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Explanation:
    """Explain one picture.

    Args:
        source: whatever `omni_iml.io.load` takes.
        mask: bool ``(height, width)``, displayed orientation; None to let a model find it.
        detector: the model that does; None for the bundled one.
        reader: reads the text; None to do without.
        interpreter: asks a multimodal model as well; None to do without.
        domain: of the picture, for the model's query; None where it is not known.
        max_pixels: larger pictures are refused.

    Returns:
        The explanation; one without regions where the mask is empty.

    Raises:
        UnreadableImage: the source is no picture that can be analysed.
        ValueError: the mask is not as large as the picture.
    """
    image = load(source, max_pixels=max_pixels)
    detection = None if mask is not None else (detector or _default_detector()).analyse(image)
    return explain_image(image, mask, detection, reader, interpreter, domain)


@cache
def _default_detector() -> Detector:
    return Detector()


def explain_image(
    image: EvidenceImage,
    mask: Mask | None,
    detection: Detection | None,
    reader: TextReader | None = None,
    interpreter: Interpreter | None = None,
    domain: Domain | None = None,
) -> Explanation:
    """Explain a picture that is loaded.

    Args:
        image: the picture.
        mask: bool ``(height, width)``, displayed orientation; None to take the detection's.
        detection: what a model said of it; may be None where a mask is given.
        reader: reads the text; None to do without.
        interpreter: asks a multimodal model as well, also about an empty mask (H.7); None to do without.
        domain: of the picture, for the model's query; None where it is not known.

    Returns:
        The explanation; a model that fails leaves the measured part as it is.

    Raises:
        ValueError: there is neither mask nor detection, or the mask is not as large as the picture.
    """
    begin = perf_counter()
    pixels = to_displayed(image.pixels, image.orientation)
    if mask is None and detection is None:
        raise ValueError("there is neither a mask nor a detection; give one of them")
    if mask is not None:
        shown = np.asarray(mask, bool)
        if shown.shape != pixels.shape[:2]:
            raise ValueError(f"the mask is {shown.shape} and the picture {pixels.shape[:2]}; give one of the same size")
        parts = instances_of(shown)
    else:
        assert detection is not None
        shown = np.asarray(detection.mask > 0)
        parts = masks_of(shown, detection.regions)
    measured = measure_regions(image, parts.stored(image.orientation))
    done = perf_counter()
    lines, unread, warnings = _read(reader if parts else None, pixels, parts.regions)
    if lines:
        luma = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.float32)
        of_text = measure_lettering(luma, [line.box for line in lines], parts.masks, thresholds())
        measured = [(*some, *more) for some, more in zip(measured, of_text, strict=True)]
    read = perf_counter()
    boxes = [region.box for region in parts.regions]
    height, width = pixels.shape[:2]
    explained = tuple(
        _explained(region, found, lines or (), unread, [box for box in boxes if box != region.box], width, height)
        for region, found in zip(parts.regions, measured, strict=True)
    )
    warnings += _left_out(parts) if mask is not None else _at_odds(detection, explained)
    said = interpreter.interpret(pixels, shown, domain) if interpreter is not None else None
    timing = {"measure": 1000 * (done - begin), "text": 1000 * (read - done)}
    if said is not None:
        timing["interpretation"] = 1000 * said.seconds
    timing["total"] = 1000 * (perf_counter() - begin)
    return Explanation(
        source=image.source,
        part=image.part,
        sha256=image.sha256,
        pixels=pixels,
        mask=shown,
        mask_from="given" if mask is not None else "detected",
        detection=detection if mask is None else None,
        regions=explained,
        text_lines=lines,
        warnings=(*image.warnings, *warnings),
        timing_ms=timing,
        interpretation=said,
    )


def _left_out(parts: Instances) -> tuple[str, ...]:
    """A warning where a mask has more regions than are explained."""
    if not parts.left_out:
        return ()
    return (
        f"The mask has {len(parts) + parts.left_out} regions, of which the {len(parts)} largest are explained and "
        f"{parts.left_out} left out; give a mask with fewer to have them explained.",
    )


def _at_odds(detection: Detection | None, explained: Sequence[Explained]) -> tuple[str, ...]:
    """A warning where there are findings though the model does not call the picture tampered."""
    count = sum(len(one.findings) for one in explained)
    if detection is None or detection.verdict == "tampered" or not count:
        return ()
    what = "finding is a measured difference" if count == 1 else f"{count} findings are measured differences"
    return (
        f'The verdict is "{VERDICTS[detection.verdict]}": the {what} in places that the model marked, and not '
        "enough for it to call the picture tampered; look for other grounds before believing in an edit.",
    )


def _read(
    reader: TextReader | None, pixels: NDArray[np.uint8], regions: Sequence[Region]
) -> tuple[tuple[TextLine, ...] | None, tuple[Box, ...], tuple[str, ...]]:
    """Lines, boxes of text that was not read, and warnings; a reader that fails leaves what is measured without it."""
    if reader is None:
        return None, (), ()
    try:
        lines = reader.read(pixels)
        wordless = [region for region in regions if line_of(region, lines) is None]
        unread = reader.unread(pixels, lines) if wordless else ()
    except UnreadableText as error:
        return None, (), (str(error),)
    hidden = sum(in_text(region, unread) for region in wordless)
    some = f"{hidden} of {len(regions)} regions" if len(regions) > 1 else "The region"
    told = f"{some} lie{'' if hidden > 1 else 's'} in text that was not read: {SCRIPTS}"
    return lines, unread, (told,) if hidden else ()


def _explained(
    region: Region,
    measurements: tuple[Measurement, ...],
    lines: Sequence[TextLine],
    unread: Sequence[Box],
    others: Sequence[tuple[int, int, int, int]],
    width: int,
    height: int,
) -> Explained:
    arrow = _arrow(region, measurements)
    artifacts: dict[str, str] = {}
    ordered = sorted((one for one in measurements if one.is_finding), key=lambda one: -one.strength / one.threshold)
    for one in ordered:
        artifacts[one.title] = f"{artifacts[one.title]} {one.sentence}" if one.title in artifacts else one.sentence
    instance = Instance.model_validate(
        {
            "Tampered Region": name_of(region, lines),
            "Absolute Position": region.position,
            "Relative Position": place_of(
                region, lines, unread, others, None if arrow is None else arrow[0], width, height
            ),
            "Artifacts": artifacts,
            "box": region.box,
        }
    )
    note = ""
    if not measurements:
        few = region.area_share * width * height < SMALLEST
        note = (
            f"The region has fewer than {SMALLEST} pixels: too few to measure."
            if few
            else "The picture has too few places of the region's shape to compare it with."
        )
    return Explained(region, instance, measurements, note, arrow)


def _arrow(region: Region, measurements: Sequence[Measurement]) -> Arrow | None:
    """The copy-move that was found, from source to region, in displayed pixels."""
    for one in measurements:
        if one.name == "copy_move" and one.is_finding:
            x0, y0, x1, y1 = region.box
            here = ((x0 + x1) / 2, (y0 + y1) / 2)
            x, y = matrix_of(one.details) @ np.array([here[0] - 0.5, here[1] - 0.5, 1]) + 0.5
            return (float(x), float(y)), here
    return None
