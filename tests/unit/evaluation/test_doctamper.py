"""DocTamper's compression in its four ways, on a miniature of its database with coefficients known from Pillow."""

import io
import pickle

import numpy as np
import pytest
from PIL import Image

from omni_iml.data.readers import READERS
from omni_iml.evaluation.counting import Truth
from omni_iml.evaluation.data_sets import DataSet
from omni_iml.evaluation.doctamper import compressed, table_of
from omni_iml.evaluation.predictors import Predicted
from omni_iml.evaluation.protocol import PROTOCOLS, Geometry
from omni_iml.evaluation.run import Settings, run
from omni_iml.evaluation.table import Journal
from omni_iml.evaluation.views import View, views_of
from omni_iml.io import load


def page():
    rng = np.random.default_rng(7)
    small = Image.fromarray(rng.integers(40, 256, (8, 8, 3), np.uint8))
    return np.asarray(small.resize((64, 48), Image.Resampling.BICUBIC))


def saved(image, quality):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


GRAY = Image.fromarray(page()).convert("L")


def chained(*qualities):
    """The last file when each save reads what the one before wrote."""
    image = GRAY
    for quality in qualities[:-1]:
        image = Image.open(io.BytesIO(saved(image, quality)))
    return load(saved(image, qualities[-1]))


@pytest.mark.parametrize("qualities", [(80,), (95, 76), (90, 99, 75)])
def test_as_run_mixes_the_first_files_coefficients_with_the_last_table(qualities, tmp_path):
    """The script, in a few lines: one open file that every save appends to, and that readers read from its start."""
    path = tmp_path / "open.jpg"
    with path.open("w+b") as one:
        image = GRAY
        for number, quality in enumerate(qualities):
            image.save(one, "JPEG", quality=quality)
            if number < len(qualities) - 1:
                image = Image.open(path)
        one.flush()
        data = path.read_bytes()
        shown = np.asarray(image.convert("RGB"))
    first = load(data[: data.index(b"\xff\xd9") + 2])  # what a JPEG reader sees of it
    found = compressed(page(), qualities, "official-asrun")
    np.testing.assert_array_equal(found.trace.coefficients, first.trace.coefficients)
    np.testing.assert_array_equal(found.trace.table, table_of(qualities[-1]))
    np.testing.assert_array_equal(found.pixels, shown)
    if len(qualities) == 1:
        np.testing.assert_array_equal(found.pixels, np.asarray(GRAY.convert("RGB")))  # never compressed
    else:
        assert (found.trace.table != first.trace.table).any()


def test_the_other_three_belong_together():
    qualities = (90, 99, 75)
    intended = compressed(page(), qualities, "intended")
    np.testing.assert_array_equal(intended.trace.coefficients, chained(*qualities).trace.coefficients)
    np.testing.assert_array_equal(intended.trace.table, table_of(75))
    final = compressed(page(), qualities, "final")
    np.testing.assert_array_equal(final.trace.coefficients, chained(75).trace.coefficients)
    assert (final.trace.coefficients != intended.trace.coefficients).any()
    first = compressed(page(), qualities, "first")
    np.testing.assert_array_equal(first.trace.table, table_of(90))
    assert (first.pixels[..., 0] != first.pixels[..., 1]).any()  # in colour


def test_the_tables_are_libjpegs():
    assert table_of(75).max() == 61
    assert table_of(90).max() == 24
    assert (table_of(100) == 1).all()


@pytest.mark.parametrize("qualities", [(), (75, 80, 85, 90), (0,), (101,)])
def test_impossible_lists_are_refused(qualities):
    with pytest.raises(ValueError, match="one to three"):
        compressed(page(), qualities, "intended")


def test_a_miniature_database_is_compressed_by_its_own_list(tmp_path):
    lmdb = pytest.importorskip("lmdb")
    root = tmp_path / "DocTamperV1-FCD"
    environment = lmdb.open(str(root), map_size=1 << 22)
    mask = np.zeros((48, 64), np.uint8)
    mask[8:24, 8:40] = 255
    label = io.BytesIO()
    Image.fromarray(mask).save(label, "PNG")
    picture = io.BytesIO()
    Image.fromarray(page()).save(picture, "PNG")
    with environment.begin(write=True) as transaction:
        transaction.put(b"num-samples", b"3")
        for index in range(3):
            transaction.put(f"image-{index:09d}".encode(), picture.getvalue())
            transaction.put(f"label-{index:09d}".encode(), label.getvalue())
    environment.close()
    lists = {0: np.array([80], np.uint8), 1: np.array([95, 76], np.uint8), 2: np.array([90, 99, 75], np.uint8)}
    (tmp_path / "pks").mkdir()
    (tmp_path / "pks" / "DocTamperV1-FCD_75.pk").write_bytes(pickle.dumps(lists))

    seen = []

    class Watching:
        looks = True

        def __call__(self, data, key, image):
            seen.append((key, image.trace.table[0, 0], image.trace.coefficients))
            return Predicted((mask > 0).astype(np.float32))

    protocols = [PROTOCOLS["paper"], PROTOCOLS["doctamper-final"]]
    views = views_of(protocols, ["doctamper-fcd"])
    assert [view.name for view in views] == ["original+official-asrun", "original+final"]
    data = DataSet("doctamper-fcd", READERS["doctamper-fcd"](tmp_path))
    with Journal(tmp_path / "journal", {}, resume=False) as journal:
        run([data], Watching(), Settings(views), journal)
        assert [row.view for row in journal.rows] == [v.name for v in views] * 3
        assert not journal.problems
    # As run: coefficients of the first quality, table of the last; final: both of the last.
    for (key, step, coefficients), (_, last, once) in zip(seen[::2], seen[1::2], strict=True):
        qualities = [int(q) for q in lists[int(key)]]
        assert step == last == table_of(qualities[-1])[0, 0]
        np.testing.assert_array_equal(coefficients, chained(qualities[0]).trace.coefficients)
        np.testing.assert_array_equal(once, chained(qualities[-1]).trace.coefficients)


def test_views_crop_and_resize_the_truth_as_the_picture():
    mask = np.zeros((48, 64), bool)
    mask[8:24, 8:40] = True
    image = load(page())
    shown, truth = View(Geometry("resize", 96)).show(image, Truth.of(mask))
    assert shown.pixels.shape[:2] == truth.above_half.shape == (96, 96)
    assert truth.above_half.sum() == 16 * 2 * 48
    shown, truth = View(Geometry("pad", 32)).show(image, Truth.of(mask))
    assert shown.pixels.shape[:2] == truth.above_half.shape == (32, 32)
    np.testing.assert_array_equal(truth.above_half, mask[:32, :32])
