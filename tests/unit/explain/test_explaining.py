from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image

from omni_iml.evidence.text_lines import TextLine, TextReader, UnreadableText, Word
from omni_iml.explain import Explanation, explain, explain_image, read_mask, save, to_json
from omni_iml.explain.files import explanation_schema
from omni_iml.explain.instances import instances_of
from omni_iml.explain.naming import name_of, place_of
from omni_iml.io import load
from omni_iml.io.orientation import to_displayed
from omni_iml.regions import find_regions
from omni_iml.report.wording import VERDICTS
from omni_iml.types import Box, Detection, EvidenceImage, ModelInfo, Verdict

EXAMPLES = Path(__file__).parents[3] / "examples"
TRUTH = EXAMPLES.parent / "examples-truth"


def detection_of(image: EvidenceImage, probability: np.ndarray, verdict: Verdict) -> Detection:
    height, width = probability.shape
    regions, info = find_regions(probability, 0.5), ModelInfo("m", "0", "", 32, 0.5, 0.2, {}, 0, 0, "")
    return Detection(
        image.source, image.sha256, width, height, image.format, image.pixels, probability, 0.5, 0.3, verdict,
        "vision", 1.0, regions, (), (), info, {"total": 1.0},
    )  # fmt: skip


@cache
def explained(name: str) -> Explanation:
    with Image.open(EXAMPLES / name) as picture:
        width, height = picture.size
    path = TRUTH / f"{name}.mask.png"
    mask = read_mask(path, width, height) if path.exists() else np.zeros((height, width), bool)
    return explain(EXAMPLES / name, mask)


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("bowl.jpg", {"sharpness", "outline_sharpness"}),  # a flower from another photo, softer than the bowl's
        ("meadow.jpg", {"copy_move"}),
        ("portrait.jpg", {"earlier_quantization"}),  # the face was never in the first file
        ("doorplate.jpg", {"earlier_quantization"}),
        (
            "receipt.jpg",
            {"outline_sharpness", "earlier_quantization", "jpeg_ghost"},
        ),  # typed anew, after the first save
    ],
)
def test_every_tampered_example_has_a_correct_finding(name: str, right: set[str]) -> None:
    found = {finding.name for region in explained(name).regions for finding in region.findings}
    assert found & right


@pytest.mark.parametrize("name", ["letter.jpg", "mountains.jpg", "pagoda.jpg"])
def test_an_authentic_example_has_none(name: str) -> None:
    explanation = explained(name)
    assert explanation.regions == ()
    assert to_json(explanation)["explanation"] == []


@pytest.mark.parametrize("name", ["letter.jpg", "mountains.jpg", "pagoda.jpg"])
def test_false_alarms_on_authentic_examples_are_few(name: str) -> None:
    with Image.open(EXAMPLES / name) as picture:
        width, height = picture.size
    alarms = told = 0
    for path in sorted(TRUTH.glob("*.png")):
        with Image.open(path) as picture:
            mask = np.asarray(picture.convert("L").resize((width, height))) > 127
        for region in explain(EXAMPLES / name, mask).regions:
            alarms += len(region.findings)
            told += len(region.measurements)
    assert told > 40
    assert alarms <= 0.05 * told


def test_the_arrow_leads_from_the_true_source_of_the_meadows_copy() -> None:
    (region,) = explained("meadow.jpg").regions
    assert region.arrow is not None
    # examples/make_examples.py takes (786, 416) to (622, 442), mirrored and at 86%.
    x, y = (region.region.box[0] + region.region.box[2]) / 2, (region.region.box[1] + region.region.box[3]) / 2
    assert region.arrow[0] == pytest.approx((786 - (x - 622) / 0.86, 416 + (y - 442) / 0.86), abs=4)
    assert region.arrow[1] == (x, y)
    assert region.instance.relative_position.startswith("To the left of the place that it repeats")


