from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFont

from omni_iml.data.synthesis.edit import Edit, NothingToEdit, Operation
from omni_iml.data.synthesis.operations import EraseSign, ReplaceSign, SwapCharacter
from omni_iml.data.synthesis.scene import Scene
from omni_iml.data.synthesis.signs import extent, laid_flat, put_back, softened
from omni_iml.data.words import turned

QUAD = ((50.0, 60.0), (215.0, 95.0), (208.0, 140.0), (42.0, 112.0))
OPERATIONS: list[Operation] = [ReplaceSign(), SwapCharacter(), EraseSign()]


def refuse(_: Generator) -> Scene:
    raise AssertionError("a donor was asked for")


def sign(text: str | None = "KR 4275", ink: int = 25, ground: int = 205, blur: float = 0.7) -> Scene:
    """A sign seen at an angle, its ground with a gradient and grain, and where its text stands."""
    flat = Image.new("L", (260, 80), ground)
    draw, font = ImageDraw.Draw(flat), ImageFont.load_default(60)
    x0, y0, x1, y1 = draw.textbbox((130, 40), text or "KR 4275", font, anchor="mm")
    draw.text((130, 40), text or "", ink, font, anchor="mm")
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, np.array(QUAD, np.float32))
    seen = cv2.warpPerspective(np.asarray(flat), matrix, (256, 200), flags=cv2.INTER_AREA, borderValue=ground)
    seen = cv2.GaussianBlur(seen, (0, 0), blur).astype(np.float32)
    light = np.linspace(0.85, 1.05, 256, dtype=np.float32)[None, :, None]
    noise = np.random.default_rng(0).normal(0, 2.5, (200, 256, 1))
    pixels = np.clip(np.rint(seen[..., None] * light * [1.0, 0.96, 0.9] + noise), 0, 255).astype(np.uint8)
    return Scene(pixels, words=(turned(QUAD),))


def place(margin: float) -> np.ndarray:  # type: ignore[type-arg]
    """Where the text is, with ``margin`` pixels around it: bool ``(200, 256)``."""
    inside = np.zeros((200, 256), np.uint8)
    cv2.fillConvexPoly(inside, np.rint(QUAD).astype(np.int32), 1)
    size = 2 * round(margin) + 1
    return cv2.dilate(inside, np.ones((size, size), np.uint8)) > 0


def edits(operation: Operation, scene: Scene, count: int) -> list[Edit]:
    return [operation(np.random.default_rng(seed), scene, refuse) for seed in range(count)]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_only_the_mask_changes_and_it_lies_on_the_text(operation: Operation) -> None:
    scene = sign()
    kept = scene.pixels.copy()
    for edit in edits(operation, scene, 16):
        np.testing.assert_array_equal(scene.pixels, kept)
        assert edit.pixels.dtype == edit.mask.dtype == np.uint8
        assert edit.mask.max() == 1
        changed = (edit.pixels != scene.pixels).any(2)
        assert not changed[edit.mask == 0].any()
        assert changed[edit.mask > 0].mean() > 0.4
        assert not edit.mask[~place(12)].any()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_same_state_gives_the_same_edit(operation: Operation) -> None:
    for one, other in zip(edits(operation, sign(), 5), edits(operation, sign(), 5), strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)
        np.testing.assert_array_equal(one.mask, other.mask)
        assert one.did == other.did


@pytest.mark.parametrize("operation", OPERATIONS)
def test_without_text_there_is_nothing_to_edit(operation: Operation) -> None:
    blank = Scene(np.full((200, 256, 3), 140, np.uint8), words=(turned(QUAD),))
    for scene in (Scene(sign().pixels), blank):
        with pytest.raises(NothingToEdit):
            operation(np.random.default_rng(0), scene, refuse)


@pytest.mark.parametrize(("ink", "ground"), [(25, 205), (230, 70)])
def test_new_text_has_the_inks_colour_and_stands_in_the_texts_place(ink: int, ground: int) -> None:
    scene = sign(ink=ink, ground=ground)
    for edit in edits(ReplaceSign(careless=0.0), scene, 12):
        before, after = scene.pixels.astype(float), edit.pixels.astype(float)
        deepest = [np.percentile(np.abs(p.mean(2) - ground * 0.94)[place(2)], 95) for p in (before, after)]
        assert deepest[1] == pytest.approx(deepest[0], rel=0.35)
        inked = np.abs(after.mean(2) - ground * 0.94) > 0.5 * abs(ink - ground)
        assert inked[place(0)].mean() > 0.05
        assert not inked[~place(5)].any()


