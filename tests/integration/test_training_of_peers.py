"""C-T3's right half: a plain ConvNeXt-UPer and peers of IMDL-BenCo take real steps on the base recipe's data sets."""

from __future__ import annotations

import importlib
import sys
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
import torch

from omni_iml.inference.torch_session import TorchSession
from omni_iml.models import OmniIML, Peer
from omni_iml.models.checkpoint import load_any_network
from omni_iml.training.recipe import load_recipe
from omni_iml.training.train import prepare, train
from peer_stand_in import StandIn
from reader_layouts import build

RECIPES = Path(__file__).resolve().parents[2] / "recipes" / "peers"
ROOTS = {
    "tampcoco": "tampCOCO",
    "casia2": "CASIA2",
    "miml": "MIML",
    "coco": "COCO2017",
    "sacp": "SACP",
    "doctamper": "DocTamper",
    "openforensics": "OpenForensics",
    "tampered-ic13": "Tampered-IC13",
}
STEPS = ["optim.batch=2", "optim.steps=2", "validation.samples=2", "validation.every=2"]

pytestmark = [
    pytest.mark.usefixtures("leg_machine"),
    pytest.mark.filterwarnings(
        "ignore:The '.*_dataloader' does not have many workers",
        "ignore:Experiment logs directory",
        "ignore:.*GPU available but not used",
        "ignore:The number of training batches",
        "ignore:.*LeafSpec",
        "ignore:Found .* in eval mode at the start of training",
    ),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    for seed, (name, folder) in enumerate(ROOTS.items()):
        build(name, root / folder, seed)
    return root


@pytest.fixture(scope="module")
def imdlbenco() -> None:
    try:
        with redirect_stdout(sys.stderr):
            importlib.import_module("IMDLBenCo.model_zoo")
    except ImportError as error:
        pytest.skip(f"IMDL-BenCo cannot be imported ({error}); docs/guides/train.md says how to install it")


def moved(leg, before: dict[str, torch.Tensor]) -> set[str]:
    return {name for name, value in leg.module.network.named_parameters() if not torch.equal(value, before[name])}


def weights_of(leg) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in leg.module.network.named_parameters()}


def test_a_plain_convnext_uper_takes_real_steps(tmp_path):
    tiny = ["model.preset=bundled", "synthesis.size=64", "validation.size=64", "validation.samples=4"]
    leg = prepare(load_recipe(RECIPES / "convnext_uper.yaml", [*STEPS, *tiny]), tmp_path, workers=0)
    before = weights_of(leg)
    network, extra = load_any_network(leg.run())
    assert isinstance(network, OmniIML)
    assert extra["samples"] == 4
    assert extra["validation"]["gate_vision"] == 1
    learnt = {name.partition(".")[0] for name in moved(leg, before)}
    assert {"vision_head", "backbone", "decoder"} <= learnt


@pytest.mark.slow
@pytest.mark.timeout(1800)  # Mesorch: 85 million weights at 512 pixels
@pytest.mark.parametrize("name", ["mesorch", "sparsevit", "iml_vit", "pscc_net"])
def test_a_peer_takes_real_steps(imdlbenco, name, tmp_path):
    """At its full width; what it learnt is then run by detection's session like a network of ours."""
    if name in ("iml_vit", "pscc_net"):
        cheaper = ["model.arguments.input_size=128", "synthesis.size=128", "validation.size=128"]
    else:  # at 512 pixels, the only side that they take
        cheaper = ["optim.batch=1", "validation.samples=1"]
    recipe = load_recipe(RECIPES / f"{name}.yaml", [*STEPS, *cheaper])
    leg = prepare(recipe, tmp_path, workers=0)
    before = weights_of(leg)
    weights = leg.run()
    assert len(moved(leg, before)) > 0.7 * len(before)
    network, extra = load_any_network(weights)
    assert isinstance(network, Peer)
    assert extra["samples"] == 2 * recipe.optim.batch
    assert extra["validation"]["gate_vision"] == 1
    assert all(value.isfinite().all() for value in network.state_dict().values() if value.is_floating_point())
    if name == "sparsevit":
        outputs = TorchSession(weights)(
            np.zeros((1, 3, 512, 512), np.uint8), np.zeros((1, 512, 512), np.uint8), np.ones((1, 8, 8), np.uint8)
        )
        assert outputs.mask.shape == (1, 1, 512, 512)


def test_what_a_peer_does_not_take_is_told(tmp_path, monkeypatch):
    zoo = type(sys)("IMDLBenCo.model_zoo")
    zoo.SparseViT = lambda img_size: StandIn()
    monkeypatch.setitem(sys.modules, "IMDLBenCo", type(sys)("IMDLBenCo"))
    monkeypatch.setitem(sys.modules, "IMDLBenCo.model_zoo", zoo)
    common = [*STEPS, "model.arguments.img_size=64", "synthesis.size=64", "validation.size=64"]

    def with_(*more: str):
        return load_recipe(RECIPES / "sparsevit.yaml", [*common, *more])

    with pytest.raises(ValueError, match=r"^init\.weights: fills our own network"):
        prepare(with_("init.weights=timm"), tmp_path)
    with pytest.raises(ValueError, match=r"^optim\.checkpointing: is for our own network"):
        prepare(with_("optim.checkpointing=true"), tmp_path)
    with pytest.raises(ValueError, match=r"was built for 32x32"):
        train(with_("model.arguments.img_size=32"), tmp_path, workers=0)
    weights = train(with_(), tmp_path / "run", workers=0)  # and without all that it trains
    assert load_any_network(weights)[1]["samples"] == 4
