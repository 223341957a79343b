from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from omni_iml.explain.refine.areas import whole
from omni_iml.explain.refine.mentions import UnreadableExplanation, mentions_of, read_explanation
from omni_iml.explain.refine.refining import Refinement, refine_picture, refinement_schema, save, to_json
from omni_iml.explain.refine.rule import Candidate, Mention

PIXELS = np.zeros((40, 60, 3), np.uint8)


def item(content: str, place: str = "Top left of the image", relative: str = "") -> dict[str, Any]:
    return {"Tampered Region": content, "Absolute Position": place, "Relative Position": relative, "Artifacts": {}}


def explanation(**more: Any) -> dict[str, Any]:
    nameless = item("A region of 113x145 pixels, 1.8% of the picture")
    return {
        "schema": "omni-iml/explanation/1", "width": 60, "height": 40,
        "explanation": [item("88.40", relative="In the text line: TOTAL 88.40"), nameless],
        "interpretation": None, **more,
    }  # fmt: skip


class Known:
    """A finder that knows the place of everything."""

    name = "known"

    def __init__(self, *boxes: tuple[int, int, int, int]) -> None:
        self._boxes = boxes

    def find(self, pixels: NDArray[np.uint8], mentions: Sequence[Mention]) -> list[Candidate]:
        areas = [whole(box, *pixels.shape[:2]) for box in self._boxes]
        return [Candidate(area, 0.9, 0, "it") for area in areas if area is not None]


def refined(**more: Any) -> Refinement:
    mask = np.zeros((40, 60), bool)
    mask[0:10, 0:10] = True
    return refine_picture(PIXELS, mask, [Mention("it", "Top left")], Known((0, 0, 10, 8)), **more)


def test_the_model_is_heard_where_it_answered_and_else_what_was_read() -> None:
    line = "In the text line: TOTAL 88.40"
    measured = (Mention("88.40", "Top left", line, "measured"), Mention("", "Top left", "", "measured"))
    assert mentions_of(explanation()) == measured
    said = {"status": "answered", "explanation": [item("a red boat", "in the middle"), item("", "")]}
    assert mentions_of(explanation(interpretation=said)) == (Mention("a red boat", "Center"), Mention("", ""))
    assert mentions_of(explanation(interpretation={**said, "status": "refused"})) == measured


def test_an_explanation_of_something_else_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.explanation.json"
    with pytest.raises(UnreadableExplanation, match="cannot be read"):
        read_explanation(path, 60, 40)
    path.write_text("[1]")
    with pytest.raises(UnreadableExplanation, match="explain --out"):
        read_explanation(path, 60, 40)
    path.write_text(json.dumps(explanation()))
    assert read_explanation(path, 60, 40) == explanation()
    with pytest.raises(UnreadableExplanation, match="60x40 pixels, not 60x41"):
        read_explanation(path, 60, 41)


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ({"interpretation": "a red boat"}, "its interpretation is neither an object nor null"),
        ({"interpretation": ["a"]}, "its interpretation is neither"),
        ({"interpretation": {"status": "answered"}}, "its interpretation's explanation is no list"),
        (
            {"interpretation": {"status": "answered", "explanation": ["a"]}},
            "item 1 of its interpretation's explanation",
        ),
        ({"explanation": [item("a"), 7]}, "item 2 of its explanation is no object"),
        ({"explanation": [item("a", place=["Center"])]}, "'Absolute Position' in item 1 of its explanation is no text"),
    ],
)
def test_what_is_of_another_form_in_an_explanation_is_named(tmp_path: Path, more: dict[str, Any], wrong: str) -> None:
    path = tmp_path / "x.explanation.json"
    path.write_text(json.dumps(explanation(**more)))
    with pytest.raises(UnreadableExplanation, match=f"x.explanation.json: {wrong}.*; write it with"):
        read_explanation(path, 60, 40)


