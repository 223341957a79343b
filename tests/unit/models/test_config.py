import json
from dataclasses import FrozenInstanceError

import pytest
from pydantic import ValidationError

from omni_iml.models import PRESETS, OmniConfig


@pytest.mark.parametrize("preset", PRESETS)
def test_a_configuration_survives_json(preset):
    config = PRESETS[preset]()
    assert OmniConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"bogus": 1}, "bogus"),
        ({"frequency": {"bogus": 1}}, "frequency.bogus"),
        ({"gate_width": "wide"}, "gate_width"),
        ({"frequency": {"out": None}}, "frequency.out"),
        ({"dilations": 2}, "dilations"),
    ],
)
def test_bad_values_are_refused_by_name(values, key):
    with pytest.raises(ValidationError) as caught:
        OmniConfig.from_dict(values)
    assert isinstance(caught.value, ValueError)
    assert ".".join(str(part) for part in caught.value.errors()[0]["loc"]) == key


def test_the_papers_numbers():
    base, small = PRESETS["base"](), PRESETS["small"]()
    assert base == OmniConfig()
    assert (base.backbone, small.backbone) == ("convnext_base", "convnext_small")
    assert {**small.to_dict(), "backbone": base.backbone} == base.to_dict()
    assert (base.filters, base.dilations, base.anomaly_queries) == (4, (2, 3, 6), 64)
    assert not base.high_pass  # so that pretrained weights load unchanged


def test_a_configuration_cannot_change():
    with pytest.raises(FrozenInstanceError):
        OmniConfig().backbone = "convnext_tiny"  # type: ignore[misc]
