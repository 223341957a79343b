"""A sample's view of a benchmark picture: crop on the 8 grid, mirror, turn, rescale, shift colours, compress again.

Pixels, coefficients and table stay those of one file. What only moves pixels about (cropping on the grid, mirroring,
quarter turns) is done to the stored coefficients as well, without loss. What changes pixels ends either in a JPEG file,
which is written and read back, or in a file without loss, whose stand-in coefficients are computed from the pixels.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image
from pydantic import ConfigDict, Field, NonNegativeInt

from omni_iml.data.framing import draw_start
from omni_iml.data.jpeg_turns import cropped, mirrored, transposed, upside_down
from omni_iml.data.readers.decoding import Decoded
from omni_iml.io import trace_of_pixels
from omni_iml.io.jpeg import read_trace
from omni_iml.types import JpegTrace

Probability = Annotated[float, Field(ge=0, le=1)]
Quality = Annotated[int, Field(ge=1, le=100)]


@dataclass(frozen=True)
class CompressConfig:
    """Compression as it is drawn for DocTamper: so many times, each at a quality of its own (DTD, CVPR 2023).

    Attributes:
        probability: of it.
        times: fewest and most compressions, alike likely.
        quality: smallest and largest.
        anneal: samples over which the smallest quality falls from 100 to its value, DTD's curriculum; 0 for none.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    probability: Probability = 1.0
    times: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] = (1, 3)
    quality: tuple[Quality, Quality] = (75, 100)
    anneal: NonNegativeInt = 0


@dataclass(frozen=True)
class AugmentConfig:
    """What is done to pictures of data sets.

    Attributes:
        aim: probability that a crop is placed so that it shows a tampered region; else any place is as likely.
        mirror: probability of left and right exchanged.
        upside_down: probability of top and bottom exchanged.
        turn: probability of rows and columns exchanged, which with the two above makes quarter turns.
        rescale: probability of another scale.
        scale: smallest and largest scale; logarithms are alike likely.
        colours: probability of a shift of each colour by up to 20.
        compress: by domain, compression in the end.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    aim: Probability = 0.5
    mirror: Probability = 0.5
    upside_down: Probability = 0.0
    turn: Probability = 0.0
    rescale: Probability = 0.0
    scale: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]] = (0.75, 1.5)
    colours: Probability = 0.0
    compress: Mapping[str, CompressConfig] = field(default_factory=lambda: {"document": CompressConfig()})


NONE = AugmentConfig(aim=1.0, mirror=0.0, compress={})
"""As validation sees pictures: the crop shows what is tampered, and nothing is changed."""


@dataclass(frozen=True)
class Plan:
    """What happens to one picture, drawn before it is read.

    Attributes:
        aim: whether the crop shall show a tampered region.
        mirror: left and right are exchanged.
        upside_down: top and bottom are.
        turn: rows and columns are, last of the three.
        scale: new side over old side.
        colours: added to red, green and blue.
        qualities: of the JPEG compressions, in their order.
    """

    aim: bool = False
    mirror: bool = False
    upside_down: bool = False
    turn: bool = False
    scale: float = 1.0
    colours: tuple[int, int, int] = (0, 0, 0)
    qualities: tuple[int, ...] = ()

    @property
    def keeps_trace(self) -> bool:
        """Whether the stored coefficients of the file are what the sample has in the end."""
        return self.scale == 1.0 and not any(self.colours) and not self.qualities

    def told(self) -> dict[str, Any]:
        """Plain values, for a sample's recipe."""
        return asdict(self)


@dataclass(frozen=True)
class View:
    """What a sample is made of.

    Attributes:
        pixels: uint8 ``(H, W, 3)`` RGB.
        trace: of these pixels.
        mask: uint8 ``(H, W)``: 1 tampered, 0 not.
    """

    pixels: NDArray[np.uint8]
    trace: JpegTrace
    mask: NDArray[np.uint8]