def test_nesting_without_end_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.explanation.json"
    path.write_text("[" * 100_000)
    with pytest.raises(UnreadableExplanation, match="cannot be read"):
        read_explanation(path, 60, 40)


def test_what_is_left_empty_or_out_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "x.explanation.json"
    failed = {"status": "failed", "explanation": []}
    path.write_text(json.dumps(explanation(explanation=[{"Tampered Region": None}, {}], interpretation=failed)))
    nothing = Mention("", "", source="measured")
    assert mentions_of(read_explanation(path, 60, 40)) == (nothing, nothing)


def test_the_gain_is_measured_where_the_truth_is_known() -> None:
    truth = np.zeros((40, 60), bool)
    truth[0:8, 0:10] = True
    assert refined(truth=truth).ious == (0.8, 1.0)
    assert refined(truth=np.zeros((40, 60), bool)).ious == (0.0, 0.0)
    assert refined().ious is None
    with pytest.raises(ValueError, match="the truth is"):
        refined(truth=truth[:5])


def test_what_is_written_says_everything_that_was_changed(tmp_path: Path) -> None:
    paths = save(refined(truth=np.ones((40, 60), bool)), tmp_path, "a/b.png")
    assert paths["mask"] == tmp_path / "a" / "b.png.mask.png"
    with Image.open(paths["mask"]) as picture:
        written = np.asarray(picture)
    assert set(np.unique(written)) == {0, 255}
    assert written[:8, :10].all()
    assert np.count_nonzero(written) == 80
    told = json.loads(paths["json"].read_text("utf-8"))
    assert (told["pixels_before"], told["pixels_after"]) == (100, 80)
    assert (told["iou_before"], told["iou_after"]) == (0.0417, 0.0333)
    (change,) = told["changes"]
    assert (change["kind"], change["regions"], change["candidates"]) == ("snapped", [[0, 0, 10, 10]], [0])
    assert (change["pixels_before"], change["pixels_after"], change["iou"]) == (100, 80, 0.8)
    assert told["candidates"][0] == {"box": [0, 0, 10, 8], "pixels": 80, "score": 0.9, "mention": 0, "label": "it"}
    assert told["rule"]["iou"] == 0.5
    jsonschema.validate(told, refinement_schema())


def test_the_schema_describes_results_and_nothing_else() -> None:
    schema = refinement_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    mask = np.zeros((40, 60), bool)
    mask[30:35, 30:35] = mask[0:10, 0:10] = True
    sure = np.where(mask, 0.9, 0.1)
    mentions = [Mention("it", "Top left"), Mention("", "", source="measured")]
    for finder in (Known((0, 0, 10, 8)), Known((50, 0, 60, 10)), Known()):
        for more in ({}, {"probability": sure, "truth": mask}):
            told = to_json("a.png", refine_picture(PIXELS, mask, mentions, finder, **more))
            jsonschema.validate(told, schema)
            assert list(told) == schema["required"] == list(schema["properties"])
    for wrong in ({"schema": "omni-iml/refinement/2"}, {"iou_before": 1.5}, {"more": 1}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**told, **wrong}, schema)


def test_of_a_speckled_mask_the_largest_are_written_and_the_rest_counted() -> None:
    mask = np.zeros((40, 60), bool)
    mask[20::2, ::2] = mask[0:10, 0:10] = True  # 300 specks
    told = to_json("a.png", refine_picture(PIXELS, mask, [Mention("it", "Top left")], Known((0, 0, 10, 8))))
    jsonschema.validate(told, refinement_schema())
    assert len(told["changes"]) == 100
    assert told["changes"][0]["kind"] == "snapped"
    assert told["unlisted"] == [{"kind": "kept", "changes": 201, "pixels_before": 201, "pixels_after": 201}]
    entries = [*told["changes"], *told["unlisted"]]
    for name in ("pixels_before", "pixels_after"):
        assert sum(entry[name] for entry in entries) == told[name]
