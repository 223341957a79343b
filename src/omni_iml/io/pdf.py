"""The pictures of a PDF document: JPEG streams as they lie in it, other pages drawn.

A page that shows one full-page JPEG and nothing else, as scanners write it, is that JPEG, traces and all. Any other
page is drawn at a chosen resolution, and the JPEG pictures in it are taken out beside it.
"""

from __future__ import annotations

import hashlib
import math
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import IO, Any

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as c

from omni_iml.io.facts import pixel_digest, pixel_facts
from omni_iml.io.fitness import assessed
from omni_iml.io.loading import load
from omni_iml.io.pages import MAX_PAGES, select
from omni_iml.io.pdf_bytes import survey_pdf, undo_filters
from omni_iml.io.pdf_layout import FULL_PAGE, MAX_JPEGS, Layout, PlacedJpeg, jpeg_data, read_layout
from omni_iml.io.pixels import trace_of_pixels
from omni_iml.io.properties import plain
from omni_iml.types import EvidenceImage, UnreadableImage

MIN_DPI = 50.0
"""A page that fits the pixel limit only at a lower resolution than this is refused."""

MAX_JPEG_BYTES = 64 * 2**20
"""A longer JPEG stream is not taken out of a page."""

DRAWN = "this is a drawing of the page, which shows nothing of how the pictures in it were compressed"
"""The warning that a drawn page carries."""

# PDFium may be entered by one thread at a time, whatever the document.
_lock = threading.RLock()

_DATE = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(Z|[+-]\d\d)?'?(\d\d)?'?")
_AGAIN = "fetch or copy the file again"


def load_pages(
    stream: IO[bytes],
    *,
    source: str,
    max_pixels: int,
    pages: tuple[range, ...] | None,
    dpi: float,
    password: str | None,
) -> Iterator[EvidenceImage | UnreadableImage]:
    """The pictures of a PDF document, page by page.

    Args:
        stream: the file, seekable; left open, and not to be used elsewhere before the iterator is done.
        source: how to name the document in errors.
        max_pixels: a page is drawn with no more pixels, at a lower resolution if need be, and larger pictures are
            refused.
        pages: from `omni_iml.io.pages.parse_pages`; None for all.
        dpi: dots an inch at which pages are drawn.
        password: opens an encrypted document.

    Yields:
        For each page its picture (``part`` ".p003"), then the JPEG pictures in it (".p003.i01"), each only where it
        first occurs; where one of them cannot be read, the error. ``source`` is empty, for the caller to fill in.

    Raises:
        UnreadableImage: the document cannot be opened, has none of the pages, or more than can be looked at in one go.
    """
    survey = survey_pdf(stream, source=source)
    document = _open(stream, source, password)
    try:
        with _lock:
            count = len(document)
            facts = _facts(document, count)
        facts |= {"sha256": survey.sha256, "incremental_updates": max(0, survey.revisions - 1)}
        numbers = select(pages, count)
        if not numbers:
            raise UnreadableImage(
                source, f"it has {count} page{'s' if count > 1 else ''} and none of those asked for", "name others"
            )
        if len(numbers) > MAX_PAGES:
            raise UnreadableImage(
                source, f"it has {count} pages and at most {MAX_PAGES} are read in one go", "name a range of pages"
            )
        reader = _Reader(document, source, max_pixels, dpi, facts)
        for number in numbers:
            try:
                yield from reader.pictures(number)
            except UnreadableImage as error:
                yield error
    finally:
        with _lock:
            document.close()


def _open(stream: IO[bytes], source: str, password: str | None) -> pdfium.PdfDocument:
    stream.seek(0)
    with _lock:
        try:
            document = pdfium.PdfDocument(stream, password=password)
        except pdfium.PdfiumError as error:
            if getattr(error, "err_code", None) == c.FPDF_ERR_PASSWORD:
                cause = "it is encrypted and no password was given" if password is None else "the password is wrong"
                raise UnreadableImage(source, cause, "give its password") from error
            raise UnreadableImage(source, "it is damaged or no PDF document", _AGAIN) from error
        if document.get_formtype() != c.FORMTYPE_NONE:
            document.init_forms()  # or fields, signatures among them, are not drawn
        return document


class _SeenBefore(Exception):  # noqa: N818 - no error
    """A JPEG stream that the document has shown already."""