def draw_plan(rng: Generator, config: AugmentConfig, domain: str, index: int = 0) -> Plan:
    """Draw what happens to a picture.

    Args:
        rng: source of all choices.
        config: what is drawn how often.
        domain: of the picture.
        index: of the sample, for the curriculum.
    """
    aim, mirror, upside, turn = (
        bool(rng.random() < chance) for chance in (config.aim, config.mirror, config.upside_down, config.turn)
    )
    scale = float(np.exp(rng.uniform(*np.log(config.scale)))) if rng.random() < config.rescale else 1.0
    red, green, blue = (int(v) for v in rng.integers(-20, 21, 3)) if rng.random() < config.colours else (0, 0, 0)
    compress = config.compress.get(domain)
    qualities: tuple[int, ...] = ()
    if compress is not None and rng.random() < compress.probability:
        low, high = compress.quality
        if compress.anneal:
            low = round(high - (high - low) * min(1.0, index / compress.anneal))
        times = int(rng.integers(compress.times[0], compress.times[1] + 1))
        qualities = tuple(int(quality) for quality in rng.integers(low, high + 1, times))
    return Plan(aim, mirror, upside, turn, scale, (red, green, blue), qualities)


def view_of(rng: Generator, picture: Decoded, mask: NDArray[np.uint8], plan: Plan, size: int) -> View:
    """Carry a plan out.

    Args:
        rng: source of the crop's place.
        picture: as decoded; its trace is used where the plan keeps it.
        mask: uint8 ``(H, W)`` of the picture: 1 tampered, 0 not.
        plan: what happens.
        size: largest side of the view, a multiple of 8.
    """
    pixels, trace = picture.pixels, picture.trace if plan.keeps_trace else None
    if plan.scale != 1.0:
        pixels, mask = _rescaled(pixels, mask, plan.scale)
    height, width = (min(size, side) for side in mask.shape)
    y, x = _place(rng, mask, height, width, plan.aim)
    if plan.mirror or plan.upside_down or plan.turn:
        # Whole blocks: a block that is not full would come to lie at the beginning. Less than one stays as it is.
        plan = replace(plan, mirror=plan.mirror and width >= 8, upside_down=plan.upside_down and height >= 8)
        height, width = max(height // 8 * 8, min(8, height)), max(width // 8 * 8, min(8, width))
    pixels, mask = pixels[y : y + height, x : x + width], mask[y : y + height, x : x + width]
    if trace is not None:
        trace = cropped(trace, y, x, height, width)
    pixels, mask, trace = _moved(pixels, mask, trace, plan)
    if any(plan.colours):
        pixels = np.clip(pixels.astype(np.int16) + np.array(plan.colours, np.int16), 0, 255).astype(np.uint8)
    for quality in plan.qualities:
        pixels, data = _compressed(pixels, quality)
        trace = None
    if plan.qualities:
        trace = read_trace(data)
    pixels = np.ascontiguousarray(pixels)
    return View(pixels, trace_of_pixels(pixels) if trace is None else trace, np.ascontiguousarray(mask))


def _rescaled(
    pixels: NDArray[np.uint8], mask: NDArray[np.uint8], scale: float
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    size = max(8, round(mask.shape[1] * scale)), max(8, round(mask.shape[0] * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    share = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return np.asarray(cv2.resize(pixels, size, interpolation=method), np.uint8), (share >= 0.5).astype(np.uint8)


def _place(rng: Generator, mask: NDArray[np.uint8], height: int, width: int, aim: bool) -> tuple[int, int]:
    """First row and column of the crop."""
    top = bottom = left = right = 0
    if aim and mask.any() and mask.shape != (height, width):
        # One region, not the box around them all: that one may be as large as the picture.
        count, _, boxes, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        left, top, wide, tall = (int(v) for v in boxes[int(rng.integers(1, count)), :4])
        bottom, right = top + tall, left + wide
    return (
        draw_start(rng, mask.shape[0], height, top, bottom),
        draw_start(rng, mask.shape[1], width, left, right),
    )


def _moved(
    pixels: NDArray[np.uint8], mask: NDArray[np.uint8], trace: JpegTrace | None, plan: Plan
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], JpegTrace | None]:
    if plan.mirror:
        pixels, mask, trace = pixels[:, ::-1], mask[:, ::-1], trace and mirrored(trace)
    if plan.upside_down:
        pixels, mask, trace = pixels[::-1], mask[::-1], trace and upside_down(trace)
    if plan.turn:
        pixels, mask, trace = pixels.transpose(1, 0, 2), mask.T, trace and transposed(trace)
    return pixels, mask, trace


def _compressed(pixels: NDArray[np.uint8], quality: int) -> tuple[NDArray[np.uint8], bytes]:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream).convert("RGB")), stream.getvalue()
