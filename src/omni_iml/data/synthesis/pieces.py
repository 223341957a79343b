"""Pieces cut out of a picture, reshaped and put into a place of a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator

from omni_iml.data.synthesis.pixels import Mask, Pixels

MARGIN = 6
"""Pixels around a piece that are cut out with it: what interpolation and blending look at."""

KERNELS = {
    "nearest": cv2.INTER_NEAREST,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
    "area": cv2.INTER_AREA,
}
"""Resampling kernels of editors by name."""

Window = tuple[slice, slice]


@dataclass(frozen=True)
class Piece:
    """A piece of a picture.

    Attributes:
        pixels: uint8 ``(h, w, 3)`` RGB, the piece and a margin of what surrounds it.
        mask: uint8 ``(h, w)``: 1 on the piece.
    """

    pixels: Pixels
    mask: Mask


def bounds(mask: Mask) -> tuple[int, int, int, int]:
    """``y0, x0, y1, x1`` of what is inside a mask, half-open; the mask may not be empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def window_around(mask: Mask, margin: int) -> Window:
    """Rows and columns of what is inside a mask and of ``margin`` pixels around it, as far as the picture goes."""
    y0, x0, y1, x1 = bounds(mask)
    height, width = mask.shape
    return (
        slice(max(0, y0 - margin), min(height, y1 + margin)),
        slice(max(0, x0 - margin), min(width, x1 + margin)),
    )


def cut_out(pixels: Pixels, mask: Mask) -> Piece:
    """The piece under a mask that is not empty; where the picture ends, its margin is mirrored."""
    y0, x0, y1, x1 = bounds(mask)
    height, width = mask.shape
    rows, columns = window_around(mask, MARGIN)
    lacks = max(0, MARGIN - y0), max(0, y1 + MARGIN - height), max(0, MARGIN - x0), max(0, x1 + MARGIN - width)
    cut = cv2.copyMakeBorder(np.ascontiguousarray(pixels[rows, columns]), *lacks, cv2.BORDER_REFLECT_101)
    own = cv2.copyMakeBorder(np.ascontiguousarray(mask[rows, columns]), *lacks, cv2.BORDER_CONSTANT, value=0)
    return Piece(np.asarray(cut, np.uint8), np.asarray(own, np.uint8))


