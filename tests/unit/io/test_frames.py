"""Files of several pictures: how many there are, and each of them read as a second decoder shows it."""

from __future__ import annotations

import hashlib
import io
import struct
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from io_pictures import encode, picture
from PIL import Image

from omni_iml.io import load
from omni_iml.io.frames import MAX_COMPOSED_PIXELS, MAX_FRAMES, count_frames
from omni_iml.io.jpeg import read_trace
from omni_iml.io.loading import FrameReader
from omni_iml.io.parts import load_parts
from omni_iml.io.tiff import directories
from omni_iml.types import MAX_PIXELS, UnreadableImage

PICTURES = [Image.fromarray(picture(40, 56, seed=seed)) for seed in range(4)]


def several(kind: str, pictures: list[Image.Image] = PICTURES, **options: object) -> bytes:
    return encode(pictures[0], kind, save_all=True, append_images=pictures[1:], **options)


def shown(data: bytes, frame: int) -> np.ndarray:
    """What Pillow shows of a frame, over white."""
    with Image.open(io.BytesIO(data)) as image:
        image.seek(frame)
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return np.asarray(Image.alpha_composite(white, layer).convert("RGB"))


FILES = {
    "GIF": several("GIF", duration=50),
    "GIF with disposal": several("GIF", [p.convert("P") for p in PICTURES], disposal=2, transparency=3),
    "APNG": several("PNG"),
    "APNG with a default image": several("PNG", default_image=True),
    "APNG with disposal": several("PNG", disposal=1, blend=1),
    "WEBP": several("WEBP", lossless=True, duration=50),
    "WEBP with loss": several("WEBP", duration=50),
    "TIFF": several("TIFF"),
    "TIFF, big": several("TIFF", big_tiff=True, compression="tiff_lzw"),
    # Of more than three pictures, Pillow 13 writes a wrong index.
    "MPO": several("MPO", PICTURES[:3]),
}


def count_of(name: str) -> int:
    return 3 if name == "MPO" else 4


@pytest.mark.parametrize("name", FILES)
def test_every_frame_is_the_one_that_pillow_shows(name: str, tmp_path: Path) -> None:
    data = FILES[name]
    path = tmp_path / "several"
    path.write_bytes(data)
    count = count_of(name)
    assert count_frames(data) == count_frames(path) == count
    for frame in (0, 1, count - 1, 2):
        image = load(path, frame=frame)
        assert np.array_equal(image.pixels, shown(data, frame))
        assert image.sha256 == hashlib.sha256(data).hexdigest()
        assert f"holds {count} frames, pages or pictures; this is number {frame + 1}" in " ".join(image.warnings)
    assert len({load(data, frame=frame).pixels.tobytes() for frame in range(count)}) == count
    assert path.read_bytes() == data  # a page is put first in a copy only


@pytest.mark.parametrize("name", ["WEBP", "TIFF"])
def test_every_frame_is_the_one_that_opencv_shows(name: str) -> None:
    _, frames = cv2.imdecodemulti(np.frombuffer(FILES[name], np.uint8), cv2.IMREAD_COLOR)
    assert len(frames) == 4
    for number, frame in enumerate(frames):
        assert np.array_equal(load(FILES[name], frame=number).pixels, frame[:, :, ::-1])


def test_pictures_of_an_mpo_keep_their_own_traces() -> None:
    pictures = [Image.fromarray(picture(side, side + 8, seed=side)) for side in (64, 32, 48)]
    data = several("MPO", pictures, quality=90)
    assert count_frames(data) == 3
    for number, source in enumerate(pictures):
        image = load(data, frame=number)
        start = [index for index in range(len(data)) if data[index : index + 3] == b"\xff\xd8\xff"][number]
        expected = read_trace(data[start:])
        assert (image.format, image.is_jpeg) == ("MPO", True)
        assert image.pixels.shape == (source.height, source.width, 3)
        assert np.array_equal(image.trace.coefficients, expected.coefficients)
        assert np.array_equal(image.trace.table, expected.table)


def test_index_of_an_mpo_that_points_nowhere_is_one_picture() -> None:
    data = several("MPO", PICTURES[:2])
    cut = data[: data.rindex(b"\xff\xd8\xff")]
    assert count_frames(cut) == 1
    assert load(cut).pixels.shape == (40, 56, 3)