class _Reader:
    """Reads the pages of one open document."""

    def __init__(
        self, document: pdfium.PdfDocument, source: str, max_pixels: int, dpi: float, facts: dict[str, Any]
    ) -> None:
        self.document = document
        self.source = source
        self.max_pixels = max_pixels
        self.dpi = dpi
        self.facts = facts
        self.seen: set[str] = set()

    def pictures(self, number: int) -> Iterator[EvidenceImage | UnreadableImage]:
        """What one page gives, counted from 1."""
        part = f".p{number:03d}"
        page = None
        try:
            with _lock:
                try:
                    size = self.document.get_page_size(number - 1)
                    page = self.document[number - 1]
                    layout = read_layout(page)
                except pdfium.PdfiumError as error:
                    raise UnreadableImage(self.source + part, "the page is damaged", _AGAIN) from error
            facts = self.facts | {"page": number}
            notes: tuple[str, ...] = ()
            only = layout.jpegs[0] if layout.alone and layout.jpegs else None
            if only is not None and only.upright and only.coverage >= FULL_PAGE:
                try:
                    yield self._jpeg(only, part, facts, again=True)
                    return
                except UnreadableImage as error:
                    notes = (f"the JPEG that fills the page is not read ({error.cause}); the page was drawn",)
                    layout = replace(layout, jpegs=())
            yield self._drawn(page, size, layout, part, facts, notes)
            for index, jpeg in enumerate(layout.jpegs, 1):
                try:
                    yield self._jpeg(jpeg, f"{part}.i{index:02d}", facts)
                except _SeenBefore:
                    continue
                except UnreadableImage as error:
                    yield error
        finally:
            if page is not None:
                with _lock:
                    page.close()

    def _jpeg(self, jpeg: PlacedJpeg, part: str, facts: dict[str, Any], *, again: bool = False) -> EvidenceImage:
        """A JPEG picture with its traces, turned as the page shows it; ``again``: even if it was there before."""
        with _lock:
            packed = jpeg_data(jpeg, MAX_JPEG_BYTES)
        data = None if packed is None else undo_filters(packed, jpeg.filters, MAX_JPEG_BYTES)
        if data is None:
            cause = f"its JPEG stream is damaged or of more than {MAX_JPEG_BYTES} bytes"
            raise UnreadableImage(self.source + part, cause, _AGAIN)
        digest = hashlib.sha256(data).hexdigest()
        if digest in self.seen and not again:
            raise _SeenBefore
        try:
            picture = load(data, max_pixels=self.max_pixels)
        except UnreadableImage as error:
            raise UnreadableImage(self.source + part, error.cause, error.way_out) from error
        self.seen.add(digest)
        # What Exif says of the orientation does not count in a PDF.
        facts = {**picture.facts, "document": facts}
        return replace(picture, source="", part=part, orientation=jpeg.orientation, facts=facts)

    def _drawn(
        self,
        page: pdfium.PdfPage,
        size: tuple[float, float],
        layout: Layout,
        part: str,
        facts: dict[str, Any],
        notes: tuple[str, ...],
    ) -> EvidenceImage:
        """The whole page, drawn."""
        scale = _scale(size, self.dpi, self.max_pixels, self.source + part)
        used = round(scale * 72, 1)
        if used < self.dpi:
            notes += (f"the page was drawn at {used:g} dots an inch, as it has too many pixels at {self.dpi:g}",)
        if not layout.complete:
            notes += (f"the page holds more pictures than the {MAX_JPEGS} or fewer that were taken out of it",)
        notes += (DRAWN,)
        with _lock:
            try:
                bitmap = page.render(scale=scale)
                pixels = np.ascontiguousarray(bitmap.to_numpy()[:, :, 2::-1])  # BGR -> RGB
                bitmap.close()
            except pdfium.PdfiumError as error:
                cause = "the page cannot be drawn"
                raise UnreadableImage(self.source + part, cause, "print it to a new PDF file") from error
        digest = pixel_digest(pixels)
        return assessed(
            EvidenceImage(
                pixels=pixels,
                trace=trace_of_pixels(pixels),
                format="PDF",
                orientation=1,
                source="",
                sha256=digest,
                warnings=notes,
                part=part,
                facts={**pixel_facts(digest), "document": facts | {"drawn_dpi": used}},
            )
        )


def _scale(size: tuple[float, float], dpi: float, max_pixels: int, name: str) -> float:
    """Pixels for each of the page's points (1/72 inch), within the pixel limit."""
    width, height = size
    if not (math.isfinite(width * height) and width > 0 and height > 0):
        raise UnreadableImage(name, f"the page's size is {width:g}x{height:g} points", _AGAIN)
    scale = dpi / 72
    while math.ceil(width * scale) * math.ceil(height * scale) > max_pixels:
        scale *= min(0.999, math.sqrt(max_pixels / (width * scale * height * scale)))
        if scale * 72 < min(MIN_DPI, dpi):
            raise UnreadableImage(
                name,
                f"the page of {width / 72:.0f}x{height / 72:.0f} inches has more than {max_pixels} pixels at "
                f"{MIN_DPI:g} dots an inch",
                "raise max_pixels",
            )
    return scale


def _facts(document: pdfium.PdfDocument, count: int) -> dict[str, Any]:
    facts: dict[str, Any] = {"kind": "pdf", "pages": count}
    for fact, key in (("producer", "Producer"), ("creator", "Creator")):
        if text := plain(document.get_metadata_value(key)):
            facts[fact] = text
    for fact, key in (("created", "CreationDate"), ("modified", "ModDate")):
        if text := plain(document.get_metadata_value(key)):
            facts[fact] = _iso(text)
    facts["encrypted"] = c.FPDF_GetSecurityHandlerRevision(document) != -1
    facts["signatures"] = max(0, c.FPDF_GetSignatureCount(document))
    return facts


def _iso(date: str) -> str:
    """A PDF date in the form of ISO 8601, as far as it goes; any other text as it is."""
    match = _DATE.fullmatch(date.strip())
    if match is None:
        return date
    year, month, day, hour, minute, second, zone, zone_minutes = match.groups()
    text = "-".join(filter(None, (year, month, day)))
    if hour:
        text += "T" + ":".join(filter(None, (hour, minute or "00", second)))
        if zone:
            text += "Z" if zone == "Z" else f"{zone}:{zone_minutes or '00'}"
    return text
