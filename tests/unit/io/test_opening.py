"""Files that change, grow, shrink or vanish while they are read."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import numpy as np
import pytest
from io_pictures import encode, picture
from PIL import Image

from omni_iml.io import load
from omni_iml.io.limits import SLACK_BYTES
from omni_iml.io.opening import private_copy, read_up_to
from omni_iml.types import UnreadableImage


class Changing(io.BytesIO):
    """Another picture each time it is read from its beginning."""

    def __init__(self, versions: list[bytes]) -> None:
        super().__init__(versions[0])
        self.versions = versions
        self.turn = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        if offset == 0 and whence == 0:
            self.turn += 1
            super().seek(0)
            self.truncate()
            self.write(self.versions[self.turn % len(self.versions)])
        return super().seek(offset, whence)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "JPEG2000", "AVIF"])
def test_digest_and_pixels_are_of_the_same_bytes(kind: str) -> None:
    versions = [encode(picture(24, 32, seed=seed), kind) for seed in range(3)]
    stream = Changing(versions)
    image = load(stream)
    assert stream.turn > 1
    read = next(data for data in versions if hashlib.sha256(data).hexdigest() == image.sha256)
    assert np.array_equal(image.pixels, load(read).pixels)


def test_one_format_turning_into_another_is_an_error_or_a_picture() -> None:
    versions = [encode(picture(24, 32), kind) for kind in ("PNG", "JPEG", "GIF", "TIFF")]
    for start in range(4):
        try:
            image = load(Changing(versions[start:] + versions[:start]))
        except UnreadableImage:
            continue
        assert image.sha256 in {hashlib.sha256(data).hexdigest() for data in versions}


def test_a_file_that_is_cut_after_it_was_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(encode(picture(64, 64), "TIFF", compression="tiff_lzw"))
    import omni_iml.io.loading as loading

    original = loading.decode_raster

    def cutting(*arguments: object, **options: object) -> object:
        os.truncate(path, 10)
        return original(*arguments, **options)

    whole = load(path)
    monkeypatch.setattr(loading, "decode_raster", cutting)
    assert np.array_equal(load(path).pixels, whole.pixels)
    with pytest.raises(UnreadableImage):
        load(path)


def test_a_file_that_vanishes(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encode(picture(8, 8), "PNG"))
    path.unlink()
    with pytest.raises(UnreadableImage, match="no such file"):
        load(path)


def test_a_disk_that_fails_in_the_middle() -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if size and size > 100_000:
                raise OSError(5, "Input/output error")
            return super().read(size)

    with pytest.raises(UnreadableImage, match=r"cannot be read \(Input/output error\)"):
        load(Failing(encode(picture(64, 64), "PNG")))


@pytest.mark.parametrize("in_memory", [False, True])
def test_a_long_file_is_copied_and_digested(tmp_path: Path, in_memory: bool) -> None:
    data = os.urandom(2**20) * (SLACK_BYTES // 2**20 + 3)
    path = tmp_path / "long"
    path.write_bytes(data)
    with path.open("rb") as file:
        stream = io.BytesIO(data) if in_memory else file
        with private_copy(stream, len(data), "x") as (copy, digest):
            assert isinstance(copy, io.BytesIO) == in_memory, "only what is in memory already stays there"
            assert digest == hashlib.sha256(data).hexdigest()
            copy.seek(0)
            assert copy.read() == data
        with pytest.raises(UnreadableImage, match="goes on after"), private_copy(stream, len(data) - 1, "x"):
            pass


def test_pages_of_a_long_file(tmp_path: Path) -> None:
    pages = [Image.fromarray(picture(64, 80, seed=seed)) for seed in range(2)]
    data = encode(pages[0], "TIFF", save_all=True, append_images=pages[1:], compression="tiff_lzw")
    path = tmp_path / "long.tif"
    path.write_bytes(data + bytes(SLACK_BYTES))  # within what two such pages may have beside them
    for number, page in enumerate(pages):
        image = load(path, frame=number)
        assert np.array_equal(image.pixels, np.asarray(page))
        assert image.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_short_reads_are_continued() -> None:
    class Short(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 0, 7))

    assert read_up_to(Short(b"a" * 100), 50) == b"a" * 50
    assert read_up_to(Short(b"a" * 10), 50) == b"a" * 10
    for kind in ("JPEG", "PNG", "WEBP"):
        data = encode(picture(24, 32), kind)
        assert load(Short(data)).sha256 == hashlib.sha256(data).hexdigest()
