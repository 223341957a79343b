import json
from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from omni_iml.report.json import detection_schema, to_json
from omni_iml.types import Fitness, Region

KEYS = [
    "schema", "source", "part", "sha256", "width", "height", "format", "score", "verdict", "modality",
    "gate_probability", "regions", "tiles", "warnings", "fitness", "facts", "model", "timing_ms",
]  # fmt: skip


def test_keys_are_those_of_the_contract(detection):
    assert list(to_json(detection)) == KEYS


def test_values(detection):
    result = to_json(detection)
    assert result["score"] == 0.876543
    assert result["regions"] == [
        {"box": [10, 5, 30, 15], "area_share": 0.083333, "mean_probability": 0.9375, "position": "Top left"}
    ]
    assert result["tiles"] == [{"box": [0, 0, 60, 40], "gate_probability": 0.25, "image_logit": 1.96}]
    assert result["timing_ms"] == {"load": 1.3, "total": 12.3}
    assert result["model"]["sha256"] == "cd" * 32
    assert "wholly generated" in result["model"]["limits"]


def test_schema_is_itself_valid():
    jsonschema.Draft202012Validator.check_schema(detection_schema())


def test_result_obeys_the_schema(detection):
    jsonschema.validate(to_json(detection), detection_schema())


def test_fitness_and_facts(detection):
    fitness = Fitness("poor", ("it was shrunk",), {"quality": 70.123456})
    result = to_json(replace(detection, fitness=fitness, facts={"exif": {"make": "Canon"}}, part=".p002"))
    assert result["fitness"] == {"grade": "poor", "reasons": ["it was shrunk"], "signs": {"quality": 70.1235}}
    assert result["facts"] == {"exif": {"make": "Canon"}}
    assert result["part"] == ".p002"
    jsonschema.validate(result, detection_schema())


def test_schema_and_result_name_the_same_keys(detection):
    assert detection_schema()["required"] == KEYS
    assert list(detection_schema()["properties"]) == KEYS


@pytest.mark.parametrize(
    ("key", "value"),
    [("verdict", "authentic"), ("score", 1.2), ("sha256", "xyz"), ("tiles", []), ("timing_ms", {}), ("extra", 1)],
)
def test_schema_refuses_what_is_wrong(detection, key, value):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**to_json(detection), key: value}, detection_schema())


def test_numpy_numbers_become_plain(detection):
    region = Region(tuple(np.array([1, 2, 3, 4])), np.float64(0.5), np.float32(0.75), "Center")
    changed = replace(detection, score=np.float32(0.5), width=np.int64(60), regions=(region,))
    text = json.dumps(to_json(changed), allow_nan=False)
    jsonschema.validate(json.loads(text), detection_schema())


def test_names_that_are_no_utf8_can_be_written(detection):
    result = to_json(replace(detection, source="a\udcffb.jpg", warnings=("\udc80",)))
    assert result["source"] == "a?b.jpg"
    json.dumps(result, ensure_ascii=False).encode("utf-8")


def test_detection_delegates(detection):
    assert detection.to_json() == to_json(detection)
