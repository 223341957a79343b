from __future__ import annotations

import json
import logging
import multiprocessing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torch.utils.data import DataLoader

from omni_iml.annotate.schema import Annotation, to_json
from omni_iml.explain_training.recipe import QueryConfig, SetConfig
from omni_iml.explain_training.samples import Samples, find_sources
from omni_iml.types import OmniError

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
    (one,) = [Samples(find_sources(SETS, QueryConfig(), data, print), QueryConfig(), 1)[0]]
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
    first = Samples(find_sources(SETS, plain, data, print), plain, 1)[0]
    assert first.query.images[0].shape == (10, 20, 3)
    assert first.query.text.startswith("The input image is a tampered image.")


def broken_and_whole(folder: Path) -> Samples:
    """Of six sources, the second has no picture and the fourth a mask of another size."""
    for name in ("pictures", "masks"):
        (folder / name).mkdir(parents=True)
    for number in range(6):
        Image.new("L", (40, 20), 40 * number).save(folder / f"pictures/{number}.png")
        Image.new("L", (7, 7) if number == 3 else (40, 20), 255).save(folder / f"masks/{number}.png.mask.png")
    (folder / "pictures/1.png").write_bytes(b"broken")
    (folder / "rows.jsonl").write_text("".join(row(f"{number}.png") for number in range(6)), "utf-8")
    return Samples(find_sources(SETS, QueryConfig(), folder, print), QueryConfig(), 7)


def shades(samples: Samples) -> list[int]:
    return [int(sample.query.images[0][0, 0, 0]) for sample in (samples[at] for at in range(len(samples)))]


def test_what_cannot_be_read_is_named_once_counted_and_another_taken_in_its_place(tmp_path, caplog):
    samples = broken_and_whole(tmp_path)
    with caplog.at_level(logging.WARNING, logger="omni_iml.explain_training"):
        seen = shades(samples)
        again = shades(samples)
    assert len(samples) == 6
    assert [seen[at] for at in (0, 2, 4, 5)] == [0, 80, 160, 200]
    assert {seen[1], seen[3]} <= {0, 80, 160, 200}
    assert again == seen
    assert samples.unreadable.tolist() == [0, 1, 0, 1, 0, 0]
    assert len(caplog.messages) == 2  # each file once
    assert "1.png" in caplog.messages[0]
    assert "3.png.mask.png" in caplog.messages[1]
    assert all(message.endswith("it is skipped.") for message in caplog.messages)


def test_a_run_that_goes_on_sees_what_it_would_have_seen(tmp_path):
    whole = shades(broken_and_whole(tmp_path / "first"))
    anew = broken_and_whole(tmp_path / "second")
    assert int(anew[3].query.images[0][0, 0, 0]) == whole[3]  # with nothing read before it


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_what_reading_processes_skip_is_counted_here(tmp_path, context):
    if context not in multiprocessing.get_all_start_methods():
        pytest.skip("this system cannot fork")
    samples = broken_and_whole(tmp_path)
    loader = DataLoader(samples, batch_size=2, num_workers=2, collate_fn=len, multiprocessing_context=context)
    assert sum(loader) == 6
    assert samples.unreadable.tolist() == [0, 1, 0, 1, 0, 0]


def test_masks_of_0_and_1_are_no_lesson(data):
    with Image.open(data / "masks/in/a.png.mask.png") as mask:
        size = mask.size
    Image.new("L", size, 1).save(data / "masks/in/a.png.mask.png")
    with pytest.raises(OmniError, match=r"this one last: .*a\.png\.mask\.png: the mask's largest value is 1"):
        Samples(find_sources(SETS, QueryConfig(), data, print), QueryConfig(), 1)[0]


def test_nothing_that_can_be_read_is_an_error_and_so_is_nothing_at_all(data):
    Image.new("L", (7, 7)).save(data / "masks/in/a.png.mask.png")
    with pytest.raises(OmniError, match=r"50 samples in a row cannot be read, this one last: .*7x7") as caught:
        Samples(find_sources(SETS, QueryConfig(), data, print), QueryConfig(), 1)[0]
    assert type(caught.value)("once more")  # as a process that reads for another hands it on
    (data / "rows.jsonl").write_text(row("nowhere.png"), "utf-8")
    with pytest.raises(ValueError, match="no annotation has all that it needs"):
        find_sources(SETS, QueryConfig(), data, lambda problem: None)
