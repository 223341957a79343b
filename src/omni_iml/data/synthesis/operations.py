"""Tampering operations on pixels: each takes a picture and a region and returns the tampered picture.

Practice follows the field's synthetic sets: splicing and copy-move with affine change (CAT-Net's tampCOCO, Kwon et al.
2022), removal by diffusion inpainting (DEFACTO, Mahfoudi et al. 2019; Telea 2004; Bertalmio et al. 2001), local filters
and recompression (ManTraNet, Wu et al. 2019). Nothing outside the region's feathered edge is changed.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from omni_iml.data.synthesis.history import recompress
from omni_iml.data.synthesis.pixels import Mask, Pixels, to_pixels


def blend(base: Pixels, patch: Pixels, mask: Mask, feather: float) -> tuple[Pixels, Mask]:
    """``patch`` over ``base`` inside ``mask``, its edge softened.

    Args:
        base: the picture.
        patch: another picture of its shape.
        mask: where to put the patch.
        feather: sigma of the softening in pixels; up to 0.1 the edge is hard. Beyond 4 sigma plus a pixel from the
            mask nothing changes.

    Returns:
        The composite and its mask: where the patch has more than half of the say.
    """
    if feather <= 0.1:
        return np.where(mask[..., None] > 0, patch, base), mask
    alpha = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), feather)
    mixed = base + (patch.astype(np.float32) - base) * alpha[..., None]
    return to_pixels(mixed), (alpha > 0.5).astype(np.uint8)


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


def splice(rng: Generator, base: Pixels, donor: Pixels, mask: Mask) -> tuple[Pixels, Mask]:
    """Paste a piece of another picture, with geometry, colour and edge as an editor would."""
    patch = warp(rng, donor, float(rng.choice([0.0, 1.0], p=[0.4, 0.6])))
    if rng.random() < 0.3:
        patch = match_colour(patch, base, mask)
    return blend(base, patch, mask, float(rng.choice([0.0, rng.uniform(0.4, 2.0)])))


def copy_move(rng: Generator, base: Pixels, mask: Mask) -> tuple[Pixels, Mask]:
    """Cover the region with another place of the same picture; the label is the pasted copy only."""
    # The picture is taken as periodic, so that any shift finds pixels.
    shift = [int(rng.integers(side // 8, side - side // 8)) for side in base.shape[:2]]
    moved = np.roll(base, shift, (0, 1))
    if rng.random() < 0.4:
        moved = warp(rng, moved, 1.0)
    if rng.random() < 0.2:
        gain, offset = rng.uniform(0.85, 1.15), rng.uniform(-12, 12)
        moved = to_pixels(moved * gain + offset)
    return blend(base, moved, mask, float(rng.choice([0.0, rng.uniform(0.4, 2.0)])))


def remove(rng: Generator, base: Pixels, mask: Mask) -> tuple[Pixels, Mask]:
    """Fill the region from its surroundings by diffusion."""
    method = (cv2.INPAINT_TELEA, cv2.INPAINT_NS)[int(rng.integers(2))]
    filled = np.asarray(cv2.inpaint(base, mask, 3, method), np.uint8)
    if rng.random() < 0.4:  # editors add grain to hide the smooth patch
        noise = rng.standard_normal(base.shape[:2]).astype(np.float32)[..., None] * rng.uniform(1, 5)
        filled = to_pixels(filled + noise)
    return blend(base, filled, mask, 0.0)


def local_filter(rng: Generator, base: Pixels, mask: Mask) -> tuple[Pixels, Mask]:
    """Blur, noise, sharpen, resample or recompress inside the region."""
    kind = int(rng.integers(5))
    if kind == 0:
        changed = np.asarray(cv2.GaussianBlur(base, (0, 0), float(rng.uniform(0.7, 2.5))), np.uint8)
    elif kind == 1:
        noise = rng.standard_normal(base.shape).astype(np.float32) * rng.uniform(3, 12)
        changed = to_pixels(base + noise)
    elif kind == 2:
        soft = cv2.GaussianBlur(base, (0, 0), 1.0).astype(np.float32)
        changed = to_pixels(base + rng.uniform(0.5, 1.5) * (base - soft))
    elif kind == 3:  # regrown: the low-pass and upsampling spectrum of a decoder network
        height, width = base.shape[:2]
        small = cv2.resize(base, None, fx=(f := float(rng.uniform(0.35, 0.7))), fy=f, interpolation=cv2.INTER_AREA)
        changed = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
    else:
        changed = recompress(base, int(rng.integers(40, 85)), rng)
    return blend(base, changed, mask, float(rng.choice([0.0, rng.uniform(0.4, 2.0)])))