@dataclass(frozen=True)
class Reshape:
    """A change of size and form.

    Attributes:
        across: new width over old width, before the turn.
        down: new height over old height, before the turn.
        angle: of the turn, degrees, counter-clockwise.
        shear: columns moved a row.
        mirrored: whether left and right are exchanged first.
        kernel: name of `KERNELS`.
    """

    across: float = 1.0
    down: float = 1.0
    angle: float = 0.0
    shear: float = 0.0
    mirrored: bool = False
    kernel: str = "linear"

    def __call__(self, piece: Piece) -> Piece:
        """The piece in its new form; what comes out may have an empty mask where very little of it is left."""
        pixels, mask = piece.pixels, piece.mask
        if self.mirrored:
            pixels, mask = np.ascontiguousarray(pixels[:, ::-1]), np.ascontiguousarray(mask[:, ::-1])
        height, width = mask.shape
        kernel = KERNELS[self.kernel]
        if self.angle == self.shear == 0:
            if self.across == self.down == 1:
                return Piece(pixels, mask)
            size = max(1, round(width * self.across)), max(1, round(height * self.down))
            share = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
            resized = np.asarray(cv2.resize(pixels, size, interpolation=kernel), np.uint8)
            return Piece(resized, (share >= 0.5).astype(np.uint8))
        cosine, sine = np.cos(np.deg2rad(self.angle)), np.sin(np.deg2rad(self.angle))
        form = np.array([[cosine, sine], [-sine, cosine]]) @ np.array([[1, self.shear], [0, 1]])
        form = form @ np.diag([self.across, self.down])
        corners = form @ np.array([[0, width, 0, width], [0, 0, height, height]], float)
        wide, tall = (int(np.ceil(np.ptp(c))) for c in corners)
        matrix = np.column_stack([form, -corners.min(1)])
        flags = kernel if self.kernel != "area" else cv2.INTER_LINEAR  # OpenCV warps by no area kernel either
        warped = cv2.warpAffine(pixels, matrix, (wide, tall), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
        share = cv2.warpAffine(mask.astype(np.float32), matrix, (wide, tall), flags=cv2.INTER_LINEAR)
        return Piece(np.asarray(warped, np.uint8), (share >= 0.5).astype(np.uint8))

    def told(self) -> dict[str, Any]:
        """Plain values; none where nothing changes."""
        if self == Reshape(kernel=self.kernel):
            return {}
        return {
            "scale": [self.down, self.across],
            "angle_degrees": self.angle,
            "shear": self.shear,
            "mirrored": self.mirrored,
            "kernel": self.kernel,
        }


def draw_reshape(rng: Generator, piece: Piece, room: tuple[int, int], area: tuple[float, float]) -> Reshape:
    """A size and form that an editor may choose; in three of ten the piece stays as it is.

    Args:
        rng: source of all choices.
        piece: to be placed.
        room: height and width of the picture it goes into, pixels.
        area: smallest and largest share of that picture that it shall cover, as far as possible.
    """
    y0, x0, y1, x1 = bounds(piece.mask)
    share = float(piece.mask.sum()) / (room[0] * room[1])
    largest = min(0.95 * room[0] / (y1 - y0), 0.95 * room[1] / (x1 - x0), float(np.sqrt(area[1] / share)))
    smallest = min(largest, float(np.sqrt(area[0] / share)))
    mirrored = bool(rng.random() < 0.2)
    if rng.random() < 0.3 and smallest <= 1 <= largest:
        return Reshape(mirrored=mirrored)
    scale = float(np.clip(np.exp(rng.normal(0, 0.35)), smallest, largest))
    aspect = float(np.exp(rng.uniform(-0.1, 0.1))) if rng.random() < 0.3 else 1.0
    angle = float(rng.normal(0, 8)) if rng.random() < 0.4 else 0.0
    shear = float(rng.uniform(-0.15, 0.15)) if rng.random() < 0.15 else 0.0
    shares = [0.06, 0.32, 0.36, 0.16, 0.1] if scale < 1 else [0.06, 0.36, 0.4, 0.18, 0.0]
    kernel = list(KERNELS)[int(rng.choice(len(KERNELS), p=shares))]
    return Reshape(scale * aspect, scale / aspect, angle, shear, mirrored, kernel)


def draw_place(rng: Generator, piece: Piece, base: Pixels, tries: int = 1) -> tuple[int, int]:
    """Row and column where the piece's own corner comes to lie in a picture.

    Mostly the whole piece is seen; in one of seven, the picture's border may cut up to a third of it off.

    Args:
        rng: source of all choices.
        piece: what is placed, not empty.
        base: the picture it goes into.
        tries: places that are looked at. The one is taken whose colours are most like those that surrounded the piece
            where it comes from: sky goes into sky.
    """
    places = [_any_place(rng, piece, base.shape[:2]) for _ in range(tries)]
    if tries == 1:
        return places[0]
    rim = cv2.dilate(piece.mask, np.ones((7, 7), np.uint8)) > piece.mask
    rows, columns = np.nonzero(rim)
    step = max(1, rows.size // 150)
    rows, columns = rows[::step], columns[::step]
    wanted = piece.pixels[rows, columns].astype(np.float32)

    def unlike(place: tuple[int, int]) -> float:
        y, x = rows + place[0], columns + place[1]
        seen = (y >= 0) & (y < base.shape[0]) & (x >= 0) & (x < base.shape[1])
        return float(np.abs(base[y[seen], x[seen]] - wanted[seen]).mean()) if seen.any() else np.inf

    return min(places, key=unlike)


def _any_place(rng: Generator, piece: Piece, room: tuple[int, ...]) -> tuple[int, int]:
    y0, x0, y1, x1 = bounds(piece.mask)
    hidden = 0.33 if rng.random() < 0.15 else 0.0
    place = []
    for start, stop, side in ((y0, y1, room[0]), (x0, x1, room[1])):
        length = stop - start
        low, high = -int(hidden * length), side - length + int(hidden * length)
        low, high = (low, high) if low <= high else (high, low)
        place.append(int(rng.integers(low, high + 1)) - start)
    return place[0], place[1]


def placed(piece: Piece, place: tuple[int, int], room: tuple[int, int]) -> tuple[Window, Piece]:
    """Where in a picture a piece lies, and the part of it that is seen there.

    Args:
        piece: with its margin.
        place: row and column of its own corner in the picture; may be outside.
        room: the picture's height and width.
    """
    seen, own = [], []
    for at, length, side in zip(place, piece.mask.shape, room, strict=True):
        low, high = max(0, at), min(side, at + length)
        seen.append(slice(low, max(low, high)))
        own.append(slice(low - at, max(low, high) - at))
    pixels, mask = piece.pixels[own[0], own[1]], piece.mask[own[0], own[1]]
    return (seen[0], seen[1]), Piece(np.ascontiguousarray(pixels), np.ascontiguousarray(mask))
