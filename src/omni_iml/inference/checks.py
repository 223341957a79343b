"""What every session holds its inputs and outputs to, whichever runtime lies behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from omni_iml.inference.session import TileOutputs
from omni_iml.inference.tiles import STRIDE
from omni_iml.types import ModelInfo, UnreadableModel

_INPUTS = {"image": 4, "coefficients": 3, "table": 3}  # name -> number of axes, all uint8
_OUTPUTS = ("mask", "gate")
"""The first two of three outputs. The third, the image logit, is known by its place: in an ONNX graph no output may
bear the name of an input, and `image` is one."""


def check_signature(path: Path, inputs: Mapping[str, tuple[str, int]], outputs: Sequence[str]) -> None:
    """Refuse a graph that takes or gives something else than a model file does.

    Args:
        path: the model file, for messages.
        inputs: data type (numpy's name) and number of axes of each input, by name.
        outputs: names in the graph's order.

    Raises:
        UnreadableModel: they differ.
    """
    wanted = {name: ("uint8", axes) for name, axes in _INPUTS.items()}
    if inputs != wanted or tuple(outputs[:2]) != _OUTPUTS or len(outputs) != 3:
        raise UnreadableModel(
            f"{path}: inputs {sorted(inputs)} and outputs {list(outputs)} are not those of an Omni-IML model "
            f"(uint8 {sorted(_INPUTS)}; mask, gate, image logit); export it with `omni-iml export`."
        )


def check_inputs(
    info: ModelInfo, image: NDArray[np.uint8], coefficients: NDArray[np.uint8], table: NDArray[np.uint8]
) -> None:
    """Refuse inputs that are not a batch of tiles; batch and tile size are those of ``image``.

    Args:
        info: the model; H and W are its S, or with ``free_size`` multiples of 32 up to S.
        image: uint8 ``(B, 3, H, W)``.
        coefficients: uint8 ``(B, H, W)``.
        table: uint8 ``(B, 8, 8)``.

    Raises:
        ValueError: an input has another shape or data type; it is named.
    """
    batch = image.shape[0] if image.ndim else 0
    height, width = (info.tile, info.tile)
    if info.free_size and image.ndim == 4 and all(0 < n <= info.tile and n % STRIDE == 0 for n in image.shape[2:]):
        height, width = image.shape[2:]
    _check_input("image", image, (batch, 3, height, width))
    _check_input("coefficients", coefficients, (batch, height, width))
    _check_input("table", table, (batch, 8, 8))


def check_outputs(path: Path, outputs: TileOutputs, image: NDArray[np.uint8]) -> None:
    """Refuse outputs that are not finite logits of a batch of tiles.

    Args:
        path: the model file, for messages.
        outputs: what the runtime gave.
        image: uint8 ``(B, 3, H, W)``, what went in.

    Raises:
        UnreadableModel: an output has another shape or data type, or is not finite; it is named.
    """
    batch, _, height, width = image.shape
    _check_output(path, "mask", outputs.mask, (batch, 1, height, width))
    _check_output(path, "gate", outputs.gate, (batch,))
    _check_output(path, "image", outputs.image, (batch,))


def first_line(error: Exception, line: int = 0) -> str:
    """The first line of an error's message, at most 200 characters; its type's name where it has no message.

    Args:
        error: what was raised.
        line: of those that are not blank, -1 for the last.
    """
    lines = [text.strip() for text in str(error).splitlines() if text.strip()]
    return (lines[line] if lines else type(error).__name__)[:200]


def _check_input(name: str, value: NDArray[np.uint8], shape: tuple[int, ...]) -> None:
    if value.dtype != np.uint8 or value.shape != shape:
        raise ValueError(f"input {name!r} must be uint8 {shape}, not {value.dtype} {value.shape}")


def _check_output(path: Path, name: str, value: NDArray[np.float32], shape: tuple[int, ...]) -> None:
    if value.shape != shape or value.dtype != np.float32:
        raise UnreadableModel(
            f"{path}: output {name!r} is {value.dtype} {value.shape} where float32 {shape} was due; "
            "export the model again."
        )
    if not np.isfinite(value).all():
        raise UnreadableModel(
            f"{path}: output {name!r} holds values that are not finite; the weights are damaged, "
            "fetch or export the model again."
        )
