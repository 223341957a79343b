"""How a patch is put into a picture: edges, colour, light and geometry. Pixels in, pixels out."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

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


def warp(rng: Generator, pixels: Pixels, strength: float) -> Pixels:
    """Random scale, rotation and flip about the centre; mirrored at the border. Strength 0 leaves it as it is."""
    if rng.random() < 0.25 * strength:
        pixels = np.ascontiguousarray(pixels[:, ::-1])
    if strength == 0 or rng.random() < 0.35:
        return pixels
    height, width = pixels.shape[:2]
    angle = float(rng.uniform(-25, 25)) if rng.random() < 0.5 else 0.0
    scale = float(np.exp(rng.uniform(-0.5, 0.5)))
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle * strength, scale**strength)
    interpolation = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA)[int(rng.integers(3))]
    warped = cv2.warpAffine(pixels, matrix, (width, height), flags=interpolation, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(warped, np.uint8)


def match_colour(patch: Pixels, base: Pixels, mask: Mask) -> Pixels:
    """Shift the patch's mean and spread towards those of the picture it goes into (Reinhard et al. 2001, in RGB)."""
    inside = mask > 0
    if not inside.any():
        return patch
    mean_patch, std_patch = patch[inside].mean(0), patch[inside].std(0) + 1
    mean_base, std_base = base[inside].mean(0), base[inside].std(0) + 1
    gain = np.clip(std_base / std_patch, 0.6, 1.6)
    return to_pixels((patch - mean_patch) * gain + mean_base)
