"""Each reader reads its own layout as it is downloaded, and says what is missing."""

from __future__ import annotations

import ast
import inspect
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from omni_iml.data.readers import READERS, open_set, parse_set
from omni_iml.data.readers.documents import DocTamper
from omni_iml.data.sources import DOMAINS
from omni_iml.types import UnreadableImage
from reader_layouts import LAYOUTS, SIDE, build


def test_every_reader_has_a_layout_here():
    assert set(LAYOUTS) == set(READERS)


@pytest.mark.parametrize("name", READERS)
def test_pictures_masks_and_labels(name, tmp_path):
    truth = build(name, tmp_path)
    reader = open_set(name, tmp_path)
    assert {entry.key for entry in reader} == set(truth)
    assert len(reader) == len(truth)
    for entry in reader:
        picture, mask = entry.load()
        assert picture.pixels.shape == (SIDE, SIDE + 16, 3)
        assert mask.dtype == np.uint8
        np.testing.assert_array_equal(mask, truth[entry.key], err_msg=entry.key)
        assert entry.label == int(truth[entry.key].any())
        assert picture.is_jpeg == (entry.data()[:2] == b"\xff\xd8")
    assert [entry.key for entry in open_set(name, tmp_path)] == [entry.key for entry in reader]


@pytest.mark.parametrize("name", READERS)
def test_labels_choose_a_half(name, tmp_path):
    truth = build(name, tmp_path)
    tampered = {key for key, mask in truth.items() if mask.any()}
    assert {entry.key for entry in open_set(name, tmp_path, labels="tampered")} == tampered
    assert {entry.key for entry in open_set(name, tmp_path, labels="authentic")} == set(truth) - tampered


@pytest.mark.parametrize("name", sorted(set(READERS) - {"imd2020", "coco", "celeba-hq", "json", "manifest"}))
def test_an_empty_folder_is_named(name, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"which .* has|is not there"):
        len(open_set(name, tmp_path))


@pytest.mark.parametrize("name", READERS)
def test_what_a_reader_says_of_itself(name):
    reader = READERS[name]
    assert reader.own_domain in DOMAINS
    assert reader.licence
    assert reader.homepage.startswith("https://") or reader.part == "any"
    assert "ayout" in reader.layout() or "root is" in reader.layout()


@pytest.mark.parametrize("name", READERS)
def test_a_reader_is_small(name):
    lines = inspect.getsource(READERS[name]).splitlines()
    node = ast.parse("\n".join(lines)).body[0]
    docstring = len(ast.get_docstring(node, clean=False).splitlines())
    assert len(lines) - docstring < 40


def test_the_papers_training_sets_sum_up():
    names = ("tampcoco", "casia2", "miml", "coco", "sacp", "doctamper", "openforensics", "tampered-ic13")
    counts = [READERS[name].total or READERS[name].tampered or READERS[name].authentic for name in names]
    assert sum(counts) == 1_012_515


def test_names_and_roots(tmp_path):
    build("casia2", tmp_path)
    assert len(parse_set(f"casia2={tmp_path}")) == 3
    assert open_set("casia2", tmp_path, domain="document").domain == "document"
    with pytest.raises(ValueError, match="NAME=ROOT"):
        parse_set("casia2")
    with pytest.raises(ValueError, match="unknown; the data sets are tampcoco"):
        parse_set(f"casia3={tmp_path}")
    with pytest.raises(FileNotFoundError, match=r"CASIA 2\.0"):
        open_set("casia2", tmp_path / "nowhere")


def test_doctampers_lists_of_qualities(tmp_path):
    build("doctamper", tmp_path)
    assert DocTamper(tmp_path).qualities(75) == {0: (91,), 1: (91, 77), 2: (91, 77, 84)}
    assert DocTamper(tmp_path / DocTamper.folder).qualities(75)[1] == (91, 77)
    with pytest.raises(FileNotFoundError, match="list of qualities is missing"):
        DocTamper(tmp_path).qualities(80)


def test_a_pickle_that_would_run_something_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return print, ("run",)

    build("doctamper", tmp_path)
    (tmp_path / "pks" / f"{DocTamper.folder}_75.pk").write_bytes(pickle.dumps({0: Evil()}))
    with pytest.raises(ValueError, match=r"builtins\.print"):
        DocTamper(tmp_path).qualities(75)


def test_a_database_is_read_in_another_process(tmp_path):
    truth = build("doctamper", tmp_path)
    reader = open_set("doctamper", tmp_path)
    list(reader)
    code = "import pickle, sys; entry = pickle.loads(sys.stdin.buffer.read()); print(int(entry.load()[1].sum()))"
    done = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(reader[1]), capture_output=True, check=True)
    assert int(done.stdout) == truth["000000001"].sum()


def test_what_is_wrong_with_a_picture_names_it(tmp_path):
    build("casia2", tmp_path)
    by_key = {entry.key: entry for entry in open_set("casia2", tmp_path)}
    jpeg, tiff = sorted(by_key, reverse=True)[:2]
    Path(str(by_key[jpeg].image)).write_bytes(b"")
    with pytest.raises(UnreadableImage, match="is empty") as caught:
        by_key[jpeg].load()
    assert jpeg in str(caught.value)
    next((tmp_path / "Gt").glob(f"{tiff}*")).unlink()
    with pytest.raises(UnreadableImage, match=r"_gt\.png: is missing"):
        by_key[tiff].load()


def test_the_manifest_in_csv(tmp_path):
    build("manifest", tmp_path)
    (tmp_path / "mine.csv").write_text("image,mask\nx/1.jpg,y/1.png\nx/2.jpg,\n")
    entries = list(open_set("manifest", tmp_path / "mine.csv"))
    assert [(entry.key, entry.label) for entry in entries] == [("x/1.jpg", 1), ("x/2.jpg", 0)]
    with pytest.raises(FileNotFoundError, match="holds 2 files"):
        len(open_set("manifest", tmp_path))


def test_sacp_by_lists(tmp_path):
    build("sacp", tmp_path)
    (tmp_path / "s2_data" / "data" / "test.txt").write_text("2.jpg\n")
    (tmp_path / "s2_data" / "data" / "train.txt").write_text("1\n")
    assert [entry.key for entry in open_set("sacp", tmp_path)] == ["1"]
    assert [entry.key for entry in open_set("sacp-test", tmp_path)] == ["2"]


def test_readers_need_no_torch():
    code = "import sys, omni_iml.data.readers; print([m for m in ('torch', 'lmdb', 'pyarrow') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
