from __future__ import annotations

import io

import numpy as np
import pytest
from io_pictures import encode, exif, insert, picture, replace_frame, segment, with_size
from PIL import Image

from omni_iml.io.segments import sanitise
from omni_iml.types import UnreadableImage


def markers(stream: bytes) -> list[int]:
    """Markers before the first scan."""
    found, at = [], 2
    while stream[at + 1] != 0xDA:
        found.append(stream[at + 1])
        at += 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
    return found


def test_drops_application_and_comment_segments() -> None:
    extra = b"".join(segment(marker, b"x" * 30) for marker in (0xE1, 0xE2, 0xE5, 0xED, 0xEF, 0xFE))
    clean = sanitise(insert(encode(picture()), extra))
    assert set(markers(clean.stream)) <= {0xE0, 0xDB, 0xC0, 0xC4}
    assert clean.stream.endswith(b"\xff\xd9")
    assert not clean.cut


def test_what_follows_the_end_of_the_image_is_left_out() -> None:
    data = encode(picture())
    assert sanitise(data + b"\x00video" * 1000).stream == sanitise(data).stream


def test_fill_bytes_and_garbage_between_segments() -> None:
    data = encode(picture())
    assert sanitise(insert(data, b"\xff\xff\xff" + segment(0xFE, b"x") + b"junk")).stream == sanitise(data).stream


def test_colour_transform_and_exif_are_read() -> None:
    rgb = sanitise(encode(picture(), keep_rgb=True))
    assert (rgb.adobe_transform, rgb.jfif, rgb.first_component) == (0, False, "red")
    plain = sanitise(encode(picture(), exif=exif(6)))
    assert (plain.adobe_transform, plain.jfif, plain.first_component) == (None, True, "luma")
    assert plain.embedded.exif[:2] in (b"II", b"MM")


def test_cmyk_and_ycck() -> None:
    data = encode(Image.fromarray(picture()).convert("CMYK"))
    assert sanitise(data).first_component == "cyan"
    at = data.index(b"Adobe") + 11
    assert sanitise(data[:at] + b"\x02" + data[at + 1 :]).first_component == "luma"


def test_sixteen_bit_table_is_the_same_table() -> None:
    data = encode(picture(channels=1), quality=40)
    at = data.index(b"\xff\xdb")
    values = data[at + 5 : at + 69]
    wide = segment(0xDB, b"\x10" + b"".join(b"\x00" + bytes([value]) for value in values))
    changed = replace_frame(data[:at] + wide + data[at + 69 :], 0xC1)
    assert np.array_equal(sanitise(changed).table, sanitise(data).table)
    with Image.open(io.BytesIO(data)) as image:
        assert sanitise(data).table.ravel().tolist() == list(image.quantization[0])


def test_table_redefined_after_the_scan_does_not_count() -> None:
    data = encode(picture(), quality=50)
    lie = segment(0xDB, b"\x00" + bytes([1] * 64))
    assert np.array_equal(sanitise(data[:-2] + lie + data[-2:]).table, sanitise(data).table)


@pytest.mark.parametrize("kept", [0.5, 0.9, 0.99])
def test_cut_is_noticed(kept: float) -> None:
    data = encode(picture(), quality=90)
    assert sanitise(data[: int(len(data) * kept)]).cut


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_cut_of_the_last_bytes_is_noticed(missing: int) -> None:
    clean = sanitise(encode(picture())[:-missing])
    assert clean.cut
    assert clean.stream.endswith(b"\xff\xd9")
    assert not clean.stream.endswith(b"\xff\xff\xd9")


def test_cut_inside_a_progressive_file_between_scans() -> None:
    data = encode(picture(), progressive=True)
    third = [i for i in range(len(data) - 1) if data[i : i + 2] == b"\xff\xda"][2]
    assert sanitise(data[:third]).cut
    assert sanitise(data[: third + 3]).cut


