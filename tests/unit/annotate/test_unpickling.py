import collections
import contextlib
import io
import os
import pickle
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omni_iml.annotate import WrongAnnotations
from omni_iml.annotate.unpickling import RefusedClass, load_plain, read_plain_pickle

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
    max_leaves=10,
)


@settings(max_examples=60, deadline=None)
@given(PLAIN, st.integers(3, pickle.HIGHEST_PROTOCOL))
def test_plain_data_come_back(value, protocol):
    assert load_plain(io.BytesIO(pickle.dumps(value, protocol))) == value


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("value", [{"a": ["é", 2, 0.5]}, {1, 2}, frozenset("ab"), collections.OrderedDict(a=1)])
def test_containers_come_back_from_every_protocol(value, protocol):
    stream = pickle.dumps(value, protocol)
    if b"__builtin__" in stream:  # Python 2's name of builtins, which fix_imports writes below protocol 3
        stream = pickle.dumps(value, protocol, fix_imports=False)
    assert load_plain(io.BytesIO(stream)) == value


class Malicious:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_malicious_pickle_is_refused_by_name_and_runs_nothing(tmp_path, protocol):
    target = tmp_path / "made-by-the-pickle"
    file = tmp_path / "evil.pkl"
    file.write_bytes(pickle.dumps({"a.jpg": Malicious(str(target))}, protocol))
    with pytest.raises(WrongAnnotations, match=r"evil\.pkl: the pickle asks for (posix|nt)\.mkdir"):
        read_plain_pickle(file)
    assert not target.exists()
    pickle.loads(file.read_bytes())
    assert target.exists()  # the pickle does what it is feared for, where nothing stops it


@pytest.mark.parametrize(
    "stream",
    [
        pickle.dumps(Decimal(1)),
        pickle.dumps(complex(1, 2)),
        pickle.dumps(range(3)),
        b"cbuiltins\neval\n(V1+1\ntR.",
        b"c__builtin__\ngetattr\n.",
        b"\x80\x04\x8c\x08builtins\x8c\x04exec\x93.",
        b"\x80\x02U\x03abcQ.",
    ],
)
def test_anything_else_is_refused(stream):
    with pytest.raises(RefusedClass):
        load_plain(io.BytesIO(stream))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60))
def test_damaged_pickles_raise_one_error(data):
    for stream in (data, pickle.dumps({"a": [1, "b"]})[: len(data)] + data):
        with contextlib.suppress(pickle.UnpicklingError):
            load_plain(io.BytesIO(stream))


def test_no_pickle_and_no_file(tmp_path):
    file = tmp_path / "a.pkl"
    file.write_bytes(b"not a pickle")
    with pytest.raises(WrongAnnotations, match=r"a\.pkl: is no readable pickle"):
        read_plain_pickle(file)
    with pytest.raises(WrongAnnotations, match=r"b\.pkl: is no readable pickle"):
        read_plain_pickle(tmp_path / "b.pkl")
