"""A float model file -> an int8 one: static quantization of the convolutions, with ranges measured on real tiles."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from omni_iml.models.export import METADATA_KEY, drop_names, save_model, store_half

SMALLEST_CALIBRATION = 8
"""Tiles below which the measured ranges say nothing of other pictures."""

KEPT_FLOAT = ("vision_head.residuals", "vision_head.stem", "vision_head.context", "classifier", "decoder.predict")
"""Parts whose convolutions stay float. docs/decisions/0005-runtimes.md has what each costs in int8: the high-pass
filters look for differences below one grey level, which bytes cannot hold, and OpenVINO carries the rounding of the
stem's input back into them; the context loses much, most of it in its first layers; the other two write the logits."""


def quantize_model(source: Path, path: Path, tiles: Iterable[Mapping[str, NDArray[np.uint8]]]) -> None:
    """Write the int8 twin of a model file, to a temporary name first.

    The convolutions get int8 weights, with a scale for each output channel, and their inputs uint8, between
    QuantizeLinear and DequantizeLinear nodes (QDQ), which ONNX Runtime and OpenVINO turn into integer arithmetic.
    Weights use 7 of their 8 bits, since processors without VNNI saturate on sums of full ones. The facts stay, and gain
    ``"precision": "int8"``, ``float_sha256`` and ``calibration_tiles``. The same inputs give the same bytes.

    Args:
        source: model file that `export_onnx` wrote.
        path: of the int8 model file.
        tiles: ``image``, ``coefficients`` and ``table`` of each tile, with a batch axis of one.

    Raises:
        ValueError: fewer than `SMALLEST_CALIBRATION` tiles, or ``source`` is no model file, or one of free size.
    """
    given = [dict(tile) for tile in tiles]
    if len(given) < SMALLEST_CALIBRATION:
        raise ValueError(
            f"{path}: {len(given)} tiles are too few to measure ranges on; "
            f"give at least {SMALLEST_CALIBRATION} pictures."
        )
    properties = {entry.key: entry.value for entry in onnx.load(source).metadata_props}
    if METADATA_KEY not in properties:
        raise ValueError(f"{source}: is no Omni-IML model file; export one in float first.")
    facts = json.loads(properties[METADATA_KEY])
    if facts["free_size"]:  # docs/decisions/0005-runtimes.md has what comes of it
        raise ValueError(f"{path}: OpenVINO computes wrong masks from int8 files of free size; export a fixed size.")
    with tempfile.TemporaryDirectory() as name:
        folded, quantized = Path(name) / "folded.onnx", Path(name) / "quantized.onnx"
        # Folds casts and batch norms into the weights. Its own shape inference does not know the graph's sequences.
        quant_pre_process(source, folded, skip_symbolic_shape=True)
        quantize_static(
            folded,
            quantized,
            _Tiles(given),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=_kept_float(onnx.load(folded)),
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        model = onnx.load(quantized)
    # Versions of operator sets that no node uses would bind readers all the same.
    domains = {node.domain for node in model.graph.node}
    used = [opset for opset in model.opset_import if opset.domain in domains]
    del model.opset_import[:]
    model.opset_import.extend(used)
    drop_names(model)
    store_half(model)
    save_model(
        model,
        path,
        {
            **facts,
            "precision": "int8",
            "float_sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
            "calibration_tiles": len(given),
        },
    )


class _Tiles(CalibrationDataReader):
    """Tiles one after the other, as ONNX Runtime asks for them."""

    def __init__(self, tiles: Sequence[dict[str, NDArray[np.uint8]]]) -> None:
        self._rest = iter(tiles)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        return next(self._rest, None)


def _kept_float(model: onnx.ModelProto) -> list[str]:
    """Names of the convolutions of `KEPT_FLOAT`, told by the names of their weights."""
    parts = tuple(f"network.{part}." for part in KEPT_FLOAT)
    return [
        node.name
        for node in model.graph.node
        if node.op_type == "Conv" and any(part in f"{node.input[1]}." for part in parts)
    ]