def test_pages_of_several_sizes_depths_and_compressions() -> None:
    pages = [
        (Image.fromarray(picture(40, 56)), {"compression": "tiff_deflate"}),
        (Image.fromarray(picture(24, 31)), {"compression": "jpeg", "quality": 90}),
        (Image.fromarray(picture(61, 17)).convert("1"), {"compression": "group4"}),
        (Image.fromarray(picture(33, 20)).convert("CMYK"), {"compression": "tiff_lzw"}),
        (Image.fromarray(picture(9, 12)).convert("LA"), {}),
        (Image.fromarray((np.arange(300, dtype=np.uint16) * 200).reshape(15, 20)), {"compression": "packbits"}),
    ]
    stream = io.BytesIO()
    from PIL.TiffImagePlugin import AppendingTiffWriter

    with AppendingTiffWriter(stream, new=True) as writer:
        for page, options in pages:
            page.save(writer, "TIFF", **options)
            writer.newFrame()
    data = stream.getvalue()
    assert count_frames(data) == len(pages)
    for number, (page, options) in enumerate(pages):
        image = load(data, frame=number)
        alone = load(encode(page, "TIFF", **options))
        assert image.pixels.shape[:2] == (page.height, page.width)
        assert np.array_equal(image.pixels, alone.pixels)
        assert image.warnings[1:] == alone.warnings


@pytest.mark.parametrize("name", [*FILES, "one picture"])
@pytest.mark.parametrize("frame", [-1, 4, 10**12])
def test_a_frame_that_is_not_there(name: str, frame: int) -> None:
    data = FILES.get(name, encode(picture(8, 8), "PNG"))
    with pytest.raises(
        UnreadableImage, match=f"no frame {frame}, as it holds {count_of(name) if name in FILES else 1} "
    ):
        load(data, frame=frame)


