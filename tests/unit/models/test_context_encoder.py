"""The context encoder is timm's EfficientNet-Lite, adds nothing at first, and keeps its published statistics."""

from __future__ import annotations

import pytest
import timm
import torch
from torch import nn

from omni_iml.models.context_encoder import ContextEncoder
from omni_iml.types import UnreadableModel

NAME = "tf_efficientnet_lite0"


@pytest.fixture(scope="module")
def published() -> nn.Module:
    torch.manual_seed(0)
    network = timm.create_model(NAME, pretrained=False)
    for module in network.modules():  # statistics that tell one norm from another
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.8, 1.2)
    return network.eval()


@pytest.fixture
def encoder(published: nn.Module) -> ContextEncoder:
    made = ContextEncoder(NAME, 6, 10)
    # Names of the published file differ from timm's; the order does not.
    made.load_published({f"other.{name}": value for name, value in published.state_dict().items()}, "file")
    return made


@pytest.mark.parametrize("size", [(64, 96), (96, 32)])
def test_its_features_are_those_of_timms_network(encoder, published, size) -> None:
    pixels = torch.randint(0, 256, (2, 3, *size)).float()
    scaled = (pixels - 127) / 128
    with torch.inference_mode():
        theirs = published.blocks(published.bn1(published.conv_stem(scaled)))
        ours = encoder.stem(scaled)
        for stage in encoder.blocks:
            ours = stage(ours)
    assert torch.equal(ours, theirs)
    assert theirs.std() > 0


def test_it_adds_nothing_before_it_learns(encoder) -> None:
    low, high = encoder(torch.randint(0, 256, (2, 3, 64, 96)).float())
    assert low.shape == (2, 6, 16, 24)
    assert high.shape == (2, 10, 8, 12)
    assert not low.any()
    assert not high.any()


def test_every_scale_reaches_the_features_once_it_learns(encoder) -> None:
    pixels = torch.randint(0, 256, (1, 3, 64, 64)).float()
    for index in range(3):
        for projection in encoder.high:
            nn.init.zeros_(projection.weight)
        nn.init.ones_(encoder.high[index].weight)
        assert encoder(pixels)[1].any()


def test_statistics_and_the_dearest_layers_stay_as_published(encoder) -> None:
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    for projection in (encoder.low, *encoder.high):
        nn.init.normal_(projection.weight)
    encoder.train()
    optimiser = torch.optim.SGD([p for p in encoder.parameters() if p.requires_grad], lr=0.1)
    low, high = encoder(torch.randint(0, 256, (2, 3, 64, 64)).float())
    (low.square().mean() + high.square().mean()).backward()
    optimiser.step()
    changed = {name for name, value in encoder.state_dict().items() if not torch.equal(value, before[name])}
    assert not any("running" in name or "num_batches" in name for name in changed)
    assert not any(name.startswith(("stem.", "blocks.0.", "blocks.1.")) for name in changed)
    assert any(name.startswith("blocks.2.") for name in changed)
    assert any(name.startswith("blocks.6.") for name in changed)


def test_another_networks_weights_change_nothing(encoder) -> None:
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    with pytest.raises(UnreadableModel, match=r"lite2\.pth: is not the EfficientNet-Lite of this network"):
        encoder.load_published(timm.create_model("tf_efficientnet_lite2").state_dict(), "lite2.pth")
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())


def test_another_kind_of_network_is_refused() -> None:
    with pytest.raises(ValueError, match="'resnet18' is not an EfficientNet-Lite"):
        ContextEncoder("resnet18", 6, 10)
