from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from omni_iml.annotate.schema import Annotation, to_json
from omni_iml.explain.masks import UnreadableMask
from omni_iml.explain_training.recipe import QueryConfig, SetConfig
from omni_iml.explain_training.samples import Samples, find_sources

ITEM = {
    "Tampered Region": "17:40 市",
    "Absolute Position": "Top left of the image",
    "Relative Position": "In the line: 17:40",
    "Artifacts": {"Font": "Other strokes"},
}
SETS = {"mine": SetConfig("rows.jsonl", "pictures", "masks")}


def row(image: str, split: str | None = None) -> str:
    found = Annotation(image=image, source="mine", domain="document", split=split, instances=(ITEM,))
    return to_json(found) + "\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "pictures/in").mkdir(parents=True)
    (tmp_path / "masks/in").mkdir(parents=True)
    for name in ("in/a.png", "b.png", "c.png"):
        Image.new("RGB", (40, 20), (100, 50, 200)).save(tmp_path / "pictures" / name)
    marked = np.zeros((20, 40), bool)
    marked[:10, :10] = True
    Image.fromarray(marked).save(tmp_path / "masks/in/a.png.mask.png")
    Image.fromarray(marked).save(tmp_path / "masks/c.png.mask.png")
    rows = [row("a.png", "train"), row("b.png"), row("c.png", "test"), row("d.png")]
    (tmp_path / "rows.jsonl").write_text("".join(rows), "utf-8")
    return tmp_path


def test_what_has_no_partner_is_reported_and_the_test_split_left_out(data):
    problems = []
    sources = find_sources(SETS, QueryConfig(), data, problems.append)
    assert [one.row.image for one in sources] == ["a.png"]
    said = sorted((one.field, str(one)) for one in problems)
    assert [field for field, _ in said] == ["b.png", "d.png"]
    assert "omni-iml detect" in said[0][1]
    assert "has no picture" in said[1][1]
    assert [one.row.image for one in find_sources(SETS, QueryConfig("plain"), data, problems.append)] == [
        "a.png",
        "b.png",
    ]


def test_the_model_sees_picture_and_reference_and_answers_with_the_published_form(data):
    (one,) = [Samples(find_sources(SETS, QueryConfig(), data, print), QueryConfig())[0]]
    (image,) = one.query.images
    assert image.shape == (20, 80, 3)
    assert image[0, 0].tolist() == [100, 50, 200]
    assert image[0, 40].tolist() == [177, 152, 227]  # (picture + white) / 2, rounded down
    assert image[15, 75].tolist() == [50, 25, 100]  # (picture + black) / 2
    assert one.query.text.startswith("The left half of the input image is a tampered document image.")
    assert json.loads(one.target) == [ITEM]
    assert "市" in one.target


def test_without_the_method_the_picture_stands_alone(data):
    plain = QueryConfig("plain", max_side=20)
    first = Samples(find_sources(SETS, plain, data, print), plain)[0]
    assert first.query.images[0].shape == (10, 20, 3)
    assert first.query.text.startswith("The input image is a tampered image.")


def test_a_mask_of_another_size_is_refused_and_nothing_at_all_an_error(data):
    Image.new("L", (7, 7)).save(data / "masks/in/a.png.mask.png")
    with pytest.raises(UnreadableMask, match="7x7"):
        Samples(find_sources(SETS, QueryConfig(), data, print), QueryConfig())[0]
    (data / "rows.jsonl").write_text(row("nowhere.png"), "utf-8")
    with pytest.raises(ValueError, match="no annotation has all that it needs"):
        find_sources(SETS, QueryConfig(), data, lambda problem: None)
