from __future__ import annotations

import json

import pytest

from omni_iml.annotate import Annotation, WrongAnnotations, write_rows
from omni_iml.evaluation.explanations.reading import LONGEST, pair, read_predictions, read_truth

ITEM = {
    "Tampered Region": "A dog",
    "Absolute Position": "Center of the image",
    "Relative Position": "On the lawn",
    "Artifacts": {"Edge": "A halo"},
}


def row(image="a.jpg", source="set", **more):
    return Annotation.model_validate(
        {"image": image, "source": source, "domain": "natural", "instances": [ITEM], **more}
    )


def lines(path, *objects):
    path.write_text("".join((o if isinstance(o, str) else json.dumps(o)) + "\n" for o in objects), "utf-8")
    return path


def test_every_bad_line_is_named_once_and_the_others_count(tmp_path):
    path = lines(
        tmp_path / "said.jsonl",
        {"image": "a.jpg", "instances": [ITEM]},
        "{broken",
        {"instances": []},
        {"image": "b.jpg"},
        {"image": "a.jpg", "output": "again"},
        {"image": "c.jpg", "output": "word " * 5000},
        [1],
    )
    problems = []
    found = read_predictions(path, problems.append)
    assert [one.image for one in found] == ["a.jpg", "c.jpg"]
    numbers = [str(problem).split(":")[0].rpartition(" ")[2] for problem in problems]
    assert sorted(numbers) == ["2", "3", "4", "5", "6", "7"]
    assert len(found[1].text) == LONGEST


def test_odd_fields_are_read_as_what_they_are(tmp_path):
    odd = {"Tampered Region": None, "Absolute Position": "somewhere", "Artifacts": ["no title"]}
    (said,) = read_predictions(lines(tmp_path / "s.jsonl", {"image": "a", "instances": [odd, ITEM]}), print)[0].said[
        -1:
    ]
    assert said.tampered_region == "A dog"


def test_a_folder_of_explain_and_what_a_model_said_in_it(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.jpg.explanation.json").write_text(
        json.dumps({"explanation": [ITEM], "interpretation": None})
    )
    asked = {"explanation": [], "interpretation": {"raw": json.dumps([ITEM, {**ITEM, "Tampered Region": "A cat"}])}}
    (tmp_path / "b.jpg.explanation.json").write_text(json.dumps(asked))
    (tmp_path / "c.jpg.explanation.json").write_text("[]")
    problems = []
    found = {one.image: one for one in read_predictions(tmp_path, problems.append)}
    assert {name: len(one.said) for name, one in found.items()} == {"b.jpg": 2, "sub/a.jpg": 1}
    assert len(problems) == 1
    assert "c.jpg" in str(problems[0])


def test_rows_and_published_files_are_predictions_too(tmp_path):
    write_rows([row()], tmp_path / "rows.parquet")
    (tmp_path / "MIML.json").write_text(json.dumps({"a.jpg": [ITEM]}), "utf-8")
    assert read_predictions(tmp_path / "rows.parquet", print)[0].source == "set"
    assert read_predictions(tmp_path / "MIML.json", print)[0].source is None


def test_names_decide_and_the_source_set_where_it_is_known(tmp_path):
    path = lines(
        tmp_path / "said.jsonl",
        {"image": "1.jpg", "source": "two", "instances": [ITEM]},
        {"image": "folder/2.png", "instances": [ITEM]},
        {"image": "9.jpg", "instances": [ITEM]},
    )
    truth = [row("1.jpg", "one"), row("1.jpg", "two"), row("2.jpg", "one")]
    paired = pair(truth, read_predictions(path, print))
    assert [one.image if one else None for _, one in paired.pairs] == [None, "1.jpg", "folder/2.png"]
    assert [one.image for one in paired.extra] == ["9.jpg"]


def test_reviewed_text_is_the_truth(tmp_path):
    review = {"reviewer": "a", "decision": "accepted"}
    corrected = {**review, "instance": 1, "decision": "corrected", "correction": {**ITEM, "Tampered Region": "A wolf"}}
    reviews = [{**review, "instance": 0, "decision": "rejected"}, corrected]
    write_rows([row(instances=[ITEM, ITEM], reviews=reviews)], tmp_path / "t.jsonl")
    (found,) = read_truth(tmp_path / "t.jsonl", print)
    assert [one.tampered_region for one in found.instances] == ["A wolf"]


def test_what_cannot_be_read_at_all(tmp_path):
    with pytest.raises(WrongAnnotations, match="holds no"):
        read_predictions(tmp_path, print)
    with pytest.raises(WrongAnnotations, match="cannot be read"):
        read_predictions(tmp_path / "missing.jsonl", print)
    with pytest.raises(WrongAnnotations, match="neither"):
        read_truth(lines(tmp_path / "t.txt", {}), print)
