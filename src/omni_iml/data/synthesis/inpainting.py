"""Filling a region from what surrounds it: diffusion, patches, or a network from elsewhere."""

from __future__ import annotations

import importlib
from typing import Any, Literal, Protocol

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from omni_iml.data.synthesis.pieces import window_around
from omni_iml.data.synthesis.pixels import Mask, Pixels, to_pixels

_SEARCH_SIDE = 112  # pixels of the small copy in which offsets are searched
_OFFSETS = 3  # that share a region


class Inpainter(Protocol):
    """What fills regions: a learned inpainter, or any other function of this form."""

    def __call__(self, pixels: Pixels, mask: Mask) -> Pixels:
        """The picture with its region filled.

        Args:
            pixels: uint8 ``(H, W, 3)`` RGB, not to be changed.
            mask: uint8 ``(H, W)``: 1 where to fill.

        Returns:
            uint8 ``(H, W, 3)``; only what it has inside the mask is used.
        """
        ...


def load_inpainter(name: str) -> Inpainter:
    """The function of a module.

    Args:
        name: "package.module:function".

    Raises:
        ValueError: the name has another form, or nothing that can be called is there.
    """
    module, _, function = name.partition(":")
    if not module or not function:
        raise ValueError(f"inpainter {name!r}: is no name of a function; write package.module:function.")
    try:
        found = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"inpainter {name!r}: cannot be imported ({error}); install its package.") from error
    if not callable(found):
        raise ValueError(f"inpainter {name!r}: is no function; name one that takes pixels and a mask.")
    called: Inpainter = found
    return called


def filled_by(inpainter: Inpainter, pixels: Pixels, mask: Mask) -> Pixels:
    """What an inpainter makes of the region, everything else as it was.

    Raises:
        ValueError: it returned something else than uint8 pixels of the picture's shape.
    """
    filled = np.asarray(inpainter(pixels.copy(), mask.copy()))
    if filled.shape != pixels.shape or filled.dtype != np.uint8:
        raise ValueError(
            f"inpainter: returned {filled.dtype} {filled.shape} for uint8 {pixels.shape}; return pixels of that kind."
        )
    return np.where(mask[..., None] > 0, filled, pixels)


def diffused(pixels: Pixels, mask: Mask, kind: Literal["telea", "navier_stokes"], radius: int) -> Pixels:
    """The region filled by diffusion from its rim (Telea 2004, Bertalmio et al. 2001).

    Args:
        pixels: the picture.
        mask: where to fill; not everywhere.
        kind: of the diffusion.
        radius: of what each pixel looks at, pixels.
    """
    window = window_around(mask, radius + 2)
    method = cv2.INPAINT_TELEA if kind == "telea" else cv2.INPAINT_NS
    inside = np.ascontiguousarray(mask[window])
    filled = cv2.inpaint(np.ascontiguousarray(pixels[window]), inside, radius, method)
    out = pixels.copy()
    out[window] = np.where(inside[..., None] > 0, np.asarray(filled, np.uint8), pixels[window])
    return out


def grain(rng: Generator, pixels: Pixels, mask: Mask, around: int = 8) -> NDArray[np.float32]:
    """Noise as strong as the picture's around a region, for `window_around` the region with that margin."""
    window = window_around(mask, around)
    values, inside = pixels[window].astype(np.float32), mask[window] > 0
    residue = (values - cv2.GaussianBlur(values, (0, 0), 1.0))[~inside]
    # Of what is left of white noise after that filter; edges hardly move the median.
    level = 1.4826 * float(np.median(np.abs(residue))) / 0.85 if residue.size else 0.0
    return np.float32(level) * rng.standard_normal((*inside.shape, 1), np.float32)


def patched(pixels: Pixels, mask: Mask) -> tuple[Pixels, list[list[int]]] | None:
    """The region filled with other places of the picture: a shift map of the few offsets that fit its rim best.

    The idea of He & Sun 2012, who take the offsets from the statistics of similar patches and cut between them; here
    the rim alone votes: an offset is good where the shifted picture agrees with the picture around the region.

    Args:
        pixels: the picture.
        mask: where to fill.

    Returns:
        The picture, and the offsets ``[rows, columns]`` from filled pixels to their sources; none where no other place
        of the picture has room for the region and its rim.
    """
    height, width = mask.shape
    reach = int(np.clip(0.12 * np.sqrt(mask.sum()), 4, 14))
    window = window_around(mask, reach)
    inside = mask[window] > 0
    rim = (cv2.dilate(mask, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))[window] > 0) & ~inside
    y, x, tall, wide = window[0].start, window[1].start, *inside.shape
    values = pixels.astype(np.float32)
    offsets: list[tuple[float, int, int]] = []
    for top, left in _fitting_places(pixels, mask, window, rim, height - tall, width - wide):
        error, top, left = _refined(values, mask, window, rim, top, left)
        if (error, top - y, left - x) not in offsets:
            offsets.append((error, top - y, left - x))
    offsets.sort()
    if not offsets:
        return None
    return _composed(values, window, inside, rim, [(down, across) for _, down, across in offsets], pixels)


