"""Where a leg stands, whole: weights, their average, the optimiser's moments.

Weights alone are enough to go on from; with all of it the next leg loses no steps to finding the moments again.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from omni_iml.io.whole_file import write_whole
from omni_iml.types import UnreadableModel

_FORMAT = "omni-iml/leg/1"


@dataclass(frozen=True)
class LegState:
    """What `save_state` keeps.

    Attributes:
        network: state of the network that is trained.
        averaged: state of its moving average with its count of steps; None where the recipe has none.
        optimiser: state of the optimiser.
        samples: seen in this leg and all before it.
        steps: done in this leg.
        rng: state of torch's generator, for the layers that draw; None in files of older versions.
    """

    network: dict[str, Any]
    averaged: dict[str, Any] | None
    optimiser: dict[str, Any]
    samples: int
    steps: int = 0
    rng: torch.Tensor | None = None


def save_state(path: Path, state: LegState) -> None:
    """Write a leg's state, whole or not at all. Plain tensors and numbers: reading it runs no code.

    Args:
        path: ends in ``.ckpt``.
        state: to keep.
    """
    content = {"format": _FORMAT, **{name: getattr(state, name) for name in state.__dataclass_fields__}}
    write_whole(path, lambda file: torch.save(content, file))


def load_state(path: Path) -> LegState:
    """Read what `save_state` wrote, onto the CPU.

    Raises:
        UnreadableModel: missing, damaged, or not one of ours.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        reason = " ".join(str(error).split())[:120]
        raise UnreadableModel(
            f"{path}: cannot be read as a leg's state ({reason}); give a last.ckpt that training wrote, or its weights."
        ) from error
    if not isinstance(content, dict) or content.pop("format", None) != _FORMAT:
        raise UnreadableModel(f"{path}: is no leg's state; give a last.ckpt that training wrote, or its weights.")
    return LegState(**content)
