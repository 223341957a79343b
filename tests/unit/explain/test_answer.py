from __future__ import annotations

import json

import pytest

from omni_iml.explain.answer import parse_answer
from omni_iml.explain.positions import read_position

FACE = {
    "Tampered Region": "The face of the left woman",
    "Absolute Position": "Left side of the image",
    "Relative Position": "To the left of the man",
    "Artifacts": {"Edge Artifacts": "Jagged along the hairline.", "Lighting Inconsistency": "Too bright."},
}
DATE = {
    "Tampered Region": "2024",
    "Absolute Position": "Top right of the image",
    "Relative Position": "In the text line: Date: 01.02.2024",
    "Artifacts": {"Font Artifacts": "Bolder than its neighbours."},
}


def said(text: str) -> list[dict]:
    return [region.published() for region in parse_answer(text).regions]


def test_the_structured_form_is_read_back_as_it_is_and_valid() -> None:
    answer = parse_answer(json.dumps([FACE, DATE]))
    assert answer.valid
    assert [region.published() for region in answer.regions] == [FACE, DATE]
    assert answer.regions[0].instance().absolute_position == "Left side"


@pytest.mark.parametrize(
    "text",
    [
        "Here is my answer:\n```json\n" + json.dumps([FACE, DATE], indent=1) + "\n```\nI hope that helps [1].",
        json.dumps(FACE) + "\nand\n" + json.dumps(DATE),
        "<think>{not this} I see \"Content\": ...</think>" + json.dumps([FACE, DATE]),
        json.dumps({"tampered_regions": [FACE, DATE]}),
        json.dumps({"Tampered Region 1": FACE, "Tampered Region 2": DATE}),
        json.dumps([{key.lower().replace(" ", "_"): value for key, value in each.items()} for each in (FACE, DATE)]),
    ],
)  # fmt: skip
def test_json_is_found_wherever_it_stands(text: str) -> None:
    answer = parse_answer(text)
    assert [region.published() for region in answer.regions] == [FACE, DATE]
    assert (answer.form, answer.problems) == ("json", ())


def test_pythons_quotes_are_read_and_reported() -> None:
    answer = parse_answer(str([FACE]))
    assert [region.published() for region in answer.regions] == [FACE]
    assert answer.problems == ("The JSON is not well-formed.",)
    assert not answer.valid


def test_what_was_cut_off_is_kept_as_far_as_it_goes_and_nothing_is_added() -> None:
    whole = json.dumps([FACE, DATE])
    for cut in range(1, len(whole)):
        answer = parse_answer(whole[:cut])
        assert not answer.valid
        for region, true in zip(answer.regions, (FACE, DATE), strict=False):
            assert true["Tampered Region"].startswith(region.tampered_region)
            assert region.published()["Absolute Position"] in (true["Absolute Position"], "")
            for title, text in region.artifacts.items():
                assert true["Artifacts"][title].startswith(text)
    assert len(parse_answer(whole[:-20]).regions) == 2
    assert "cut off" in parse_answer(whole[:-20]).problems[0]


FIGURE_16 = """Tampered Region 1: The face of the man with short brown hair and a white lab coat
Absolute Position: Right side of the image.

Relative Position: To the right of the center woman with long brown hair
Edge Artifacts: The edges around the hairline are jagged
and do not blend.

**Lighting Inconsistency:** The lighting on the face is inconsistent.

Tampered Region 2: The face of the left woman
Absolute Position: Left side of the image
Relative Position: To the left of the center woman
Texture Inconsistency: The skin is overly smooth.
"""


def test_prose_as_in_figure_16_is_read() -> None:
    answer = parse_answer(FIGURE_16)
    first, second = answer.regions
    assert answer.form == "text"
    assert not answer.valid
    assert first.absolute_position == "Right side"
    assert first.artifacts == {
        "Edge Artifacts": "The edges around the hairline are jagged and do not blend.",
        "Lighting Inconsistency": "The lighting on the face is inconsistent.",
    }
    assert second.published() == {
        "Tampered Region": "The face of the left woman",
        "Absolute Position": "Left side of the image",
        "Relative Position": "To the left of the center woman",
        "Artifacts": {"Texture Inconsistency": "The skin is overly smooth."},
    }


def test_markdown_with_json_of_artifacts_inside_is_read() -> None:
    text = (
        "### Tampered Object 1\n- **Content:** 09:34:50\n- **Absolute Position**: upper-left corner of the image\n"
        "- **Relative Position:** In the text line: Time: 09:34:50\n- **Visible Artifacts**:\n```json\n"
        '{"Font Artifacts": "Other font.", "Alignment": "Too high."}\n```\n'
    )
    (region,) = parse_answer(text).regions
    assert (region.tampered_region, region.absolute_position) == ("09:34:50", "Top left")
    assert region.relative_position == "In the text line: Time: 09:34:50"
    assert region.artifacts == {"Font Artifacts": "Other font.", "Alignment": "Too high."}


@pytest.mark.parametrize(
    "text", ["", "There is no tampering.", "{", "}{][", "[1, 2]", "{{{{" * 500, '{"a": 1}', "[" * 9999]
)
def test_nonsense_gives_no_region(text: str) -> None:
    answer = parse_answer(text)
    assert (answer.regions, answer.form) == ((), "none")
    assert answer.problems


@pytest.mark.parametrize("text", ["[]", "```json\n[]\n```", '{"regions": []}'])
def test_an_empty_list_is_an_answer(text: str) -> None:
    answer = parse_answer(text)
    assert (answer.regions, answer.form, answer.valid) == ((), "json", True)


def test_what_is_missing_or_wrong_is_named_and_not_filled_in() -> None:
    answer = parse_answer(json.dumps([{"Tampered Region": "A cat", "Absolute Position": "near the lamp", "Colour": 1}]))
    (region,) = answer.regions
    assert region.published() == {
        "Tampered Region": "A cat", "Absolute Position": "", "Relative Position": "", "Artifacts": {},
    }  # fmt: skip
    assert region.instance() is None
    told = " ".join(answer.problems)
    for part in (
        "'near the lamp' is none of the nine",
        "Relative Position is missing",
        "Artifacts is missing",
        "Colour",
    ):
        assert part in told


def test_titles_that_come_twice_lose_nothing() -> None:
    text = (
        '{"Tampered Region": "A", "Absolute Position": "Center", "Relative Position": "b", '
        '"Artifacts": {"Edge": "Hard.", "Edge": "Bright.", "Font": {}}}'
    )
    (region,) = parse_answer(text).regions
    assert region.artifacts == {"Edge": "Hard. Bright."}
    assert "Artifact 'Font' has no description." in region.problems


def test_a_region_said_many_times_is_one() -> None:
    answer = parse_answer(json.dumps([FACE, DATE, FACE, FACE]))
    assert len(answer.regions) == 2
    assert answer.problems == ("2 regions are given more than once.",)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("Top left of the image", "Top left"), ("upper-right corner", "Top right"), ("lower left part", "Bottom left"),
        ("center left", "Left side"), ("Middle of the image.", "Center"), ("top-center", "Top center"),
        ("left side of the picture", "Left side"), ("Top", None), ("left", None),
        ("Top left and bottom right", None), ("Left of the lamp", None), ("", None), ("upper middle left", None),
    ],
)  # fmt: skip
def test_positions_are_understood_only_where_they_are_plain(text: str, position: str | None) -> None:
    assert read_position(text) == position
