"""The model under ONNX Runtime, on the CPU: what users run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from omni_iml.inference.checks import check_inputs, check_outputs, check_signature, first_line
from omni_iml.inference.model_file import METADATA_KEY, file_sha256, parse_metadata
from omni_iml.inference.session import Runtime, TileOutputs
from omni_iml.types import ModelInfo, OmniError, UnreadableModel

_FATAL_ONLY = 4  # ONNX Runtime's log level; what goes wrong reaches the caller as an exception anyway


class OnnxSession:
    """A model file loaded into ONNX Runtime. Calls from several threads at once are allowed.

    Args:
        path: the model file.
        threads: threads within one call; ``None`` for ONNX Runtime's own choice (the physical cores).

    Raises:
        UnreadableModel: the file is missing, damaged or not an Omni-IML model file.
    """

    runtime: Runtime = "onnx"

    def __init__(self, path: Path, threads: int | None = None) -> None:
        self._path = path
        digest = file_sha256(path)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _FATAL_ONLY
        options.intra_op_num_threads = threads or 0
        options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), sess_options=options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime has no common base class for its errors
            raise UnreadableModel(
                f"{path}: ONNX Runtime cannot load the file ({first_line(error)}); "
                "it is damaged, cut short or not an ONNX model: fetch or export it again."
            ) from error
        metadata = self._session.get_modelmeta().custom_metadata_map
        self._info = parse_metadata(metadata.get(METADATA_KEY), path, digest)
        check_signature(
            path,
            {
                node.name: (node.type.removeprefix("tensor(").rstrip(")"), len(node.shape))
                for node in self._session.get_inputs()
            },
            [node.name for node in self._session.get_outputs()],
        )

    @property
    def info(self) -> ModelInfo:
        """What the model file says of itself."""
        return self._info

    @property
    def threads(self) -> int:
        """Threads within one call; 0 where ONNX Runtime chooses."""
        return int(self._session.get_session_options().intra_op_num_threads)

    def __call__(
        self, image: NDArray[np.uint8], coefficients: NDArray[np.uint8], table: NDArray[np.uint8]
    ) -> TileOutputs:
        """See `omni_iml.inference.session.Session.__call__`."""
        check_inputs(self._info, image, coefficients, table)
        try:
            mask, gate, logit = self._session.run(None, {"image": image, "coefficients": coefficients, "table": table})
        except Exception as error:  # as above
            raise OmniError(
                f"{self._path}: ONNX Runtime could not run the model ({first_line(error)}); "
                "check the free memory, or export the model again."
            ) from error
        outputs = TileOutputs(mask=mask, gate=gate, image=logit)
        check_outputs(self._path, outputs, image)
        return outputs
