from __future__ import annotations

import json
import math

import pytest

from omni_iml.annotate import Annotation
from omni_iml.annotate.schema import TEXT_DOMAINS
from omni_iml.evaluation.explanations.reading import pair, read_predictions, true_text
from omni_iml.evaluation.explanations.results import as_json, save, tables
from omni_iml.evaluation.explanations.scoring import counted, score
from omni_iml.metrics.texts import overlap
from omni_iml.metrics.word_vectors import counted_words


def item(region, place="Center", line="", **artifacts):
    return {
        "Tampered Region": region,
        "Absolute Position": f"{place} of the image",
        "Relative Position": line,
        "Artifacts": artifacts,
    }


def row(image, domain, *items, source="set"):
    return Annotation.model_validate({"image": image, "source": source, "domain": domain, "instances": list(items)})


def scored(tmp_path, truth, said, cosine=None):
    file = tmp_path / "said.jsonl"
    file.write_text("".join(json.dumps({"image": name, **what}) + "\n" for name, what in said.items()), "utf-8")
    problems = []
    found = score(pair(truth, read_predictions(file, problems.append)), cosine)
    assert problems == []
    return found


def test_means_over_instances_by_hand(tmp_path):
    truth = [
        row("a.jpg", "document", item("12.50", line="TOTAL 12.50", Font="too bold"), item("2019", "Top left")),
        row("b.jpg", "document", item("ABCD", "Top right", Edge="a halo")),
    ]
    said = {
        "a.jpg": {"instances": [item("2018", "Top left"), item("12.50", "Left side", "TOTAL 12.50", Font="too bold")]},
        "b.jpg": {"instances": [item("ABCX", "Top right", Colour="pale")]},
    }
    found = scored(tmp_path, truth, said)
    cells = found.fields["document"]
    assert cells["content"].mean == pytest.approx((1 + 0.75 + 0.75) / 3)
    assert cells["absolute_position"].mean == pytest.approx(2 / 3)
    assert (cells["relative_position"].mean, cells["relative_position"].n) == (1, 1)  # the truth places one of three
    assert cells["titles"].mean == pytest.approx((1 + 1 + 0) / 3)
    assert (cells["descriptions"].mean, cells["descriptions"].n) == (pytest.approx(1 / 2), 2)
    assert cells["content"].low <= cells["content"].mean <= cells["content"].high
    assert found.average == pytest.approx(sum(cell.mean for cell in cells.values()) / 5)


def test_what_nobody_said_and_what_is_not_there(tmp_path):
    truth = [
        row("a.jpg", "face", item("A face")),
        row("b.jpg", "face", item("A face")),
        row("c.jpg", "face", item("Hair")),
    ]
    said = {
        "a.jpg": {"instances": [item("A face"), item("A hat", "Top left")]},
        "b.jpg": {"output": "I cannot help with that."},
        "d.jpg": {"instances": []},
    }
    found = scored(tmp_path, truth, said)
    assert found.fields["face"]["content"].mean == pytest.approx(1 / 3)
    assert counted(found.pictures) == {
        "pictures": 3,
        "nothing_said": 1,
        "no_region_read": 1,
        "true_instances": 3,
        "given_instances": 2,
        "missed_instances": 2,
        "invented_instances": 1,
    }


def test_a_perfect_answer_is_one_everywhere(tmp_path):
    truth, said = [], {}
    for domain in ("natural", "document", "face", "scene_text"):
        text = "发票号 88" if domain in TEXT_DOMAINS else "A dog on the lawn"
        about = item(text, "Top left", "Near the tree beside the house", Edge="A bright halo runs around it")
        truth.append(row(f"{domain}.jpg", domain, about))
        said[f"{domain}.jpg"] = {"output": "```json\n" + json.dumps([about]) + "\n```"}
    found = scored(tmp_path, truth, said, counted_words())
    assert found.average == pytest.approx(1)
    assert all(cell.mean == pytest.approx(1) for cell in found.whole.values())
    assert found.corpus_bleu == pytest.approx(1)


def test_whole_strings_are_means_over_pictures(tmp_path):
    one, other = item("A dog", Edge="A bright halo runs around it"), item("A cat", "Top left")
    truth = [row("a.jpg", "natural", one), row("b.jpg", "natural", other)]
    prose = "A dog with a bright halo, it seems."
    said = {"a.jpg": {"output": prose}, "b.jpg": {"instances": [other]}}
    found = scored(tmp_path, truth, said)
    alone = overlap(true_text(truth[0].instances), prose)
    assert found.whole["rouge_l"].mean == pytest.approx((alone.rouge_l + 1) / 2)
    assert found.whole["bleu"].mean == pytest.approx((alone.bleu + 1) / 2)
    assert math.isnan(found.whole["cosine"].mean)
    assert math.isnan(found.whole["average"].mean)  # of three figures it would not be the paper's
    with_vectors = scored(
        tmp_path, truth, {"a.jpg": {"output": prose}, "b.jpg": {"instances": [other]}}, counted_words()
    )
    four = [with_vectors.whole[name].mean for name in ("cosine", "rouge_2", "rouge_l", "bleu")]
    assert with_vectors.whole["average"].mean == pytest.approx(sum(four) / 4)


def test_tables_stand_beside_the_papers(tmp_path):
    truth = [row("a.jpg", "natural", item("A dog"))]
    found = scored(tmp_path, truth, {"a.jpg": {"instances": [item("A dog")]}}, counted_words())
    shown = {table.title.split(":")[0]: table for table in tables({"none": found}, "mine")}
    assert set(shown) == {"Fields", "Whole strings", "C-T6", "C-T11"}
    ours, published = shown["C-T6"].rows[-1], shown["C-T6"].rows[-2]
    assert published[0] == "Ours+Qwen2.5-VL 7B"
    assert ours[0] == "mine"
    assert (ours[16], ours[1], ours[-1]) == ("1.000", "-", "-")  # natural content; no document; no mean of four domains
    assert any("word counts" in note for note in shown["C-T11"].notes)
    save({"none": found, "blur-3": found}, tmp_path / "out", "mine")
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"scores.json", "tables.md", "pictures.jsonl"}
    assert "| mine | 1.000 | - | - | 1.000 | - | - | - |" in (tmp_path / "out/tables.md").read_text("utf-8")
    json.dumps(as_json(found), allow_nan=False)
