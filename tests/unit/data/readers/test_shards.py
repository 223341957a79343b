"""A sharded copy holds what the set holds, byte for byte, without what cannot be read."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from omni_iml.cli import app
from omni_iml.data.readers import open_set
from omni_iml.data.readers.shards import write_shards
from reader_layouts import build


@pytest.mark.parametrize("name", ["openforensics", "nist16", "doctamper", "miml"])
def test_a_copy_of_any_set(name, tmp_path):
    build(name, tmp_path / "set")
    reader = open_set(name, tmp_path / "set")
    assert list(write_shards(reader, tmp_path / "copy", shard_bytes=3000)) == [1, 2, 3][: len(reader)]
    assert len(list((tmp_path / "copy").glob("0*/data.mdb"))) > 1
    copy = open_set("shards", tmp_path / "copy")
    assert copy.domain == reader.domain
    assert [(entry.key, entry.label) for entry in copy] == [(entry.key, entry.label) for entry in reader]
    for one, other in zip(copy, reader, strict=True):
        assert one.data() == other.data()
        np.testing.assert_array_equal(one.load()[1], other.load()[1])


def test_the_command_leaves_out_what_cannot_be_read(tmp_path):
    build("folder", tmp_path / "set")
    (tmp_path / "set" / "images" / "a.jpg").write_bytes(b"broken")
    command = ["data", "prepare", "folder", str(tmp_path / "set"), str(tmp_path / "copy")]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 1
    assert "a.jpg" in result.stderr
    assert "3 pictures, 1 left out." in result.stderr
    assert {entry.key for entry in open_set("shards", tmp_path / "copy")} == {"b/c", "d", "authentic/e"}
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 2
    assert "holds a sharded copy already" in again.stderr


def test_a_stopped_run_is_written_anew(tmp_path):
    build("miml", tmp_path / "set")
    reader = open_set("miml", tmp_path / "set")
    stopped = write_shards(reader, tmp_path / "copy", shard_bytes=1)
    next(stopped)
    stopped.close()
    with pytest.raises(FileNotFoundError, match=r"holds no index\.json"):
        open_set("shards", tmp_path / "copy")
    list(write_shards(reader, tmp_path / "copy"))
    assert [entry.load()[1].sum() > 0 for entry in open_set("shards", tmp_path / "copy")] == [True, True]


def test_folders_of_something_else(tmp_path):
    build("miml", tmp_path / "set")
    reader = open_set("miml", tmp_path / "set")
    with pytest.raises(ValueError, match="did not write"):
        list(write_shards(reader, tmp_path / "set"))
    (tmp_path / "index.json").write_text(json.dumps({"format": "other"}))
    with pytest.raises(ValueError, match="is of the format 'other'"):
        open_set("shards", tmp_path)
