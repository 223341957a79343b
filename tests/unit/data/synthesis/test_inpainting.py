from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from data_pictures import textured
from numpy.typing import NDArray

from omni_iml.data.synthesis import Engine
from omni_iml.data.synthesis.inpainting import diffused, filled_by, grain, load_inpainter, patched
from omni_iml.data.synthesis.operations import Remove
from omni_iml.data.synthesis.scene import Scene


def hole(height: int, width: int, y: int, x: int, radius: int) -> NDArray[np.uint8]:
    mask = np.zeros((height, width), np.uint8)
    cv2.circle(mask, (x, y), radius, 1, -1)
    return mask


@pytest.mark.parametrize(("height", "width"), [(160, 160), (131, 203), (400, 420)])
def test_patches_find_the_exact_texture_of_a_periodic_picture(height: int, width: int) -> None:
    tile = textured(np.random.default_rng(0), 36, 44)
    whole = np.tile(tile, (height // 36 + 1, width // 44 + 1, 1))[:height, :width]
    mask = hole(height, width, height // 2, width // 2 + 3, 20)
    damaged = np.where(mask[..., None] > 0, 255, whole).astype(np.uint8)
    found = patched(damaged, mask)
    assert found is not None
    filled, offsets = found
    np.testing.assert_array_equal(filled, whole)
    assert offsets
    assert all(down % 36 == 0 and across % 44 == 0 for down, across in offsets)


def test_patches_come_from_outside_the_region() -> None:
    pixels, mask = textured(np.random.default_rng(0), 120, 150), hole(120, 150, 60, 70, 18)
    poisoned = np.where(mask[..., None] > 0, np.array([255, 0, 255]), pixels).astype(np.uint8)
    found = patched(poisoned, mask)
    assert found is not None
    filled, offsets = found
    assert not (filled == [255, 0, 255]).all(2).any()
    np.testing.assert_array_equal(filled[mask == 0], pixels[mask == 0])
    for down, across in offsets:
        rows, columns = np.nonzero(mask)
        assert not mask[rows + down, columns + across].any()


@pytest.mark.parametrize("corner", [(0, 0), (119, 149), (0, 70)])
def test_patches_fill_regions_at_the_border(corner: tuple[int, int]) -> None:
    pixels, mask = textured(np.random.default_rng(0), 120, 150), hole(120, 150, *corner, 18)
    found = patched(np.where(mask[..., None] > 0, 255, pixels).astype(np.uint8), mask)
    assert found is not None
    assert not (found[0] == 255).all(2)[mask > 0].all()


def test_patches_without_room_are_none() -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[6:58, 6:58] = 1
    assert patched(textured(np.random.default_rng(0), 64, 64), mask) is None


@pytest.mark.parametrize("kind", ["telea", "navier_stokes"])
def test_diffusion_continues_a_smooth_field_and_keeps_the_rest(kind) -> None:
    ramp = np.repeat(np.linspace(50, 200, 90, dtype=np.float32)[None, :, None], 70, 0).repeat(3, 2).astype(np.uint8)
    mask = hole(70, 90, 40, 30, 9)
    damaged = np.where(mask[..., None] > 0, 0, ramp).astype(np.uint8)
    filled = diffused(damaged, mask, kind, 4)
    assert np.abs(filled.astype(int) - ramp)[mask > 0].mean() < 6
    np.testing.assert_array_equal(filled[mask == 0], ramp[mask == 0])


@pytest.mark.parametrize("level", [2.0, 6.0])
def test_grain_is_as_strong_as_the_pictures(level: float) -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, level, (200, 200, 1))
    pixels = (120 + noise).repeat(3, 2).round().astype(np.uint8)
    drawn = grain(np.random.default_rng(1), pixels, hole(200, 200, 100, 100, 60), 20)
    assert drawn.std() == pytest.approx(level, rel=0.15)


MODULE = """
import numpy as np
from skimage.restoration import inpaint_biharmonic

def biharmonic(pixels, mask):
    filled = inpaint_biharmonic(pixels, mask, channel_axis=-1)
    return np.clip(255 * filled, 0, 255).round().astype(np.uint8)

def wrong(pixels, mask):
    return pixels.astype(np.float32)

constant = 3
"""


@pytest.fixture
def plugged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of an importable module with an inpainter that knows nothing of this project."""
    (tmp_path / "someones_inpainter.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "someones_inpainter", raising=False)
    return "someones_inpainter"


def test_an_inpainter_is_plugged_in_by_name(plugged: str) -> None:
    scene = Scene(textured(np.random.default_rng(0), 48, 64))
    operation = Remove((0.01, 0.03), fills=("learned",), inpainter=f"{plugged}:biharmonic", outlines=("free",))
    edit = operation(np.random.default_rng(3), scene, lambda rng: scene)
    inside = edit.mask > 0
    assert inside.any()
    np.testing.assert_array_equal(edit.pixels[~inside], scene.pixels[~inside])
    direct = load_inpainter(f"{plugged}:biharmonic")(scene.pixels, edit.mask)
    np.testing.assert_array_equal(edit.pixels[inside], direct[inside])
    assert (edit.pixels != scene.pixels).any(2)[inside].mean() > 0.5


def test_an_inpainter_that_returns_something_else_is_told(plugged: str) -> None:
    pixels = np.zeros((20, 30, 3), np.uint8)
    with pytest.raises(ValueError, match=r"returned float32 \(20, 30, 3\) for uint8"):
        filled_by(load_inpainter(f"{plugged}:wrong"), pixels, hole(20, 30, 10, 10, 3))


@pytest.mark.parametrize("name", ["nomodule", ":function", "module:", "no_such_module:f", "{}:missing", "{}:constant"])
def test_bad_names_of_inpainters_are_told(plugged: str, name: str) -> None:
    with pytest.raises(ValueError, match="inpainter"):
        load_inpainter(name.format(plugged))


def test_an_inpainter_is_named_in_the_configuration(plugged: str, engine: Callable[..., Engine]) -> None:
    named = engine(
        inpainter=f"{plugged}:biharmonic", domains={"natural": 1.0}, operations={"remove_learned": 1.0}, authentic=0.0
    )
    assert "remove_learned" in {named(index).operation for index in range(4)}
    with pytest.raises(ValueError, match="inpainter 'nowhere:f': cannot be imported"):
        engine(inpainter="nowhere:f")
    with pytest.raises(ValueError, match="operation remove_learned: is unknown"):
        engine(operations={"remove_learned": 1.0})
