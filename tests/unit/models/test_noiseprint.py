import torch

from omni_iml.models.noiseprint import Noiseprint


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
