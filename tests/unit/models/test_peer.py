"""Peers under our contract: a stand-in with IMDL-BenCo's contract everywhere, the zoo itself where it is installed."""

from __future__ import annotations

import importlib
import sys
from contextlib import redirect_stdout

import pytest
import torch

from omni_iml.models import OmniIML, Peer, PeerConfig, build
from omni_iml.models.build import config_of
from omni_iml.models.checkpoint import load_any_network, load_network, save_weights
from omni_iml.models.peer import _edges
from omni_iml.types import UnreadableModel
from peer_stand_in import StandIn

CONFIG = PeerConfig("SparseViT", {"img_size": 32})


def inputs(count: int = 2, side: int = 32) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    image = torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    return image, torch.zeros(count, side, side, dtype=torch.uint8), torch.ones(count, 8, 8, dtype=torch.uint8)


@pytest.fixture
def truth() -> torch.Tensor:
    """A tampered square in the first sample, padding in both."""
    mask = torch.zeros(2, 32, 32, dtype=torch.uint8)
    mask[0, 8:20, 8:24] = 1
    mask[:, 28:] = 255
    return mask


def test_it_is_shown_what_it_expects(truth):
    network = StandIn()
    image = inputs()[0]
    Peer(CONFIG, network)(*inputs(), truth=truth)
    mean, std = (torch.tensor(x).view(1, 3, 1, 1) for x in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    torch.testing.assert_close(network.seen["image"], (image.float() / 255 - mean) / std, rtol=1e-5, atol=1e-5)
    assert torch.equal(network.seen["mask"], (truth == 1)[:, None].float())
    assert network.seen["label"].tolist() == [1, 0]


def test_its_outputs_are_ours(truth):
    label = torch.tensor([0.25, 0.75])
    peer = Peer(CONFIG, StandIn(label))
    output = peer(*inputs(), truth=truth)
    red = peer.network.seen["image"][:, :1]
    torch.testing.assert_close(output.mask, red, rtol=1e-3, atol=1e-3)
    assert output.mask.shape == (2, 1, 32, 32)
    torch.testing.assert_close(output.image.sigmoid(), label)
    assert (output.gate == 20).all()
    wanted = (red.sigmoid() - peer.network.seen["mask"]).abs().mean()
    torch.testing.assert_close(output.loss, wanted)
    output.loss.backward()
    assert peer.network.scale.grad.abs() > 0


def test_without_truth_there_is_no_loss_and_without_a_score_the_largest_value_counts():
    peer = Peer(CONFIG, StandIn())
    output = peer(*inputs())
    assert output.loss is None
    assert torch.equal(output.image, output.mask.amax((1, 2, 3)))


def test_certain_probabilities_have_finite_logits():
    class Certain(StandIn):
        def forward(self, image, mask, label, edge_mask):
            return {"backward_loss": mask.sum(), "pred_mask": (image[:, :1] > 0).float(), "pred_label": None}

    assert Peer(CONFIG, Certain())(*inputs()).mask.isfinite().all()


def test_another_side_is_refused_with_what_to_change():
    with pytest.raises(ValueError, match=r"SparseViT: was built for 32x32, not for 64x64; choose synthesis\.size"):
        Peer(CONFIG, StandIn())(*inputs(side=64))


def test_sides():
    assert PeerConfig("Mesorch").side == 512
    assert PeerConfig("IML_ViT").side == 1024
    assert PeerConfig("IML_ViT", {"input_size": 512}).side == 512


def test_edges_lie_on_both_sides_of_a_mask_and_nowhere_else():
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 10:, :] = 1
    (rows,) = {tuple(column.tolist()) for column in _edges(mask)[0, 0].T}
    assert [index for index, value in enumerate(rows) if value] == list(range(7, 13))
    assert not _edges(torch.zeros(1, 1, 32, 32)).any()


def test_configurations_are_told_apart():
    assert config_of({"peer": "Mesorch"}) == PeerConfig("Mesorch")
    assert config_of(CONFIG.to_dict()) == CONFIG
    with pytest.raises(ValueError, match=r"peer 'MVSSNet' is not offered; choose one of Mesorch, SparseViT"):
        config_of({"peer": "MVSSNet"})  # its constructor downloads


