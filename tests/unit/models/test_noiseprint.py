import pytest
import torch

from omni_iml.models.noiseprint import Noiseprint
from omni_iml.types import UnreadableModel


def test_it_never_trains():
    module = Noiseprint().train()
    assert not any(part.training for part in module.modules())
    assert not any(p.requires_grad for p in module.parameters())
    before = {name: value.clone() for name, value in module.state_dict().items()}
    module(255 * torch.rand(1, 3, 24, 16))
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_one_map_of_the_pictures_size():
    assert Noiseprint()(torch.zeros(2, 3, 24, 40)).shape == (2, 1, 24, 40)


def test_layers_are_numbered_as_in_the_published_files():
    layers = Noiseprint().layers
    convolutions = [i for i, layer in enumerate(layers) if isinstance(layer, torch.nn.Conv2d)]
    assert convolutions == [0, *range(2, 47, 3), 47]
    assert [layers[i].bias is not None for i in convolutions] == [True, *[False] * 15, True]
    norms = [i for i, layer in enumerate(layers) if isinstance(layer, torch.nn.BatchNorm2d)]
    assert norms == list(range(3, 48, 3))
    assert sum(p.numel() for p in layers.parameters()) == 557_249


def _published() -> dict[str, torch.Tensor]:
    """A checkpoint of the extractor alone."""
    source = torch.Generator().manual_seed(3)
    state = Noiseprint().layers.state_dict()
    return {n: torch.rand(v.shape, generator=source) / 9 if v.is_floating_point() else v for n, v in state.items()}


@pytest.mark.parametrize("prefix", ["", "dncnn."])
def test_published_weights_load_name_for_name(prefix):
    published = _published()
    module = Noiseprint()
    others = {"backbone.stem.weight": torch.zeros(1)} if prefix else {}
    module.load_published({**others, **{prefix + name: value for name, value in published.items()}}, "trufor.pth")
    assert all(torch.equal(value, published[name]) for name, value in module.layers.state_dict().items())
    assert not any(p.requires_grad for p in module.parameters())
    pixels = 255 * torch.rand(1, 3, 16, 24)
    x = torch.nn.functional.conv2d(pixels / 256, published["0.weight"], published["0.bias"], padding=1).relu()
    torch.testing.assert_close(module.layers[:2](pixels / 256), x)
    wanted = module.layers(pixels / 256)
    torch.testing.assert_close(module(pixels), wanted, atol=1e-5 * float(wanted.abs().max()), rtol=0)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda tensors: tensors.pop("24.running_mean"),
        lambda tensors: tensors.update({"24.running_mean": torch.zeros(3)}),
        lambda tensors: tensors.clear(),
    ],
)
def test_other_weights_are_refused_and_change_nothing(spoil):
    tensors = _published()
    spoil(tensors)
    module = Noiseprint()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    with pytest.raises(UnreadableModel, match=r"^x\.pth: is no checkpoint of Noiseprint\+\+ \(first difference: .*\.$"):
        module.load_published(tensors, "x.pth")
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
