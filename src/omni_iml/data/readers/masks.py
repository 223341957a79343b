"""Truth masks in the forms that data sets have them: pictures, NPZ arrays, polygons, nothing."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from omni_iml.data.readers.stored import Stored, read_stored
from omni_iml.types import UnreadableImage

Rgb = NDArray[np.uint8]
Rule = Callable[[Rgb], NDArray[np.bool_]]
"""RGB of a mask picture, uint8 ``(H, W, 3)``, to what is tampered, bool ``(H, W)``."""


def any_non_zero(rgb: Rgb) -> NDArray[np.bool_]:
    """Whatever is not black is tampered: masks of 0 and 1, of 0 and 255, and soft ones alike."""
    return np.asarray(rgb.any(2))


def above_half(rgb: Rgb) -> NDArray[np.bool_]:
    """Tampered from 128 on: for masks that were saved with loss."""
    return np.asarray(rgb.mean(2) > 127.5)


def black(rgb: Rgb) -> NDArray[np.bool_]:
    """An inverted mask: tampered is what is darker than 128."""
    return np.asarray(rgb.mean(2) <= 127.5)


def greenish(rgb: Rgb) -> NDArray[np.bool_]:
    """Columbia's colours: green is the spliced part, red the rest; the paler stripes are their edges."""
    return rgb[..., 1].astype(np.int16) > rgb[..., 0]


class Mask(Protocol):
    """The truth of one picture."""

    def read(self, height: int, width: int) -> NDArray[np.uint8]:
        """The mask of a picture of this size.

        Args:
            height: rows of the picture, stored orientation.
            width: its columns.

        Returns:
            uint8 ``(height, width)``: 1 tampered, 0 not.

        Raises:
            UnreadableImage: it is missing, cannot be read, or is of another size.
        """


@dataclass(frozen=True)
class NoMask:
    """An authentic picture's: nothing is tampered."""

    def read(self, height: int, width: int) -> NDArray[np.uint8]:
        """See `Mask`."""
        return np.zeros((height, width), np.uint8)


@dataclass(frozen=True)
class PictureMask:
    """A mask that is a picture file.

    Attributes:
        stored: the file.
        rule: what of it is tampered.
    """

    stored: Stored
    rule: Rule = any_non_zero

    def read(self, height: int, width: int) -> NDArray[np.uint8]:
        """See `Mask`."""
        data = read_stored(self.stored)
        try:
            with Image.open(io.BytesIO(data)) as image:
                _same_size(image.size[::-1], (height, width), self.stored)
                pixels = _samples(image)
        except UnreadableImage:
            raise
        except Exception as error:  # Pillow raises whatever a damaged file makes it stumble over
            raise _broken(self.stored, error) from error
        return self.rule(pixels).astype(np.uint8)


@dataclass(frozen=True)
class NpzMask:
    """A mask that is an array of a NumPy archive (``.npz``) or file (``.npy``): what is not zero is tampered.

    Attributes:
        stored: the file; of an archive, the first array counts.
    """

    stored: Stored

    def read(self, height: int, width: int) -> NDArray[np.uint8]:
        """See `Mask`."""
        data = read_stored(self.stored)
        try:
            content = np.load(io.BytesIO(data), allow_pickle=False)
            array = content[content.files[0]] if isinstance(content, np.lib.npyio.NpzFile) else content
        except (ValueError, OSError, EOFError, KeyError, IndexError, zipfile.BadZipFile) as error:
            raise _broken(self.stored, error) from error
        array = np.squeeze(array)
        if array.ndim == 3:
            array = array.any(2)
        _same_size(array.shape, (height, width), self.stored)
        return np.asarray(array != 0, np.uint8)


@dataclass(frozen=True)
class Polygons:
    """A mask of filled outlines.

    Attributes:
        source: how to name it in messages.
        outlines: of each region x0, y0, x1, y1, ... in pixels; regions may overlap.
        size: height and width of the picture that they were drawn on; None where nobody says.
    """

    source: str
    outlines: tuple[tuple[float, ...], ...]
    size: tuple[int, int] | None = None

    def read(self, height: int, width: int) -> NDArray[np.uint8]:
        """See `Mask`."""
        if self.size is not None:
            _same_size(self.size, (height, width), self.source)
        mask = np.zeros((height, width), np.uint8)
        for outline in self.outlines:  # one by one: together, what two share would be left empty
            if len(outline) < 6 or len(outline) % 2:
                raise UnreadableImage(self.source, f"an outline has {len(outline)} numbers", "mend the annotation")
            points = np.rint(np.asarray(outline, np.float64)).astype(np.int32).reshape(-1, 2)
            cv2.fillPoly(mask, [points], (1,))
        return mask

    @staticmethod
    def of_boxes(source: str, boxes: list[tuple[int, int, int, int]], size: tuple[int, int] | None = None) -> Polygons:
        """Boxes x0, y0, x1, y1, all four inclusive, as outlines."""
        return Polygons(source, tuple((a, b, c, b, c, d, a, d) for a, b, c, d in boxes), size)


def _samples(image: Image.Image) -> Rgb:
    """RGB of a mask picture; masks of 0 and 1 are brought to 0 and 255."""
    if image.mode in ("1", "L", "I", "I;16", "F"):
        gray = np.asarray(image)
        value = np.where(gray > 0, 255, 0) if gray.max() <= 1 else np.clip(gray, 0, 255)
        return np.repeat(value.astype(np.uint8)[..., None], 3, 2)
    rgb = np.asarray(image.convert("RGB"))
    if image.mode == "P" and not rgb.any():  # a palette of nothing but black: its numbers are classes
        return np.repeat(np.where(np.asarray(image) > 0, 255, 0).astype(np.uint8)[..., None], 3, 2)
    return rgb


def _same_size(mask: tuple[int, ...], picture: tuple[int, int], source: object) -> None:
    if tuple(mask) != picture:
        shape = "x".join(str(side) for side in reversed(mask))
        raise UnreadableImage(
            str(source),
            f"the mask has {shape} pixels, its picture {picture[1]}x{picture[0]}",
            "take the corrected ground truth or leave the picture out",
        )


def _broken(stored: object, error: Exception) -> UnreadableImage:
    return UnreadableImage(str(stored), f"the mask cannot be read ({error})", "fetch it again")
