"""Pictures out of PDF documents: JPEG streams untouched, other pages drawn, hostile files refused."""

from __future__ import annotations

import io
import threading
import time
import zlib
from base64 import a85encode

import numpy as np
import pypdfium2 as pdfium
import pytest
from documents import image, page, pdf, scan, stream, updated
from io_pictures import encode, exif, picture
from PIL import Image

from omni_iml.io import load
from omni_iml.io import pdf as pdf_module
from omni_iml.io.orientation import to_displayed
from omni_iml.io.parts import load_parts
from omni_iml.io.pdf import DRAWN
from omni_iml.io.pdf_bytes import MAX_STREAM_BYTES, undo_filters
from omni_iml.types import EvidenceImage, UnreadableImage

FULL = "400 0 0 300 0 0"


def photo(width: int = 200, height: int = 152, seed: int = 1, **options) -> bytes:
    return encode(picture(height, width, seed=seed), quality=80, **options)


def parts(source, **options):
    return list(load_parts(source, **options))


def one(source, **options) -> EvidenceImage:
    (result,) = parts(source, **options)
    assert isinstance(result, EvidenceImage), result
    return result


@pytest.mark.parametrize(
    ("filters", "pack"),
    [
        ("/DCTDecode", bytes),
        ("/FlateDecode/DCTDecode", zlib.compress),
        ("/ASCII85Decode/DCTDecode", lambda data: a85encode(data) + b"~>"),
        ("/ASCIIHexDecode/FlateDecode/DCTDecode", lambda data: zlib.compress(data).hex().encode() + b">"),
    ],
)
def test_a_scanned_page_is_its_jpeg_untouched(filters, pack):
    jpeg = photo()
    original = load(jpeg)
    found = one(
        pdf([page(f"q {FULL} cm /X0 Do Q".encode(), objects=[3])], [image(pack(jpeg), filters, size=(200, 152))])
    )
    assert (found.part, found.format, found.sha256) == (".p001", "JPEG", original.sha256)
    np.testing.assert_array_equal(found.trace.coefficients, original.trace.coefficients)
    np.testing.assert_array_equal(found.trace.table, original.trace.table)
    np.testing.assert_array_equal(found.pixels, original.pixels)
    assert found.warnings == original.warnings


def test_a_pdf_that_another_program_wrote():
    buffer = io.BytesIO()
    Image.fromarray(picture(152, 200)).save(buffer, "PDF", quality=70)  # Pillow embeds a JPEG
    found = one(buffer.getvalue())
    assert found.format == "JPEG"
    assert (found.trace.table > 1).any()
    assert found.facts["document"]["created"][:2] == "20"


MATRICES = {
    "400 0 0 300 0 0": 1,
    "-400 0 0 300 400 0": 2,
    "-400 0 0 -300 400 300": 3,
    "400 0 0 -300 0 300": 4,
    "0 -300 -400 0 400 300": 5,
    "0 -300 400 0 0 300": 6,
    "0 300 400 0 0 0": 7,
    "0 300 -400 0 400 0": 8,
}


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("matrix", MATRICES)
def test_the_picture_is_turned_as_the_page_shows_it(matrix, turn):
    """The oracle is PDFium's own drawing of the page, brought to the size of the JPEG."""
    jpeg = photo()
    document = scan(jpeg, matrix, extra=f"/Rotate {turn}")
    found = one(document)
    if not turn:
        assert found.orientation == MATRICES[matrix]
    shown = to_displayed(found.pixels, found.orientation)
    with pdfium.PdfDocument(document) as opened:
        drawn = opened[0].render(scale=1, rev_byteorder=False).to_pil().convert("RGB")
    assert (drawn.width > drawn.height) == (turn % 180 == 0)
    size = (shown.shape[1], shown.shape[0])
    difference = np.abs(np.asarray(drawn.resize(size)).astype(int) - shown).mean()
    others = [
        np.abs(np.asarray(drawn.resize(size)).astype(int) - turned).mean()
        for turned in (shown[::-1], shown[:, ::-1], shown[::-1, ::-1])
    ]
    assert difference < 15
    assert difference < 0.5 * min(others)


