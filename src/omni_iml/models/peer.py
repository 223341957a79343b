"""A network of IMDL-BenCo's zoo in the place of ours, so that peers are trained on the same data, as C-T3 does.

The official code is taken as it is, from the package IMDL-BenCo, which is not installed with this project
(docs/guides/train.md). A peer brings its own losses; what it sees is our picture, normalised as it expects it.
"""

from __future__ import annotations

import importlib
import pickle
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import ConfigDict, TypeAdapter
from torch import Tensor, nn

from omni_iml.models.fixed_gate import CERTAIN
from omni_iml.models.network import OmniOutput

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_EPSILON = 1e-6  # probabilities nearer to 0 or 1 have this logit's size, 13.8


@dataclass(frozen=True)
class _Known:
    """What a peer's class does not say of itself: the one side of picture that it takes, and who sets it.

    Attributes:
        side: in pixels, where ``argument`` does not say otherwise.
        argument: of the constructor; empty where the side cannot be changed.
        start: arguments that name weights to start from, and the value with which each names none.
    """

    side: int
    argument: str = ""
    start: Mapping[str, Any] = field(default_factory=dict)


PEERS = {
    "Mesorch": _Known(512, start={"seg_pretrain_path": None, "conv_pretrain": False}),
    "SparseViT": _Known(512, "img_size", {"pretrained_path": None}),
    "IML_ViT": _Known(1024, "input_size", {"vit_pretrain_path": None}),
    "PSCC_Net": _Known(256, "input_size", {"pretrain_path": ""}),
}
"""Classes of the zoo that are offered: none of them downloads weights unless an argument says so."""


@dataclass(frozen=True)
class PeerConfig:
    """Which peer, and how it is built.

    Attributes:
        peer: a name in `PEERS`.
        arguments: of its constructor; files of weights to start from among them.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    peer: str
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def side(self) -> int:
        """Pixels of the only side that it takes."""
        known = PEERS[self.peer]
        return int(self.arguments.get(known.argument, known.side))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-able form; `from_dict` reverses it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> PeerConfig:
        """Build a configuration from plain values (a recipe, a checkpoint's metadata).

        Raises:
            ValueError: another key, a value of another type, or a peer that is not offered.
        """
        config = TypeAdapter(cls).validate_python(values)
        if config.peer not in PEERS:
            raise ValueError(f"peer {config.peer!r} is not offered; choose one of {', '.join(PEERS)}.")
        return config


class Peer(nn.Module):
    """A peer with our inputs and outputs. Coefficients and table are not used: none of the peers reads them.

    Args:
        config: which one.
        network: the peer itself, with IMDL-BenCo's contract; built from ``config`` if None.
        start: read the weights to start from that ``config`` names; False where others take their place.

    Raises:
        ValueError: IMDL-BenCo cannot be imported, the peer does not take the arguments, or a file that they name is
            missing.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: PeerConfig, network: nn.Module | None = None, *, start: bool = True) -> None:
        super().__init__()
        self.config = config
        self.network = _built(config, start) if network is None else network
        self.register_buffer("mean", 255 * torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", 255 * torch.tensor(_STD).view(1, 3, 1, 1), persistent=False)

    def forward(
        self,
        image: Tensor,
        coefficients: Tensor,
        table: Tensor,
        boxes: Sequence[Tensor] | None = None,
        truth: Tensor | None = None,
    ) -> OmniOutput:
        """Localise.

        Args:
            image: uint8 or float ``(B, 3, S, S)`` RGB in 0..255, S the peer's side.
            coefficients: not used.
            table: not used.
            boxes: not used.
            truth: uint8 ``(B, S, S)``: 1 tampered; 0 and padding (255) authentic, as in the peers' own padding. Without
                it the output has no loss.

        Returns:
            Mask, image-level score (the mask's largest value where the peer has none of its own), and the peer's loss.

        Raises:
            ValueError: a picture of another side.
        """
        count, _, height, width = image.shape
        if (height, width) != (self.config.side, self.config.side):
            raise ValueError(
                f"{self.config.peer}: was built for {self.config.side}x{self.config.side}, not for {height}x{width}; "
                "choose synthesis.size and validation.size of a recipe, or the peer's own argument, to match."
            )
        mask = image.new_zeros((count, height, width)) if truth is None else truth == 1
        label = mask.flatten(1).any(1).float()  # (B,), as IMDL-BenCo's data sets have it
        plane = mask[:, None].float()  # (B, 1, S, S)
        given = self.network(
            image=(image.float() - self.mean) / self.std, mask=plane, edge_mask=_edges(plane), label=label
        )
        logits = _logits(given["pred_mask"])  # (B, 1, S, S)
        score = given.get("pred_label")
        return OmniOutput(
            mask=logits,
            gate=logits.new_full((count,), CERTAIN),
            image=logits.amax((1, 2, 3)) if score is None else _logits(score).reshape(count),
            loss=None if truth is None else given["backward_loss"],
        )


def _built(config: PeerConfig, start: bool) -> nn.Module:
    files, arguments = PEERS[config.peer].start, dict(config.arguments)
    for name in files.keys() & arguments.keys():
        if not start:
            arguments[name] = files[name]
        # PSCC-Net would take random weights for a name with a slip in it, and say nothing.
        elif isinstance(arguments[name], str) and arguments[name] and not Path(arguments[name]).is_file():
            raise ValueError(
                f"peer {config.peer}: {name}: {arguments[name]} is no file; name the weights to start from, or leave "
                "the argument out."
            )
    with redirect_stdout(sys.stderr):  # they tell of every block they make
        try:
            zoo = importlib.import_module("IMDLBenCo.model_zoo")
        except ImportError as error:
            raise ValueError(
                f"peer {config.peer}: IMDL-BenCo cannot be imported ({error}); install it as docs/guides/train.md says."
            ) from error
        try:
            network: nn.Module = getattr(zoo, config.peer)(**arguments)
        # An unknown argument; a file that is damaged, or of other weights.
        except (TypeError, OSError, RuntimeError, KeyError, pickle.UnpicklingError) as error:
            reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            raise ValueError(
                f"peer {config.peer}: cannot be built ({reason}); see its constructor in IMDL-BenCo."
            ) from error
    return network


def _logits(probability: Tensor) -> Tensor:
    return torch.logit(probability.float(), _EPSILON)


def _edges(mask: Tensor, width: int = 7) -> Tensor:
    """Pixels near the border of a mask, ``(B, 1, H, W)`` 0 or 1: those whose cross of 7x7 reaches both sides.

    The width is that of IMDL-BenCo's scripts for IML-ViT and PSCC-Net.
    """
    cross = mask.new_zeros(1, 1, width, width)
    cross[..., width // 2, :] = cross[..., width // 2] = 1
    inside, outside = (nn.functional.conv2d(part, cross, padding=width // 2) > 0 for part in (mask, 1 - mask))
    return (inside & outside).to(mask.dtype)
