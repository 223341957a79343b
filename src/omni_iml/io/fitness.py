"""Can traces of an edit still be there? Measurements of a file's history, graded by a fixed rule.

The grade is about the file, not about the picture's honesty: "limited" and "poor" pictures are as often genuine as any.
docs/fitness.md says how each sign was measured and how often it errs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from omni_iml.io.block_sample import BlockSample, center_luma, sample_blocks
from omni_iml.io.facts import is_camera
from omni_iml.io.jpeg_history import (
    EARLIER_GAIN,
    GRID_STANDS_OUT,
    SHIFTED_STANDS_OUT,
    earlier_quality,
    find_grid,
    find_shifted_grid,
    former_quality,
)
from omni_iml.io.jpeg_quality import estimate_quality
from omni_iml.io.missing import present
from omni_iml.io.resampling import PEAK_STANDS_OUT, find_resampling
from omni_iml.io.screens import MESSENGER_SIDES, is_screen_size, says_screenshot
from omni_iml.types import EvidenceImage, Fitness, Grade

POOR_SIDE, LIMITED_SIDE = 64, 256
"""Shorter side in pixels below which a picture is poor, or limited."""

POOR_QUALITY, LIMITED_QUALITY = 30, 70
"""JPEG quality below which a picture is poor, or limited."""

SCREEN_FLAT_SHARE = 0.15
"""Share of exactly flat 16x16 windows from which on a picture of a screen's size is taken for a screenshot."""

POOR_MISSING_SHARE = 0.1
"""Share of missing rows from which on a picture is poor. "No trace found" speaks of the whole picture; with an edit
equally likely anywhere, one in ten would be out of sight."""

_CROP = 512


def assessed(image: EvidenceImage) -> EvidenceImage:
    """The same picture with its fitness.

    Args:
        image: with facts, where it has a file.

    Returns:
        A copy that shares pixels and trace.
    """
    return replace(image, fitness=grade(measure(image)))


def measure(image: EvidenceImage) -> dict[str, float]:
    """Measure what tells how much of a trace can be left.

    The work is bounded whatever the picture's size: 2,048 windows of 16x16 pixels and one crop of 512x512.

    Args:
        image: pixels, trace and facts, in stored orientation. Missing rows are not measured but counted.

    Returns:
        Always: ``short_side`` (pixels), ``flat_share`` (0..1), ``compressions`` (JPEG compressions of which there is a
        trace, the file's own included), ``screen`` and ``messenger`` (1 where the file looks like one that comes from
        there). Where there is a trace: ``quality`` (of the last JPEG compression), ``earlier_quality`` (of one before,
        on the same grid), ``former_grid`` (how far the grid of a compression stands out in a file that is no JPEG),
        ``shifted_grid`` (how far a second grid stands out), ``resampling`` (how far a line of
        interpolation stands out) and ``resampling_frequency`` (cycles a pixel). Where the file was cut short:
        ``missing_share`` (of the rows, 0..1) and ``missing_scans`` (1).
    """
    whole, image = image, present(image)
    height, width = image.pixels.shape[:2]
    sample = sample_blocks(image.pixels)
    signs: dict[str, float] = {"short_side": float(min(height, width)), "flat_share": round(sample.flat_share, 4)}
    history = _jpeg_history(image, sample) if image.is_jpeg else _raster_history(sample)
    peak = find_resampling(center_luma(image.pixels, _CROP), blocks=history["compressions"] > 0)
    if peak is not None and peak.height >= PEAK_STANDS_OUT:
        signs |= {"resampling": round(peak.height, 2), "resampling_frequency": round(peak.frequency, 4)}
    camera = is_camera(image.facts)
    screen = is_screen_size(width, whole.pixels.shape[0]) and not camera and sample.flat_share >= SCREEN_FLAT_SHARE
    signs["screen"] = float(screen or says_screenshot(image.facts))
    signs["messenger"] = float(not camera and _from_messenger(whole))
    if whole.missing_rows:
        signs["missing_share"] = round(whole.missing_rows / whole.pixels.shape[0], 4)
    if whole.missing_scans:
        signs["missing_scans"] = 1.0
    return signs | history