def test_exif_orientation_does_not_count_in_a_pdf():
    jpeg = photo(exif=exif(6))
    assert load(jpeg).orientation == 6
    assert one(scan(jpeg)).orientation == 1


MIXED = {
    "a line": b" 0 0 m 400 300 l S",
    "text": b" BT /F 24 Tf 50 50 Td (Total: 900) Tj ET",
    "a second picture": b" q 90 0 0 90 5 5 cm /X0 Do Q",
}


@pytest.mark.parametrize("what", MIXED)
def test_a_mixed_page_is_drawn_and_its_jpeg_taken_out(what):
    jpeg = photo()
    document = pdf([page(f"q {FULL} cm /X0 Do Q".encode() + MIXED[what], objects=[3])], [image(jpeg)])
    drawn, inner = parts(document, dpi=72)
    assert (drawn.part, drawn.format, drawn.pixels.shape) == (".p001", "PDF", (300, 400, 3))
    assert DRAWN in drawn.warnings
    assert drawn.facts["document"]["drawn_dpi"] == 72
    assert drawn.trace.table.max() == 1
    assert inner.part == ".p001.i01"
    np.testing.assert_array_equal(inner.trace.coefficients, load(jpeg).trace.coefficients)


@pytest.mark.parametrize("over", [b" BT 3 Tr /F 24 Tf 50 50 Td (read by OCR) Tj ET", b" 0 0 9 9 re n"])
def test_what_cannot_be_seen_leaves_a_scan_a_scan(over):
    document = pdf([page(f"q {FULL} cm /X0 Do Q".encode() + over, objects=[3])], [image(photo())])
    assert one(document).format == "JPEG"


def test_a_stamp_over_the_scan_makes_the_page_mixed():
    stamp = "/Annots[<</Type/Annot/Subtype/Square/Rect[10 10 90 90]/C[1 0 0]>>]"
    assert [result.part for result in parts(scan(photo(), extra=stamp))] == [".p001", ".p001.i01"]
    link = "/Annots[<</Type/Annot/Subtype/Link/Rect[10 10 90 90]>>]"
    assert one(scan(photo(), extra=link)).format == "JPEG"


def test_a_picture_on_part_of_the_page_or_askew_is_not_the_page():
    for matrix in ("300 0 0 225 50 40", "400 30 -20 300 0 0"):
        assert [result.part for result in parts(scan(photo(), matrix), dpi=72)] == [".p001", ".p001.i01"]


def test_colours_of_a_drawn_page_are_not_swapped():
    found = one(pdf([page(b"1 0 0 rg 0 0 400 300 re f")]), dpi=72)
    assert found.pixels[150, 200].tolist() == [255, 0, 0]


def test_a_picture_inside_a_form_is_taken_out_turned():
    form = stream(
        "/Type/XObject/Subtype/Form/BBox[0 0 400 300]/Matrix[0 1 -1 0 300 0]/Resources<</XObject<</X0 3 0 R>>>>",
        b"q 250 0 0 200 0 0 cm /X0 Do Q",
    )
    document = pdf([page(b"q /X0 Do Q", objects=[4])], [image(photo()), form])
    drawn, inner = parts(document, dpi=72)
    assert (drawn.part, inner.part, inner.orientation) == (".p001", ".p001.i01", 8)


def test_small_pictures_stay_in_the_page():
    icon = photo(40, 40)
    document = pdf([page(b"q 90 0 0 90 5 5 cm /X0 Do Q", objects=[3])], [image(icon)])
    assert [result.part for result in parts(document, dpi=72)] == [".p001"]


def test_a_letterhead_is_looked_at_once():
    first, second = photo(), photo(seed=2)
    contents = b"q 90 0 0 90 5 5 cm /X0 Do Q q 90 0 0 90 200 5 cm /X1 Do Q"
    pages = [page(contents, objects=[3, 3]), page(contents, objects=[3, 4])]
    found = parts(pdf(pages, [image(first), image(second)]), dpi=72)
    assert [result.part for result in found] == [".p001", ".p001.i01", ".p002", ".p002.i02"]


