"""What every operation on natural pictures promises, and what each of them does."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from data_pictures import textured
from numpy.typing import NDArray

from omni_iml.data.synthesis.edit import Edit, NothingToEdit
from omni_iml.data.synthesis.operations import CopyMove, LocalFilter, Recompress, Regrow, Remove, Splice, catalogue
from omni_iml.data.synthesis.operations import copy_move as copy_move_module
from omni_iml.data.synthesis.operations.regrow import regrown, transposed
from omni_iml.data.synthesis.scene import Scene

AREA = (0.01, 0.4)
NATURAL = {name: entry.operation for name, entry in catalogue(AREA)["natural"].items()}
SHAPES = [(96, 96), (65, 131), (200, 33)]
EDITS = {**NATURAL, "copy_move_lines": CopyMove(AREA, lines=True), "remove_default": Remove()}


def donor_of(height: int, width: int) -> Callable[[np.random.Generator], Scene]:
    return lambda rng: Scene(textured(np.random.default_rng(99), height, width))


def edits(operation: Any, scene: Scene, seeds: range) -> list[Edit]:
    """The edits of the seeds that find something to edit, which most do."""
    done = []
    for seed in seeds:
        try:
            done.append(operation(np.random.default_rng(seed), scene, donor_of(*scene.pixels.shape[:2])))
        except NothingToEdit:
            continue
    assert len(done) > 0.6 * len(seeds)
    return done


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", EDITS)
def test_nothing_outside_the_mask_differs(name: str, shape: tuple[int, int]) -> None:
    scene = Scene(textured(np.random.default_rng(1), *shape))
    kept = scene.pixels.copy()
    scene.pixels.flags.writeable = False
    shares = []
    for edit in edits(EDITS[name], scene, range(16)):
        np.testing.assert_array_equal(scene.pixels, kept)
        assert edit.pixels.dtype == edit.mask.dtype == np.uint8
        assert edit.pixels.shape == kept.shape
        assert edit.mask.shape == shape
        assert set(np.unique(edit.mask)) <= {0, 1}
        assert edit.mask.any()
        changed = (edit.pixels != kept).any(2)
        assert not changed[edit.mask == 0].any()
        shares.append(changed[edit.mask > 0].mean())
        assert json.loads(json.dumps(edit.did)) == edit.did
    # The mask is tight: most of what it covers was repainted.
    assert np.median(shares) > 0.6


@pytest.mark.parametrize("name", EDITS)
def test_the_same_generator_state_gives_the_same_edit(name: str) -> None:
    scene = Scene(textured(np.random.default_rng(2), 90, 122))
    for seed in range(5):
        outcomes: list[Any] = []
        for _ in range(2):
            random.seed(len(outcomes))  # nothing may look at OpenCV's or Python's own generators
            cv2.setRNGSeed(len(outcomes))
            rng = np.random.default_rng(seed)
            try:
                edit = EDITS[name](rng, scene, donor_of(90, 122))
                outcomes.append((edit.pixels.tobytes(), edit.mask.tobytes(), dict(edit.did), rng.random()))
            except NothingToEdit:
                outcomes.append(rng.random())
        assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("name", sorted(set(EDITS) - {"splice", "splice_seamless"}))
def test_edits_do_not_darken_a_flat_picture(name: str) -> None:
    flat = Scene(np.full((64, 64, 3), 201, np.uint8))
    means = []
    for seed in range(60):
        try:
            edit = EDITS[name](np.random.default_rng(seed), flat, donor_of(64, 64))
        except NothingToEdit:
            continue
        means.append(float(edit.pixels[edit.mask > 0].mean()))
    assert len(means) > 30
    assert abs(np.median(means) - 201) < 0.3


@pytest.mark.parametrize("operation", [Splice(), CopyMove(), LocalFilter(), Regrow(), Recompress(), Remove()])
def test_regions_follow_objects_and_free_shapes_of_the_area_asked_for(operation: Any) -> None:
    scene = Scene(textured(np.random.default_rng(3), 128, 128))
    done = edits(operation, scene, range(40))
    shapes = {edit.did["shape"] for edit in done}
    assert {"superpixels", "grabcut"} < shapes
    assert min(edit.mask.mean() for edit in done) > 0.003
    assert np.median([edit.mask.mean() for edit in done]) < 0.3


def test_shares_of_the_natural_domain_sum_to_one() -> None:
    entries = catalogue(AREA)["natural"]
    assert sum(entry.share for entry in entries.values()) == pytest.approx(1)
    assert all(entry.operation.practice for entry in entries.values())


def test_an_inpainter_gets_a_tenth_of_the_natural_domain() -> None:
    entries = catalogue(AREA, lambda pixels, mask: pixels)["natural"]
    assert sum(entry.share for entry in entries.values()) == pytest.approx(1)
    assert entries["remove_learned"].share == 0.1
    assert set(entries) == {*NATURAL, "remove_learned"}
    with pytest.raises(ValueError, match="inpainter 'nowhere:f'"):
        catalogue(AREA, "nowhere:f")


# Splicing


def tells_its_place(height: int, width: int) -> NDArray[np.uint8]:
    rows, columns = np.mgrid[:height, :width]
    return np.stack([columns, rows, np.full_like(rows, 77)], 2).astype(np.uint8)


def test_splices_lie_at_places_of_their_own() -> None:
    scene, source = Scene(np.full((120, 120, 3), 250, np.uint8)), tells_its_place(120, 120)
    shifts = set()
    for seed in range(90):
        edit = Splice()(np.random.default_rng(seed), scene, lambda rng: Scene(source))
        inside = (edit.pixels[..., 2] == 77) & (edit.mask > 0)
        if "scale" in edit.did or "light" in edit.did or "matched_strength" in edit.did or not inside.any():
            continue
        rows, columns = np.nonzero(inside)
        down = rows - edit.pixels[rows, columns, 1].astype(int)
        across = columns - edit.pixels[rows, columns, 0].astype(int)
        assert np.ptp(down) == np.ptp(across) == 0  # nobody resampled it
        shifts.add((int(down[0]), int(across[0])))
    assert len(shifts) >= 3
    assert (0, 0) not in shifts


def test_splices_never_show_the_filling_of_a_small_donor() -> None:
    pixels = np.full((96, 96, 3), 40, np.uint8)
    pixels[60:], pixels[:, 50:] = 255, 255
    for seed in range(30):
        scene = Scene(np.full((96, 96, 3), 120, np.uint8))
        try:
            edit = Splice(feather=1.0)(np.random.default_rng(seed), scene, lambda rng: Scene(pixels, filled=(36, 46)))
        except NothingToEdit:
            continue
        if "light" not in edit.did:
            assert edit.pixels.max() <= 121


def test_a_donor_too_small_to_cut_from_is_said_to_be() -> None:
    tiny = Scene(np.zeros((96, 96, 3), np.uint8), filled=(80, 0))
    with pytest.raises(NothingToEdit):
        Splice()(np.random.default_rng(0), Scene(np.zeros((96, 96, 3), np.uint8)), lambda rng: tiny)


# Copy-move


def test_copies_come_from_where_their_recipe_says_and_never_wrap_around() -> None:
    base = tells_its_place(150, 180)
    scene, exact = Scene(base), 0
    for edit in edits(CopyMove(again=0.0), scene, range(100)):
        x0, y0, x1, y1 = edit.did["source_box"]
        assert 0 <= x0 < x1 <= 180
        assert 0 <= y0 < y1 <= 150
        copies = edit.did["copies"]
        if len(copies) != 1 or {"scale", "retouch", "seamless"} & set(copies[0]) or copies[0]["feather_pixels"]:
            continue
        exact += 1
        rows, columns = np.nonzero(edit.mask)
        down, across = copies[0]["shift_pixels"]
        assert abs(down) + abs(across) > 0
        np.testing.assert_array_equal(edit.pixels[rows, columns, 1], rows - down)
        np.testing.assert_array_equal(edit.pixels[rows, columns, 0], columns - across)
        assert y0 <= (rows - down).min()
        assert (rows - down).max() < y1
        assert x0 <= (columns - across).min()
        assert (columns - across).max() < x1
    assert exact >= 4


def test_some_copies_are_pasted_twice_reshaped_mirrored_and_retouched() -> None:
    done = edits(CopyMove(again=0.5), Scene(textured(np.random.default_rng(5), 128, 128)), range(50))
    copies = [copy for edit in done for copy in edit.did["copies"]]
    assert max(len(edit.did["copies"]) for edit in done) >= 2
    assert any(copy.get("mirrored") for copy in copies)
    assert any(copy.get("angle_degrees") for copy in copies)
    assert any(copy.get("shear") for copy in copies)
    assert len({copy["retouch"]["kind"] for copy in copies if "retouch" in copy}) >= 3
    kernels = {copy["kernel"] for copy in copies if "kernel" in copy}
    assert {"linear", "cubic"} < kernels


def test_lines_are_copied_upright_and_in_their_own_size() -> None:
    scene = Scene(textured(np.random.default_rng(5), 128, 128))
    for edit in edits(CopyMove(AREA, lines=True), scene, range(20)):
        assert edit.did["shape"] == "line"
        assert not {"scale", "retouch"} & set(edit.did["copies"][0])


def test_a_copy_without_another_place_is_no_edit(monkeypatch: pytest.MonkeyPatch) -> None:
    full = np.ones((64, 64), np.uint8)
    monkeypatch.setattr(copy_move_module, "outline", lambda *_, **__: (full, "all"))
    with pytest.raises(NothingToEdit):
        CopyMove()(np.random.default_rng(0), Scene(textured(np.random.default_rng(0), 64, 64)), donor_of(64, 64))


# Removal


def test_a_learned_inpainter_is_called_and_cut_to_the_mask() -> None:
    seen: list[NDArray[np.uint8]] = []

    def inpaint(pixels: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
        seen.append(mask.copy())
        pixels[:], mask[:] = 255 - pixels, 0  # repaints all of the picture, in what it was given
        return pixels

    scene = Scene(textured(np.random.default_rng(6), 80, 100))
    done = edits(Remove(fills=("learned",), inpainter=inpaint), scene, range(8))
    for edit, asked in zip(done, seen, strict=True):
        np.testing.assert_array_equal(asked, edit.mask)
        assert edit.did["kind"] == "learned"
        inside = edit.mask > 0
        np.testing.assert_array_equal(edit.pixels[~inside], scene.pixels[~inside])
        np.testing.assert_array_equal(edit.pixels[inside], 255 - scene.pixels[inside])


def test_fills_that_cannot_be_done_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match="'learned': has no inpainter"):
        Remove(fills=("learned",))
    with pytest.raises(ValueError, match="magic: is unknown; the fills are"):
        Remove(fills=("telea", "magic"))


def test_every_way_of_filling_is_taken() -> None:
    done = edits(Remove(), Scene(textured(np.random.default_rng(6), 96, 96)), range(30))
    assert {edit.did["kind"] for edit in done} == {"telea", "navier_stokes", "patches"}


# Local recompression and regrown regions


def test_recompressions_lie_on_grids_of_their_own() -> None:
    done = edits(Recompress(), Scene(textured(np.random.default_rng(7), 128, 128)), range(60))
    grids = [tuple(edit.did["grid_offset"]) for edit in done]
    assert len(set(grids)) > 15
    assert grids.count((0, 0)) >= 8
    assert {len(edit.did["compressions"]) for edit in done} == {1, 2}


@pytest.mark.parametrize("side", [33, 64, 65])
def test_regrown_pixels_stay_where_they_are(side: int) -> None:
    wave = 128 + 60 * np.sin(np.arange(side) / 9)
    smooth = np.repeat((wave[:, None] + wave[None] - 128)[..., None], 3, 2).clip(0, 255).astype(np.uint8)
    ways = set()
    for seed in range(60):
        out, did = regrown(np.random.default_rng(seed), smooth)
        ways.add(did["up"])
        assert out.shape == smooth.shape
        middle = np.s_[8:-8, 8:-8]
        assert np.abs(out[middle].astype(float) - smooth[middle]).mean() < 7
    assert ways == {"nearest", "linear", "cubic", "lanczos", "transposed"}


def test_transposed_convolutions_are_those_of_torch() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    small, kernel = rng.random((7, 9, 3), np.float32), rng.random((4, 4), np.float32)
    channels = torch.from_numpy(small).permute(2, 0, 1)[:, None]
    reference = torch.nn.functional.conv_transpose2d(
        channels, torch.from_numpy(kernel)[None, None], stride=2, padding=1
    )
    ours = transposed(small, kernel)
    assert ours.shape == (14, 18, 3)
    theirs = reference[:, 0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(ours[2:-2, 2:-2], theirs[2:-2, 2:-2], rtol=1e-5)


def test_transposed_convolutions_leave_a_peak_in_the_spectrum() -> None:
    flat = np.full((32, 32, 3), 100, np.float32)
    row = np.array([1, 3, 3, 1], np.float32) / 4
    even = transposed(flat, np.outer(row, row))
    np.testing.assert_allclose(even, 100, rtol=1e-5)
    uneven = transposed(flat, np.outer(row * [1.1, 1, 1, 1], row).astype(np.float32))
    spectrum = np.abs(np.fft.fft2(uneven[..., 0] - uneven.mean()))
    assert np.unravel_index(spectrum.argmax(), spectrum.shape) == (32, 0)
