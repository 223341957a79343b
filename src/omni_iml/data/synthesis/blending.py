"""How a patch is put into a picture: edges, colour and light. Pixels in, pixels out."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from omni_iml.data.synthesis.pixels import Mask, Pixels, to_pixels


def blend(base: Pixels, patch: Pixels, mask: Mask, feather: float) -> Pixels:
    """``patch`` over ``base`` inside ``mask``; the edge is softened inwards, so that nothing outside changes.

    Args:
        base: the picture.
        patch: another picture of its shape.
        mask: where to put the patch.
        feather: width of the soft edge in pixels; up to 0.5 the edge is hard. Where the region is narrower than that,
            the patch still gets its full say at the region's middle.

    Returns:
        uint8 of the shape of ``base``, equal to it wherever ``mask`` is 0.
    """
    inside = mask[..., None] > 0
    if feather <= 0.5 or not mask.any():
        return np.where(inside, patch, base)
    # The picture's border is no edge of the region: a patch that runs out of the picture stays opaque there.
    padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1]
    alpha = np.clip(depth / (min(feather, float(depth.max())) + 0.5), 0, 1)[..., None]  # (H, W, 1)
    mixed = to_pixels(base + (patch.astype(np.float32) - base) * alpha)
    return np.where(inside, mixed, base)


def poisson(base: Pixels, patch: Pixels, mask: Mask, *, mixed: bool = False) -> Pixels:
    """The gradients of ``patch`` inside ``mask``, joined to ``base`` without a step (Pérez et al. 2003).

    What is at most six pixels wide or tall has no inside to join: it gets a soft edge.

    Args:
        base: the picture.
        patch: another picture of its shape.
        mask: where to put the patch.
        mixed: whether the base's gradients stay where they are the stronger ones.

    Returns:
        uint8 of the shape of ``base``, equal to it wherever ``mask`` is 0.
    """
    if not mask.any():
        return base.copy()
    # OpenCV solves on the mask's box, whose border it takes from the base: the region may not touch it. It takes the
    # patch's gradients from three pixels inside the mask on, so the two are joined within it.
    edge = 3
    canvas, source = (cv2.copyMakeBorder(p, edge, edge, edge, edge, cv2.BORDER_REPLICATE) for p in (base, patch))
    region = cv2.copyMakeBorder(mask * 255, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=0)
    x, y, width, height = cv2.boundingRect(region)
    if min(width, height) <= 2 * edge:
        return blend(base, patch, mask, 2.0)
    method = cv2.MIXED_CLONE if mixed else cv2.NORMAL_CLONE
    joined = cv2.seamlessClone(source, canvas, region, (x + width // 2, y + height // 2), method)
    return np.where(mask[..., None] > 0, np.asarray(joined, np.uint8)[edge:-edge, edge:-edge], base)


def match_colour(patch: Pixels, base: Pixels, mask: Mask, strength: float = 1.0) -> Pixels:
    """Move the patch's colours to those of the picture it goes into (Reinhard et al. 2001, in CIELAB).

    Args:
        patch: pixels whose colours are changed.
        base: the picture, of the patch's shape.
        mask: where both are looked at.
        strength: 0 leaves the patch as it is, 1 gives it the base's means and, within limits, its spreads.
    """
    inside = mask > 0
    if not inside.any():
        return patch
    lab, aim = (cv2.cvtColor(p.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) for p in (patch, base))
    ours, theirs = lab[inside], aim[inside]
    gain = np.clip((theirs.std(0) + 0.5) / (ours.std(0) + 0.5), 0.6, 1.6) ** strength
    moved = (lab - ours.mean(0)) * gain + ours.mean(0) + strength * (theirs.mean(0) - ours.mean(0))
    return to_pixels(255 * cv2.cvtColor(moved.astype(np.float32), cv2.COLOR_LAB2RGB))


def relight(rng: Generator, patch: Pixels) -> tuple[Pixels, dict[str, Any]]:
    """Other light on a patch: exposure, warmth and a fall-off to one side, as far as an editor would go.

    Returns:
        The patch, and what was chosen.
    """
    height, width = patch.shape[:2]
    exposure, warmth = float(np.exp(rng.normal(0, 0.12))), float(rng.normal(0, 0.03))
    slope, towards = float(abs(rng.normal(0, 0.15))), float(rng.uniform(0, 2 * np.pi))
    rows, columns = np.linspace(-0.5, 0.5, height)[:, None], np.linspace(-0.5, 0.5, width)[None]
    light = exposure * (1 + slope * (np.sin(towards) * rows + np.cos(towards) * columns))
    gains: NDArray[np.float32] = (light[..., None] * [1 + warmth, 1.0, 1 - warmth]).astype(np.float32)
    told = {"exposure": exposure, "warmth": warmth, "slope": slope, "direction_degrees": float(np.rad2deg(towards))}
    return to_pixels(patch * gains), told