def test_a_full_page_jpeg_that_is_not_read_is_drawn_and_says_so():
    damaged = photo()[:300]
    document = pdf([page(f"q {FULL} cm /X0 Do Q".encode(), objects=[3])], [image(damaged, size=(200, 152))])
    found = one(document, dpi=72)
    assert found.format == "PDF"
    assert "the JPEG that fills the page is not read" in found.warnings[0]


def test_an_embedded_jpeg_that_is_not_read_does_not_stop_the_others():
    contents = b"q 90 0 0 90 5 5 cm /X0 Do Q q 90 0 0 90 200 5 cm /X1 Do Q 0 0 9 9 re f"
    document = pdf([page(contents, objects=[3, 4])], [image(photo()[:300], size=(200, 152)), image(photo())])
    drawn, broken, good = parts(document, dpi=72)
    assert isinstance(broken, UnreadableImage)
    assert ".p001.i01: " in str(broken)
    assert (drawn.part, good.part) == (".p001", ".p001.i02")


def test_pages_are_chosen():
    document = pdf([page(b"%d 0 9 9 re f" % number) for number in range(9)])
    assert [result.part for result in parts(document, pages="2-3,9,40", dpi=36)] == [".p002", ".p003", ".p009"]
    (error,) = parts(document, pages="10-")
    assert isinstance(error, UnreadableImage)
    assert "has 9 pages and none of those asked for" in str(error)


def test_a_large_page_is_drawn_smaller_or_refused_before_anything_is_drawn():
    document = pdf([page(b"0 0 9 9 re f", box="0 0 1440 720")])
    found = one(document, max_pixels=1_000_000)
    height, width = found.pixels.shape[:2]
    assert 980_000 < height * width <= 1_000_000
    assert "drawn at" in found.warnings[0]
    (error,) = parts(document, max_pixels=100_000)
    assert isinstance(error, UnreadableImage)
    assert "raise max_pixels" in str(error)


@pytest.mark.parametrize("box", ["0 0 0 0", "0 0 1e30 1e30", "5 5 5 900", "0 0 200000 200000"])
def test_impossible_page_sizes_end_in_a_picture_or_a_sentence(box):
    for result in parts(pdf([page(b"0 0 9 9 re f", box=box)]), max_pixels=500_000, dpi=36):
        assert isinstance(result, UnreadableImage) or result.pixels.size <= 1_500_000


def test_two_hundred_pages_one_at_a_time():
    jpeg = photo()
    document = pdf([page(f"q {FULL} cm /X0 Do Q".encode(), objects=[3])] * 200, [image(jpeg)])
    begin = time.process_time()
    results = load_parts(document)
    assert next(results).part == ".p001"
    numbers = [result.part for result in results]
    assert numbers[-1] == ".p200"
    assert len(numbers) == 199
    assert time.process_time() - begin < 20


def test_encrypted():
    jpeg = photo()
    pages = [page(f"q {FULL} cm /X0 Do Q".encode(), objects=[3])]
    document = pdf(pages, [image(jpeg)], password="open sesame")
    assert jpeg[:64] not in document
    (error,) = parts(document)
    assert isinstance(error, UnreadableImage)
    assert "it is encrypted and no password was given" in str(error)
    (error,) = parts(document, password="wrong")
    assert isinstance(error, UnreadableImage)
    assert "the password is wrong" in str(error)
    found = one(document, password="open sesame")
    assert found.sha256 == load(jpeg).sha256
    assert found.facts["document"]["encrypted"] is True


def test_facts():
    info = "/Producer(Scanner 3000)/Creator(" + "x" * 500 + ")/CreationDate(D:20240501101500+02'00')/ModDate(yesterday)"
    document = scan(photo())
    facts = one(document).facts["document"]
    assert (facts["kind"], facts["pages"], facts["page"]) == ("pdf", 1, 1)
    assert (facts["incremental_updates"], facts["encrypted"], facts["signatures"]) == (0, False, 0)
    document = pdf([page(b"0 0 9 9 re f")], info=info)
    facts = one(document, dpi=36).facts["document"]
    assert facts["producer"] == "Scanner 3000"
    assert facts["creator"] == "x" * 200
    assert (facts["created"], facts["modified"]) == ("2024-05-01T10:15:00+02:00", "yesterday")


