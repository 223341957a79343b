"""Write DESIGN's model file: an ONNX graph with bytes in, logits out, and the model's facts as metadata."""

from __future__ import annotations

import json
import logging
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from omni_iml.models.checkpoint import DETECTOR, HALF_ABOVE
from omni_iml.models.network import STRIDE, OmniIML

METADATA_KEY = "omni_iml"
SCHEMA = "omni-iml/model/1"
OUTPUTS = ("mask", "gate", "image_logit")
"""ONNX allows no output named like an input, and ``image`` is one."""

UNCALIBRATED: dict[str, Any] = {
    "schema": SCHEMA,
    "name": "uncalibrated",
    "version": "0",
    "tile": 512,
    "free_size": False,
    "tampered_at": 0.5,
    "no_trace_below": 0.5,
    "calibration": {"scale": 1.0, "bias": 0.0, "log_tiles": 0.0},
    "region_min_area": 0.0002,
    "region_min_probability": 0.5,
    "no_trace_grades": ["good", "limited"],
    "licence": "not stated",
    "card": "",
}
"""Facts of a model that was trained but not calibrated: its score is the classifier's raw sigmoid."""


class _Graph(nn.Module):
    """The network as the model file defines it."""

    def __init__(self, network: OmniIML) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, coefficients: Tensor, table: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits ``(B, 1, S, S)``, ``(B,)``, ``(B,)``."""
        output = self.network(image, coefficients, table)
        return output.mask, output.gate, output.image


def export_onnx(network: OmniIML, path: Path, facts: dict[str, Any]) -> None:
    """Write the model file, to a temporary name first.

    Args:
        network: weights to export; the training-only detector is left out.
        path: of the ONNX file.
        facts: metadata with the keys of `UNCALIBRATED`; ``tile`` is the side S of the input, in pixels, which is square
            unless ``free_size`` lets it be of any height and width that are multiples of 32 up to S.

    Raises:
        ValueError: a fact is missing, ``tile`` is not a multiple of 32, or a weight is beyond float16's range.
    """
    if missing := sorted(UNCALIBRATED.keys() - facts.keys()):
        raise ValueError(f"{path}: the model's facts lack {', '.join(missing)}; see UNCALIBRATED for all of them.")
    side = int(facts["tile"])
    if side % STRIDE or side <= 0:
        raise ValueError(f"{path}: tile {side} is not a multiple of {STRIDE}; choose one, for example 512.")
    for name, weight in network.state_dict().items():  # before the export, which takes long
        if weight.numel() > HALF_ABOVE and weight.is_floating_point() and not name.startswith(DETECTOR):
            _check_half(name, weight.numpy(force=True))
    # Two samples: a batch of one would be taken for a constant.
    example = (
        torch.zeros(2, 3, side, side, dtype=torch.uint8),
        torch.zeros(2, side, side, dtype=torch.uint8),
        torch.ones(2, 8, 8, dtype=torch.uint8),
    )
    batch = torch.export.Dim("batch", min=1)
    sides = {axis: STRIDE * torch.export.Dim(axis, min=1, max=side // STRIDE) for axis in ("rows", "columns")}
    shapes = (
        (
            {0: batch, 2: sides["rows"], 3: sides["columns"]},
            {0: batch, 1: sides["rows"], 2: sides["columns"]},
            {0: batch},
        )
        if facts["free_size"]
        else tuple({0: batch} for _ in example)
    )
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns about its own deprecations
        raw = Path(folder) / "raw.onnx"
        torch.onnx.export(
            _Graph(network.eval()),
            example,
            raw,
            input_names=["image", "coefficients", "table"],
            output_names=list(OUTPUTS),
            dynamic_shapes=shapes,
            dynamo=True,
            external_data=False,
            # No folding of batch norms into weights: that would round other numbers than the ones in the checkpoint.
            optimize=False,
            verbose=False,
        )
        model = onnx.load(raw)
    _drop_zero_biases(model)
    store_half(model)
    drop_names(model)
    save_model(model, path, facts)


def save_model(model: onnx.ModelProto, path: Path, facts: dict[str, Any]) -> None:
    """Check a graph and write it with its facts, to a temporary name first."""
    entry = model.metadata_props.add()
    entry.key, entry.value = METADATA_KEY, json.dumps(facts)
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    onnx.save(model, temporary)
    temporary.replace(path)
    logging.getLogger(__name__).info("%s: %d bytes", path, path.stat().st_size)


def _drop_zero_biases(model: onnx.ModelProto) -> None:
    """Take away the zeros that the exporter spreads out as bias of a convolution that has none.

    Runtimes do not see through the spreading, and so would not fuse the batch norm behind such a convolution.
    """
    graph = model.graph
    makers = {output: node for node in graph.node for output in node.output}
    zeros = {
        node.output[0]
        for node in graph.node
        if node.op_type == "Constant"
        and node.attribute[0].name == "value"
        and not np.any(numpy_helper.to_array(node.attribute[0].t))
    }
    for node in graph.node:
        spread = makers.get(node.input[2]) if node.op_type == "Conv" and len(node.input) == 3 else None
        cast = makers.get(spread.input[0]) if spread is not None and spread.op_type == "Expand" else None
        if cast is not None and cast.op_type == "CastLike" and cast.input[0] in zeros:
            del node.input[2]
    used = {output.name for output in graph.output}
    kept = []
    for node in reversed(graph.node):  # in order of use, so one pass finds all that feeds an output
        if used.intersection(node.output):
            used.update(node.input)
            kept.append(node)
    del graph.node[:]
    graph.node.extend(reversed(kept))


def _check_half(name: str, values: NDArray[np.floating]) -> None:
    if np.abs(values).max() > np.finfo(np.float16).max:
        raise ValueError(f"{name} holds values that float16, in which model files store weights, cannot.")


def store_half(model: onnx.ModelProto) -> None:
    """Keep large float initialisers as float16 behind a Cast, which runtimes fold when they load the file.

    Raises:
        ValueError: a value that float16 cannot hold; the tensor is named.
    """
    graph, casts, kept = model.graph, [], []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) <= HALF_ABOVE:
            kept.append(tensor)
            continue
        name = tensor.name
        values = numpy_helper.to_array(tensor)
        _check_half(name, values)
        half = numpy_helper.from_array(values.astype(np.float16), name + "_half")
        kept.append(half)
        casts.append(helper.make_node("Cast", [half.name], [name], name=name + "_cast", to=TensorProto.FLOAT))
    del graph.initializer[:]
    graph.initializer.extend(kept)
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def drop_names(model: onnx.ModelProto) -> None:
    """Forget what the exporter notes of the machine it ran on (stack traces, source paths) and its doc strings."""
    del model.metadata_props[:]
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output, *model.graph.initializer):
        value.doc_string = ""
        del value.metadata_props[:]
    del model.graph.metadata_props[:]
    model.doc_string = ""
