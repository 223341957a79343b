import numpy as np
import pytest
from PIL import Image

from omni_iml.evaluation.data_sets import data_sets, truth_of
from omni_iml.io import load
from reader_layouts import build

ROTATED = 6  # to be turned a quarter clockwise when it is shown


@pytest.fixture
def turned(tmp_path):
    """A JPEG that is shown upright although it lies on its side, and its mask either way."""
    stored = np.zeros((40, 64, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = ROTATED
    mask = np.zeros((40, 64), np.uint8)
    mask[4:12, 6:30] = 255
    for name, array in (("lying", mask), ("upright", np.rot90(mask, -1))):
        root = tmp_path / name
        (root / "images").mkdir(parents=True)
        (root / "masks").mkdir()
        Image.fromarray(stored).save(root / "images" / "p.jpg", exif=exif)
        Image.fromarray(array).save(root / "masks" / "p.png")
    return tmp_path, np.rot90(mask, -1) > 0


@pytest.mark.parametrize("name", ["lying", "upright"])
def test_a_mask_comes_out_as_the_picture_is_shown_however_it_was_drawn(turned, name):
    root, wanted = turned
    (data,) = data_sets(f"mine={root / name}")
    (entry,) = data.reader
    truth = truth_of(entry, load(entry.data()))
    np.testing.assert_array_equal(truth.above_half, wanted)
    assert not truth.gray


def test_a_folder_of_folders_gives_a_set_each_under_the_folders_name(turned):
    root, _ = turned
    assert [data.name for data in data_sets(f"both={root}")] == ["both/lying", "both/upright"]


def test_a_domain_may_stand_before_the_name(turned):
    root, _ = turned
    (data,) = data_sets(f"document/mine={root / 'lying'}")
    assert (data.name, data.domain) == ("mine", "document")


def test_a_folder_that_synthesis_wrote_is_read_by_its_recipes(tmp_path):
    for domain in ("document", "natural"):
        (tmp_path / domain).mkdir()
        build("synthetic", tmp_path / domain)
    document, natural = data_sets(f"made={tmp_path}")
    assert (document.name, document.domain, natural.domain) == ("made/document", "document", "natural")
    assert [entry.label for entry in document.reader] == [1, 0]  # the third has no label


def test_a_name_without_such_folders_must_be_a_readers(tmp_path):
    with pytest.raises(ValueError, match="casia1"):
        data_sets(f"nothing={tmp_path}")
