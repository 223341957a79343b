"""Filters that editors apply: pixels and a generator in, pixels and what was chosen out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator

from omni_iml.data.synthesis.pixels import Pixels, to_pixels

Filter = Callable[[Generator, Pixels], tuple[Pixels, dict[str, Any]]]


def gaussian_blur(rng: Generator, pixels: Pixels) -> tuple[Pixels, dict[str, Any]]:
    """A Gaussian blur of 0.6 to 2.5 pixels."""
    sigma = float(rng.uniform(0.6, 2.5))
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8), {"sigma_pixels": sigma}


def median_blur(rng: Generator, pixels: Pixels) -> tuple[Pixels, dict[str, Any]]:
    """A median of 3 or 5 pixels."""
    side = int(rng.choice([3, 5]))
    return np.asarray(cv2.medianBlur(pixels, side), np.uint8), {"side_pixels": side}


def motion_blur(rng: Generator, pixels: Pixels) -> tuple[Pixels, dict[str, Any]]:
    """A blur of 3 to 11 pixels along a line."""
    length, angle = int(rng.integers(1, 6)) * 2 + 1, float(rng.uniform(0, 180))
    kernel = np.zeros((length, length), np.float32)
    half = length // 2
    reach = half * np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])
    start, stop = (tuple(int(v) for v in np.rint(half + sign * reach)) for sign in (-1, 1))
    cv2.line(kernel, start, stop, 1.0)
    blurred = cv2.filter2D(pixels, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(blurred, np.uint8), {"length_pixels": length, "angle_degrees": angle}


def smooth(rng: Generator, pixels: Pixels) -> tuple[Pixels, dict[str, Any]]:
    """Surfaces smoothed, edges kept, as on retouched skin: a bilateral filter."""
    levels = float(rng.uniform(12, 45))
    return np.asarray(cv2.bilateralFilter(pixels, 5, levels, 3), np.uint8), {"levels": levels}


def noise(rng: Generator, pixels: Pixels) -> tuple[Pixels, dict[str, Any]]:
    """Gaussian grain of 1.5 to 10 levels, of all channels together or of each."""
    levels, coloured = float(np.exp(rng.uniform(np.log(1.5), np.log(10)))), bool(rng.random() < 0.5)
    grain = rng.standard_normal((*pixels.shape[:2], 3 if coloured else 1), np.float32)
    return to_pixels(pixels + np.float32(levels) * grain), {"levels": levels, "coloured": coloured}


def sharpen(rng: Generator, pixels: Pixels) -> tuple[Pixels, dict[str, Any]]:
    """An unsharp mask."""
    sigma, amount = float(rng.uniform(0.6, 1.6)), float(rng.uniform(0.4, 1.6))
    soft = cv2.GaussianBlur(pixels, (0, 0), sigma).astype(np.float32)
    return to_pixels(pixels + amount * (pixels - soft)), {"sigma_pixels": sigma, "amount": amount}


def tone(rng: Generator, pixels: Pixels) -> tuple[Pixels, dict[str, Any]]:
    """Brightness, contrast and gamma."""
    gain, offset = float(np.exp(rng.normal(0, 0.12))), float(rng.normal(0, 8))
    gamma = float(np.exp(rng.normal(0, 0.15)))
    levels = np.linspace(0, 1, 256) ** gamma * 255
    curve = to_pixels((levels - 128) * gain + 128 + offset)
    return np.asarray(curve[pixels], np.uint8), {"gain": gain, "offset_levels": offset, "gamma": gamma}


def colour(rng: Generator, pixels: Pixels) -> tuple[Pixels, dict[str, Any]]:
    """Saturation and hue."""
    gain, turn = float(np.exp(rng.normal(0, 0.35))), float(rng.normal(0, 12))
    lab = cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    cosine, sine = gain * np.cos(np.deg2rad(turn)), gain * np.sin(np.deg2rad(turn))
    lab[..., 1:] = lab[..., 1:] @ np.array([[cosine, sine], [-sine, cosine]], np.float32)
    return to_pixels(255 * cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)), {"saturation": gain, "hue_degrees": turn}


def equalise(rng: Generator, pixels: Pixels) -> tuple[Pixels, dict[str, Any]]:
    """Local contrast of the luma brought out (contrast-limited adaptive histogram equalisation)."""
    limit = float(rng.uniform(1.0, 2.5))
    ycc = cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb)
    ycc[..., 0] = cv2.createCLAHE(limit, (2, 2)).apply(np.ascontiguousarray(ycc[..., 0]))
    return np.asarray(cv2.cvtColor(ycc, cv2.COLOR_YCrCb2RGB), np.uint8), {"limit": limit}


FILTERS: dict[str, Filter] = {
    "gaussian_blur": gaussian_blur,
    "median_blur": median_blur,
    "motion_blur": motion_blur,
    "smooth": smooth,
    "noise": noise,
    "sharpen": sharpen,
    "tone": tone,
    "colour": colour,
    "equalise": equalise,
}
"""The filters by name."""
