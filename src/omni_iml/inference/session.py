"""The one small interface behind which ONNX Runtime, OpenVINO and torch run the network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from omni_iml.inference.hub import located
from omni_iml.types import ModelInfo, OmniError
from omni_iml.weights import bundled_path

Runtime = Literal["onnx", "openvino", "torch"]
RuntimeChoice = Literal["onnx", "openvino", "torch", "auto"]
RUNTIMES: tuple[RuntimeChoice, ...] = get_args(RuntimeChoice)
Precision = Literal["auto", "float32", "bfloat16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)


class MissingRuntime(OmniError):  # noqa: N818 - twin of UnreadableModel
    """The runtime that was asked for is not installed."""


@dataclass(frozen=True)
class TileOutputs:
    """What the network says of a batch of tiles; all three are logits.

    Attributes:
        mask: float32 ``(B, 1, H, W)``, tampering of each pixel.
        gate: float32 ``(B,)``, the modal gate; its sigmoid is P(vision alone).
        image: float32 ``(B,)``, the image-level classifier.
    """

    mask: NDArray[np.float32]
    gate: NDArray[np.float32]
    image: NDArray[np.float32]


class Session(Protocol):
    """A loaded model, ready to look at tiles."""

    @property
    def runtime(self) -> Runtime:
        """What runs it."""

    @property
    def info(self) -> ModelInfo:
        """What the model file says of itself."""

    def __call__(
        self, image: NDArray[np.uint8], coefficients: NDArray[np.uint8], table: NDArray[np.uint8]
    ) -> TileOutputs:
        """Run the network on a batch of tiles; H and W are ``info.tile``, or with ``info.free_size`` at most that.

        Args:
            image: uint8 ``(B, 3, H, W)`` RGB.
            coefficients: uint8 ``(B, H, W)``, ``min(|c|, 20)`` of the quantized luma coefficients.
            table: uint8 ``(B, 8, 8)``, ``min(q, 63)`` of the luma quantization table.

        Returns:
            Finite logits.

        Raises:
            ValueError: an input has another shape or data type.
            OmniError: the model could not be run, or gave values that are not finite.
        """


def open_session(
    model: str | Path | None = None,
    runtime: RuntimeChoice = "onnx",
    threads: int | None = None,
    precision: Precision = "auto",
) -> Session:
    """Load a model.

    Args:
        model: path of a model file, for torch of a weights file (``.safetensors``), or its name on the hub,
            ``hf://owner/name@revision`` (see `omni_iml.inference.hub`); ``None`` for the bundled one.
        runtime: "onnx" for ONNX Runtime on the CPU, "openvino" for OpenVINO on the CPU (needs ``omni-iml[openvino]``),
            "torch" for PyTorch (needs ``omni-iml[train]``), "auto" for the fastest of them that is installed and reads
            the file, see `omni_iml.inference.auto`.
        threads: how many threads one tile may use; ``None`` leaves the choice to the runtime.
        precision: of torch's arithmetic, see `omni_iml.inference.torch_session.TorchSession`; the other runtimes
            compute in float32 alone.

    Returns:
        The session.

    Raises:
        UnreadableModel: the file is missing, damaged or not an Omni-IML model file.
        MissingRuntime: the runtime is not installed; the extra that brings it is named.
        ValueError: unknown runtime or precision, a precision that the runtime does not have, or fewer than one thread.
    """
    if runtime not in RUNTIMES:
        raise ValueError(f"runtime {runtime!r} is unknown; choose one of {', '.join(RUNTIMES)}")
    if threads is not None and threads < 1:
        raise ValueError(f"threads must be at least 1, not {threads}")
    check_precision(precision)
    if precision == "bfloat16" and runtime != "torch":
        raise ValueError(f"precision bfloat16: runtime {runtime} computes in float32 alone; choose runtime torch")
    if runtime == "auto":
        from omni_iml.inference.auto import fastest_session

        return fastest_session(model, threads, precision)
    suffix = ".safetensors" if runtime == "torch" else ".onnx"
    path = bundled_path(suffix) if model is None else located(model, suffix)
    session: Session
    if runtime == "torch":
        with _needs("torch", "train"):
            from omni_iml.inference.torch_session import TorchSession
        session = TorchSession(path, threads, precision=precision)
    elif runtime == "openvino":
        with _needs("openvino", "openvino"):
            from omni_iml.inference.openvino_session import OpenVinoSession
        session = OpenVinoSession(path, threads)
    else:
        from omni_iml.inference.onnx_session import OnnxSession

        session = OnnxSession(path, threads)
    return session


def check_precision(precision: Precision) -> None:
    """Refuse a precision that there is not.

    Raises:
        ValueError: it is unknown.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision {precision!r} is unknown; choose one of {', '.join(PRECISIONS)}")


@contextmanager
def _needs(runtime: Runtime, extra: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingRuntime(
            f"runtime {runtime}: {error.name} is not installed; "
            f"run pip install 'omni-iml[{extra}]' or use runtime onnx."
        ) from error