def test_incremental_updates_are_counted_across_the_pieces_in_which_the_file_is_read():
    document = pdf([page(b"0 0 9 9 re f")], [stream("", b"x" * (2**20 - 700))])
    for updates in range(4):
        assert one(document, dpi=36).facts["document"]["incremental_updates"] == updates
        document = updated(document, 9000 + updates)


def test_a_linearised_file_was_written_once():
    document = pdf([page(b"0 0 9 9 re f")])
    linear = document.replace(b"%PDF-1.5\n", b"%PDF-1.5\n%/Linearized 1\n%startxref 0 %%EOF\n", 1)
    assert one(linear, dpi=36).facts["document"]["incremental_updates"] == 0


def zeros(count: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(b" " * 2**20) for _ in range(count)) + packer.flush()


def test_a_stream_that_explodes_is_refused_before_the_pdf_library_meets_it(monkeypatch):
    monkeypatch.setattr("omni_iml.io.pdf._open", lambda *_: pytest.fail("the library was asked"))
    packed = zeros(MAX_STREAM_BYTES // 2**20 + 2)
    head, _ = page(b"")
    bomb = pdf([[head, stream("/Filter/FlateDecode", packed)]])
    (error,) = parts(bomb)
    assert isinstance(error, UnreadableImage)
    assert "inflates to more than" in str(error)
    # Calling it a picture helps no further than a picture of that size would need.
    bomb = pdf([[head, stream("/Subtype/Image/Width 99/Height 99/Filter/FlateDecode", packed)]])
    (error,) = parts(bomb)
    assert "inflates to more than" in str(error)


def test_a_long_stream_of_a_large_picture_is_no_bomb():
    packed = zeros(MAX_STREAM_BYTES // 2**20 + 2)
    wide = stream(
        "/Type/XObject/Subtype/Image/Width 8000/Height 3000/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/FlateDecode",
        packed,
    )
    assert one(pdf([page(f"q {FULL} cm /X0 Do Q".encode(), objects=[3])], [wide]), dpi=36).format == "PDF"


def test_a_jpeg_that_inflates_to_too_much_is_not_taken_out():
    assert undo_filters(zeros(3), ["FlateDecode"], 2**21) is None
    assert undo_filters(b"no zlib data", ["FlateDecode"], 99) is None
    assert undo_filters(b"x", ["LZWDecode"], 99) is None


@pytest.mark.parametrize("cut", [9, 100, 700, 2000])
def test_cut_files_end_in_pictures_or_one_sentence(cut):
    for result in parts(scan(photo())[:cut]):
        assert isinstance(result, UnreadableImage)


def test_documents_are_read_in_several_threads_at_once():
    jpeg = photo()
    document = pdf([page(f"q {FULL} cm /X0 Do Q 0 0 9 9 re f".encode(), objects=[3])] * 5, [image(jpeg)])
    results: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda: results.append([result.part for result in load_parts(document, dpi=50)]))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [[".p001", ".p001.i01", ".p002", ".p003", ".p004", ".p005"]] * 4


def test_pdfium_is_entered_under_the_lock_only(monkeypatch):
    class Lock:
        held = 0

        def __enter__(self):
            self.held += 1

        def __exit__(self, *_):
            self.held -= 1

    lock, calls = Lock(), []

    def watched(home, name):
        original = getattr(home, name)

        def call(*arguments, **options):
            assert lock.held, name
            calls.append(name)
            return original(*arguments, **options)

        monkeypatch.setattr(home, name, call)

    monkeypatch.setattr(pdf_module, "_lock", lock)
    for home, name in (
        (pdf_module, "read_layout"),
        (pdf_module, "jpeg_data"),
        (pdf_module, "_facts"),
        (pdfium.PdfDocument, "__init__"),
        (pdfium.PdfDocument, "close"),
        (pdfium.PdfPage, "render"),
        (pdfium.PdfPage, "close"),
    ):
        watched(home, name)
    for _ in load_parts(scan(photo(), "300 0 0 225 50 40"), dpi=50):
        assert not lock.held  # the caller may take its time, or read another document meanwhile
    expected = {"__init__", "_facts", "read_layout", "jpeg_data", "render", "close"}
    assert set(calls) == expected
