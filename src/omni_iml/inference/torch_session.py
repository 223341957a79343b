"""The network under PyTorch: for researchers, and to check the exported graph against."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from omni_iml.inference.checks import check_inputs, check_outputs, first_line
from omni_iml.inference.model_file import file_sha256, parse_metadata
from omni_iml.inference.session import Precision, Runtime, TileOutputs, check_precision
from omni_iml.models.checkpoint import load_any_network, ours
from omni_iml.models.export import UNCALIBRATED
from omni_iml.models.inference_form import inference_form
from omni_iml.models.network import OmniIML
from omni_iml.types import ModelInfo, OmniError


class TorchSession:
    """Weights that training wrote, on CUDA where there is one, else on the CPU.

    Args:
        path: ``.safetensors`` file. Weights that nobody calibrated get `UNCALIBRATED` thresholds.
        threads: of torch on the CPU, for the whole process; ``None`` leaves torch's choice.
        device: torch's name of a device ("cpu", "cuda:1"); ``None`` takes CUDA where there is one.
        precision: of convolutions and matrix products. "bfloat16" is faster where the processor has it, and moves the
            logits; "auto" takes it on CUDA devices that have it, and float32 elsewhere, so that masks on a CPU are
            those of the other runtimes.
        compiled: compile the network at the first call of each size (a minute, and a C++ compiler is needed); for
            piles of tiles.

    Raises:
        UnreadableModel: the file is missing, damaged or holds no Omni-IML weights.
        ValueError: torch knows no such device, or cannot use it here; or no such precision.
    """

    runtime: Runtime = "torch"

    def __init__(
        self,
        path: Path,
        threads: int | None = None,
        device: str | None = None,
        *,
        precision: Precision = "auto",
        compiled: bool = False,
    ) -> None:
        check_precision(precision)
        if threads:
            torch.set_num_threads(threads)
        self._path = path
        digest = file_sha256(path)
        network, extra = load_any_network(path)
        facts = extra.get("model_file") or {**UNCALIBRATED, "name": path.stem}
        self._info = parse_metadata(json.dumps(facts), path, digest)
        self._device = _usable(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self._network = inference_form(network).to(self._device)
        self._run = torch.compile(self._network) if compiled else self._network
        self._half = precision == "bfloat16" or (precision == "auto" and _has_bfloat16(self._device))

    @property
    def info(self) -> ModelInfo:
        """What the weights' metadata says of the model."""
        return self._info

    @property
    def network(self) -> OmniIML:
        """The network that is run, in evaluation mode on its device.

        Raises:
            UnreadableModel: it is a peer, whose parts are not ours.
        """
        return ours(self._network, self._path)

    @torch.inference_mode()
    def __call__(
        self, image: NDArray[np.uint8], coefficients: NDArray[np.uint8], table: NDArray[np.uint8]
    ) -> TileOutputs:
        """See `omni_iml.inference.session.Session.__call__`."""
        check_inputs(self._info, image, coefficients, table)
        try:
            inputs = [torch.from_numpy(np.ascontiguousarray(x)).to(self._device) for x in (image, coefficients, table)]
            inputs[0] = inputs[0].contiguous(memory_format=torch.channels_last)
            with torch.autocast(self._device.type, torch.bfloat16, enabled=self._half):
                output = self._run(*inputs)
        except RuntimeError as error:  # torch's own, memory that ran out among them
            raise OmniError(
                f"{self._path}: torch could not run the model on {self._device} ({first_line(error)}); check the free "
                "memory there, or choose another --device (inspect) or --runtime (detect)."
            ) from error
        outputs = TileOutputs(
            mask=output.mask.float().cpu().numpy(),
            gate=output.gate.float().cpu().numpy(),
            image=output.image.float().cpu().numpy(),
        )
        check_outputs(self._path, outputs, image)
        return outputs


def _has_bfloat16(device: torch.device) -> bool:
    """Whether it is a CUDA device that computes in bfloat16 itself (compute capability 8.0: Ampere and later)."""
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)


def _usable(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).cpu()  # some names are known and yet of no use on this computer
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(f"device {name!r}: torch cannot use it here ({first_line(error)}); try cpu.") from error
    return device
