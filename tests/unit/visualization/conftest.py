"""A small network whose gate and filters give known values, and a data set of two sizes of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")

from omni_iml.inspection import Inspector  # noqa: E402
from omni_iml.models import OmniIML  # noqa: E402
from omni_iml.models.checkpoint import save_weights  # noqa: E402
from omni_iml.models.dynamic_filter import DynamicWeightFilter  # noqa: E402
from omni_iml.models.export import UNCALIBRATED  # noqa: E402

KNOWN = (0.1, 0.4, 0.6, 0.9)
"""A of every dynamic filter, whatever the picture."""


@pytest.fixture(scope="session")
def known_weights(small_config: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights whose gate always chooses vision (P = 0.75) and whose filters always have `KNOWN`, for tiles of 64."""
    torch.manual_seed(0)
    network = OmniIML(small_config)
    with torch.no_grad():
        network.gate.linear.weight.zero_()
        network.gate.linear.bias.fill_(float(np.log(3)))
        for part in network.modules():
            if isinstance(part, DynamicWeightFilter):
                assert part.weights is not None
                part.weights.weight.zero_()
                part.weights.bias.copy_(torch.logit(torch.tensor(KNOWN)))
    path = tmp_path_factory.mktemp("weights") / "known.safetensors"
    save_weights(network, path, {"samples": 1234, "model_file": {**UNCALIBRATED, "name": "known", "tile": 64}})
    return path


@pytest.fixture(scope="session")
def inspector(known_weights: Path) -> Inspector:
    """The network with the known values."""
    return Inspector(known_weights, device="cpu")


@pytest.fixture
def data_root(tmp_path: Path) -> Path:
    """Two sets, document and face: three tampered pictures each, one of them turned by its tag, and one authentic."""
    rng = np.random.default_rng(0)
    for name in ("document", "face"):
        for folder in ("images", "masks", "authentic"):
            (tmp_path / "sets" / name / folder).mkdir(parents=True)
        for number, orientation in enumerate((1, 6, 1, 1)):
            pixels = rng.normal(120, 30, (72, 100, 3)).clip(0, 255).astype(np.uint8)
            exif = Image.Exif()
            exif[0x0112] = orientation
            folder = "authentic" if number == 3 else "images"
            Image.fromarray(pixels).save(tmp_path / "sets" / name / folder / f"{number}.jpg", quality=90, exif=exif)
            if number < 3:
                mask = np.zeros((100, 72) if orientation == 6 else (72, 100), np.uint8)
                mask[8:40, 16:48] = 255
                Image.fromarray(mask).save(tmp_path / "sets" / name / "masks" / f"{number}.png")
    return tmp_path / "sets"
