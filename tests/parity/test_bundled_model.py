"""The bundled model: ONNX Runtime, OpenVINO and torch give the same logits on real files, batch 1 and batch 5."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from omni_iml.inference.session import open_session
from omni_iml.inference.tiles import cut
from omni_iml.io import load
from omni_iml.models import count_parameters
from omni_iml.models.checkpoint import load_network
from omni_iml.weights import bundled_path

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.jpg"))


@pytest.fixture(scope="module")
def sessions():
    return open_session(None, "onnx", threads=2), open_session(None, "torch", threads=2)


@pytest.fixture(scope="module")
def openvino():
    pytest.importorskip("openvino")  # the extra named openvino
    return open_session(None, "openvino", threads=2)


@pytest.fixture(scope="module")
def tiles(sessions):
    side = sessions[0].info.tile
    cuts = [cut(load(path), 0, 0, side) for path in EXAMPLES[:5]]
    return [np.concatenate([getattr(c, name) for c in cuts]) for name in ("image", "coefficients", "table")]


@pytest.fixture(scope="module")
def said(sessions, tiles):
    """What ONNX Runtime and torch say of the first tile, and of all five together; each is asked once."""
    return {batch: [session(*(x[:batch] for x in tiles)) for session in sessions] for batch in (1, len(tiles[0]))}


@pytest.mark.parametrize("batch", [1, 5])
def test_both_runtimes_agree_on_real_files(said, batch):
    onnx, torch = said[batch]
    assert onnx.mask.std() > 0.3, "a flat map would agree with anything"
    for name in ("mask", "gate", "image"):
        np.testing.assert_allclose(getattr(onnx, name), getattr(torch, name), atol=1e-3, err_msg=name)


@pytest.mark.parametrize("batch", [1, 5])
def test_openvino_agrees_with_both_on_real_files(said, openvino, tiles, batch):
    found = openvino(*(x[:batch] for x in tiles))
    for other in said[batch]:
        for name in ("mask", "gate", "image"):
            np.testing.assert_allclose(getattr(found, name), getattr(other, name), atol=1e-3, err_msg=name)


def test_both_files_tell_the_same_of_themselves(sessions):
    onnx, torch = (session.info for session in sessions)
    for name in ("name", "version", "tile", "tampered_at", "no_trace_below", "calibration", "licence", "card"):
        assert getattr(onnx, name) == getattr(torch, name)


def test_a_sample_does_not_depend_on_its_neighbours_in_the_batch(said):
    alone, together = (onnx for onnx, _ in said.values())
    np.testing.assert_allclose(alone.mask[0], together.mask[0], atol=1e-3)


def test_size_is_what_a_laptop_wants():
    assert bundled_path().stat().st_size < 20e6
    network, _ = load_network(bundled_path(".safetensors"))
    assert count_parameters(network) < 9e6
