"""Fixtures of the network's tests: random inputs, and modules whose every tensor is random."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from filelock import FileLock
from torch import Tensor, nn

from omni_iml.models import PRESETS, OmniConfig, OmniIML
from omni_iml.models.checkpoint import load_network, save_weights
from omni_iml.models.export import UNCALIBRATED, export_onnx


@pytest.fixture(scope="session")
def make_inputs() -> Callable[..., tuple[Tensor, Tensor, Tensor]]:
    """Gives random (image, coefficients, table) as the model file defines them."""

    def make(batch: int, height: int, width: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
        source = torch.Generator().manual_seed(seed)

        def draw(low: int, high: int, *shape: int) -> Tensor:
            return torch.randint(low, high, shape, generator=source, dtype=torch.uint8)

        return draw(0, 256, batch, 3, height, width), draw(0, 21, batch, height, width), draw(1, 64, batch, 8, 8)

    return make


@pytest.fixture
def randomised() -> Callable[..., Any]:
    """Fills a module's parameters and running statistics with random values and sets it to evaluation mode."""

    def fill(module: nn.Module, seed: int = 0, scale: float = 0.2) -> nn.Module:
        source = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, value in module.state_dict().items():
                if name.endswith("running_var"):
                    value.uniform_(0.5, 2, generator=source)
                elif value.is_floating_point():
                    value.normal_(0, scale, generator=source)
        return module.eval()

    return fill


@pytest.fixture(scope="session")
def _small_network(small_config: OmniConfig) -> OmniIML:
    torch.manual_seed(0)
    return OmniIML(small_config)


@pytest.fixture
def network(_small_network: OmniIML) -> OmniIML:
    """A small network with every part, in evaluation mode."""
    return copy.deepcopy(_small_network).eval()


@pytest.fixture(scope="session")
def exported(
    tmp_path_factory: pytest.TempPathFactory, make_inputs: Callable[..., tuple[Tensor, Tensor, Tensor]]
) -> tuple[OmniIML, Path]:
    """A network with lively statistics and its model file, S = 64.

    The export takes most of a minute, so it is done once, also where several processes test.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "exported"
    with FileLock(f"{folder}.lock"):
        if not folder.is_dir():
            _export_lively(folder.with_suffix(".part"), make_inputs)
            folder.with_suffix(".part").rename(folder)
    network, _ = load_network(folder / "w.safetensors")
    return network, folder / "w.onnx"


def _export_lively(folder: Path, make_inputs: Callable[..., tuple[Tensor, Tensor, Tensor]]) -> None:
    folder.mkdir()
    torch.manual_seed(5)
    network = OmniIML(replace(PRESETS["bundled"](), decoder_width=16, context="tf_efficientnet_lite0")).train()
    with torch.no_grad():  # a few passes, so that batch norms hold something else than 0 and 1
        for projection in (network.vision_head.context.low, *network.vision_head.context.high):
            projection.weight.normal_(0, 0.1)
        for seed in range(3):
            network(*make_inputs(2, 64, 64, seed=seed))
        network.decoder.predict.weight.mul_(200)
    save_weights(network, folder / "w.safetensors", half=True)
    network, _ = load_network(folder / "w.safetensors")
    export_onnx(network, folder / "w.onnx", {**UNCALIBRATED, "tile": 64, "name": "lively"})
