"""What a PDF page shows: its JPEG pictures, how they lie on it, and whether there is anything else.

Calls PDFium's C functions through pypdfium2; the caller holds the lock of `omni_iml.io.pdf`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as c
from numpy.typing import NDArray

from omni_iml.io.pdf_bytes import SIMPLE_FILTERS

MAX_OBJECTS = 200_000
"""Objects of a page that are looked at; what comes after them is drawn, but no picture is taken out of it."""

MAX_JPEGS = 100
"""JPEG pictures that are taken out of one page."""

MIN_SIDE = 64
"""Pictures with a shorter side than this, in pixels, are not taken out: bullets, icons, lines."""

FULL_PAGE = 0.95
"""A picture that covers at least this share of the page is the page."""

_DEEPEST = 12
_INVISIBLE_TEXT = 3  # the text of a scan that was read by OCR
# Inline pictures abbreviate.
_FULL_NAMES = {"DCT": "DCTDecode", "Fl": "FlateDecode", "A85": "ASCII85Decode", "AHx": "ASCIIHexDecode"}
_HIDDEN_ANNOTATIONS = (c.FPDF_ANNOT_LINK, c.FPDF_ANNOT_POPUP)

# How the picture's right and up directions show on the page -> EXIF orientation.
_ORIENTATIONS = {
    ((1, 0), (0, 1)): 1,
    ((-1, 0), (0, 1)): 2,
    ((-1, 0), (0, -1)): 3,
    ((1, 0), (0, -1)): 4,
    ((0, -1), (-1, 0)): 5,
    ((0, -1), (1, 0)): 6,
    ((0, 1), (1, 0)): 7,
    ((0, 1), (-1, 0)): 8,
}


@dataclass(frozen=True)
class PlacedJpeg:
    """A JPEG picture on a page.

    Attributes:
        handle: PDFium's object, valid while the page is open.
        filters: filters around the JPEG data, the outermost first.
        orientation: how the page shows it, as an EXIF orientation; 1 where it lies askew.
        upright: False where it lies askew.
        coverage: share of the visible page that it covers, 0..1.
    """

    handle: Any
    filters: tuple[str, ...]
    orientation: int
    upright: bool
    coverage: float


@dataclass(frozen=True)
class Layout:
    """What a page shows.

    Attributes:
        jpegs: its JPEG pictures of some size, in the order in which they are painted.
        alone: True when the page shows one picture and nothing else that can be seen.
        complete: False when the page has more objects or pictures than are looked at.
        largest: pixels of its largest picture of any kind.
    """

    jpegs: tuple[PlacedJpeg, ...]
    alone: bool
    complete: bool
    largest: int


def read_layout(page: pdfium.PdfPage) -> Layout:
    """Look at the objects of a page.

    Args:
        page: an open page.

    Returns:
        Its layout.
    """
    jpegs: list[PlacedJpeg] = []
    pictures = others = largest = 0
    seen = 0
    for seen, (handle, matrix, depth) in enumerate(_objects(page), 1):
        if seen > MAX_OBJECTS or len(jpegs) > MAX_JPEGS:
            break
        if c.FPDFPageObj_GetType(handle) != c.FPDF_PAGEOBJ_IMAGE:
            others += _is_visible(handle)
            continue
        pictures += 1
        # A picture with a soft mask, or inside another object, is not all there is to see.
        others += depth > 0 or bool(c.FPDFPageObj_HasTransparency(handle))
        width, height = ctypes.c_uint(), ctypes.c_uint()
        c.FPDFImageObj_GetImagePixelSize(handle, width, height)
        largest = max(largest, width.value * height.value)
        filters = _filters(handle)
        is_jpeg = bool(filters) and filters[-1] == "DCTDecode" and all(name in SIMPLE_FILTERS for name in filters[:-1])
        if is_jpeg and min(width.value, height.value) >= MIN_SIDE:
            orientation, upright = _orientation(matrix, page.get_rotation() // 90)
            jpegs.append(PlacedJpeg(handle, filters[:-1], orientation, upright, _coverage(matrix, page.get_bbox())))
    complete = seen <= MAX_OBJECTS and len(jpegs) <= MAX_JPEGS
    alone = complete and pictures == 1 and not others and not _has_annotations(page)
    return Layout(tuple(jpegs[:MAX_JPEGS]), alone, complete, largest)


def jpeg_data(jpeg: PlacedJpeg, most: int) -> bytes | None:
    """The stream of a JPEG picture as it lies in the file, decrypted but with its filters.

    Args:
        jpeg: from a page that is still open.
        most: the largest stream that is wanted, in bytes.

    Returns:
        The bytes; None where there are more.
    """
    size = c.FPDFImageObj_GetImageDataRaw(jpeg.handle, None, 0)
    if size > most:
        return None
    buffer = bytearray(size)
    if size:
        c.FPDFImageObj_GetImageDataRaw(jpeg.handle, (ctypes.c_ubyte * size).from_buffer(buffer), size)
    return bytes(buffer)


def _objects(page: pdfium.PdfPage) -> Iterator[tuple[Any, NDArray[np.float64], int]]:
    """Every object of the page and of the forms in it: handle, matrix ``(3, 3)`` to page coordinates, depth."""
    stack = [
        (c.FPDFPage_GetObject(page, index), np.eye(3), 0)
        for index in reversed(range(_bounded(c.FPDFPage_CountObjects(page))))
    ]
    while stack:
        handle, outer, depth = stack.pop()
        matrix = _matrix(handle) @ outer
        if c.FPDFPageObj_GetType(handle) != c.FPDF_PAGEOBJ_FORM:
            yield handle, matrix, depth
        elif depth < _DEEPEST and len(stack) <= MAX_OBJECTS:
            count = _bounded(c.FPDFFormObj_CountObjects(handle))
            stack += [(c.FPDFFormObj_GetObject(handle, index), matrix, depth + 1) for index in reversed(range(count))]
        else:
            yield handle, matrix, depth


def _bounded(count: int) -> int:
    return min(max(count, 0), MAX_OBJECTS + 1)


def _matrix(handle: Any) -> NDArray[np.float64]:
    """The object's own matrix in PDF's convention: points are rows, multiplied from the left."""
    raw = c.FS_MATRIX()
    if not c.FPDFPageObj_GetMatrix(handle, raw):
        return np.eye(3)
    return np.array([[raw.a, raw.b, 0], [raw.c, raw.d, 0], [raw.e, raw.f, 1]], dtype=np.float64)


def _is_visible(handle: Any) -> bool:
    kind = c.FPDFPageObj_GetType(handle)
    if kind == c.FPDF_PAGEOBJ_TEXT:
        return bool(c.FPDFTextObj_GetTextRenderMode(handle) != _INVISIBLE_TEXT)
    if kind == c.FPDF_PAGEOBJ_PATH:
        fill, stroke = ctypes.c_int(), c.FPDF_BOOL()
        return not c.FPDFPath_GetDrawMode(handle, fill, stroke) or bool(fill.value or stroke.value)
    return True


def _has_annotations(page: pdfium.PdfPage) -> bool:
    """Whether something is laid over the page: a stamp, a note, a form field."""
    for index in range(c.FPDFPage_GetAnnotCount(page)):
        annotation = c.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        kind = c.FPDFAnnot_GetSubtype(annotation)
        c.FPDFPage_CloseAnnot(annotation)
        if kind not in _HIDDEN_ANNOTATIONS:
            return True
    return False


def _filters(handle: Any) -> tuple[str, ...]:
    names = []
    for index in range(c.FPDFImageObj_GetImageFilterCount(handle)):
        size = c.FPDFImageObj_GetImageFilter(handle, index, None, 0)
        buffer = ctypes.create_string_buffer(size)
        c.FPDFImageObj_GetImageFilter(handle, index, buffer, size)
        names.append(_FULL_NAMES.get(name := buffer.value.decode("latin-1"), name))
    return tuple(names)


def _orientation(matrix: NDArray[np.float64], quarter_turns: int) -> tuple[int, bool]:
    """How the page shows a picture, and whether it lies straight.

    Args:
        matrix: from the picture's unit square to the page, whose y axis points up.
        quarter_turns: how far the page is turned clockwise for display.

    Returns:
        EXIF orientation and True, or 1 and False.
    """
    directions = []
    for x, y in matrix[:2, :2]:
        for _ in range(quarter_turns % 4):
            x, y = y, -x
        if min(abs(x), abs(y)) > 0.02 * max(abs(x), abs(y)):
            return 1, False
        directions.append((int(np.sign(x)), 0) if abs(x) > abs(y) else (0, int(np.sign(y))))
    orientation = _ORIENTATIONS.get((directions[0], directions[1]))
    return (1, False) if orientation is None else (orientation, True)


def _coverage(matrix: NDArray[np.float64], box: tuple[float, float, float, float]) -> float:
    """Share of the page's visible box that the picture's bounds cover."""
    corners = np.array([[0, 0, 1], [1, 0, 1], [0, 1, 1], [1, 1, 1]], dtype=np.float64) @ matrix
    left, bottom, right, top = box
    x0, y0 = corners[:, :2].min(axis=0)
    x1, y1 = corners[:, :2].max(axis=0)
    page = (right - left) * (top - bottom)
    shared = max(0.0, min(x1, right) - max(x0, left)) * max(0.0, min(y1, top) - max(y0, bottom))
    return float(shared / page) if page > 0 else 0.0
