"""Samples of data sets: the same for any process, in the right proportions, around what cannot be read."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from torch.utils.data import DataLoader

from omni_iml.data.augmentation import AugmentConfig, CompressConfig
from omni_iml.data.collection import Collection, CollectionConfig, Mixture, SetConfig, open_sets
from omni_iml.data.dataset import Samples, collate, single_thread
from omni_iml.data.sources import DOMAINS
from omni_iml.types import UnreadableImage
from reader_layouts import build

CONFIG = CollectionConfig(
    sets={
        "casia2": SetConfig("casia2", labels="tampered"),
        "coco": SetConfig("coco"),
        "doctamper": SetConfig("doctamper"),
        "mine": SetConfig("folder", reader="folder", domain="face"),
    },
    domains={"natural": 2, "document": 1, "face": 1},
    domains_as="share",
    augment=AugmentConfig(turn=0.5, compress={"document": CompressConfig()}),
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sets")
    for name in ("casia2", "coco", "doctamper", "folder"):
        build(name, root / name)
    return root


def test_samples_are_what_training_takes(data):
    draw = Collection(open_sets(CONFIG, data), CONFIG, 64, seed=3)
    for index in range(30):
        sample = draw(index)
        assert sample.image.shape == (3, 64, 64)
        assert sample.coefficients.shape == sample.mask.shape == (64, 64)
        assert sample.label == float((sample.mask == 1).any())
        assert sample.skipped == 0
        name = sample.recipe["set"]
        domain = "face" if name == "mine" else "document" if name == "doctamper" else "natural"
        assert sample.domain == DOMAINS.index(domain)
        assert sample.operation in (name, "authentic")


def test_sets_are_drawn_in_proportion(data):
    draw = Collection(open_sets(CONFIG, data), CONFIG, 64, seed=3)
    drawn = Counter(draw.drawn(index)[0] for index in range(4000))
    shares = {name: count / 4000 for name, count in drawn.items()}
    assert shares == pytest.approx({"casia2": 0.25, "coco": 0.25, "doctamper": 0.25, "mine": 0.25}, abs=0.03)


@pytest.mark.parametrize("context", [None, "spawn"])
def test_the_order_is_the_same_for_any_number_of_workers(data, context):
    if context == "spawn":
        pytest.importorskip("lmdb")

    def batches(workers: int):
        loader = DataLoader(
            Samples(Collection(open_sets(CONFIG, data), CONFIG, 64, seed=3), 18, start=5),
            batch_size=4,
            num_workers=workers,
            collate_fn=collate,
            worker_init_fn=single_thread,
            multiprocessing_context=context if workers else None,
        )
        return list(loader)

    alone = batches(0)
    for one, other in zip(alone, batches(2 if context else 3), strict=True):
        for name, value in vars(one).items():
            np.testing.assert_array_equal(value, getattr(other, name), err_msg=name)


def test_training_never_sees_what_is_held_out(data):
    readers = open_sets(CONFIG, data)
    parts = {part: Collection(readers, CONFIG, 64, 3, kept=0.34, part=part) for part in ("train", "validation")}
    seen = {part: {draw.drawn(index) for index in range(500)} for part, draw in parts.items()}
    assert not seen["train"] & seen["validation"]
    assert len(seen["train"] | seen["validation"]) == sum(len(reader) for reader in readers.values())
    watched = [parts["validation"](index) for index in range(10)]
    assert all(not sample.recipe["mirror"] and not sample.recipe["qualities"] for sample in watched)


def test_what_cannot_be_read_is_skipped_and_counted(data, tmp_path, caplog):
    build("folder", tmp_path / "folder")
    (tmp_path / "folder" / "images" / "a.jpg").write_bytes(b"broken")
    (tmp_path / "folder" / "masks" / "d.json").write_text("[[0, 0, 1]]")
    config = CollectionConfig(sets={"folder": SetConfig("folder")}, domains={"natural": 1})
    draw = Collection(open_sets(config, tmp_path), config, 64, seed=0)
    with caplog.at_level(logging.WARNING, logger="omni_iml.data"):
        samples = [draw(index) for index in range(40)]
    assert {sample.recipe["key"] for sample in samples} == {"b/c", "authentic/e"}
    assert sum(sample.skipped for sample in samples) > 10
    assert int(collate(samples).skipped.sum()) == sum(sample.skipped for sample in samples)
    assert len(caplog.messages) == 2  # each file once
    assert all(message.endswith("it is skipped.") for message in caplog.messages)
    again = [draw(index) for index in range(40)]
    assert [sample.recipe["key"] for sample in again] == [sample.recipe["key"] for sample in samples]


def test_a_set_of_nothing_but_broken_pictures_ends(tmp_path):
    build("coco", tmp_path / "coco")
    for path in (tmp_path / "coco" / "train2017").iterdir():
        path.write_bytes(b"broken")
    config = CollectionConfig(sets={"coco": SetConfig("coco")}, domains={"natural": 1})
    draw = Collection(open_sets(config, tmp_path), config, 64, seed=0)
    with pytest.raises(UnreadableImage, match="50 pictures in a row cannot be read"):
        draw(0)


def test_a_mixture_draws_from_both(data):
    draw = Mixture(lambda index: ("first", index), lambda index: ("second", index), 0.25, seed=1)
    drawn = Counter(draw(index)[0] for index in range(2000))
    assert drawn["second"] / 2000 == pytest.approx(0.25, abs=0.03)
    assert draw(7) == draw(7)
    assert draw(7)[1] == 7


def test_sets_that_are_not_there(data, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere: is not there"):
        open_sets(CollectionConfig(sets={"coco": SetConfig("nowhere")}), data)
    with pytest.raises(ValueError, match="'casia3' is unknown"):
        open_sets(CollectionConfig(sets={"casia3": SetConfig("casia2")}), data)
    (tmp_path / "coco" / "train2017").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"data\.sets\.coco: no picture of COCO 2017"):
        open_sets(CollectionConfig(sets={"coco": SetConfig("coco")}), tmp_path)
