"""What a picture suffers on its way: resizing, blur, noise, recompression, re-uploads; seeded, on real files.

A distortion takes decoded pixels and hands on an **encoded file**, so that a detector reads the distorted picture as it
would read any other: a JPEG distortion is a JPEG file with its own coefficients and tables, all others are PNG files,
whose coefficients are computed from the distorted pixels. It is applied at the picture's own size, before the geometry
of any model or protocol. A mask follows a change of size by the nearest pixel, and is scored at the new size.

Encoder: Pillow (libjpeg-turbo), standard tables, 4:2:0. The field's papers leave interpolation, kernel width and
encoder open; what is written here is what is measured, and the names say it. Enlarging and shrinking is bilinear,
OpenCV's default; a re-upload shrinks by area.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from omni_iml.io import load
from omni_iml.io.orientation import to_displayed

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Family = Literal["none", "resize", "blur", "noise", "noise-variance", "jpeg", "jpeg-range", "reupload"]


@dataclass(frozen=True)
class Distorted:
    """A distorted picture.

    Attributes:
        data: bytes of a PNG or JPEG file, in displayed orientation.
        mask: bool ``(H', W')`` at the file's size, True = tampered; None where none was given.
    """

    data: bytes
    mask: Mask | None


@dataclass(frozen=True)
class Distortion:
    """One distortion at one level.

    Attributes:
        family: "none", the pixels written anew (an undistorted picture is better given as the file it is); "resize",
            level = new side / old side; "blur", level = odd kernel side in pixels; "noise", level = sigma of 0..255;
            "noise-variance", level = sigma squared; "jpeg", level = quality; "jpeg-range", quality drawn from level - 1
            and level, as IMDL-BenCo draws it; "reupload", level = longest side in pixels.
        level: see above; 0 for "none".
        quality: JPEG quality of a re-upload; unused otherwise.

    Raises:
        ValueError: the level is outside what the family can do.
    """

    family: Family
    level: float = 0.0
    quality: int = 0

    def __post_init__(self) -> None:
        if not _ALLOWED[self.family](self.level) or (self.family == "reupload" and not 1 <= self.quality <= 100):
            raise ValueError(
                f"the distortion {self.name} is not possible; a blur's kernel is odd, a quality 1 to 100, a factor "
                "above 0."
            )

    @property
    def name(self) -> str:
        """For example "jpeg-50" or "resize-0.78"."""
        if self.family == "none":
            return "none"
        tail = f"-q{self.quality}" if self.family == "reupload" else ""
        return f"{self.family}-{self.level:g}{tail}"

    def __call__(self, pixels: Pixels, mask: Mask | None = None, *, seed: int = 0) -> Distorted:
        """Distort a picture.

        Noise depends on the seed and on the picture's own pixels, so that each picture has its own and the order in
        which pictures come does not matter.

        Args:
            pixels: uint8 ``(H, W, 3)`` RGB, in displayed orientation.
            mask: bool ``(H, W)``, or None.
            seed: of noise and of drawn qualities.

        Returns:
            The file and the mask at its size.

        Raises:
            ValueError: the mask is not of the picture's size.
        """
        if mask is not None and mask.shape != pixels.shape[:2]:
            raise ValueError(f"the mask is {mask.shape} and the picture {pixels.shape[:2]}; give both at one size.")
        return _APPLY[self.family](self, np.ascontiguousarray(pixels), mask, seed)


def displayed_pixels(source: object) -> Pixels:
    """The pixels of a picture file as a viewer shows them, which is what a distortion starts from.

    Args:
        source: whatever `omni_iml.io.load` takes.

    Returns:
        uint8 ``(H, W, 3)`` RGB.

    Raises:
        UnreadableImage: nothing can be read from the source.
    """
    image = load(source)
    return np.ascontiguousarray(to_displayed(image.pixels, image.orientation))


def _none(_: Distortion, pixels: Pixels, mask: Mask | None, __: int) -> Distorted:
    return Distorted(_png(pixels), mask)


def _resize(distortion: Distortion, pixels: Pixels, mask: Mask | None, _: int) -> Distorted:
    height, width = pixels.shape[:2]
    size = max(1, round(width * distortion.level)), max(1, round(height * distortion.level))
    return Distorted(_png(_scaled(pixels, size, cv2.INTER_LINEAR)), _scaled_mask(mask, size))


def _blur(distortion: Distortion, pixels: Pixels, mask: Mask | None, _: int) -> Distorted:
    side = int(distortion.level)
    # Sigma 0 lets OpenCV take 0.3 ((k - 1) / 2 - 1) + 0.8, as the papers' code does.
    return Distorted(_png(np.asarray(cv2.GaussianBlur(pixels, (side, side), 0), np.uint8)), mask)


def _noise(distortion: Distortion, pixels: Pixels, mask: Mask | None, seed: int) -> Distorted:
    sigma = distortion.level if distortion.family == "noise" else distortion.level**0.5
    noise = _generator(pixels, seed).standard_normal(pixels.shape, np.float32) * np.float32(sigma)
    return Distorted(_png(np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)), mask)


def _jpeg(distortion: Distortion, pixels: Pixels, mask: Mask | None, seed: int) -> Distorted:
    quality = int(distortion.level)
    if distortion.family == "jpeg-range":
        quality -= int(_generator(pixels, seed).integers(0, 2))
    return Distorted(_jpeg_file(pixels, quality), mask)


def _reupload(distortion: Distortion, pixels: Pixels, mask: Mask | None, _: int) -> Distorted:
    height, width = pixels.shape[:2]
    factor = min(1.0, distortion.level / max(height, width))
    if factor < 1:
        size = max(1, round(width * factor)), max(1, round(height * factor))
        pixels, mask = _scaled(pixels, size, cv2.INTER_AREA), _scaled_mask(mask, size)
    return Distorted(_jpeg_file(pixels, distortion.quality), mask)


def _scaled(pixels: Pixels, size: tuple[int, int], method: int) -> Pixels:
    return np.asarray(cv2.resize(pixels, size, interpolation=method), np.uint8)


def _scaled_mask(mask: Mask | None, size: tuple[int, int]) -> Mask | None:
    if mask is None:
        return None
    return np.asarray(cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST_EXACT)) > 0


def _generator(pixels: Pixels, seed: int) -> np.random.Generator:
    digest = hashlib.sha256(pixels.data).digest()
    return np.random.default_rng([seed, *np.frombuffer(digest, np.uint32).tolist()])


def _png(pixels: Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _jpeg_file(pixels: Pixels, quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
    return buffer.getvalue()


_APPLY: Mapping[Family, Callable[[Distortion, Pixels, Mask | None, int], Distorted]] = {
    "none": _none,
    "resize": _resize,
    "blur": _blur,
    "noise": _noise,
    "noise-variance": _noise,
    "jpeg": _jpeg,
    "jpeg-range": _jpeg,
    "reupload": _reupload,
}

_ALLOWED: Mapping[Family, Callable[[float], bool]] = {
    "none": lambda level: level == 0,
    "resize": lambda level: 0 < level <= 16,
    "blur": lambda level: level >= 1 and level % 2 == 1,
    "noise": lambda level: level >= 0,
    "noise-variance": lambda level: level >= 0,
    "jpeg": lambda level: 1 <= level <= 100 and level == int(level),
    "jpeg-range": lambda level: 2 <= level <= 100 and level == int(level),
    "reupload": lambda level: level >= 1,
}

CLASSIC: tuple[Distortion, ...] = (
    Distortion("resize", 0.78),
    Distortion("resize", 0.25),
    Distortion("blur", 3),
    Distortion("blur", 15),
    Distortion("noise", 3),
    Distortion("noise", 15),
    Distortion("jpeg", 100),
    Distortion("jpeg", 50),
)
"""The levels of ManTra-Net, SPAN, PSCC-Net and ObjectFormer, all but the noise being those of C-T12."""

BENCO: tuple[Distortion, ...] = (
    *(Distortion("blur", k) for k in (3, 7, 11, 15, 19, 23)),
    *(Distortion("noise-variance", v) for v in (3, 7, 11, 15, 19, 23)),
    *(Distortion("jpeg-range", q) for q in (100, 90, 80, 70, 60, 50)),
)
"""The levels of IMDL-BenCo and Mesorch; their "noise 15" is a variance."""

OSN: tuple[Distortion, ...] = (
    Distortion("reupload", 2048, quality=95),
    Distortion("reupload", 2048, quality=71),
    Distortion("reupload", 1600, quality=75),
)
"""Simulated re-uploads to social networks: a longest side and a quality, nothing else.

Wu et al. (2022) saw Facebook scale to 2048 and compress with a quality of 71 to 95 by content: the first two are the
ends of that range; the third stands for a messenger. Real networks also filter, and choose the quality by rules that
nobody has published, so figures under these are not those of the files that Wu et al. and TruFor really sent through
Facebook, WhatsApp and others; whoever has such files scores them as a data set.
"""

SUITES: Mapping[str, tuple[Distortion, ...]] = {"classic": CLASSIC, "benco": BENCO, "osn": OSN}
"""The suites of ``omni-iml evaluate --robust``, by name."""
