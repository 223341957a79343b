from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from data_pictures import textured
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from omni_iml.data.synthesis import text
from omni_iml.types import Box

Edit = Callable[[np.random.Generator, NDArray[np.uint8], Box], tuple[NDArray[np.uint8], NDArray[np.uint8]]]
EDITS: list[Edit] = [text.replace_text, text.erase_text]


@pytest.fixture(params=["system", "none"])
def fonts(request: pytest.FixtureRequest) -> str:
    """Whatever fonts the system has, or none at all."""
    if request.param == "none":
        request.getfixturevalue("no_fonts")
    return request.param


def page(ink: int = 30, paper: int = 240) -> NDArray[np.uint8]:
    picture = np.full((80, 160, 3), paper, np.uint8)
    for x in range(24, 130, 9):
        picture[32:48, x : x + 3] = ink
    return picture


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("picture", [page(), textured(np.random.default_rng(2), 80, 160)], ids=["page", "sign"])
def test_nothing_outside_the_box_changes(edit: Edit, picture: NDArray[np.uint8], fonts: str) -> None:
    box, before = (20, 28, 140, 52), picture.copy()
    expected = np.zeros((80, 160), np.uint8)
    expected[28:52, 20:140] = 1
    for seed in range(15):
        out, mask = edit(np.random.default_rng(seed), picture, box)
        np.testing.assert_array_equal(picture, before)
        np.testing.assert_array_equal(mask, expected)
        np.testing.assert_array_equal(out[mask == 0], picture[mask == 0])
        changed = np.abs(out[mask > 0].astype(int) - picture[mask > 0])
        assert changed.mean() > 1
        assert (out.dtype, mask.dtype) == (np.uint8, np.uint8)


def test_text_is_drawn_on_uniform_paper(fonts: str) -> None:
    for paper in (255, 128, 0):
        blank = np.full((60, 120, 3), paper, np.uint8)
        for seed in range(10):
            out, mask = text.replace_text(np.random.default_rng(seed), blank, (10, 12, 110, 44))
            assert np.abs(out[mask > 0].astype(int) - paper).max() > 25


def test_text_takes_the_inks_colour(fonts: str) -> None:
    for ink, paper in ((30, 240), (235, 20)):
        for seed in range(12):
            out, mask = text.replace_text(np.random.default_rng(seed), page(ink, paper), (20, 28, 140, 52))
            inside = out[mask > 0].mean(1)
            assert np.median(inside) == pytest.approx(paper, abs=40)
            assert np.abs(inside - ink).min() < 160  # hairline faces never reach the full colour
            assert min(ink, paper) - 20 <= inside.min()
            assert inside.max() <= max(ink, paper) + 20


def test_other_seeds_write_other_text(fonts: str) -> None:
    written = {text.replace_text(np.random.default_rng(s), page(), (20, 28, 140, 52))[0].tobytes() for s in range(20)}
    assert len(written) == 20


def test_erased_text_is_gone() -> None:
    for seed in range(12):
        out, _ = text.erase_text(np.random.default_rng(seed), page(), (20, 28, 140, 52))
        assert out.min() > 200


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.sampled_from(EDITS), st.integers(0, 2**32 - 1))
def test_boxes_of_any_size_and_place(fonts: str, data: st.DataObject, edit: Edit, seed: int) -> None:
    x0, y0 = data.draw(st.integers(0, 159)), data.draw(st.integers(0, 79))
    x1, y1 = data.draw(st.integers(x0 + 1, 160)), data.draw(st.integers(y0 + 1, 80))
    picture = page()
    out, mask = edit(np.random.default_rng(seed), picture, (x0, y0, x1, y1))
    assert mask.sum() == (x1 - x0) * (y1 - y0)
    assert mask[y0:y1, x0:x1].all()
    np.testing.assert_array_equal(out[mask == 0], picture[mask == 0])


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize(
    "box", [(5, 5, 5, 9), (5, 9, 9, 9), (-1, 0, 5, 5), (150, 0, 161, 9), (0, 70, 9, 81), (9, 9, 4, 4)]
)
def test_boxes_that_are_no_place_are_refused(edit: Edit, box: Box) -> None:
    with pytest.raises(ValueError, match=r"text box .* cut it to the picture"):
        edit(np.random.default_rng(0), page(), box)
