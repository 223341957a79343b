"""Pickles of plain data and arrays are read, anything else is refused."""

from __future__ import annotations

import pickle
from collections import OrderedDict

import numpy as np
import pytest

from omni_iml.io.plain_pickle import load_plain


@pytest.mark.parametrize("protocol", range(6))
def test_plain_data_and_arrays(tmp_path, protocol):
    content = {"a": [1, 2.5, "x", None, True], 3: np.arange(6, dtype=np.uint8).reshape(2, 3), "s": np.int64(7)}
    path = tmp_path / "x.pk"
    path.write_bytes(pickle.dumps(content, protocol))
    found = load_plain(path)
    assert found["a"] == content["a"]
    assert found["s"] == 7
    np.testing.assert_array_equal(found[3], content[3])


def test_an_array_pickled_before_numpy_2(tmp_path):
    path = tmp_path / "x.pk"
    path.write_bytes(pickle.dumps(np.arange(3), 2).replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    assert load_plain(path).tolist() == [0, 1, 2]


def test_an_ordered_dictionary(tmp_path):
    path = tmp_path / "x.pk"
    path.write_bytes(pickle.dumps(OrderedDict(a=1)))
    assert dict(load_plain(path)) == {"a": 1}


@pytest.mark.parametrize("thing", [print, pytest.raises, np.load])
def test_functions_are_refused(tmp_path, thing):
    path = tmp_path / "x.pk"
    path.write_bytes(pickle.dumps([thing]))
    with pytest.raises(ValueError, match=r"x\.pk: cannot be read as plain data \(it names"):
        load_plain(path)


def test_damage_is_one_sentence(tmp_path):
    path = tmp_path / "x.pk"
    path.write_bytes(pickle.dumps([1, 2, 3])[:-4])
    with pytest.raises(ValueError, match="cannot be read as plain data"):
        load_plain(path)
    with pytest.raises(FileNotFoundError):
        load_plain(tmp_path / "nowhere.pk")
