"""A network of IMDL-BenCo's zoo in the place of ours, so that peers are trained on the same data, as C-T3 does.

The official code is taken as it is, from the package IMDL-BenCo, which is not installed with this project
(docs/guides/train.md). A peer brings its own losses; what it sees is our picture, normalised as it expects it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, field
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
    """

    side: int
    argument: str = ""


PEERS = {
    "Mesorch": _Known(512),
    "SparseViT": _Known(512, "img_size"),
    "IML_ViT": _Known(1024, "input_size"),
    "PSCC_Net": _Known(256, "input_size"),
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

    Raises:
        ValueError: IMDL-BenCo cannot be imported, or the peer does not take the arguments.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: PeerConfig, network: nn.Module | None = None) -> None:
        super().__init__()
        self.config = config
        self.network = _built(config) if network is None else network
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


def _built(config: PeerConfig) -> nn.Module:
    with redirect_stdout(sys.stderr):  # they tell of every block they make
        try:
            zoo = importlib.import_module("IMDLBenCo.model_zoo")
        except ImportError as error:
            raise ValueError(
                f"peer {config.peer}: IMDL-BenCo cannot be imported ({error}); install it as docs/guides/train.md says."
            ) from error
        try:
            network: nn.Module = getattr(zoo, config.peer)(**config.arguments)
        except (TypeError, OSError, RuntimeError) as error:  # an unknown argument, a missing file, one of other weights
            reason = " ".join(str(error).split())[:200]
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
