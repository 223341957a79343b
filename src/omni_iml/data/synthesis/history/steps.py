"""The steps of a history: each takes pixels and mask and returns both; the last one of a history writes the file."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal, Protocol

import cv2
import numpy as np
from PIL import Image, ImageFile

from omni_iml.data.synthesis.capture import captured, draw_capture
from omni_iml.data.synthesis.history.tables import tables_of
from omni_iml.data.synthesis.pixels import Mask, Pixels

Subsampling = Literal["4:4:4", "4:2:2", "4:2:0"]
_INTERPOLATION = {"area": cv2.INTER_AREA, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}


class Step(Protocol):
    """One thing that happens to a picture as a whole."""

    def __call__(self, pixels: Pixels, mask: Mask) -> tuple[Pixels, Mask]:
        """The picture and its mask afterwards; neither argument is changed."""
        ...


@dataclass(frozen=True)
class Jpeg:
    """A JPEG compression by Pillow (libjpeg-turbo).

    Attributes:
        quality: libjpeg's, 1 to 100; what a camera's own table is scaled by where 50 leaves it as it is.
        subsampling: of the chroma.
        table: "standard" (the example tables of ITU-T T.81, Annex K), or a name of `tables.CAMERAS`, whose tables are
            taken as they are, whatever the quality.
        progressive: whether the file is written in several scans.
    """

    quality: int
    subsampling: Subsampling = "4:2:0"
    table: str = "standard"
    progressive: bool = False

    def encode(self, pixels: Pixels) -> bytes:
        """The file's bytes."""
        buffer = io.BytesIO()
        chosen = {"quality": self.quality} if self.table == "standard" else {"qtables": tables_of(self.table)}
        usual = ImageFile.MAXBLOCK  # put back, for the bytes of PNG files follow it
        if self.progressive:
            # Written in one piece, for which Pillow takes a buffer of a byte a pixel: too few for a noisy picture.
            ImageFile.MAXBLOCK = max(usual, 2 * pixels.size)
        try:
            Image.fromarray(pixels).save(
                buffer, "JPEG", subsampling=self.subsampling, progressive=self.progressive, **chosen
            )
        finally:
            ImageFile.MAXBLOCK = usual
        return buffer.getvalue()

    def through(self, pixels: Pixels) -> Pixels:
        """The pixels after one round of writing and reading."""
        return decode(self.encode(pixels))

    def __call__(self, pixels: Pixels, mask: Mask) -> tuple[Pixels, Mask]:
        """See `Step`."""
        return self.through(pixels), mask


@dataclass(frozen=True)
class Png:
    """A file without loss."""

    def encode(self, pixels: Pixels) -> bytes:
        """The file's bytes, written fast rather than small."""
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
        return buffer.getvalue()

    def __call__(self, pixels: Pixels, mask: Mask) -> tuple[Pixels, Mask]:
        """See `Step`."""
        return pixels, mask


@dataclass(frozen=True)
class Shift:
    """A crop at the top and left, after which the former JPEG grid lies elsewhere.

    Attributes:
        y: rows cut off.
        x: columns cut off.
    """

    y: int
    x: int

    def __call__(self, pixels: Pixels, mask: Mask) -> tuple[Pixels, Mask]:
        """See `Step`."""
        return np.ascontiguousarray(pixels[self.y :, self.x :]), np.ascontiguousarray(mask[self.y :, self.x :])


@dataclass(frozen=True)
class Resize:
    """A change of size.

    Attributes:
        scale: new side over old side.
        method: "area", "linear" or "cubic".
    """

    scale: float
    method: str = "area"

    def __call__(self, pixels: Pixels, mask: Mask) -> tuple[Pixels, Mask]:
        """See `Step`; a pixel of the new mask is tampered where at least half of what it shows is."""
        height, width = mask.shape
        size = max(8, round(width * self.scale)), max(8, round(height * self.scale))
        resized = np.asarray(cv2.resize(pixels, size, interpolation=_INTERPOLATION[self.method]), np.uint8)
        method = cv2.INTER_AREA if self.scale < 1 else cv2.INTER_LINEAR
        share = cv2.resize(mask.astype(np.float32), size, interpolation=method)
        return resized, (share >= 0.5).astype(np.uint8)


@dataclass(frozen=True)
class Blur:
    """A light blur over everything.

    Attributes:
        sigma: of the Gaussian, pixels.
    """

    sigma: float

    def __call__(self, pixels: Pixels, mask: Mask) -> tuple[Pixels, Mask]:
        """See `Step`."""
        return np.asarray(cv2.GaussianBlur(pixels, (0, 0), self.sigma), np.uint8), mask


@dataclass(frozen=True)
class PrintScan:
    """Put on paper and on a scanner's glass: ink, dots, paper, a slight turn, the sensor's noise.

    Attributes:
        seed: of everything that `draw_capture` and `captured` draw.
    """

    seed: int

    def __call__(self, pixels: Pixels, mask: Mask) -> tuple[Pixels, Mask]:
        """See `Step`; what the turn would leave empty at the rim is cut off."""
        rim = self._rim(*mask.shape)
        height, width = (side - 2 * rim for side in mask.shape)
        rng = np.random.default_rng(self.seed)
        capture = draw_capture(rng, height, width, "print_scan")
        matrix = capture.matrix @ np.array([[1.0, 0, -rim], [0, 1, -rim], [0, 0, 1]])
        turned = cv2.warpPerspective(mask.astype(np.float32), matrix, (width, height), flags=cv2.INTER_LINEAR)
        return captured(rng, pixels, capture, matrix, height, width), (turned >= 0.5).astype(np.uint8)

    def side_before(self, side: int) -> int:
        """The side of a square picture of which a square of ``side`` pixels is left."""
        before = side
        while before - 2 * self._rim(before, before) < side:
            before += 1
        return before

    @staticmethod
    def _rim(height: int, width: int) -> int:
        # A scanner's page is turned by 1.6 degrees at most: its corners move by 1.4% of a side.
        return min(2 + -(-max(height, width) * 15 // 1000), min(height, width) // 4)


def decode(data: bytes) -> Pixels:
    """The RGB pixels that Pillow reads from an image file's bytes."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