@cache
def meadow_at(orientation: int) -> tuple[Explanation, np.ndarray]:
    """The meadow's pixels with an orientation, and its mask as it is displayed."""
    with Image.open(EXAMPLES / "meadow.jpg") as picture, Image.open(TRUTH / "meadow.jpg.mask.png") as truth:
        picture.load()
        stored = np.asarray(truth.convert("L")) > 127
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality="keep", exif=exif.tobytes())
    shown = to_displayed(stored, orientation)
    return explain(buffer.getvalue(), shown), shown


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_turns_boxes_arrows_and_words_but_not_what_is_measured(orientation: int) -> None:
    explanation, shown = meadow_at(orientation)
    (region,), (upright,) = explanation.regions, meadow_at(1)[0].regions
    assert region.region.box == instances_of(shown)[0][0].box
    assert region.arrow is not None
    marker = np.zeros(meadow_at(1)[1].shape, np.uint8)
    assert upright.arrow is not None
    marker[int(upright.arrow[0][1]), int(upright.arrow[0][0])] = 1
    y, x = np.argwhere(to_displayed(marker, orientation))[0]
    assert region.arrow[0] == pytest.approx((x, y), abs=2)
    # A copy mirrored left to right is, in a picture that lies on its side, mirrored top to bottom.
    (copy,) = (one for one in region.measurements if one.name == "copy_move")
    how = ", turned by -?1(79|80) degrees" if orientation >= 5 else ""
    assert re.search(f"repeats another place of the picture, mirrored, scaled to 86%{how}, with a", copy.sentence)
    assert copy.sentence in region.instance.artifacts["Texture Inconsistency"]
    numbers = [(one.name, one.value, one.reference, one.strength) for one in region.measurements]
    assert numbers == [(one.name, one.value, one.reference, one.strength) for one in upright.measurements]


def test_files_hold_the_papers_form_and_fit_the_schema(tmp_path: Path) -> None:
    explanation = explained("receipt.jpg")
    paths = save(explanation, tmp_path)
    written = json.loads(paths["json"].read_text(encoding="utf-8"))
    jsonschema.validate(written, explanation_schema())
    assert paths["json"].name == "receipt.jpg.explanation.json"
    assert len(written["explanation"]) == len(written["regions"]) == 2
    assert set(written["explanation"][0]) == {
        "Tampered Region", "Absolute Position", "Relative Position", "Artifacts",
    }  # fmt: skip
    titles = {m["title"] for region in written["regions"] for m in region["measurements"] if m["finding"]}
    assert titles == {title for item in written["explanation"] for title in item["Artifacts"]}
    with Image.open(paths["picture"]) as picture:
        assert picture.size == (720, 960)
    empty = to_json(explained("letter.jpg"))
    jsonschema.validate(empty, explanation_schema())


def test_a_region_of_five_pixels_is_listed_with_the_reason() -> None:
    mask = np.zeros((200, 300), bool)
    mask[50, 100:105] = True
    pixels = np.random.default_rng(0).integers(0, 255, (200, 300, 3)).astype(np.uint8)
    (region,) = explain(pixels, mask).regions
    assert region.measurements == ()
    assert "fewer than" in region.note
    assert region.instance.tampered_region == "A region of 5x1 pixels, 0.0% of the picture"


class Illiterate(TextReader):
    """Finds text and cannot read it, or fails."""

    def __init__(self, *found: Box, fails: bool = False) -> None:
        """No model is loaded."""
        self._found, self._fails = found, fails

    def read(self, pixels: np.ndarray) -> tuple[TextLine, ...]:
        if self._fails:
            raise UnreadableText("The text was not read: it is upside down.")
        return ()

    def unread(self, pixels: np.ndarray, lines: Sequence[TextLine]) -> tuple[Box, ...]:
        return self._found


