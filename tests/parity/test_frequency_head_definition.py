"""The Frequency Perception Head against its description, written out in numpy with plain loops."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from omni_iml.models.config import FrequencyHeadConfig
from omni_iml.models.frequency_head import FrequencyPerceptionHead

Array = NDArray[np.float64]
Weights = Mapping[str, Array]


def convolve(x: Array, weight: Array, stride: int = 1, dilation: int = 1, padding: int = 0, groups: int = 1) -> Array:
    """Cross-correlation of ``x (C, H, W)`` with ``weight (O, C / groups, k, k)``, tap by tap."""
    outputs, _, size, _ = weight.shape
    padded = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    reach = dilation * (size - 1) + 1
    height, width = ((n - reach) // stride + 1 for n in padded.shape[1:])
    result = np.zeros((outputs, height, width))
    inputs_a_group, outputs_a_group = x.shape[0] // groups, outputs // groups
    for group in range(groups):
        source = padded[group * inputs_a_group : (group + 1) * inputs_a_group]
        rows = slice(group * outputs_a_group, (group + 1) * outputs_a_group)
        for i in range(size):
            for j in range(size):
                y, z = i * dilation, j * dilation
                tap = source[:, y : y + stride * height : stride, z : z + stride * width : stride]
                result[rows] += np.einsum("oc,chw->ohw", weight[rows, :, i, j], tap)
    return result


def normalise(x: Array, weights: Weights, name: str, eps: float) -> Array:
    """Batch normalisation with the running statistics."""
    mean, variance, scale, shift = (
        weights[f"{name}.{key}"][:, None, None] for key in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / np.sqrt(variance + eps) * scale + shift


def relu(x: Array) -> Array:
    return np.maximum(x, 0)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def swish(x: Array) -> Array:
    return x * sigmoid(x)


def mbconv(x: Array, w: Weights, name: str, residual: bool) -> Array:
    hidden = swish(normalise(convolve(x, w[f"{name}.expand.0.weight"]), w, f"{name}.expand.1", 1e-3))
    spatial = convolve(hidden, w[f"{name}.depthwise.0.weight"], padding=1, groups=len(hidden))
    hidden = swish(normalise(spatial, w, f"{name}.depthwise.1", 1e-3))
    squeezed = hidden.mean((1, 2))
    excite = f"{name}.squeeze_excite"
    squeezed = swish(w[f"{excite}.reduce.weight"][:, :, 0, 0] @ squeezed + w[f"{excite}.reduce.bias"])
    gate = sigmoid(w[f"{excite}.expand.weight"][:, :, 0, 0] @ squeezed + w[f"{excite}.expand.bias"])
    out = convolve(hidden * gate[:, None, None], w[f"{name}.project.0.weight"])
    out = normalise(out, w, f"{name}.project.1", 1e-3)
    return x + out if residual else out


def frequency_head(coefficients: NDArray[np.int64], table: NDArray[np.int64], w: Weights, blocks: int, residual: bool):
    """One sample: ``(H, W)`` and ``(8, 8)`` -> ``(out, H/8, W/8)``."""
    height, width = coefficients.shape
    one_hot = np.zeros((21, height, width))
    for y in range(height):
        for x in range(width):
            one_hot[coefficients[y, x], y, x] = 1
    embedded = convolve(one_hot, w["embed.0.weight"], dilation=8, padding=8) + w["embed.0.bias"][:, None, None]
    embedded = relu(normalise(embedded, w, "embed.1", 1e-5))
    reduced = relu(normalise(convolve(embedded, w["reduce.0.weight"]), w, "reduce.1", 1e-5))
    scaled = np.empty_like(reduced)
    for y in range(height):
        for x in range(width):
            scaled[:, y, x] = reduced[:, y, x] * w["table_embedding.weight"][table[y % 8, x % 8]]
    coordinates = np.empty((3, height, width))
    for y in range(height):
        for x in range(width):
            row, column = 2 * y / (height - 1) - 1, 2 * x / (width - 1) - 1
            coordinates[:, y, x] = row, column, np.sqrt((row - 0.5) ** 2 + (column - 0.5) ** 2)
    stacked = np.concatenate([scaled, reduced, coordinates])
    out = relu(normalise(convolve(stacked, w["blocks_to_pixels.0.weight"], stride=8), w, "blocks_to_pixels.1", 1e-5))
    for block in range(blocks):
        out = mbconv(out, w, f"mix.{block}", residual)
    return out


@pytest.fixture(params=[True, False], ids=["residual", "published"])
def head(request):
    module = FrequencyPerceptionHead(
        FrequencyHeadConfig(embed=10, reduce=4, out=8, expansion=3, blocks=2, residual=request.param)
    )
    source = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, value in module.state_dict().items():
            if name.endswith("running_var"):
                value.uniform_(0.5, 2, generator=source)
            elif value.is_floating_point():
                value.normal_(0, 0.3, generator=source)
    return module.eval(), request.param


@torch.inference_mode()
def test_it_equals_its_description(head):
    module, residual = head
    source = np.random.default_rng(5)
    coefficients = source.integers(0, 21, (2, 24, 40))
    table = source.integers(0, 64, (2, 8, 8))
    table[0, 0, 0], table[1, 7, 7] = 63, 0  # both ends
    weights = {name: value.double().numpy() for name, value in module.state_dict().items()}
    result = module(torch.from_numpy(coefficients.astype(np.uint8)), torch.from_numpy(table.astype(np.uint8)))
    assert result.shape == (2, 8, 3, 5)
    for sample in range(2):
        expected = frequency_head(coefficients[sample], table[sample], weights, 2, residual)
        assert np.abs(expected).max() > 0.1
        np.testing.assert_allclose(result[sample].numpy(), expected, atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_only_the_published_variant_dies_without_its_projections(head):
    module, residual = head
    for block in module.mix:
        for value in block.project.state_dict().values():
            value.zero_()
    out = module(torch.randint(0, 21, (1, 16, 16)), torch.randint(1, 64, (1, 8, 8)))
    assert out.any() == residual


def test_it_has_the_published_number_of_parameters():
    with torch.device("meta"):
        module = FrequencyPerceptionHead(FrequencyHeadConfig())
    frozen_identity = 21 * 21  # the one-hot embedding, which needs no weights here
    assert sum(p.numel() for p in module.parameters()) + frozen_identity == 3_604_121


@torch.inference_mode()
def test_the_published_head_at_its_own_widths():
    config = FrequencyHeadConfig(residual=False)
    module = FrequencyPerceptionHead(config).eval()
    source = torch.Generator().manual_seed(11)
    for name, value in module.state_dict().items():
        if name.endswith("running_var"):
            value.uniform_(0.5, 2, generator=source)
        elif value.is_floating_point():
            value.normal_(0, max(1, value[0].numel()) ** -0.5, generator=source)
    draw = np.random.default_rng(6)
    coefficients, table = draw.integers(0, 21, (16, 24)), draw.integers(0, 64, (8, 8))
    weights = {name: value.double().numpy() for name, value in module.state_dict().items()}
    result = module(torch.from_numpy(coefficients)[None], torch.from_numpy(table)[None])
    expected = frequency_head(coefficients, table, weights, config.blocks, residual=False)
    assert result.shape == (1, 256, 2, 3)
    assert expected.std() > 0.1
    np.testing.assert_allclose(result[0].numpy(), expected, atol=1e-5, rtol=1e-5)