def test_arrays_and_pil_images_are_one_picture() -> None:
    for source in (picture(8, 8), Image.fromarray(picture(8, 8))):
        assert load(source, frame=0).pixels.shape == (8, 8, 3)
        with pytest.raises(UnreadableImage, match="holds 1"):
            load(source, frame=1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"])
def test_one_picture(kind: str, tmp_path: Path) -> None:
    data = encode(picture(16, 16), kind)
    assert count_frames(data) == 1
    assert not [warning for warning in load(data).warnings if "frames" in warning]
    stream = io.BytesIO(data)
    assert count_frames(stream) == 1
    assert not stream.closed


def test_what_is_no_picture_cannot_be_counted(tmp_path: Path) -> None:
    for source, cause in ((b"text", "text"), (tmp_path / "missing", "no such file"), (3, "no kind"), (b"", "empty")):
        with pytest.raises(UnreadableImage, match=cause):
            count_frames(source)


def gif_of(frames: int, width: int = 1, height: int = 1) -> bytes:
    one = encode(Image.new("P", (width, height)), "GIF")
    start = one.index(b",")
    return one[:start] + one[start:-1] * frames + b";"


def tiff_of(pages: int, loop: bool = False) -> bytes:
    """Pages of one pixel whose directories follow each other."""
    step = 2 + 12 * 4 + 4
    parts = [b"II\x2a\x00\x08\x00\x00\x00"]
    for number in range(pages):
        entries = b"".join(
            struct.pack("<HHLL", tag, 4, 1, value) for tag, value in ((256, 1), (257, 1), (273, 8), (279, 1))
        )
        after = 8 + (number + 1) * step if number + 1 < pages else 8 * loop
        parts.append(struct.pack("<H", 4) + entries + struct.pack("<L", after))
    return b"".join(parts)


def apng_that_claims(frames: int) -> bytes:
    data = FILES["APNG"]
    at = data.index(b"acTL")
    return data[: at + 4] + frames.to_bytes(4, "big") + data[at + 8 :]


def test_claims_are_counted_not_believed() -> None:
    assert count_frames(apng_that_claims(1_000_000)) == 4
    assert count_frames(apng_that_claims(2)) == 2
    assert count_frames(tiff_of(3, loop=True)) == 3
    assert count_frames(gif_of(MAX_FRAMES)) == MAX_FRAMES


@pytest.mark.parametrize("data", [gif_of(200_000), tiff_of(200_000)], ids=["GIF", "TIFF"])
def test_more_frames_than_the_limit(data: bytes) -> None:
    begin = time.process_time()
    with pytest.raises(UnreadableImage, match=f"more than {MAX_FRAMES}"):
        count_frames(data)
    with pytest.raises(UnreadableImage, match=f"holds more than {MAX_FRAMES}"):
        load(data, frame=MAX_FRAMES)
    image = load(data)
    assert "more than 10000 frames" in " ".join(image.warnings)
    assert time.process_time() - begin < 5


def test_more_blocks_than_the_limit() -> None:
    gif = encode(Image.new("P", (4, 4)), "GIF")
    chunk = struct.pack(">L", 0) + b"tESt" + bytes(4)
    png = encode(picture(4, 4), "PNG")
    bombs = [
        gif[:-1] + b"!\xfe" + b"\x01a" * 1_100_000 + b"\x00;",
        png[:33] + chunk * 1_100_000 + png[33:],
    ]
    for data in bombs:
        begin = time.process_time()
        with pytest.raises(UnreadableImage, match="more than 1000000 blocks"):
            load(data)
        assert time.process_time() - begin < 5


@pytest.mark.parametrize("name", FILES)
def test_frames_read_in_one_pass_are_those_read_alone(name: str) -> None:
    data = FILES[name]
    alone = [load(data, frame=frame) for frame in range(count_of(name))]
    for order in (range(count_of(name)), (2, 0, 1, 1, 2)):
        with FrameReader(io.BytesIO(data), "x", MAX_PIXELS) as reader:
            for frame in order:
                image = reader.read(frame)
                assert np.array_equal(image.pixels, alone[frame].pixels)
                assert (image.sha256, image.facts) == (alone[frame].sha256, alone[frame].facts)
                assert image.warnings == alone[frame].warnings


@pytest.mark.parametrize("name", ["GIF", "APNG", "WEBP"])
def test_all_frames_are_painted_once_each(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    size = PICTURES[0].width * PICTURES[0].height
    monkeypatch.setattr("omni_iml.io.frames.MAX_COMPOSED_PIXELS", 2 * size)
    with pytest.raises(UnreadableImage, match="pixels painted before it"):
        load(FILES[name], frame=2)
    assert [part.part for part in load_parts(FILES[name], frames="all")] == [".p001", ".p002", ".p003", ".p004"]


def test_a_frame_that_is_damaged_does_not_spoil_the_others() -> None:
    data = bytearray(FILES["TIFF"])
    second = list(directories(io.BytesIO(data)))[1]
    data[second.at + 2 : second.at + 4] = bytes(2)  # its width loses its tag
    found = list(load_parts(bytes(data), frames="all"))
    assert [isinstance(part, UnreadableImage) for part in found] == [False, True, False, False]
    assert ".p002: " in str(found[1])


def test_one_frame_of_more_than_can_be_counted() -> None:
    (found,) = load_parts(gif_of(MAX_FRAMES + 5), frames=3)
    assert found.part == ".p003"
    (refused,) = load_parts(gif_of(MAX_FRAMES + 5), frames="all")
    assert "name one frame" in str(refused)


def test_an_animation_is_not_composed_without_end() -> None:
    data = gif_of(200, 3000, 3000)
    assert count_frames(data) == 200
    with pytest.raises(UnreadableImage, match=f"above the limit of {MAX_COMPOSED_PIXELS}"):
        load(data, frame=199)
    assert load(data, frame=1).pixels.shape == (3000, 3000, 3)


def test_a_later_frame_that_enlarges_the_canvas_is_bounded() -> None:
    small = encode(Image.new("P", (8, 8)), "GIF")
    start = small.index(b",")
    huge = b"," + struct.pack("<HHHH", 0, 0, 60_000, 60_000) + small[start + 9 : -1]
    data = small[:-1] + huge + b";"
    assert load(data).pixels.shape == (8, 8, 3)
    with pytest.raises(UnreadableImage, match="60000x60000 pixels are above the limit"):
        load(data, frame=1)
