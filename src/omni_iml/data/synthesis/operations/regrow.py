"""Regrown regions: scaled down and up again, with the spectra that decoders of networks leave.

No generator is at hand; what its last layers do to a spectrum can be had without one. An encoder loses the fine detail
(low-pass), and a decoder brings the size back by interpolation, or by transposed convolutions, whose unequal phases
leave peaks at the upsampling's frequencies (Odena et al. 2016; Zhang et al. 2019, AutoGAN; Durall et al. 2020).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from omni_iml.data.synthesis.blending import blend
from omni_iml.data.synthesis.edit import Edit, NothingToEdit
from omni_iml.data.synthesis.inpainting import grain
from omni_iml.data.synthesis.objects import outline
from omni_iml.data.synthesis.pieces import window_around
from omni_iml.data.synthesis.pixels import Pixels, to_pixels
from omni_iml.data.synthesis.scene import Donor, Scene

_DOWN = {"area": cv2.INTER_AREA, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC, "stride": cv2.INTER_NEAREST}
_UP = {
    "nearest": cv2.INTER_NEAREST,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
}
_WAYS = (*_UP, "transposed")


@dataclass(frozen=True)
class Regrow:
    """Take a region through a smaller size and back.

    Attributes:
        area: smallest and largest share of the picture.
        feather: largest width of the soft edge, pixels.
        outlines: what the region follows: names of `objects.OUTLINES`, or "free"; each as frequent as it is named.
    """

    practice: ClassVar[str] = "AutoGAN (Zhang et al. 2019), spectra after Durall et al. 2020"

    area: tuple[float, float] = (0.01, 0.4)
    feather: float = 6.0
    outlines: tuple[str, ...] = ("superpixels", "grabcut", "grabcut", "free")

    def __call__(self, rng: Generator, scene: Scene, donor: Donor) -> Edit:
        """See `Operation`."""
        base = scene.pixels
        mask, shape = outline(rng, base, self.area, self.outlines)
        if not mask.any():
            raise NothingToEdit("the region lies outside the picture.")
        around = 8
        window = window_around(mask, around)
        before = np.ascontiguousarray(base[window])
        after, did = regrown(rng, before)
        if rng.random() < 0.4:
            did["grain"] = strength = float(rng.uniform(0.3, 1.0))
            after = to_pixels(after + strength * grain(rng, base, mask, around))
        feather = 0.0 if rng.random() < 0.35 else float(rng.uniform(1, self.feather))
        pixels = base.copy()
        pixels[window] = blend(before, after, np.ascontiguousarray(mask[window]), feather)
        return Edit(pixels, mask, {"shape": shape, "feather_pixels": feather, **did})


def regrown(rng: Generator, pixels: Pixels) -> tuple[Pixels, dict[str, Any]]:
    """Pixels at a smaller size and back at their own, denoised between at times.

    Returns:
        uint8 of the same shape, and what was chosen.
    """
    height, width = pixels.shape[:2]
    way = _WAYS[int(rng.integers(len(_WAYS)))]
    names = list(_DOWN)
    down = names[int(rng.choice(len(names), p=[0.4, 0.25, 0.25, 0.1]))]
    factor, small_size = 2.0, (-(-width // 2), -(-height // 2))
    if way in ("nearest", "transposed"):  # what decoders do, at whole factors
        even = cv2.copyMakeBorder(pixels, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        pixels = np.asarray(even, np.uint8)
    else:
        factor = float(rng.uniform(1.3, 2.6))
        small_size = max(2, round(width / factor)), max(2, round(height / factor))
    small = np.asarray(cv2.resize(pixels, small_size, interpolation=_DOWN[down]), np.uint8)
    did: dict[str, Any] = {"down": down, "up": way, "factor": factor}
    if rng.random() < 0.3:
        did["denoised_levels"] = levels = float(rng.uniform(5, 20))
        small = np.asarray(cv2.bilateralFilter(small, 5, levels, 1.5), np.uint8)
    if way == "transposed":
        did["imbalance"] = imbalance = float(rng.uniform(0.0, 0.04))
        large = to_pixels(transposed(small.astype(np.float32), _kernel(rng, imbalance)))
    elif way == "nearest":
        # Decoders put a convolution behind it, which softens the steps.
        did["softened_sigma"] = sigma = float(rng.uniform(0.45, 0.8))
        doubled = cv2.resize(small, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
        large = np.asarray(cv2.GaussianBlur(doubled, (0, 0), sigma), np.uint8)
    else:
        large = np.asarray(cv2.resize(small, (width, height), interpolation=_UP[way]), np.uint8)
    return np.ascontiguousarray(large[:height, :width]), did


def transposed(small: NDArray[np.float32], kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """A transposed convolution of stride 2, the same for each channel: zeros between the pixels, then a 4x4 kernel.

    Args:
        small: float32 ``(h, w, C)``, several channels.
        kernel: float32 ``(4, 4)``; its four phases sum to 1 each where brightness shall stay.

    Returns:
        float32 ``(2h, 2w, C)``.
    """
    padded = cv2.copyMakeBorder(small, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    spread = np.zeros((2 * padded.shape[0], 2 * padded.shape[1], small.shape[2]), np.float32)
    spread[::2, ::2] = padded
    # filter2D correlates, and centres an even kernel right of its middle.
    large = cv2.filter2D(spread, -1, kernel[::-1, ::-1].copy(), anchor=(2, 2), borderType=cv2.BORDER_CONSTANT)
    return np.asarray(large[2:-2, 2:-2], np.float32)


def _kernel(rng: Generator, imbalance: float) -> NDArray[np.float32]:
    """A smooth 4x4 kernel, as learned ones are about, whose phases differ by ``imbalance``."""
    row = np.array([1, 3, 3, 1], np.float32) / 4
    kernel = np.outer(row, row) * (1 + imbalance * rng.standard_normal((4, 4)))
    return np.asarray(kernel, np.float32)