def test_the_package_is_asked_for_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "IMDLBenCo", None)
    monkeypatch.delitem(sys.modules, "IMDLBenCo.model_zoo", raising=False)
    with pytest.raises(ValueError, match=r"peer Mesorch: IMDL-BenCo cannot be imported .*; install it as docs"):
        build(PeerConfig("Mesorch"))


@pytest.fixture
def stand_in_for_the_zoo(monkeypatch):
    zoo = type(sys)("IMDLBenCo.model_zoo")
    zoo.SparseViT = lambda img_size: StandIn()
    monkeypatch.setitem(sys.modules, "IMDLBenCo", type(sys)("IMDLBenCo"))
    monkeypatch.setitem(sys.modules, "IMDLBenCo.model_zoo", zoo)


def test_weights_come_back(stand_in_for_the_zoo, tmp_path):
    peer = build(CONFIG)
    with torch.no_grad():
        peer.network.scale.fill_(3)
    path = tmp_path / "peer.safetensors"
    save_weights(peer, path, {"samples": 5})
    back, extra = load_any_network(path)
    assert extra == {"samples": 5}
    assert back.network.scale.item() == 3
    with pytest.raises(UnreadableModel, match=r"is the peer SparseViT, .* neither exported nor inspected"):
        load_network(path)


def test_weights_come_back_without_the_files_that_they_started_from(monkeypatch, tmp_path):
    asked = []
    zoo = type(sys)("IMDLBenCo.model_zoo")
    zoo.Mesorch = lambda **arguments: asked.append(arguments) or StandIn()
    monkeypatch.setitem(sys.modules, "IMDLBenCo", type(sys)("IMDLBenCo"))
    monkeypatch.setitem(sys.modules, "IMDLBenCo.model_zoo", zoo)
    start, path = tmp_path / "mit_b3.pth", tmp_path / "peer.safetensors"
    start.touch()
    given = {"seg_pretrain_path": str(start), "conv_pretrain": True, "if_predict_label": True}
    save_weights(build(PeerConfig("Mesorch", given)), path)
    start.unlink()
    back, _ = load_any_network(path)
    assert asked == [given, {"seg_pretrain_path": None, "conv_pretrain": False, "if_predict_label": True}]
    assert back.config.arguments == given


def test_a_file_that_is_not_there_is_told(stand_in_for_the_zoo):
    with pytest.raises(ValueError, match=r"^peer SparseViT: pretrained_path: gone\.pth is no file; name the weights"):
        build(PeerConfig("SparseViT", {"img_size": 32, "pretrained_path": "gone.pth"}))


def test_a_file_of_other_weights_is_told(monkeypatch, stand_in_for_the_zoo):
    def other(img_size: int) -> StandIn:
        raise KeyError("model")  # as IML-ViT does

    monkeypatch.setattr(sys.modules["IMDLBenCo.model_zoo"], "SparseViT", other)
    with pytest.raises(ValueError, match=r"^peer SparseViT: cannot be built \(KeyError: 'model'\)"):
        build(CONFIG)


def test_a_wrong_argument_is_told(stand_in_for_the_zoo):
    with pytest.raises(ValueError, match=r"peer SparseViT: cannot be built \(.*'depht'"):
        build(PeerConfig("SparseViT", {"depht": 3}))


def test_peers_weights_without_the_package_are_told(stand_in_for_the_zoo, tmp_path, monkeypatch):
    path = tmp_path / "peer.safetensors"
    save_weights(build(CONFIG), path)
    monkeypatch.setitem(sys.modules, "IMDLBenCo", None)
    monkeypatch.delitem(sys.modules, "IMDLBenCo.model_zoo")
    with pytest.raises(UnreadableModel, match="IMDL-BenCo cannot be imported"):
        load_any_network(path)


def test_ours_is_built_from_ours(small_config):
    with torch.device("meta"):
        assert isinstance(build(small_config), OmniIML)


@pytest.mark.slow
def test_edges_are_those_of_imdlbenco():
    with redirect_stdout(sys.stderr):
        try:
            generator = importlib.import_module("IMDLBenCo.transforms").EdgeMaskGenerator(7)
        except ImportError as error:
            pytest.skip(f"IMDL-BenCo cannot be imported ({error}); docs/guides/train.md says how to install it")
    mask = (torch.rand(1, 1, 48, 64, generator=torch.Generator().manual_seed(2)) > 0.97).float()
    mask[..., 20:40, 10:30] = 1
    assert torch.equal(_edges(mask), torch.as_tensor(generator(mask[0, 0].numpy())).float())
