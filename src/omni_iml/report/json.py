"""The JSON object ``omni-iml/detection/1``; its JSON Schema lies in ``omni_iml/schemas``."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from omni_iml.report.wording import LIMITS
from omni_iml.types import Detection, Fitness

SCHEMA = "omni-iml/detection/1"


def to_json(detection: Detection) -> dict[str, Any]:
    """A detection without its maps, as plain Python values that `json.dumps` takes.

    Probabilities and shares keep six decimals, logits four, milliseconds one.

    Args:
        detection: the result.

    Returns:
        The object; boxes are ``[x0, y0, x1, y1]`` in displayed pixels, half-open.
    """
    return {
        "schema": SCHEMA,
        "source": _encodable(detection.source),
        "part": _encodable(detection.part),
        "sha256": detection.sha256,
        "width": int(detection.width),
        "height": int(detection.height),
        "format": detection.format,
        "score": _share(detection.score),
        "verdict": detection.verdict,
        "modality": detection.modality,
        "gate_probability": _share(detection.gate_probability),
        "regions": [
            {
                "box": [int(edge) for edge in region.box],
                "area_share": _share(region.area_share),
                "mean_probability": _share(region.mean_probability),
                "position": region.position,
            }
            for region in detection.regions
        ],
        "tiles": [
            {
                "box": [int(edge) for edge in tile.box],
                "gate_probability": _share(tile.gate_probability),
                "image_logit": round(float(tile.image_logit), 4),
            }
            for tile in detection.tiles
        ],
        "warnings": [_encodable(warning) for warning in detection.warnings],
        "fitness": _fitness(detection.fitness),
        "facts": dict(detection.facts),
        "model": {
            "name": detection.model.name,
            "version": detection.model.version,
            "sha256": detection.model.sha256,
            "licence": detection.model.licence,
            "runtime": detection.runtime,
            "limits": LIMITS,
        },
        "timing_ms": {step: round(float(value), 1) for step, value in detection.timing_ms.items()},
    }


def detection_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what `to_json` returns.

    Returns:
        The schema as parsed JSON.
    """
    text = files("omni_iml").joinpath("schemas/detection-1.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _fitness(fitness: Fitness | None) -> dict[str, Any] | None:
    if fitness is None:
        return None
    signs = {name: round(float(value), 4) for name, value in fitness.signs.items()}
    return {"grade": fitness.grade, "reasons": list(fitness.reasons), "signs": signs}


def _share(value: float) -> float:
    return round(float(value), 6)


def _encodable(text: str) -> str:
    """Names that are not valid UTF-8 carry lone surrogates, which many JSON readers refuse."""
    return text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text