def test_text_that_cannot_be_read_leaves_the_other_measurements_as_they_are() -> None:
    mask = np.zeros((200, 300), bool)
    mask[50:80, 100:150] = True
    pixels = np.random.default_rng(0).integers(0, 255, (200, 300, 3)).astype(np.uint8)
    none, blank, unread, failed = (
        explain(pixels, mask, reader=reader)
        for reader in (None, Illiterate(), Illiterate((80, 40, 200, 90)), Illiterate(fails=True))
    )
    assert none.regions[0].measurements
    for found in (blank, unread, failed):
        assert found.regions[0].measurements == none.regions[0].measurements
        assert found.regions[0].instance.tampered_region == "A region of 50x30 pixels, 2.5% of the picture"
        jsonschema.validate(to_json(found), explanation_schema())
    assert unread.regions[0].instance.relative_position == "In text that was not read"
    assert unread.warnings == (
        "The region lies in text that was not read: the reader knows Chinese and Latin letters.",
    )
    assert failed.warnings == ("The text was not read: it is upside down.",)
    assert failed.text_lines is None
    assert none.warnings == blank.warnings == ()


def test_the_whole_picture_is_listed_with_the_reason() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (200, 300, 3)).astype(np.uint8)
    (region,) = explain(pixels, np.ones((200, 300), bool)).regions
    assert "too few places" in region.note


@pytest.mark.parametrize("verdict", ["tampered", "inconclusive", "no_trace"])
def test_findings_at_odds_with_the_verdict_are_warned_of(verdict: Verdict) -> None:
    path = EXAMPLES / "meadow.jpg"
    image, mask = load(path), explained("meadow.jpg").mask
    found = detection_of(image, mask.astype(np.float32), verdict)
    explanation = explain_image(image, None, found)
    assert explanation.findings >= 1
    warned = [warning for warning in explanation.warnings if "not enough for it to call" in warning]
    assert len(warned) == (verdict != "tampered")
    if warned:
        assert f'The verdict is "{VERDICTS[verdict]}": the ' in warned[0]
    nothing = explain_image(image, None, replace(found, probability=np.zeros_like(found.probability), regions=()))
    assert not any("verdict" in warning for warning in (*nothing.warnings, *explain_image(image, mask, found).warnings))


def test_regions_of_a_given_mask_beyond_a_hundred_are_counted_in_a_warning() -> None:
    pixels = np.zeros((200, 300, 3), np.uint8)
    mask = np.zeros((200, 300), bool)
    mask[1::20, 1::10] = True  # of a pixel each: too small to measure
    explanation = explain(pixels, mask)
    assert len(explanation.regions) == 100
    assert explanation.warnings == (
        "The mask has 300 regions, of which the 100 largest are explained and 200 left out; "
        "give a mask with fewer to have them explained.",
    )
    mask[:, 100:] = False
    assert explain(pixels, mask).warnings == ()


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="same size"):
        explain(np.zeros((20, 30, 3), np.uint8), np.zeros((30, 20), bool))


LINE = TextLine(
    "TOTAL EUR 88.40", 1.0, (139, 590, 575, 648),
    (Word("TOTAL", (145, 590, 281, 643)), Word("EUR", (322, 592, 400, 645)), Word("88.40", (434, 594, 573, 649))),
)  # fmt: skip


def test_text_is_named_character_by_character_and_placed_by_its_line() -> None:
    mask = np.zeros((960, 720), np.float32)
    mask[597:644, 428:458] = 1
    (region,) = find_regions(mask, 0.5)
    assert name_of(region, [LINE]) == "8"
    assert place_of(region, [LINE], [], [], None, 720, 960) == "In the text line: TOTAL EUR 88.40"


def test_what_holds_no_text_is_placed_by_what_is_near() -> None:
    mask = np.zeros((960, 720), np.float32)
    mask[700:740, 300:360] = 1
    (region,) = find_regions(mask, 0.5)
    assert place_of(region, [LINE], [], [], None, 720, 960) == "Below the text line: TOTAL EUR 88.40"
    assert place_of(region, [], [], [(600, 700, 640, 730)], None, 720, 960).startswith("To the left of another region")
    assert place_of(region, [], [], [], None, 720, 960) == "220 pixels from the lower edge of the image"
    near, over = (380, 690, 500, 750), (290, 690, 350, 750)
    assert place_of(region, [LINE], [near, over], [], None, 720, 960) == "In text that was not read"
    assert place_of(region, [LINE], [near], [], None, 720, 960) == "Below the text line: TOTAL EUR 88.40"
    assert place_of(region, [], [over], [], (600.0, 720.0), 720, 960).startswith("To the left of the place that it")
