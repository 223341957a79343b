"""Pictures out of ZIP archives and office files; bombs and odd names refused or made harmless."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from documents import archive, mail, office, page, pdf, scan
from io_pictures import encode, picture

from omni_iml.io import archives, load, members
from omni_iml.io.parts import load_parts
from omni_iml.types import EvidenceImage, UnreadableImage

JPEG = encode(picture(72, 96), quality=85)
PNG = encode(picture(40, 48), "PNG")


def parts(source, **options):
    return list(load_parts(source, **options))


def names(results) -> list[str]:
    return [result.part if isinstance(result, EvidenceImage) else str(result) for result in results]


def sentence(source, **options) -> str:
    (result,) = parts(source, **options)
    assert isinstance(result, UnreadableImage), result
    return str(result)


@pytest.mark.parametrize(("folder", "kind"), [("word", "docx"), ("xl", "xlsx"), ("ppt", "pptx")])
def test_office_documents(folder, kind):
    found, second = parts(office(folder, {"image1.jpeg": JPEG, "image2.png": PNG}))
    assert (found.part, second.part) == (f"!{folder}/media/image1.jpeg", f"!{folder}/media/image2.png")
    original = load(JPEG)
    assert found.sha256 == original.sha256
    np.testing.assert_array_equal(found.trace.coefficients, original.trace.coefficients)
    document = found.facts["document"]
    assert document["kind"] == kind
    assert (document["creator"], document["modified_by"]) == ("A. Author", "B. Editor")
    assert (document["application"], document["application_version"]) == ("Microsoft Office Word", "16.0000")
    assert document["created"] == "2024-05-01T10:00:00Z"


def test_member_without_a_name():
    (found,) = parts(archive([(zipfile.ZipInfo("\x00"), JPEG)]))  # what follows a NUL is no part of a name
    assert found.sha256 == load(JPEG).sha256


def odf(kind: str, meta: bytes, manifest: bytes = b"<x/>") -> bytes:
    return archive(
        [
            ("mimetype", f"application/vnd.oasis.opendocument.{kind}".encode()),
            ("meta.xml", meta),
            ("META-INF/manifest.xml", manifest),
            ("Thumbnails/thumbnail.png", PNG),
            ("Pictures/1000.jpg", JPEG),
        ]
    )


META = b"""<office:document-meta xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:meta="urn:oasis:names:tc:opendocument:xmlns:meta:1.0" xmlns:dc="http://purl.org/dc/elements/1.1/">
 <office:meta><meta:generator>LibreOffice/24</meta:generator><dc:date>2024-01-02T03:04:05</dc:date>
 <meta:initial-creator>C. Writer</meta:initial-creator></office:meta></office:document-meta>"""


def test_odf_documents_without_their_thumbnail():
    (found,) = parts(odf("text", META))
    assert found.part == "!Pictures/1000.jpg"
    assert found.facts["document"] | {"sha256": ""} == {
        "kind": "odt",
        "members": 5,
        "application": "LibreOffice/24",
        "modified": "2024-01-02T03:04:05",
        "creator": "C. Writer",
        "sha256": "",
    }


def test_encrypted_odf_is_named():
    assert "it is encrypted" in sentence(odf("text", META, b"<manifest:encryption-data/>"))


def test_pictures_by_content_and_by_name():
    data = archive({"a.txt": b"From here\n", "b.bin": JPEG, "c.jpg": b"text", "d/": b"", ".e.jpg": JPEG, "f.jpg": b""})
    found = names(parts(data))
    assert found[0] == "!b.bin"
    assert "!c.jpg: its content is text" in found[1]
    assert "!f.jpg: the file is empty" in found[2]
    assert len(found) == 3


def test_no_picture_is_one_sentence():
    assert "there is no picture in it that is read" in sentence(office("word", {}))
    assert "there is no picture in it that is read" in sentence(archive({}))


def test_containers_in_containers():
    document = scan(JPEG)
    inner = office("word", {"a.jpeg": JPEG})
    found = parts(archive({"x/report.docx": inner, "scan.pdf": document, "m.eml": mail(("p.jpg", "image/jpeg", JPEG))}))
    assert names(found) == ["!x/report.docx!word/media/a.jpeg", "!scan.pdf.p001", "!m.eml!p.jpg"]
    document = found[1].facts["document"]
    assert (document["kind"], document["page"], document["inside"]["kind"]) == ("pdf", 1, "zip")
    assert found[0].facts["document"]["inside"]["members"] == 3


def test_frames_inside_containers():
    frames = [picture(40, 48, seed=seed) for seed in range(3)]
    from PIL import Image

    buffer = io.BytesIO()
    first, *others = map(Image.fromarray, frames)
    first.save(buffer, "TIFF", save_all=True, append_images=others)
    data = archive({"a.tif": buffer.getvalue(), "b.jpg": JPEG})
    assert names(parts(data)) == ["!a.tif", "!b.jpg"]
    every = parts(data, frames="all")
    assert names(every) == ["!a.tif.p001", "!a.tif.p002", "!a.tif.p003", "!b.jpg"]
    np.testing.assert_array_equal(every[2].pixels, frames[2])
    second, error = parts(data, frames=2)
    assert second.part == "!a.tif.p002"
    assert "!b.jpg: it has 1 frame and number 2 was asked for" in str(error)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/x.jpg", "!etc/x.jpg"),
        ("/etc/x.jpg", "!etc/x.jpg"),
        ("C:\\Users\\x.jpg", "!Users/x.jpg"),
        ("a/./../b.jpg", "!a/b.jpg"),
        ("con.jpg", "!_con.jpg"),
        ("a:b|c\x07.jpg", "!a_b_c_.jpg"),
    ],
)
def test_names_lead_nowhere(name, safe):
    assert names(parts(archive([(name, JPEG)]))) == [safe]


def test_members_of_one_name_are_told_apart():
    with pytest.warns(UserWarning, match="Duplicate"):
        data = archive([("a.jpg", JPEG), ("a.jpg", PNG), ("A.JPG", JPEG), ("a~2.jpg", JPEG), ("x/a.jpg", JPEG)])
    found = parts(data)
    assert names(found) == ["!a.jpg", "!a~2.jpg", "!A~3.JPG", "!a~2~2.jpg", "!x/a.jpg"]
    assert [result.format for result in found] == ["JPEG", "PNG", "JPEG", "JPEG", "JPEG"]


def test_a_bomb_of_zeros_is_refused_while_it_inflates():
    data = archive({"big.jpg": b"\xff\xd8" + bytes(60 * 2**20), "good.jpg": JPEG})
    tracemalloc.start()
    bomb, good = parts(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "!big.jpg: it inflates to more than 200 times its size" in str(bomb)
    assert good.part == "!good.jpg"
    assert peak < 60 * 2**20


def test_a_member_of_more_bytes_than_are_held_is_refused(monkeypatch):
    monkeypatch.setattr("omni_iml.io.parts.MAX_HELD_BYTES", len(JPEG) + 10)
    bomb, good = parts(archive({"big.png": b"\x89PNG\r\n\x1a\n" + JPEG + bytes(9), "good.jpg": JPEG}))
    assert "!big.png: it has more than" in str(bomb)
    assert good.part == "!good.jpg"
    # What a container inside holds counts as well.
    inner = archive({"good.jpg": JPEG}, zipfile.ZIP_STORED)
    monkeypatch.setattr("omni_iml.io.parts.MAX_HELD_BYTES", len(inner) + len(JPEG) - 1)
    (error,) = parts(archive({"in.zip": inner}))
    assert f"!in.zip!good.jpg: it has more than {len(JPEG) - 1} bytes" in str(error)


def test_all_members_together_are_bounded(monkeypatch):
    monkeypatch.setattr(members, "TOTAL_SLACK_BYTES", 10_000)
    monkeypatch.setattr(members, "TOTAL_RATIO", 1)
    found = names(parts(archive({f"{number}.bmp": b"BM" + bytes(9000) for number in range(9)})))
    assert "in all" in found[-1]
    assert len(found) < 5


def lying(data: bytes, size: int) -> bytes:
    """The archive of one member with another uncompressed size in both headers."""
    central = data.rindex(b"PK\x01\x02")
    out = bytearray(data)
    struct.pack_into("<L", out, 22, size)
    struct.pack_into("<L", out, central + 24, size)
    return bytes(out)


@pytest.mark.parametrize("size", [10, 2**31])
def test_sizes_in_the_header_are_not_believed(size):
    found = parts(lying(archive({"a.jpg": JPEG}), size))
    assert len(found) == 1
    if size < len(JPEG):
        assert "!a.jpg: it is damaged in the archive" in str(found[0])
    else:
        assert found[0].sha256 == load(JPEG).sha256


def quine(depth: int) -> bytes:
    data = archive({"a.jpg": JPEG})
    for _ in range(depth):
        data = archive({"r.zip": data})
    return data


def test_nesting_ends():
    assert names(parts(quine(2))) == ["!r.zip!r.zip!a.jpg"]
    for depth in (3, 40):
        assert "it lies inside 3 other containers" in sentence(quine(depth))


def test_a_broad_tree_of_archives_ends(monkeypatch):
    monkeypatch.setattr(members, "MAX_MEMBERS", 50)
    data = archive({f"{number}.jpg": JPEG for number in range(10)})
    data = archive({f"{number}.zip": data for number in range(10)})
    found = names(parts(data))
    assert sum("holds more than 50 files" in name for name in found) >= 1
    assert len(found) < 60


def test_too_many_members_are_refused():
    data = archive({f"{number}.txt": b"" for number in range(members.MAX_MEMBERS + 1)}, zipfile.ZIP_STORED)
    assert "holds more than 10000 files" in sentence(data)


def test_a_directory_that_claims_to_be_long_is_not_read():
    head = b"PK\x03\x04" + bytes(archives.MAX_DIRECTORY_BYTES + 100)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 9, 9, archives.MAX_DIRECTORY_BYTES + 1, 50, 0)
    assert "its directory is longer than any real archive's" in sentence(head + end)


def test_overlapping_members_are_refused():
    """One packed member, named by ten entries of the directory."""
    data = archive({"a.jpg": JPEG})
    central, end = data.rindex(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    directory = data[central:end] * 10
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 10, 10, len(directory), central, 0)
    assert "its files overlap one another" in sentence(data[:central] + directory + tail)


def test_encrypted_members_are_named_and_the_others_read():
    data = bytearray(archive([("a.jpg", JPEG), ("b.jpg", JPEG), ("c.txt", b"x")]))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(signature)
        data[at + offset] |= 1
    secret, good = parts(bytes(data))
    assert "!a.jpg: it is encrypted" in str(secret)
    assert good.part == "!b.jpg"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_inflate_without_bound_are_refused(method):
    assert "packed by a method that is not read" in sentence(archive({"a.jpg": JPEG}, method))


def test_damaged_members_do_not_stop_the_others():
    data = bytearray(archive({"a.jpg": JPEG, "b.jpg": JPEG}, zipfile.ZIP_STORED))
    data[data.index(JPEG) + 50] ^= 255
    broken, good = parts(bytes(data))
    assert "!a.jpg: it is damaged in the archive" in str(broken)
    assert good.part == "!b.jpg"


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, 0.99])
def test_cut_archives_are_one_sentence(keep):
    data = archive({"a.jpg": JPEG, "b.jpg": JPEG})
    assert "the archive is damaged or cut short" in sentence(data[: int(keep * len(data))])


def test_every_cut_and_many_flips_end_well():
    data = office("word", {"a.jpeg": JPEG})
    rng = np.random.default_rng(0)
    for _ in range(150):
        flipped = bytearray(data)
        for at in rng.integers(0, len(data), 3):
            flipped[at] = rng.integers(0, 256)
        for result in load_parts(bytes(flipped)):
            assert isinstance(result, EvidenceImage | UnreadableImage)


def test_a_pdf_in_an_archive_keeps_its_errors_apart():
    data = archive({"a.pdf": b"%PDF-1.5 nothing", "b.pdf": pdf([page(b"0 0 9 9 re f")])})
    broken, good = parts(data, dpi=36)
    assert "!a.pdf: it is damaged or no PDF document" in str(broken)
    assert good.part == "!b.pdf.p001"
