"""Fixtures that several packages' tests share: a model file whose answers can be worked out by hand."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch

# mask = (green - 128) / 16
# gate = (mean of RGB - 100) / 10 + mean coefficient
# image logit = (max of RGB - 200) / 10 + (first step of the table - 1)
TINY_NETWORK = """
<ir_version: 9, opset_import: ["" : 18]>
tiny (uint8[B,3,64,64] image, uint8[B,64,64] coefficients, uint8[B,8,8] table)
  => (float[B,1,64,64] mask, float[B] gate, float[B] image_logit)
<int64[1] one = {1}, int64[1] two = {2}, int64[2] zeros = {0,0}, int64[2] ones = {1,1}, int64[2] hw = {1,2},
 int64[3] chw = {1,2,3}, float f1 = {1.0}, float f10 = {10.0}, float f16 = {16.0}, float f100 = {100.0},
 float f128 = {128.0}, float f200 = {200.0}>
{
  rgb = Cast <to: int = 1> (image)
  green = Slice (rgb, one, two, one)
  green_above = Sub (green, f128)
  mask = Div (green_above, f16)
  mean = ReduceMean <keepdims: int = 0> (rgb, chw)
  mean_above = Sub (mean, f100)
  gate_of_pixels = Div (mean_above, f10)
  c = Cast <to: int = 1> (coefficients)
  gate_of_coefficients = ReduceMean <keepdims: int = 0> (c, hw)
  gate = Add (gate_of_pixels, gate_of_coefficients)
  max = ReduceMax <keepdims: int = 0> (rgb, chw)
  max_above = Sub (max, f200)
  logit_of_pixels = Div (max_above, f10)
  q = Cast <to: int = 1> (table)
  first = Slice (q, zeros, ones, hw)
  first_step = ReduceSum <keepdims: int = 0> (first, hw)
  logit_of_table = Sub (first_step, f1)
  image_logit = Add (logit_of_pixels, logit_of_table)
}
"""

METADATA: dict[str, Any] = {
    "schema": "omni-iml/model/1",
    "name": "tiny",
    "version": "0.0.1",
    "tile": 64,
    "tampered_at": 0.7,
    "no_trace_below": 0.3,
    "calibration": {"scale": 1.0, "bias": 0.0, "log_tiles": 0.0},
    "region_min_area": 0.0,
    "region_min_probability": 0.0,
    "licence": "CC0-1.0",
    "card": "# Tiny\n\nA model for tests: it calls green pixels tampered.",
}


@pytest.fixture(autouse=True)
def _same_random_tensors() -> None:
    """Every test draws the same random tensors in each run, whatever ran before it."""
    torch.manual_seed(0)


@pytest.fixture
def model_metadata() -> dict[str, Any]:
    """Valid metadata of a model file, to be changed at will."""
    return copy.deepcopy(METADATA)


@pytest.fixture
def write_model(tmp_path: Path) -> Callable[..., Path]:
    """Writes a model file: of the tiny network unless another text is given, without metadata if they are None."""

    def write(
        name: str = "tiny.onnx", *, network: str = TINY_NETWORK, metadata: dict[str, Any] | str | None = METADATA
    ) -> Path:
        model = onnx.parser.parse_model(network)
        if metadata is not None:
            text = metadata if isinstance(metadata, str) else json.dumps(metadata)
            model.metadata_props.add(key="omni_iml", value=text)
        path = tmp_path / name
        onnx.save(model, path)
        return path

    return write


@pytest.fixture
def free_model(write_model: Callable[..., Path]) -> Path:
    """The tiny network as a model file that takes any size up to its tile of 64."""
    network = TINY_NETWORK.replace("[B,3,64,64]", "[B,3,H,W]").replace("[B,64,64]", "[B,H,W]")
    return write_model(network=network.replace("[B,1,64,64]", "[B,1,H,W]"), metadata={**METADATA, "free_size": True})


@pytest.fixture
def make_info() -> Callable[..., Any]:
    """Gives what a model says of itself, changed by name."""
    from omni_iml.inference.model_file import parse_metadata

    return lambda **changes: parse_metadata(json.dumps({**METADATA, **changes}), Path("tiny.onnx"), "0" * 64)


@pytest.fixture
def tiny_network() -> str:
    """The tiny network in ONNX's text form, to be damaged at will."""
    return TINY_NETWORK


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A valid model file of tile 64 whose outputs are the functions above."""
    model = onnx.parser.parse_model(TINY_NETWORK)
    model.metadata_props.add(key="omni_iml", value=json.dumps(METADATA))
    path = tmp_path_factory.mktemp("model") / "tiny.onnx"
    onnx.save(model, path)
    return path


@pytest.fixture(scope="session")
def small_config() -> Any:
    """The configuration of a network with every part, small enough to train in a test."""
    from omni_iml.models import OmniConfig
    from omni_iml.models.config import FrequencyHeadConfig

    return OmniConfig(
        backbone="convnext_atto",
        drop_path=0.0,
        layer_scale=0.1,
        high_pass=True,
        frequency=FrequencyHeadConfig(embed=8, reduce=4, out=16, expansion=2, blocks=2),
        gate_repeat=2,
        gate_width=8,
        anomaly_queries=4,
        anomaly_width=16,
        anomaly_heads=2,
        anomaly_mlp=2,
        detection_width=16,
        decoder_width=16,
        decoder_reduce_kernel=1,
        classifier_width=16,
    )
