"""The model under OpenVINO, on the CPU: the fastest on many processors, above all with an int8 model file."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray
from openvino.frontend import FrontEndManager

from omni_iml.inference.checks import check_inputs, check_outputs, check_signature, first_line
from omni_iml.inference.model_file import METADATA_KEY, file_sha256, parse_metadata
from omni_iml.inference.session import Runtime, TileOutputs
from omni_iml.types import ModelInfo, OmniError, UnreadableModel

_METADATA = ["framework", METADATA_KEY]
"""Where OpenVINO's ONNX reader puts the file's custom properties."""

_OPTIONS = {
    # Left alone, it computes in bfloat16 where the processor can, and masks change with the machine.
    "INFERENCE_PRECISION_HINT": "f32",
    "PERFORMANCE_HINT": "LATENCY",
    # Pinned threads of two processes would share the same cores while others idle.
    "ENABLE_CPU_PINNING": False,
}


class OpenVinoSession:
    """A model file loaded into OpenVINO. Calls from several threads at once are allowed.

    Args:
        path: the model file, the same ONNX file that ONNX Runtime reads.
        threads: threads within one call; ``None`` for OpenVINO's own choice (the physical cores).

    Raises:
        UnreadableModel: the file is missing, damaged or not an Omni-IML model file.
    """

    runtime: Runtime = "openvino"

    def __init__(self, path: Path, threads: int | None = None) -> None:
        self._path = path
        digest = file_sha256(path)
        options: dict[str, Any] = {**_OPTIONS, **({"INFERENCE_NUM_THREADS": threads} if threads else {})}
        try:
            # The ONNX reader by name: Core.read_model would try every format it knows on a file from outside.
            reader = FrontEndManager().load_by_framework("onnx")
            model = reader.convert(reader.load(path))
            text = model.get_rt_info(_METADATA).value if model.has_rt_info(_METADATA) else None
            self._info = parse_metadata(text, path, digest)
            check_signature(
                path,
                {node.any_name: (_type_name(node), node.partial_shape.rank.get_length()) for node in model.inputs},
                [node.any_name for node in model.outputs],
            )
            self._compiled = openvino.Core().compile_model(model, "CPU", options)
        except UnreadableModel:
            raise
        except Exception as error:  # OpenVINO's errors have no common base class
            raise UnreadableModel(
                f"{path}: OpenVINO cannot load the file ({_reason(error)}); "
                "it is damaged, cut short or not an ONNX model: fetch or export it again."
            ) from error
        # A request holds the buffers of one call, so threads must not share one.
        self._requests = threading.local()

    @property
    def info(self) -> ModelInfo:
        """What the model file says of itself."""
        return self._info

    @property
    def threads(self) -> int:
        """Threads within one call, as the compiled model has them."""
        return int(self._compiled.get_property("INFERENCE_NUM_THREADS"))

    @property
    def precision(self) -> str:
        """Data type of the arithmetic, as the compiled model has it: "f32" (int8 layers of an int8 file aside)."""
        return str(self._compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name())

    def __call__(
        self, image: NDArray[np.uint8], coefficients: NDArray[np.uint8], table: NDArray[np.uint8]
    ) -> TileOutputs:
        """See `omni_iml.inference.session.Session.__call__`."""
        check_inputs(self._info, image, coefficients, table)
        try:
            result = self._request().infer({"image": image, "coefficients": coefficients, "table": table})
            outputs = TileOutputs(mask=result[0], gate=result[1], image=result[2])
        except Exception as error:  # as above
            vars(self._requests).clear()  # a request that failed once gives empty outputs from then on
            raise OmniError(
                f"{self._path}: OpenVINO could not run the model ({_reason(error)}); "
                "check the free memory, or use the onnx runtime."
            ) from error
        check_outputs(self._path, outputs, image)
        return outputs

    def _request(self) -> Any:
        if not hasattr(self._requests, "own"):
            self._requests.own = self._compiled.create_infer_request()
        return self._requests.own


def _type_name(node: Any) -> str:
    return str(node.element_type.to_dtype())


def _reason(error: Exception) -> str:
    """OpenVINO's messages begin with the places in its source that the error went through, and say why at the end."""
    return first_line(error, -1)
