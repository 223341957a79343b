"""Make the bundled model out of trained weights: level, calibrate, export, score, write the card.

    python -m omni_iml.evaluation.promote runs/bundled/last.safetensors --version 0.1.0

Promotion is decided by the validation split, which `omni_iml.training` prints. devbench chooses nothing, but whoever
promotes compares its table with the shipped card's: a fall of the IoU of any set by more than .02 blocks; image AUC,
false alarms and robustness do not (docs/training-log.md). Nothing here does that comparison.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch

from omni_iml.data.sources import DOMAINS, Domain, data_root
from omni_iml.data.synthesis import SynthesisConfig
from omni_iml.data.tile_cache import build_cache
from omni_iml.evaluation.calibration import Calibration, calibrate
from omni_iml.evaluation.card import measure, write_tables
from omni_iml.evaluation.mask_level import SHIFTS, ShiftedIous, choose_shift, mean_ious, measure_shifts
from omni_iml.evaluation.parts import Part, measured
from omni_iml.evaluation.region_filter import FilterScore, choose_filter
from omni_iml.evaluation.synthetic import SIDE, outputs
from omni_iml.evaluation.whole_pictures import whole_parts
from omni_iml.inference.model_file import file_sha256
from omni_iml.inference.session import open_session
from omni_iml.models.checkpoint import load_network, save_weights
from omni_iml.models.export import SCHEMA, UNCALIBRATED, export_onnx

VALIDATION_SEED, VALIDATION_COUNT = 20_262, 120
WHOLE_SEED = 20_263
WEIGHTS = Path(__file__).resolve().parents[1] / "weights"
PLAIN = {**UNCALIBRATED, "tile": 768, "free_size": True}
"""Facts of the model before it is calibrated; docs/decisions/0003-tiles.md has what its tiles gain."""

LICENCE = "see the card: research use; trained on pictures of several licences, ImageNet samples among them"


def facts_of(calibration: Calibration, regions: FilterScore, version: str) -> dict[str, Any]:
    """Metadata of the model file, its card still empty."""
    values = {n: round(v, 6) if isinstance(v, float) else list(v) for n, v in asdict(calibration).items()}
    return {
        **PLAIN,
        "schema": SCHEMA,
        "name": "bundled",
        "version": version,
        "tampered_at": values["tampered_at"],
        "no_trace_below": values["no_trace_below"],
        "no_trace_grades": values["no_trace_grades"],
        "region_min_area": regions.min_area,
        "region_min_probability": regions.min_probability,
        "calibration": {name: values[name] for name in ("scale", "bias", "log_tiles")},
        "licence": LICENCE,
    }


def promote(weights: Path, version: str, cache: Path, *, threads: int | None = None, processes: int = 1) -> None:
    """Write ``bundled.onnx``, ``bundled.safetensors`` (fp16, to resume from) and the card's tables, or nothing.

    Args:
        weights: that training wrote.
        version: of the new bundled model.
        cache: folder of the tile cache.
        threads: of ONNX Runtime in each process.
        processes: measurements that are made beside each other.

    Raises:
        FileNotFoundError: no source pictures or no devbench under ``OMNI_IML_DATA``.
        ValueError: the model tells tampered from authentic tiles not at all, or its last convolution has no bias.
    """
    root = data_root()
    with tempfile.TemporaryDirectory(dir=WEIGHTS) as name:
        folder = Path(name)
        half, model, card = (folder / "bundled.safetensors", folder / "bundled.onnx", folder / "CARD.md")
        trained, extra = load_network(weights)
        # What is shipped is float16, so what is calibrated and scored is what float16 keeps.
        save_weights(trained, half, half=True)
        network, _ = load_network(half)
        export_onnx(network, model, PLAIN)
        kept = weights.with_name("promotion")
        level = network.decoder.predict.bias
        if level is None:
            raise ValueError(
                f"{weights}: the last convolution has no bias to put the mask's level in; train one with it."
            )
        with torch.no_grad():
            level += _shift(model, root, cache, kept, threads, processes)
        save_weights(network, half, half=True)
        network, _ = load_network(half)
        export_onnx(network, model, PLAIN)
        facts = facts_of(*_calibration(model, root, cache, kept, threads, processes), version)
        export_onnx(network, model, facts)
        tables = measure(model, root, cache, kept, threads=threads, processes=processes)
        card.write_text((WEIGHTS / "CARD.md").read_text(encoding="utf-8"), encoding="utf-8")
        write_tables(card, tables)
        facts["card"] = card.read_text(encoding="utf-8")
        export_onnx(network, model, facts)
        training: dict[str, Any] = {key: extra[key] for key in ("samples", "validation") if key in extra}
        save_weights(network, half, {**training, "model_file": facts}, half=True)
        for path in (half, model, card):
            path.replace(WEIGHTS / path.name)
    print(tables)
    print(json.dumps({key: value for key, value in facts.items() if key != "card"}))


def _shift(model: Path, root: Path, cache: Path, kept: Path, threads: int | None, processes: int) -> float:
    """What to add to the mask's logits, by the validation split's samples."""
    build_cache(root, cache)
    parts = [
        Part(f"mask_level-{domain}", ShiftedIous, partial(_shifts, model, root, cache, threads, domain))
        for domain in DOMAINS
    ]
    results = list(chain(*measured(parts, kept / file_sha256(model)[:16], processes).values()))
    shift, ious = choose_shift(results), mean_ious(results)
    at, tampered = SHIFTS.index(shift), sum(result.tampered for result in results)
    marked = np.mean([result.marked for result in results if not result.tampered], axis=0)
    print(
        f"validation at {SIDE} px, {tampered} tampered samples: IoU {ious[0]:.4f}, with {shift:+.2f} on the logits "
        f"{ious[at]:.4f}; of authentic samples {marked[0]:.2%} and {marked[at]:.2%} are marked",
        flush=True,
    )
    return shift


def _shifts(model: Path, root: Path, cache: Path, threads: int | None, domain: Domain) -> list[ShiftedIous]:
    session, pool = open_session(model, threads=threads), build_cache(root, cache)
    config = SynthesisConfig(authentic=0.5)
    return measure_shifts(
        outputs(session, pool, "validation", domain, config, count=VALIDATION_COUNT, seed=VALIDATION_SEED)
    )


def _calibration(
    model: Path, root: Path, cache: Path, kept: Path, threads: int | None, processes: int
) -> tuple[Calibration, FilterScore]:
    """Calibration and region filter, by whole pictures of the validation split."""
    parts = whole_parts(model, root, cache, "validation", WHOLE_SEED, threads)
    pictures = list(chain(*measured(parts, kept / file_sha256(model)[:16], processes).values()))
    chosen = choose_filter([(p.regions, p.instances) for p in pictures])
    print(f"region filter: {chosen}", flush=True)
    return calibrate(pictures, tile=int(PLAIN["tile"])), chosen


def main() -> None:
    """Command line; see the module."""
    parser = argparse.ArgumentParser(description="Make the bundled model out of trained weights.")
    parser.add_argument("weights", type=Path)
    parser.add_argument("--version", required=True)
    parser.add_argument("--cache", type=Path, default=Path("cache/tiles"))
    parser.add_argument("--threads", type=int, default=None, help="of ONNX Runtime in each process")
    parser.add_argument("--processes", type=int, default=1, help="measurements that are made beside each other")
    options = parser.parse_args()
    promote(options.weights, options.version, options.cache, threads=options.threads, processes=options.processes)


if __name__ == "__main__":
    main()