def grade(signs: Mapping[str, float]) -> Fitness:
    """Grade by rule: poor where one of the poor limits is passed, else limited where a limited one is, else good.

    Args:
        signs: from `measure`; one that is missing was not measured and lowers nothing.

    Returns:
        The grade, a sentence for each sign that lowers it, and the signs.
    """
    side, quality = signs.get("short_side", LIMITED_SIDE), signs.get("quality", 100.0)
    earlier = signs.get("earlier_quality", 100.0)
    missing = signs.get("missing_share", 0.0)
    rules: tuple[tuple[bool, Grade, str], ...] = (
        (side < POOR_SIDE, "poor", f"Its shorter side is {side:.0f} pixels: too few for a trace."),
        (quality < POOR_QUALITY, "poor", f"JPEG compression at about quality {quality:.0f} leaves no fine trace."),
        (
            signs.get("screen", 0) > 0,
            "poor",
            "It looks like a screenshot, which keeps no trace of what happened to the pictures on the screen.",
        ),
        (
            missing >= POOR_MISSING_SHARE,
            "poor",
            f"The file was cut short: {missing:.0%} of the picture's rows are missing, and any edit in them.",
        ),
        (
            0 < missing < POOR_MISSING_SHARE,
            "limited",
            f"The file was cut short: the last {missing:.1%} of the picture's rows are missing.",
        ),
        (
            signs.get("missing_scans", 0) > 0,
            "limited",
            "The file was cut short before the last of its scans, which hold the fine detail that weak traces lie in.",
        ),
        (
            POOR_SIDE <= side < LIMITED_SIDE,
            "limited",
            f"Its shorter side is {side:.0f} pixels: small edits have few pixels to show in.",
        ),
        (
            POOR_QUALITY <= quality < LIMITED_QUALITY,
            "limited",
            f"JPEG compression at about quality {quality:.0f} removes weak traces.",
        ),
        (
            earlier < min(LIMITED_QUALITY, quality),
            "limited",
            f"An earlier JPEG compression at about quality {earlier:.0f} removed weak traces of what came before it.",
        ),
        ("shifted_grid" in signs, "limited", "It was compressed, cut or moved, and compressed again."),
        ("resampling" in signs, "limited", "It was enlarged or turned, which blurs traces of what came before."),
        (
            signs.get("messenger", 0) > 0,
            "limited",
            "Its size and compression are those of pictures sent through messengers, which rub traces out.",
        ),
    )
    reasons = tuple(sentence for holds, _, sentence in rules if holds)
    grades = {name for holds, name, _ in rules if holds}
    return Fitness("poor" if "poor" in grades else "limited" if grades else "good", reasons, dict(signs))


def _jpeg_history(image: EvidenceImage, sample: BlockSample) -> dict[str, float]:
    jpeg = image.facts.get("jpeg", {})
    quality = jpeg["quality"] if "quality" in jpeg else estimate_quality((image.trace.table,)).quality
    history = {"quality": float(quality), "compressions": 1.0}
    earlier = earlier_quality(sample, image.trace)
    if earlier is not None and earlier[1] >= EARLIER_GAIN:
        history["earlier_quality"] = float(earlier[0])
        history["compressions"] += 1
    shifted = find_shifted_grid(sample)
    if shifted is not None and shifted.height >= SHIFTED_STANDS_OUT:
        history["shifted_grid"] = round(shifted.height, 2)
        history["compressions"] += 1
    return history


def _raster_history(sample: BlockSample) -> dict[str, float]:
    grid = find_grid(sample)
    if grid is None or grid.height < GRID_STANDS_OUT:
        return {"compressions": 0.0}
    quality = former_quality(sample, grid)
    history = {"compressions": 1.0, "former_grid": round(grid.height, 2)}
    return history if quality is None else {"quality": float(quality), **history}


def _from_messenger(image: EvidenceImage) -> bool:
    jpeg = image.facts.get("jpeg", {})
    return (
        max(image.pixels.shape[:2]) in MESSENGER_SIDES
        and "exif" not in image.facts
        and jpeg.get("tables") == "standard"
        and 70 <= jpeg.get("quality", 0) <= 85
    )
