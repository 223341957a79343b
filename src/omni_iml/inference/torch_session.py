"""The network under PyTorch: for researchers, and to check the exported graph against."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from omni_iml.inference.checks import check_inputs, check_outputs, first_line
from omni_iml.inference.model_file import file_sha256, parse_metadata
from omni_iml.inference.session import Runtime, TileOutputs
from omni_iml.models.checkpoint import load_network
from omni_iml.models.export import UNCALIBRATED
from omni_iml.models.network import OmniIML
from omni_iml.types import ModelInfo, OmniError


class TorchSession:
    """Weights that training wrote, on CUDA where there is one, else on the CPU.

    Args:
        path: ``.safetensors`` file. Weights that nobody calibrated get `UNCALIBRATED` thresholds.
        threads: of torch on the CPU, for the whole process; ``None`` leaves torch's choice.
        device: torch's name of a device ("cpu", "cuda:1"); ``None`` takes CUDA where there is one.

    Raises:
        UnreadableModel: the file is missing, damaged or holds no Omni-IML weights.
        ValueError: torch knows no such device, or cannot use it here.
    """

    runtime: Runtime = "torch"

    def __init__(self, path: Path, threads: int | None = None, device: str | None = None) -> None:
        if threads:
            torch.set_num_threads(threads)
        self._path = path
        digest = file_sha256(path)
        network, extra = load_network(path)
        facts = extra.get("model_file") or {**UNCALIBRATED, "name": path.stem}
        self._info = parse_metadata(json.dumps(facts), path, digest)
        self._device = _usable(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self._network = network.to(self._device).requires_grad_(False)

    @property
    def info(self) -> ModelInfo:
        """What the weights' metadata says of the model."""
        return self._info

    @property
    def network(self) -> OmniIML:
        """The network that is run, in evaluation mode on its device."""
        return self._network

    @torch.inference_mode()
    def __call__(
        self, image: NDArray[np.uint8], coefficients: NDArray[np.uint8], table: NDArray[np.uint8]
    ) -> TileOutputs:
        """See `omni_iml.inference.session.Session.__call__`."""
        check_inputs(self._info, image, coefficients, table)
        try:
            inputs = [torch.from_numpy(np.ascontiguousarray(x)).to(self._device) for x in (image, coefficients, table)]
            output = self._network(*inputs)
        except RuntimeError as error:  # torch's own, memory that ran out among them
            raise OmniError(
                f"{self._path}: torch could not run the model ({first_line(error)}); "
                "check the free memory, or use the onnx runtime."
            ) from error
        outputs = TileOutputs(
            mask=output.mask.float().cpu().numpy(),
            gate=output.gate.float().cpu().numpy(),
            image=output.image.float().cpu().numpy(),
        )
        check_outputs(self._path, outputs, image)
        return outputs


def _usable(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).cpu()  # some names are known and yet of no use on this computer
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(f"device {name!r}: torch cannot use it here ({first_line(error)}); try cpu.") from error
    return device
