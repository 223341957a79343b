"""Every figure of the model card, measured from a model file.

    python -m omni_iml.evaluation.card                      # print the tables of the bundled model
    python -m omni_iml.evaluation.card --write              # and put them into src/omni_iml/weights/CARD.md

needs ``OMNI_IML_DATA`` (see docs/guides/train.md) and the [train,eval] extras. What was measured lies in ``--kept``, so
that a run that was stopped goes on with the next of its five parts.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from omni_iml.data.sources import data_root
from omni_iml.data.synthesis import SynthesisConfig
from omni_iml.data.tile_cache import build_cache
from omni_iml.evaluation import card_tables
from omni_iml.evaluation.devbench import REAL_EDITS, PictureResult, score_devbench
from omni_iml.evaluation.distortions import CLASSIC
from omni_iml.evaluation.synthetic import SampleResult, score_split
from omni_iml.evaluation.whole_pictures import Judged, judge
from omni_iml.inference.detector import Detector
from omni_iml.inference.model_file import file_sha256
from omni_iml.inference.session import open_session
from omni_iml.io.whole_file import write_whole
from omni_iml.weights import bundled_path

BEGIN, END = "<!-- scores: begin -->", "<!-- scores: end -->"
TEST_SEED, TEST_COUNT = 20_261, 100
WHOLE_SEED = 20_264
DISTORTIONS = [d for d in CLASSIC if d.family != "noise"]
"""Those of C-T12."""

_Result = TypeVar("_Result")


def measure(model: Path, root: Path, cache: Path, threads: int | None, kept: Path) -> str:
    """Score a model file on devbench, as it is and distorted, on the synthetic test split, and on whole pictures of it.

    Args:
        model: to score.
        root: folder that holds ``source`` and ``devbench``.
        cache: folder of the tile cache that training draws from; that of whole pictures lies beside it.
        threads: of ONNX Runtime.
        kept: folder for what is measured, one JSON file a part; what is there of the same model file is read.

    Returns:
        Markdown tables.
    """
    detector, kept = Detector(model, threads=threads), kept / file_sha256(model)[:16]
    real = part(kept / "devbench.json", PictureResult, lambda: score_devbench(detector, root))
    robust = {"as they are": real}  # the table takes the real edits of it
    for distortion in DISTORTIONS:
        robust[distortion.name] = part(
            kept / f"{distortion.name}.json",
            PictureResult,
            partial(score_devbench, detector, root, sets=REAL_EDITS, distortion=distortion, authentic=False),
        )
    synthetic = part(kept / "synthetic.json", SampleResult, lambda: _score_test(model, root, cache, threads))
    whole = part(
        kept / "whole_pictures.json",
        Judged,
        lambda: judge(detector, root, cache.with_name(cache.name + "-test"), "test", seed=WHOLE_SEED),
    )
    return "\n\n".join(
        [
            card_tables.devbench_table(real),
            card_tables.alarms_table(real),
            card_tables.synthetic_table(synthetic),
            card_tables.whole_pictures_table(whole),
            card_tables.reliability_table(whole),
            card_tables.robustness_table(robust),
        ]
    )


def _score_test(model: Path, root: Path, cache: Path, threads: int | None) -> list[SampleResult]:
    session, pool = open_session(model, threads=threads), build_cache(root, cache)
    return score_split(session, pool, "test", SynthesisConfig(authentic=0.33), count=TEST_COUNT, seed=TEST_SEED)


def part(path: Path, kind: type[_Result], make: Callable[[], Iterable[_Result]]) -> list[_Result]:
    """Results from a file, or made and written to it.

    Args:
        path: of the JSON file.
        kind: dataclass of a result.
        make: measures them.
    """
    if path.is_file():
        adapter = TypeAdapter(list[kind])  # type: ignore[valid-type]
        return list(adapter.validate_python(json.loads(path.read_bytes())))
    results = list(make())
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not pydantic's JSON, in which nan becomes null and cannot be read back.
    text = json.dumps([asdict(result) for result in results])  # type: ignore[call-overload]
    write_whole(path, lambda out: out.write(text.encode()))
    return results


def write_tables(card: Path, tables: str) -> None:
    """Replace what stands between the card's markers.

    Raises:
        ValueError: the card has no markers.
    """
    text = card.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{card}: has no lines {BEGIN} and {END}; put them where the tables belong.")
    write_whole(card, lambda out: out.write(f"{before}{BEGIN}\n{tables}\n{END}{after}".encode()))


def main() -> None:
    """Command line; see the module."""
    parser = argparse.ArgumentParser(description="Measure every figure of the model card.")
    parser.add_argument("--model", type=Path, default=None, help="model file; the bundled one by default")
    parser.add_argument("--cache", type=Path, default=Path("cache/tiles"), help="folder of the tile cache")
    parser.add_argument("--kept", type=Path, default=Path("runs/card"), help="folder for what is measured")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--write", action="store_true", help="put the tables into the bundled model's card")
    options = parser.parse_args()
    model = options.model or bundled_path()
    try:
        root = data_root()
    except FileNotFoundError as error:
        parser.error(str(error))
    tables = measure(model, root, options.cache, options.threads, options.kept)
    print(tables)
    if options.write:
        write_tables(bundled_path().with_name("CARD.md"), tables)


if __name__ == "__main__":
    main()