def test_new_text_is_as_soft_as_the_old() -> None:
    def steepest(pixels: np.ndarray) -> float:  # type: ignore[type-arg]
        steps = np.abs(np.diff(pixels.astype(float).mean(2), axis=1))[place(0)[:, 1:]]
        return float(np.sort(steps)[-60:].mean())

    for blur in (0.6, 2.0):
        scene = sign(blur=blur)
        found = [steepest(edit.pixels) for edit in edits(ReplaceSign(careless=0.0), scene, 8)]
        assert np.median(found) == pytest.approx(steepest(scene.pixels), rel=0.3)


def test_strokes_only_leave_the_ground_between_them() -> None:
    scene = sign()
    for edit in edits(ReplaceSign(repaint=0.0), scene, 6):
        assert edit.did["whole"] is False
    whole = [edit.mask.mean() for edit in edits(ReplaceSign(repaint=1.0), scene, 6)]
    some = [edit.mask.mean() for edit in edits(EraseSign(part=1.0), scene, 6)]
    assert max(some) < np.median(whole)


def test_erased_text_is_gone_and_its_ground_stays() -> None:
    scene = sign()
    smooth = np.asarray(cv2.GaussianBlur(sign(text=None).pixels, (0, 0), 3), float)  # the ground without a text
    for edit in edits(EraseSign(part=0.0), scene, 8):
        away = np.abs(edit.pixels.astype(float) - smooth).mean(2)
        assert away[place(0)].mean() < 8
        assert np.percentile(away[place(0)], 99) < 60
    partly = edits(EraseSign(part=1.0), scene, 8)
    assert all((np.abs(edit.pixels.astype(float) - smooth).mean(2)[place(0)] > 80).any() for edit in partly)


def test_a_swapped_character_is_another_one_of_the_text() -> None:
    scene = sign("HO8T3E", blur=0.5)
    for edit in edits(SwapCharacter(wider=1.1), scene, 8):
        flat, old = (laid_flat(p, scene.words[0]).flat.mean(2) for p in (edit.pixels, scene.pixels))
        columns = np.flatnonzero(np.abs(flat - old).max(0) > 40)
        assert 0.1 * flat.shape[1] < np.ptp(columns) < 0.45 * flat.shape[1]
        patch = flat[8:-8, columns[0] + 4 : columns[-1] - 3].astype(np.float32)
        scores = cv2.matchTemplate(old.astype(np.float32), patch, cv2.TM_CCOEFF_NORMED)
        _, x = np.unravel_index(int(np.argmax(scores)), scores.shape)
        assert scores.max() > 0.75
        assert abs(int(x) - columns[0] - 4) > 0.4 * np.ptp(columns)  # where it came from, not where it is


def test_laid_flat_and_put_back_a_patch_is_where_it_was() -> None:
    scene = sign()
    flat = laid_flat(scene.pixels, scene.words[0])
    x0, y0, x1, y1 = extent(flat.ink, flat.text)
    assert np.abs(np.array([x0, y0, x1, y1]) - flat.text).max() < 6
    alpha = np.zeros(flat.flat.shape[:2], np.float32)
    alpha[y0:y1, x0:x1] = 1
    pixels, mask = put_back(scene.pixels, flat, flat.flat, alpha)
    assert (mask > 0)[place(0)].mean() > 0.95
    assert not mask[~place(5)].any()
    assert np.abs(pixels.astype(int) - scene.pixels)[mask > 0].mean() < 4
    nothing, empty = put_back(scene.pixels, flat, flat.flat, np.zeros_like(alpha))
    np.testing.assert_array_equal(nothing, scene.pixels)
    assert not empty.any()


def test_ink_is_softened_until_it_is_as_soft() -> None:
    sharp = np.zeros((40, 60), np.float32)
    sharp[10:30, 15:25] = sharp[10:30, 35:45] = 1
    for sigma in (1.0, 2.0):
        soft, found = softened(sharp, np.asarray(cv2.GaussianBlur(sharp, (0, 0), sigma), np.float32))
        assert found == pytest.approx(sigma, abs=0.5)
        assert soft.max() <= 1
    assert softened(sharp, sharp)[1] == 0
