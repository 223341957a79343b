from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from data_pictures import write_boxes
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from omni_iml.data import tile_cache as tile_cache_module
from omni_iml.data.sources import find
from omni_iml.data.tile_cache import TileEntry, TilePool, build_cache, tile_windows
from omni_iml.io import load
from omni_iml.io.parts import load_parts

SIDE = 96


@pytest.fixture
def small_root(source_root: Path, tmp_path: Path) -> Path:
    """A data root of receipts and signs that a test may change."""
    root = tmp_path / "data"
    for name in ("document/receipts", "document/receipts_boxes", "scene_text/signs"):
        shutil.copytree(source_root / "source" / name, root / "source" / name)
    return root


def contents(pool: TilePool) -> list[tuple[TileEntry, bytes]]:
    return [(entry, pool.pixels(entry).tobytes()) for entry in pool.entries]


def places(picture: NDArray[np.uint8], tile: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Every place (y, x) on the 8 grid where the picture shows the tile."""
    height, width = tile.shape[:2]
    return [
        (y, x)
        for y in range(0, picture.shape[0] - height + 1, 8)
        for x in range(0, picture.shape[1] - width + 1, 8)
        if np.array_equal(picture[y : y + height, x : x + width], tile)
    ]


@given(st.integers(1, 900), st.integers(1, 900), st.integers(8, 700), st.integers(1, 5), st.text(max_size=8))
def test_windows_start_on_the_grid_and_stay_inside(height: int, width: int, side: int, count: int, name: str) -> None:
    windows = list(tile_windows(height, width, side, count, name))
    assert windows == list(tile_windows(height, width, side, count, name))
    assert len(windows) == (1 if max(height, width) <= side else count)
    for y, x, tall, wide in windows:
        assert y % 8 == x % 8 == 0
        assert 0 <= y <= height - tall
        assert 0 <= x <= width - wide
        assert (tall, wide) == (min(height, side), min(width, side))


def test_tiles_are_crops_of_the_decoded_pictures_on_the_grid(source_root: Path, tmp_path: Path) -> None:
    pool = build_cache(source_root, tmp_path, side=SIDE, per_source=2)
    pictures = {s.identity: s for s in find(source_root)}
    assert len(pool.entries) == 2 * len(pictures)
    for entry in pool.entries:
        source, tile = pictures[entry.identity], pool.pixels(entry)
        assert tile.dtype == np.uint8
        assert tile.shape == (SIDE, SIDE, 3)
        assert (entry.origin, entry.split, entry.domain) == (source.origin, source.split, source.domain)
        assert places(load(source.path).pixels, tile)


def test_small_pictures_are_kept_whole(source_root: Path, pool: TilePool) -> None:
    sources = find(source_root)
    assert [e.identity for e in pool.entries] == [s.identity for s in sources]
    for entry, source in zip(pool.entries, sources, strict=True):
        np.testing.assert_array_equal(pool.pixels(entry), load(source.path).pixels)


def test_words_are_in_the_tiles_own_coordinates(small_root: Path, tmp_path: Path) -> None:
    picture = small_root / "source/document/receipts/one.png"
    pixels = np.full((200, 220, 3), 250, np.uint8)
    boxes = [(x, y, x + 40, y + 9) for y in range(4, 180, 24) for x in range(5, 170, 52)]
    for number, (x0, y0, x1, y1) in enumerate(boxes):
        pixels[y0:y1, x0:x1] = number
    Image.fromarray(pixels).save(picture)
    write_boxes(small_root / "source/document/receipts_boxes/one.csv", boxes)
    pool = build_cache(small_root, tmp_path / "tiles", side=SIDE, per_source=4)
    tiles = [entry for entry in pool.entries if entry.identity == "receipts/one"]
    assert len(tiles) == 4
    for entry in tiles:
        assert len(entry.words) >= 4
        tile, seen = pool.pixels(entry), np.zeros((SIDE, SIDE), bool)
        for word in entry.words:
            inside = tile[word.y0 : word.y1, word.x0 : word.x1]
            assert inside.shape[0] == 9
            assert inside.size
            assert (inside == inside[0, 0, 0]).all()
            assert inside[0, 0, 0] < 250
            seen[word.y0 : word.y1, word.x0 : word.x1] = True
        rest = np.where(seen, 250, tile[..., 0])  # what is left are words that lost a part of their height
        assert (rest[9 : SIDE - 9] == 250).all()


def test_select_groups_a_split_by_domain(pool: TilePool) -> None:
    for split in ("train", "validation", "test"):
        chosen = pool.select(split)  # type: ignore[arg-type]
        assert all(chosen.values())
        assert all(e.split == split and e.domain == domain for domain, group in chosen.items() for e in group)


def test_unchanged_sources_are_not_decoded_again(
    small_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = contents(build_cache(small_root, tmp_path / "tiles"))

    def refuse(path: Path) -> None:
        raise AssertionError(f"{path} was decoded again")

    monkeypatch.setattr(tile_cache_module, "load_parts", refuse)
    assert contents(build_cache(small_root, tmp_path / "tiles")) == first


def _same_length(root: Path) -> None:
    path = min((root / "source/scene_text/signs").iterdir())
    length = path.stat().st_size
    Image.new("RGB", (120, 100), "blue").save(path)
    path.write_bytes(path.read_bytes().ljust(length, b"\0"))
    assert path.stat().st_size == length


def _added(root: Path) -> None:
    Image.new("RGB", (90, 80), "red").save(root / "source/scene_text/signs/zz.png")


def _removed(root: Path) -> None:
    next((root / "source/document/receipts").iterdir()).unlink()


def _words(root: Path) -> None:
    write_boxes(next((root / "source/document/receipts_boxes").iterdir()), [(1, 1, 30, 20)])


@pytest.mark.parametrize("change", [_same_length, _added, _removed, _words])
def test_a_changed_source_makes_a_new_cache(change: Callable[[Path], None], small_root: Path, tmp_path: Path) -> None:
    first = contents(build_cache(small_root, tmp_path / "tiles"))
    change(small_root)
    second = contents(build_cache(small_root, tmp_path / "tiles"))
    assert second != first
    assert second == contents(build_cache(small_root, tmp_path / "afresh"))


def test_other_tile_sizes_make_a_new_cache(small_root: Path, tmp_path: Path) -> None:
    build_cache(small_root, tmp_path / "tiles")
    assert {e.height for e in build_cache(small_root, tmp_path / "tiles", side=SIDE).entries} == {SIDE}
    assert len(list((tmp_path / "tiles").glob("*.u8"))) == 1


def test_a_pool_in_use_keeps_its_pixels_through_a_rebuild(small_root: Path, tmp_path: Path) -> None:
    pool = build_cache(small_root, tmp_path / "tiles")
    before = contents(pool)
    _added(small_root)
    build_cache(small_root, tmp_path / "tiles")
    assert contents(pool) == before


@pytest.mark.parametrize("stopped_at", ["decoding", "pixels", "index"])
@pytest.mark.parametrize("former", [False, True])
def test_a_stopped_build_leaves_the_former_cache_or_none(
    stopped_at: str, former: bool, small_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "tiles"
    before = contents(build_cache(small_root, folder)) if former else []
    _added(small_root)
    read, rename, calls = load_parts, Path.replace, []

    def counted(path: Path) -> object:
        calls.append(path)
        if stopped_at == "decoding" and len(calls) == 5:
            raise KeyboardInterrupt
        return read(path)

    def refused(self: Path, target: Path) -> Path:
        if target.name.startswith({"pixels": "tiles", "index": "pool"}.get(stopped_at, "-")):
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(tile_cache_module, "load_parts", counted)
    monkeypatch.setattr(Path, "replace", refused)
    with pytest.raises(KeyboardInterrupt):
        build_cache(small_root, folder)
    monkeypatch.undo()
    assert not list(folder.glob("*.part"))
    if former:
        assert contents(TilePool(folder)) == before
    else:
        with pytest.raises(FileNotFoundError, match="no tile cache there"):
            TilePool(folder)
    assert contents(build_cache(small_root, folder)) == contents(build_cache(small_root, tmp_path / "afresh"))


def test_a_killed_process_leaves_no_half_cache(small_root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tiles"
    program = (
        "import os, sys\nfrom pathlib import Path\nfrom omni_iml.data import tile_cache as sources\n"
        "read, calls = sources.load_parts, []\n"
        "def dying(path):\n    calls.append(path)\n    return read(path) if len(calls) < 6 else os._exit(9)\n"
        "sources.load_parts = dying\nsources.build_cache(Path(sys.argv[1]), Path(sys.argv[2]))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(small_root), str(folder)], check=False)
    assert ended.returncode == 9
    (left,) = folder.glob("*.part")
    with pytest.raises(FileNotFoundError):
        TilePool(folder)
    build_cache(small_root, folder)
    assert left.exists()  # another process might still be writing it
    hour_ago = time.time() - 3600
    os.utime(left, (hour_ago, hour_ago))
    _added(small_root)
    build_cache(small_root, folder)
    assert not left.exists()


def test_a_broken_source_is_named_in_the_log_and_skipped(
    small_root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = small_root / "source/scene_text/signs/broken.jpg"
    whole = [e.identity for e in build_cache(small_root, tmp_path / "whole").entries]
    broken.write_bytes(b"\xff\xd8 this is no picture")
    complete = next((small_root / "source/scene_text/signs").glob("p*.jpg")).read_bytes()
    cut = broken.with_name("cut.jpg")
    cut.write_bytes(complete[: 2 * len(complete) // 3])  # can be shown, but its last rows are no picture
    with caplog.at_level("WARNING", "omni_iml.data.tile_cache"):
        pool = build_cache(small_root, tmp_path / "tiles")
    assert [e.identity for e in pool.entries] == whole
    first, second = (record.getMessage() for record in caplog.records)
    assert str(broken) in first
    assert str(cut) in second
    assert "cut short" in second
    assert "it is skipped" in second


def test_tiles_of_large_faces_show_them_whole() -> None:
    face = (500, 90, 760, 350)
    for number in range(20):
        for y, x, tall, wide in tile_windows(1024, 1024, 320, 3, f"set/{number}", [face]):
            assert y % 8 == x % 8 == 0
            assert x <= 500
            assert y <= 90
            assert x + wide >= 760
            assert y + tall >= 350


def test_a_root_without_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "source" / "natural" / "empty").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match="put pictures there"):
        build_cache(tmp_path, tmp_path / "tiles")
    assert not (tmp_path / "tiles").exists()


def test_a_pickled_pool_does_not_carry_its_pixels(pool: TilePool) -> None:
    before = contents(pool)
    total = sum(len(data) for _, data in before)
    pickled = pickle.dumps(pool)
    assert len(pickled) < total / 20
    assert contents(pickle.loads(pickled)) == before
