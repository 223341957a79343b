"""An `Explanation` as files: JSON, and the picture with outlines and arrows."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from omni_iml.annotate.schema import published_form
from omni_iml.evidence.measuring import Measurement
from omni_iml.explain.explaining import Explained, Explanation
from omni_iml.explain.interpreting import Interpretation
from omni_iml.io.whole_file import make_folder, write_together
from omni_iml.report.files import output_stem
from omni_iml.text import printable
from omni_iml.types import Detection

SCHEMA = "omni-iml/explanation/1"


def to_json(explanation: Explanation) -> dict[str, Any]:
    """An explanation as plain values that `json.dumps` takes.

    Args:
        explanation: the result.

    Returns:
        The object; ``explanation`` is the paper's list of dicts, and ``regions`` has one entry for each of its items.
    """
    height, width = explanation.pixels.shape[:2]
    detection = explanation.detection
    return {
        "schema": SCHEMA,
        "source": printable(explanation.source),
        "part": printable(explanation.part),
        "sha256": explanation.sha256,
        "width": width,
        "height": height,
        "mask": explanation.mask_from,
        "detection": None if detection is None else _detection(detection),
        "explanation": published_form(one.instance for one in explanation.regions),
        "regions": [_region(one) for one in explanation.regions],
        "interpretation": None if explanation.interpretation is None else _interpretation(explanation.interpretation),
        "text_read": explanation.text_lines is not None,
        "warnings": [printable(warning) for warning in explanation.warnings],
        "timing_ms": {step: round(float(value), 1) for step, value in explanation.timing_ms.items()},
    }


def explanation_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what `to_json` returns."""
    text = files("omni_iml").joinpath("schemas/explanation-1.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _detection(detection: Detection) -> dict[str, Any]:
    model = {"name": detection.model.name, "version": detection.model.version, "sha256": detection.model.sha256}
    return {"score": round(float(detection.score), 6), "verdict": detection.verdict, "model": model}


def _region(one: Explained) -> dict[str, Any]:
    return {
        "box": [int(edge) for edge in one.region.box],
        "area_share": round(float(one.region.area_share), 6),
        "position": one.region.position,
        "findings": [found.name for found in one.findings],
        "measurements": [_measurement(found) for found in one.measurements],
        "note": one.note,
        "copied_from": None if one.arrow is None else [round(edge, 1) for edge in one.arrow[0]],
    }


def _interpretation(said: Interpretation) -> dict[str, Any]:
    return {
        "backend": said.backend,
        "model": printable(said.model),
        "mode": said.mode,
        "status": said.status,
        "cause": printable(said.cause),
        "explanation": [region.published() for region in said.answer.regions],
        "form": said.answer.form,
        "valid": said.answer.valid,
        "problems": [printable(problem) for problem in said.answer.problems],
        "raw": said.raw,
        "query": said.query,
        "query_sha256": said.query_sha256,
        "tokens_in": said.tokens_in,
        "tokens_out": said.tokens_out,
        "attempts": said.attempts,
    }


def _measurement(one: Measurement) -> dict[str, Any]:
    numbers = ("value", "reference", "difference", "usual", "strength", "threshold")
    return {
        "name": one.name,
        "title": one.title,
        **{name: round(float(getattr(one, name)), 4) for name in numbers},
        "unit": one.unit,
        "finding": one.is_finding,
        "places": one.places,
        "sentence": one.sentence,
        "details": {name: round(float(value), 4) for name, value in one.details.items()},
    }


def draw(explanation: Explanation) -> Image.Image:
    """The picture with each region outlined and an arrow from where it was copied.

    Args:
        explanation: the result.

    Returns:
        RGB picture of the displayed size.
    """
    canvas = explanation.pixels.copy()
    thin = max(1, round(max(canvas.shape[:2]) / 500))
    outlines, _ = cv2.findContours(explanation.mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    for width, colour in ((3 * thin, (0, 0, 0)), (thin, (255, 255, 255))):
        cv2.drawContours(canvas, outlines, -1, colour, width)
        for one in explanation.regions:
            if one.arrow is not None:
                _draw_arrow(canvas, one, width, colour)
    return Image.fromarray(canvas)


def _draw_arrow(canvas: NDArray[np.uint8], one: Explained, width: int, colour: tuple[int, int, int]) -> None:
    assert one.arrow is not None
    (x, y), (to_x, to_y) = one.arrow
    x0, y0, x1, y1 = one.region.box
    half = ((x1 - x0) / 2, (y1 - y0) / 2)
    source = (round(x), round(y)), (max(1, round(half[0])), max(1, round(half[1])))
    cv2.ellipse(canvas, *source, 0, 0, 360, colour, width)
    length = float(np.hypot(to_x - x, to_y - y))
    tip = min(0.3, 24 / max(length, 1e-6))
    cv2.arrowedLine(canvas, (round(x), round(y)), (round(to_x), round(to_y)), colour, width, cv2.LINE_AA, 0, tip)


def save(explanation: Explanation, folder: str | Path, name: str | None = None) -> dict[str, Path]:
    """Write ``<name>.explanation.json``, and ``<name>.explanation.png`` where there is a region.

    Args:
        explanation: the result.
        folder: where to write; made if it does not exist.
        name: as in `omni_iml.report.save`.

    Returns:
        The paths by kind: "json", "picture".

    Raises:
        UnwritableFile: the folder cannot be made or written to, or the disk is full.
    """
    if name is None:
        name = explanation.source.replace("\\", "/").rsplit("/", 1)[-1] + explanation.part
    target = Path(folder) / output_stem(name)
    make_folder(target.parent)
    paths = {}
    writers: list[Callable[[IO[bytes]], object]] = []
    if explanation.regions:
        paths["picture"] = target.with_name(target.name + ".explanation.png")
        picture = draw(explanation)
        writers.append(lambda out: picture.save(out, format="PNG", compress_level=3))
    text = json.dumps(to_json(explanation), indent=2, ensure_ascii=False) + "\n"
    paths["json"] = target.with_name(target.name + ".explanation.json")
    writers.append(lambda out: out.write(text.encode("utf-8")))
    write_together(list(zip(paths.values(), writers, strict=True)))
    return paths
