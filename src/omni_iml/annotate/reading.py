"""Step 1 for text: what the tampered text reads and the line that holds it, by OCR (appendix D.1)."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from omni_iml.types import Box

UNREAD = "(no text read)"
"""Content of a region in which OCR reads nothing: erased text, or a script that the engine does not know."""


@dataclass(frozen=True)
class Line:
    """One text line.

    Attributes:
        text: as read.
        box: upright box around it in pixels, half-open.
    """

    text: str
    box: Box


class Reader(Protocol):
    """An OCR engine; `RapidReader` is one."""

    def lines(self, pixels: NDArray[np.uint8]) -> list[Line]:
        """Find and read the text lines of a picture, uint8 ``(H, W, 3)`` RGB."""

    def text(self, pixels: NDArray[np.uint8]) -> str:
        """Read a picture that is one piece of text, uint8 ``(H, W, 3)`` RGB; "" where nothing is read."""


class RapidReader:
    """RapidOCR, whose models come inside its package.

    Raises:
        ModuleNotFoundError: the extra ``annotate`` is not installed.
    """

    def __init__(self) -> None:
        import logging

        from rapidocr import RapidOCR

        logging.getLogger("RapidOCR").setLevel(logging.ERROR)
        self._engine = RapidOCR(params={"Global.log_level": "error"})
        self._lock = threading.Lock()  # the engine keeps a picture's state in itself

    def lines(self, pixels: NDArray[np.uint8]) -> list[Line]:
        """Find and read the text lines.

        Args:
            pixels: uint8 ``(H, W, 3)`` RGB.

        Returns:
            The lines, in the engine's reading order.
        """
        result = self._run(pixels, use_det=True, use_rec=True)
        if result.boxes is None or result.txts is None:
            return []
        return [
            Line(text, _upright(quad, pixels.shape))
            for quad, text in zip(result.boxes, result.txts, strict=True)
            if text.strip()
        ]

    def text(self, pixels: NDArray[np.uint8]) -> str:
        """Read one piece of text.

        Args:
            pixels: uint8 ``(H, W, 3)`` RGB.

        Returns:
            What it reads, "" for nothing.
        """
        result = self._run(pixels, use_det=False, use_rec=True)
        return " ".join(text.strip() for text in result.txts or ()).strip()

    def _run(self, pixels: NDArray[np.uint8], **parts: bool) -> Any:
        with self._lock:
            return self._engine(np.ascontiguousarray(pixels[..., ::-1]), use_cls=False, **parts)


def read_region(reader: Reader, pixels: NDArray[np.uint8], box: Box) -> str:
    """Cut a tampered region off and read it.

    Args:
        reader: the engine.
        pixels: uint8 ``(H, W, 3)`` RGB.
        box: of the region, half-open.

    Returns:
        What it reads, or `UNREAD`.
    """
    x0, y0, x1, y1 = box
    margin = max(2, (y1 - y0) // 8)  # letters that touch the cut are misread
    cut = pixels[max(0, y0 - margin) : y1 + margin, max(0, x0 - margin) : x1 + margin]
    return reader.text(cut) or UNREAD


def line_of(lines: Sequence[Line], box: Box) -> str:
    """The text line that a region belongs to: the one of greatest IoU with it.

    Args:
        lines: of the whole picture.
        box: of the region, half-open.

    Returns:
        The line's text; "" where no line overlaps the region.
    """
    best = max(lines, key=lambda line: iou(line.box, box), default=None)
    return best.text if best is not None and iou(best.box, box) > 0 else ""


def iou(first: Box, second: Box) -> float:
    """Intersection over union of two boxes.

    Args:
        first: ``(x0, y0, x1, y1)``, half-open.
        second: likewise.

    Returns:
        0..1.
    """
    wide = min(first[2], second[2]) - max(first[0], second[0])
    high = min(first[3], second[3]) - max(first[1], second[1])
    if wide <= 0 or high <= 0:
        return 0.0
    areas = [(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (first, second)]
    return wide * high / (sum(areas) - wide * high)


def _upright(quad: NDArray[Any], shape: tuple[int, ...]) -> Box:
    xs, ys = np.asarray(quad)[:, 0], np.asarray(quad)[:, 1]
    x0, y0 = max(0, int(np.floor(xs.min()))), max(0, int(np.floor(ys.min())))
    return x0, y0, min(shape[1], int(np.ceil(xs.max()))), min(shape[0], int(np.ceil(ys.max())))
