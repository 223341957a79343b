"""Everything that `load` must refuse, in one sentence that names input, cause and way out."""

from __future__ import annotations

import contextlib
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from io_pictures import encode, insert, picture, replace_frame, segment, with_size
from PIL import Image

from omni_iml.io import load
from omni_iml.types import UnreadableImage


def refused(source: object, cause: str, **options: int) -> UnreadableImage:
    with pytest.raises(UnreadableImage, match=cause) as caught:
        load(source, **options)
    message = str(caught.value)
    assert message.startswith(caught.value.source)
    assert caught.value.way_out
    assert message.endswith(".")
    assert "\n" not in message
    return caught.value


@pytest.mark.parametrize("values", [np.full((9, 9), 70000, np.int32), np.full((9, 9), np.nan, np.float32)])
def test_samples_without_a_known_range_are_refused(values: np.ndarray) -> None:
    refused(encode(Image.fromarray(values), "TIFF"), "relation to brightness")
    refused(Image.fromarray(values), "relation to brightness")


def tiff_of_samples(kind: int, bits: int, channels: int, order: str = "<", big: bool = False) -> bytes:
    """A TIFF of 4x4 pixels without compression, its samples zero; ``kind`` is the tag SampleFormat."""
    samples = bytes(16 * channels * bits // 8)
    mark, kinds = (b"II" if order == "<" else b"MM"), ("HHHQ" if big else "HL")
    head = mark + struct.pack(order + kinds, *((43, 8, 0) if big else (42,)), 0)
    counts: dict[int, list[int]] = {
        256: [4], 257: [4], 258: [bits] * channels, 259: [1], 262: [2 if channels == 3 else 1], 273: [len(head)],
        277: [channels], 278: [4], 279: [len(samples)], 339: [kind] * channels,
    }  # fmt: skip
    room, number = (8, "Q") if big else (4, "L")
    data, entries = head + samples, b""
    for tag, values in counts.items():
        packed = struct.pack(f"{order}{len(values)}H", *values)
        if len(packed) > room:
            packed, data = struct.pack(order + number, len(data)), data + packed
        entries += struct.pack(order + "HH" + number, tag, 3, len(values)) + packed.ljust(room, b"\0")
    directory = struct.pack(order + ("Q" if big else "H"), len(counts)) + entries + bytes(room)
    return data[: len(head) - room] + struct.pack(order + number, len(data)) + data[len(head) :] + directory


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("channels", "bits", "kind"), [(3, 32, 3), (3, 16, 3), (3, 64, 3), (1, 16, 3), (1, 32, 3), (2, 32, 6)]
)
def test_floating_point_is_called_so(channels: int, bits: int, kind: int, order: str, big: bool) -> None:
    error = refused(tiff_of_samples(kind, bits, channels, order, big), "it holds floating point values")
    assert error.way_out == "convert it to 8 or 16 bits a sample first"


@pytest.mark.parametrize(("order", "big"), [("<", False), (">", False), ("<", True)])  # Pillow reads no other BigTIFF
def test_whole_numbers_with_a_format_are_read(order: str, big: bool) -> None:
    assert load(tiff_of_samples(1, 8, 3, order, big)).pixels.shape == (4, 4, 3)


def test_sample_formats_that_lie_outside_the_file_are_passed_over() -> None:
    data = tiff_of_samples(1, 8, 3, big=True)
    at = data.index(struct.pack("<HHQ", 339, 3, 3)) + 4
    for count, place in ((9, len(data) + 9), (9, 2**63), (2**40, 2**64 - 1)):
        with contextlib.suppress(UnreadableImage):  # Pillow may read it all the same; nothing else may come out
            load(data[:at] + struct.pack("<QQ", count, place) + data[at + 16 :])


@pytest.mark.parametrize(
    ("array", "cause"),
    [
        (np.zeros((4, 4), np.float32), "float32"),
        (np.full((4, 4, 3), np.nan), "NaN"),
        (np.zeros((4, 4), bool), "bool"),
        (np.zeros((4, 4), np.int64), "int64"),
        (np.zeros(4, np.uint8), "shape"),
        (np.zeros((4, 4, 2), np.uint8), "shape"),
        (np.zeros((1, 4, 4, 3), np.uint8), "shape"),
        (np.zeros((0, 4), np.uint8), "size"),
        (np.zeros((4, 0, 3), np.uint8), "size"),
        (np.array(["a"], object), "shape"),
    ],
)
def test_wrong_arrays(array: np.ndarray, cause: str) -> None:
    refused(array, cause)


@pytest.mark.parametrize("source", [None, 3, 1.5, ["a.jpg"], {}, object()])
def test_what_is_no_source_at_all(source: object) -> None:
    refused(source, "no kind of picture source")


