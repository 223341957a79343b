import hashlib
import json
from pathlib import Path

import pytest

from omni_iml.inference.model_file import file_sha256, parse_metadata
from omni_iml.types import UnreadableModel

PATH = Path("some") / "model.onnx"


def test_valid_metadata(model_metadata):
    info = parse_metadata(json.dumps(model_metadata), PATH, "ab" * 32)
    assert (info.name, info.version, info.tile, info.sha256) == ("tiny", "0.0.1", 64, "ab" * 32)
    assert dict(info.calibration) == {"scale": 1.0, "bias": 0.0, "log_tiles": 0.0}
    assert info.card.startswith("# Tiny")


def test_keys_of_later_exporters_are_left_alone(model_metadata):
    assert parse_metadata(json.dumps({**model_metadata, "recipe": "bundled"}), PATH, "").name == "tiny"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("schema", "omni-iml/model/2"),
        ("tile", 500),
        ("tile", 0),
        ("tile", "large"),
        ("tampered_at", 1.5),
        ("tampered_at", 0.2),  # below no_trace_below
        ("no_trace_below", -0.1),
        ("calibration", {"scale": 1.0, "bias": 0.0}),
        ("calibration", {"scale": -1.0, "bias": 0.0, "log_tiles": 0.0}),
        ("calibration", {"scale": float("nan"), "bias": 0.0, "log_tiles": 0.0}),
        ("region_min_area", 2),
        ("name", ""),
        ("no_trace_grades", ["splendid"]),
    ],
)
def test_values_out_of_range_are_refused(model_metadata, key, value):
    with pytest.raises(UnreadableModel, match="metadata is not valid") as caught:
        parse_metadata(json.dumps({**model_metadata, key: value}), PATH, "")
    assert str(PATH) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["schema", "name", "tile", "calibration", "licence", "region_min_probability"])
def test_missing_keys_are_named(model_metadata, key):
    del model_metadata[key]
    with pytest.raises(UnreadableModel, match=key):
        parse_metadata(json.dumps(model_metadata), PATH, "")


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_what_is_no_object_is_refused(text):
    with pytest.raises(UnreadableModel, match="not valid"):
        parse_metadata(text, PATH, "")


def test_a_file_without_our_key_is_foreign():
    with pytest.raises(UnreadableModel, match="no Omni-IML model file"):
        parse_metadata(None, PATH, "")


def test_digest(tmp_path):
    path = tmp_path / "m"
    path.write_bytes(b"weights")
    assert file_sha256(path) == hashlib.sha256(b"weights").hexdigest()


def test_digest_of_nothing(tmp_path):
    with pytest.raises(UnreadableModel, match="there is no such model file"):
        file_sha256(tmp_path / "absent.onnx")
    with pytest.raises(UnreadableModel, match="cannot be read"):
        file_sha256(tmp_path)
