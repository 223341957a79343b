from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from omni_iml.explain.masks import UnreadableMask, read_mask


def claiming(path: Path, width: int, height: int) -> Path:
    """A PNG file that claims a size and has no pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""))
    return path


@pytest.mark.parametrize("name", ["m.png", "m.bmp", "m.tif", "m.gif"])
def test_white_is_tampered(name: str, tmp_path: Path) -> None:
    levels = np.array([[0, 127, 128, 255]] * 3, np.uint8)
    Image.fromarray(levels).save(tmp_path / name)
    doubts: list[str] = []
    assert read_mask(tmp_path / name, 4, 3, doubts).tolist() == [[False, False, True, True]] * 3
    assert doubts == []


def test_a_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    Image.new("L", (30, 20)).save(tmp_path / "m.png")
    with pytest.raises(UnreadableMask, match="has 30x20 pixels and its picture 20x30"):
        read_mask(tmp_path / "m.png", 20, 30)


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    for content in (b"no picture", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II\x2a\x00\x08\x00\x00\x00"):
        (tmp_path / "n.png").write_bytes(content)
        with pytest.raises(UnreadableMask, match="cannot be read"):
            read_mask(tmp_path / "n.png", 20, 30)
    with pytest.raises(UnreadableMask, match="cannot be read"):
        read_mask(tmp_path / "missing.png", 20, 30)


def test_a_mask_that_claims_too_much_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = claiming(tmp_path / "m.png", 30_000, 30_000)
    with pytest.raises(UnreadableMask, match="has 30000x30000 pixels and its picture 30x20"):
        read_mask(path, 30, 20)


@pytest.mark.filterwarnings("error")
def test_a_mask_as_large_as_its_picture_is_read_whatever_pillow_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("L", (30, 20), 255).save(tmp_path / "m.png")
    Image.new("L", (30, 20), 255).save(tmp_path / "m.gif")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 400)
    assert read_mask(tmp_path / "m.gif", 30, 20).all()  # more than allowed, which would be a warning
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 200)
    assert read_mask(tmp_path / "m.png", 30, 20).all()  # more than twice, which would be an error
    with pytest.raises(UnreadableMask, match="cannot be read"):
        read_mask(claiming(tmp_path / "c.png", 30, 20), 30, 20)


def test_a_mask_of_0_and_1_is_said_to_hold_nothing(tmp_path: Path) -> None:
    Image.fromarray(np.eye(5, dtype=np.uint8)).save(tmp_path / "m.png")
    doubts: list[str] = []
    assert not read_mask(tmp_path / "m.png", 5, 5, doubts).any()
    (doubt,) = doubts
    assert "the mask's largest value is 1, and only what is above 127 counts as tampered" in doubt
    Image.new("L", (5, 5)).save(tmp_path / "black.png")
    assert not read_mask(tmp_path / "black.png", 5, 5, doubts).any()
    assert len(doubts) == 1
