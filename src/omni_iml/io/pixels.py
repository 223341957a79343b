"""What can be computed from pixels alone: the 8x8 DCT that stands in for JPEG coefficients, and flattening to RGB."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from omni_iml.types import JpegTrace

_STRIP_PIXELS = 1_000_000
_TIE = 1e-9


def dct_matrix() -> NDArray[np.float64]:
    """Orthonormal DCT-II of length 8: row = frequency, column = sample."""
    index = np.arange(8)
    matrix = 0.5 * np.cos((2 * index[None, :] + 1) * index[:, None] * np.pi / 16)
    matrix[0] = np.sqrt(1 / 8)
    return matrix


_DCT = dct_matrix()


def trace_of_pixels(pixels: NDArray[np.uint8]) -> JpegTrace:
    """Compute the stand-in for JPEG coefficients: the rounded 8x8 DCT-II of luma - 128, with a table of ones.

    Luma is that of ITU-R 601 as JPEG and Pillow's mode "L" have it. Sides that are not multiples of 8 are continued
    with their last row and column. Exact ties round upwards, so that the result does not depend on the machine.
    The work is done in strips of rows: memory beyond the result stays below about 40 MB.

    Args:
        pixels: uint8 ``(H, W, 3)`` RGB or ``(H, W)`` gray.

    Returns:
        Coefficients int16 ``(8*ceil(H/8), 8*ceil(W/8))``, -1024 to 1016 for DC, and a table of ones.

    Raises:
        ValueError: the array is not uint8 of one of these shapes, or has no pixels.
    """
    if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)):
        raise ValueError(f"pixels are {pixels.dtype} {pixels.shape}; give uint8 (H, W, 3) RGB or (H, W) gray.")
    height, width = pixels.shape[:2]
    if not height or not width:
        raise ValueError(f"pixels of shape {pixels.shape} are empty; give at least one pixel.")
    columns = -(-width // 8)
    coefficients = np.empty((-(-height // 8) * 8, columns * 8), dtype=np.int16)
    strip = max(1, _STRIP_PIXELS // (columns * 64)) * 8
    for top in range(0, height, strip):
        luma = _luma(pixels[top : top + strip])
        padded = np.pad(luma, ((0, -luma.shape[0] % 8), (0, -width % 8)), mode="edge")
        rows = padded.shape[0] // 8
        samples = padded.astype(np.float64) - 128.0
        across = (samples.reshape(-1, 8) @ _DCT.T).reshape(rows, 8, columns * 8)
        both = np.matmul(_DCT, across)
        both += 0.5 + _TIE
        coefficients[top : top + rows * 8] = np.floor(both, out=both).reshape(rows * 8, columns * 8)
    return JpegTrace(coefficients=coefficients, table=np.ones((8, 8), dtype=np.uint16))


def _luma(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if pixels.ndim == 2:
        return pixels
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).convert("L"))


_PLAIN_MODES = ("1", "L", "RGB", "P")
_ALPHA_MODES = ("LA", "La", "PA", "RGBA", "RGBa")
_CONVERTED_MODES = ("CMYK", "YCbCr", "HSV", "RGBX")

WHITE_NOTE = "its transparent parts were laid over white"
PALETTE_NOTE = "its colours come from a palette, which hides most traces of editing"


class UnknownSamples(ValueError):  # noqa: N818 - a cause, put into words by the caller
    """A picture whose sample values have no known relation to what a screen shows."""


def to_rgb(image: Image.Image, *, bits: int = 16) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Flatten a loaded Pillow image of any mode to 8-bit RGB.

    Gray of more than 8 bits is shifted down, not clipped. Transparency is laid over white, which is where most viewers
    show it; a fully opaque alpha channel is dropped silently. CMYK is converted without a colour profile.

    Args:
        image: a Pillow image; its pixels are loaded if they are not yet.
        bits: significant bits of a sample in the 16-bit gray modes.

    Returns:
        uint8 ``(H, W, 3)`` RGB, writeable, and warnings for what the flattening changed.

    Raises:
        UnknownSamples: 32-bit integer or floating-point samples, or a mode that has no plain conversion.
        Exception: whatever Pillow raises when the pixels cannot be decoded.
    """
    mode, notes = image.mode, []
    if mode.startswith("I;16"):
        samples = np.asarray(image)
        gray = (samples >> max(0, bits - 8)).astype(np.uint8)
        notes.append(f"{bits}-bit samples were reduced to 8 bits")
        clear = image.info.get("transparency")
        if isinstance(clear, int) and (seen := samples == clear).any():
            gray[seen] = 255
            notes.append(WHITE_NOTE)
        return np.repeat(gray[:, :, None], 3, axis=2), tuple(notes)
    if mode not in _PLAIN_MODES + _ALPHA_MODES + _CONVERTED_MODES:
        kind = {"I": "32-bit integers", "F": "floating-point numbers"}.get(mode, f"of the mode {mode}")
        raise UnknownSamples(f"its samples are {kind}, whose relation to brightness is not known")
    if mode in ("P", "PA"):
        notes.append(PALETTE_NOTE)
    if mode in _ALPHA_MODES or image.has_transparency_data:
        image, see_through = _over_white(image)
        if see_through:
            notes.append(WHITE_NOTE)
    elif mode in _CONVERTED_MODES:
        notes.append(f"its colours were converted from {mode} to RGB without a colour profile")
    if image.mode != "RGB":
        image = image.convert("RGB")
    return np.array(image), tuple(notes)


def _over_white(image: Image.Image) -> tuple[Image.Image, bool]:
    """The image without alpha, and whether any pixel was not opaque."""
    layered = image if image.mode == "RGBA" else image.convert("RGBA")
    lowest: Any = layered.getchannel("A").getextrema()[0]
    if lowest == 255:
        return layered.convert("RGB"), False
    white = Image.new("RGBA", layered.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, layered), True
