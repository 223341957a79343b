"""Fixtures of the inspection's tests: a small network with random weights and pictures for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from omni_iml.inspection import Inspector  # noqa: E402
from omni_iml.models import OmniIML  # noqa: E402
from omni_iml.models.checkpoint import save_weights  # noqa: E402
from omni_iml.models.export import UNCALIBRATED  # noqa: E402

FACTS = {"name": "small", "tile": 64, "calibration": {"scale": 1.5, "bias": -0.5, "log_tiles": -0.3}}


@pytest.fixture(scope="session")
def network(small_config: Any) -> OmniIML:
    """A small network with every part."""
    torch.manual_seed(0)
    network = OmniIML(small_config)
    with torch.no_grad():
        network.gate.linear.weight.mul_(20)
    return network


@pytest.fixture(scope="session")
def weights(network: OmniIML, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of the small network, for tiles of 64 pixels, whose calibration is no identity."""
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    save_weights(network, path, {"model_file": {**UNCALIBRATED, **FACTS}})
    return path


@pytest.fixture(scope="session")
def free_weights(network: OmniIML, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for tiles of any size up to 64 pixels."""
    path = tmp_path_factory.mktemp("weights") / "free.safetensors"
    save_weights(network, path, {"model_file": {**UNCALIBRATED, **FACTS, "free_size": True}})
    return path


@pytest.fixture(scope="session")
def inspector(weights: Path) -> Inspector:
    """The small network, loaded."""
    return Inspector(weights, device="cpu")


@pytest.fixture(scope="session")
def write_photo() -> Callable[..., Path]:
    """Writes a JPEG of smooth ground and noise into a folder."""

    def write(folder: Path, height: int = 90, width: int = 130, orientation: int = 1) -> Path:
        rng = np.random.default_rng(0)
        pixels = np.linspace(40, 200, height * width * 3).reshape(height, width, 3)
        pixels[: height // 2, : width // 2] += rng.normal(0, 30, (height // 2, width // 2, 3))
        exif = Image.Exif()
        exif[0x0112] = orientation
        path = folder / "photo.jpg"
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path, format="JPEG", quality=80, exif=exif)
        return path

    return write


@pytest.fixture
def photo(tmp_path: Path, write_photo: Callable[..., Path]) -> Callable[..., Path]:
    """Writes a JPEG into the test's own folder."""
    return partial(write_photo, tmp_path)
