"""The reference visual prompt (C 3.4): the predicted mask weighted into the picture, joined to the picture itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.mllm.pictures import reduced

Axis = Literal["longest", "horizontal"]
"""Along which the two are joined: the picture's longest side ("along the longest side", C 3.4), or always side by side
("left half" and "right half", F.2)."""
Colour = tuple[int, int, int]
MAX_SIDE = 1280
"""Longest side of one half, in pixels, unless the caller says otherwise; the paper has no number."""


@dataclass(frozen=True)
class MaskColours:
    """How the mask is drawn before it is weighted in.

    Attributes:
        tampered: RGB, white by default.
        authentic: RGB, black by default, the one value that darkens whatever it is averaged with, as the query says
            ("the suspected authentic region darkened", F.2).
    """

    tampered: Colour = (255, 255, 255)
    authentic: Colour = (0, 0, 0)


@dataclass(frozen=True, eq=False)
class ReferencePrompt:
    """What the model sees.

    Attributes:
        image: uint8 ``(H, 2W, 3)`` or ``(2H, W, 3)`` RGB, the picture first.
        halves: what the query calls the two: ("left", "right") or ("top", "bottom").
    """

    image: NDArray[np.uint8]
    halves: tuple[str, str]


def highlighted(
    pixels: NDArray[np.uint8], mask: NDArray[np.bool_], colours: MaskColours | None = None
) -> NDArray[np.uint8]:
    """I_ref = (I_input + I_mask) / 2.

    Args:
        pixels: uint8 ``(H, W, 3)`` RGB.
        mask: bool ``(H, W)``, True = tampered.
        colours: of I_mask; None for white on black.

    Returns:
        uint8 ``(H, W, 3)`` RGB, rounded down.
    """
    chosen = colours or MaskColours()
    drawn = np.where(mask[..., None], np.asarray(chosen.tampered, np.uint16), np.asarray(chosen.authentic, np.uint16))
    return ((pixels.astype(np.uint16) + drawn) // 2).astype(np.uint8)


def reference_prompt(
    pixels: NDArray[np.uint8],
    mask: NDArray[np.bool_],
    *,
    axis: Axis = "longest",
    colours: MaskColours | None = None,
    max_side: int = MAX_SIDE,
) -> ReferencePrompt:
    """Join the picture and I_ref.

    Args:
        pixels: uint8 ``(H, W, 3)`` RGB, displayed orientation.
        mask: bool ``(H, W)``, True = tampered; it may be empty (H.7).
        axis: along which they are joined; a square counts as wide.
        colours: of the mask; None for white on black.
        max_side: longest side of either half; larger pictures are reduced.

    Returns:
        The prompt.

    Raises:
        ValueError: the mask is not as large as the picture.
    """
    if mask.shape != pixels.shape[:2]:
        raise ValueError(f"the mask is {mask.shape} and the picture {pixels.shape[:2]}; give one of the same size.")
    small = reduced(pixels, max_side)
    first, second = small, highlighted(small, _reduced_mask(mask, small.shape[1], small.shape[0]), colours)
    height, width = small.shape[:2]
    if axis == "horizontal" or width >= height:
        return ReferencePrompt(np.concatenate([first, second], axis=1), ("left", "right"))
    return ReferencePrompt(np.concatenate([first, second], axis=0), ("top", "bottom"))


def _reduced_mask(mask: NDArray[np.bool_], width: int, height: int) -> NDArray[np.bool_]:
    """A smaller mask in which no region is lost: a pixel is tampered if any that it stands for is."""
    if mask.shape == (height, width):
        return mask
    return np.asarray(cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA) > 0)