def test_missing_folder_device_and_strange_names(tmp_path: Path) -> None:
    refused(tmp_path / "missing.jpg", "no such file")
    refused(tmp_path, "folder")
    refused("", "no file is named")
    refused("a\0b.jpg", "cannot be read")
    refused("x" * 5000, "cannot be read")


@pytest.mark.skipif(os.name != "posix", reason="named pipes in the file system")
def test_named_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    refused(tmp_path / "pipe.jpg", "pipe")


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.jpg"
    path.write_bytes(encode(picture()))

    def forbid(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbid)  # a test run by root may read everything
    refused(path, "not permitted")


def test_text_file_object(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("text")
    with path.open() as file:
        refused(file, "opened as text")


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "empty"),
        (b"This is a letter, renamed .jpg.", "text"),
        (os.urandom(3) + bytes(range(200)), "no picture format"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "of the old kind, or one with a password"),
        (b"Rar!\x1a\x07\x01\x00", "a RAR archive"),
        (b"7z\xbc\xaf\x27\x1c\x00\x04", "a 7z archive"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(20), "boxes name no size"),
        (b"\xff\xd8", "ends before"),
        (b"\x89PNG\r\n\x1a\n", "damaged"),
        (b"GIF89a", "damaged"),
        (b"BM", "damaged"),
        (b"II\x2a\x00\x08\x00\x00\x00", "directory"),
        (b"RIFF\x00\x00\x00\x00WEBP", "damaged"),
    ],
)
def test_bad_bytes(tmp_path: Path, data: bytes, cause: str) -> None:
    path = tmp_path / "bad.jpg"
    path.write_bytes(data)
    refused(path, cause)
    refused(data, cause)


@pytest.mark.parametrize(("marker", "cause"), [(0xC9, "arithmetic"), (0xC3, "lossless")])
def test_other_jpeg_processes(marker: int, cause: str) -> None:
    refused(replace_frame(encode(picture()), marker), cause)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF"])
def test_pixel_limit_in_every_format(kind: str) -> None:
    data = encode(picture(40, 50), kind)
    refused(data, "above the limit of 1999", max_pixels=1999)
    assert load(data, max_pixels=2000).pixels.shape == (40, 50, 3)


def test_pixel_limit_for_arrays_and_pil_images() -> None:
    refused(picture(40, 50), "above the limit", max_pixels=1999)
    refused(Image.fromarray(picture(40, 50)), "above the limit", max_pixels=1999)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_truncated_raster_is_an_error(kind: str) -> None:
    data = encode(picture(64, 64), kind)
    refused(data[: len(data) // 2], "damaged|cut")


@pytest.mark.parametrize(
    "data",
    [
        with_size(encode(picture()), 30000, 30000),
        with_size(encode(picture()), 9999, 9999),
        insert(encode(picture()), segment(0xFE, b"") * 20_000),
    ],
    ids=["lie above the limit", "lie below the limit", "segment bomb"],
)
def test_jpeg_bombs(data: bytes) -> None:
    refused(data, "limit|could not hold|segments")


def test_tail_far_longer_than_the_picture() -> None:
    refused(encode(picture()) + bytes(33 * 2**20), "far more")
    refused(encode(picture(), "PNG") + bytes(33 * 2**20), "far more")


@pytest.mark.parametrize("kept", [0, 1, 5])
def test_avif_box_of_places_cut_short(kept: int) -> None:
    data = encode(picture(24, 32), "AVIF", speed=10)
    at = data.index(b"iloc") - 4
    refused(data[:at] + struct.pack(">L", 8 + kept) + data[at + 4 :], "name no size")


def test_tiff_claims() -> None:
    def tiff(*tags: tuple[int, int, int]) -> bytes:
        entries = b"".join(struct.pack("<HHLL", tag, 4, count, value) for tag, count, value in tags)
        return b"II\x2a\x00\x08\x00\x00\x00" + struct.pack("<H", len(tags)) + entries + bytes(4)

    refused(tiff((256, 1, 64), (257, 1, 64), (273, 5_000_000, 8)), "values")
    refused(tiff((256, 1, 64), (257, 1, 64), (322, 1, 60_000), (323, 1, 60_000)), "tiles")
    refused(tiff((256, 1, 60_000), (257, 1, 60_000)), "above the limit")
    refused(tiff((257, 1, 60_000)), "size")


@pytest.mark.parametrize("kind", ["TIFF", "WEBP"])
def test_the_limit_of_pillow_is_called_its_own(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(picture(40, 40), kind)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 700)
    refused(data, r"twice Pillow's own limit, PIL.Image.MAX_IMAGE_PIXELS \(700\)")
    refused(data, "above the limit of 1000", max_pixels=1000)  # ours speaks first