def _fitting_places(
    pixels: Pixels, mask: Mask, window: tuple[slice, slice], rim: NDArray[np.bool_], last_y: int, last_x: int
) -> list[tuple[int, int]]:
    """Corners of windows whose rim looks like the region's, none of them showing the region; found in a small copy."""
    height, width = mask.shape
    scale = min(1.0, _SEARCH_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    down, across = size[1] / height, size[0] / width
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    hole = (cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0).astype(np.float32)
    y0, x0 = int(window[0].start * down), int(window[1].start * across)
    y1 = min(size[1], max(y0 + 1, round(window[0].stop * down)))
    x1 = min(size[0], max(x0 + 1, round(window[1].stop * across)))
    template = np.ascontiguousarray(small[y0:y1, x0:x1])
    ring = cv2.resize(rim.astype(np.float32), (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    ring = np.asarray(ring * (1 - hole[y0:y1, x0:x1]), np.float32)
    if not ring.any():
        return []
    errors = cv2.matchTemplate(small, template, cv2.TM_SQDIFF, mask=cv2.merge([ring] * 3))
    region = np.maximum(ring, hole[y0:y1, x0:x1])
    covered = cv2.matchTemplate(hole, (region > 0).astype(np.float32), cv2.TM_CCORR)
    errors = np.where((covered < 0.5) & np.isfinite(errors), np.maximum(errors, 0), np.inf)
    places: list[tuple[int, int]] = []
    for _ in range(_OFFSETS):
        at = np.unravel_index(int(errors.argmin()), errors.shape)
        if not np.isfinite(errors[at]):
            break
        row, column = int(at[0]), int(at[1])
        places.append((min(last_y, round(row / down)), min(last_x, round(column / across))))
        errors[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3] = np.inf
    return places


def _refined(
    values: NDArray[np.float32],
    mask: Mask,
    window: tuple[slice, slice],
    rim: NDArray[np.bool_],
    top: int,
    left: int,
) -> tuple[float, int, int]:
    """The corner near the one found in the small copy where the rim fits best: mean square error, row and column."""
    height, width = mask.shape
    reach = int(np.ceil(max(height, width) / _SEARCH_SIDE))
    rows, columns = np.nonzero(rim)
    step = max(1, rows.size // 500)
    rows, columns = rows[::step], columns[::step]
    wanted = values[window][rows, columns]
    inside = mask[window] > 0
    tall, wide = inside.shape
    best = (np.inf, top, left)
    for row in range(max(0, top - reach), min(height - tall, top + reach) + 1):
        for column in range(max(0, left - reach), min(width - wide, left + reach) + 1):
            error = float(np.mean((values[row + rows, column + columns] - wanted) ** 2))
            if error < best[0] and not (mask[row : row + tall, column : column + wide] > 0)[inside].any():
                best = (error, row, column)
    return best


def _composed(
    values: NDArray[np.float32],
    window: tuple[slice, slice],
    inside: NDArray[np.bool_],
    rim: NDArray[np.bool_],
    offsets: list[tuple[int, int]],
    pixels: Pixels,
) -> tuple[Pixels, list[list[int]]]:
    """Each part of the region from the offset that fits the part of the rim near it, with soft seams between them."""
    rows, columns = window
    shifted = [values[rows.start + y : rows.stop + y, columns.start + x : columns.stop + x] for y, x in offsets]
    spread = max(3.0, 0.25 * float(np.sqrt(inside.sum())))
    weight = cv2.GaussianBlur(rim.astype(np.float32), (0, 0), spread) + 1e-6
    errors = [((s - values[window]) ** 2).sum(2) * rim for s in shifted]
    near = np.stack([cv2.GaussianBlur(e, (0, 0), spread) / weight for e in errors])
    label = near.argmin(0)
    shares = [cv2.GaussianBlur((label == k).astype(np.float32), (0, 0), 1.5) for k in range(len(offsets))]
    total = np.sum(shares, 0)
    mixed = np.sum([s * (share / total)[..., None] for s, share in zip(shifted, shares, strict=True)], 0)
    out = pixels.copy()
    out[window] = np.where(inside[..., None], to_pixels(mixed), pixels[window])
    used: list[Any] = [list(offset) for k, offset in enumerate(offsets) if (label == k)[inside].any()]
    return out, used