def test_second_picture_inside_ends_the_first() -> None:
    data = encode(picture())
    joined = data[: len(data) * 3 // 4] + data
    assert sanitise(joined).cut


@pytest.mark.parametrize(
    ("marker", "cause"),
    [
        (0xC3, "lossless"),
        (0xC5, "hierarchical"),
        (0xC6, "hierarchical"),
        (0xC7, "lossless"),
        (0xC9, "arithmetic"),
        (0xCA, "arithmetic"),
        (0xCB, "lossless"),
        (0xCC, "arithmetic"),
    ],
)
def test_other_coding_processes_are_refused(marker: int, cause: str) -> None:
    with pytest.raises(UnreadableImage, match=cause) as caught:
        sanitise(replace_frame(encode(picture()), marker), source="odd.jpg")
    assert str(caught.value).startswith("odd.jpg: ")
    assert "save it as" in caught.value.way_out


def frame_with(data: bytes, offset: int, value: int) -> bytes:
    at = data.index(b"\xff\xc0")
    return data[: at + offset] + bytes([value]) + data[at + offset + 1 :]


def test_twelve_bits() -> None:
    with pytest.raises(UnreadableImage, match="12-bit"):
        sanitise(frame_with(encode(picture()), 4, 12))


def test_two_components() -> None:
    data = encode(picture(channels=1))
    at = data.index(b"\xff\xc0")
    frame = segment(0xC0, data[at + 4 : at + 9] + b"\x02\x01\x11\x00\x02\x11\x00")
    with pytest.raises(UnreadableImage, match="2 components"):
        sanitise(data[:at] + frame + data[at + 13 :])


def test_luma_below_full_resolution() -> None:
    data = frame_with(encode(picture(), subsampling=0), 14, 0x22)
    with pytest.raises(UnreadableImage, match="full resolution"):
        sanitise(data)


@pytest.mark.parametrize("factor", [0x00, 0x51, 0x15])
def test_sampling_factors_out_of_range(factor: int) -> None:
    with pytest.raises(UnreadableImage, match="sampling"):
        sanitise(frame_with(encode(picture()), 11, factor))


def test_two_frame_headers() -> None:
    data = encode(picture(channels=1))
    at = data.index(b"\xff\xc0")
    with pytest.raises(UnreadableImage, match="two frame headers"):
        sanitise(data[:at] + data[at : at + 13] + data[at:])


@pytest.mark.parametrize("size", [(0, 10), (10, 0), (0, 0)])
def test_zero_size(size: tuple[int, int]) -> None:
    with pytest.raises(UnreadableImage, match="claims a size"):
        sanitise(with_size(encode(picture()), *size))


def test_above_the_pixel_limit() -> None:
    with pytest.raises(UnreadableImage, match="above the limit of 1000"):
        sanitise(encode(picture()), max_pixels=1000)


def test_header_lie_above_the_limit() -> None:
    with pytest.raises(UnreadableImage, match="above the limit"):
        sanitise(with_size(encode(picture()), 30000, 30000))


@pytest.mark.parametrize("progressive", [False, True])
def test_header_lie_below_the_limit(progressive: bool) -> None:
    with pytest.raises(UnreadableImage, match="could not hold"):
        sanitise(with_size(encode(picture(), progressive=progressive), 9999, 9999))


@pytest.mark.parametrize("options", [{"optimize": True}, {"progressive": True}, {}])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_flattest_valid_picture_is_no_lie(mode: str, options: dict) -> None:
    data = encode(Image.new(mode, (3000, 2500), 128 if mode == "L" else (9, 9, 9)), quality=50, **options)
    assert sanitise(data).frame.width == 3000


def test_scan_bomb() -> None:
    data = encode(picture(), progressive=True)
    at = data.rindex(b"\xff\xda")
    scan = data[at:-2]
    with pytest.raises(UnreadableImage, match="64 scans"):
        sanitise(data[:-2] + scan * 3000 + data[-2:])


def test_segment_bomb() -> None:
    with pytest.raises(UnreadableImage, match="segments"):
        sanitise(insert(encode(picture()), segment(0xFE, b"") * 20_000))


def test_data_bomb() -> None:
    data = encode(picture(8, 8))
    with pytest.raises(UnreadableImage, match="bytes of picture data"):
        sanitise(data[:-2] + b"\x55" * 17 * 2**20 + data[-2:])


@pytest.mark.parametrize("keep", [2, 20, 200, 500])
def test_cut_before_any_picture_data(keep: int) -> None:
    with pytest.raises(UnreadableImage):
        sanitise(encode(picture())[:keep])


@pytest.mark.parametrize("data", [b"", b"\xff", b"\xff\xd8", b"\xff\xd8\xff\xd9", b"text", b"\xff\xd8" + b"\xff" * 50])
def test_not_a_jpeg(data: bytes) -> None:
    with pytest.raises(UnreadableImage):
        sanitise(data)
