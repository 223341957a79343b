"""Every figure of the model card, measured from a model file.

    python -m omni_iml.evaluation.card                      # print the tables of the bundled model
    python -m omni_iml.evaluation.card --write              # and put them into src/omni_iml/weights/CARD.md

needs ``OMNI_IML_DATA`` (see docs/guides/train.md) and the [train,eval] extras. What was measured lies in ``--kept``, so
that a run that was stopped goes on with the next part; ``--processes 2`` measures two parts beside each other.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from omni_iml.data.sources import DOMAINS, Domain, data_root
from omni_iml.data.synthesis import SynthesisConfig
from omni_iml.data.tile_cache import build_cache
from omni_iml.evaluation import card_tables
from omni_iml.evaluation.devbench import REAL_EDITS, SETS, PictureResult, score_devbench
from omni_iml.evaluation.distortions import CLASSIC
from omni_iml.evaluation.parts import Part, measured
from omni_iml.evaluation.synthetic import SampleResult, outputs, score_samples
from omni_iml.evaluation.whole_pictures import whole_parts
from omni_iml.inference.detector import Detector
from omni_iml.inference.model_file import file_sha256
from omni_iml.inference.session import open_session
from omni_iml.io.whole_file import write_whole
from omni_iml.weights import bundled_path

BEGIN, END = "<!-- scores: begin -->", "<!-- scores: end -->"
TEST_SEED, TEST_COUNT = 20_261, 100
WHOLE_SEED = 20_264
DISTORTIONS = {d.name: d for d in CLASSIC if d.family != "noise"}
"""Those of C-T12."""


def measure(model: Path, root: Path, cache: Path, kept: Path, *, threads: int | None = None, processes: int = 1) -> str:
    """Score a model file on devbench, as it is and distorted, on the synthetic test split, and on whole pictures of it.

    Args:
        model: to score.
        root: folder that holds ``source`` and ``devbench``.
        cache: folder of the tile cache that training draws from; that of whole pictures lies beside it.
        kept: folder for what is measured, one JSON file a part; what is there of the same model file is read.
        threads: of ONNX Runtime in each process.
        processes: parts that are measured beside each other.

    Returns:
        Markdown tables.
    """
    whole = whole_parts(model, root, cache, "test", WHOLE_SEED, threads)
    distorted = [Part(name, PictureResult, partial(_distorted, model, root, threads, name)) for name in DISTORTIONS]
    real = [Part(f"devbench-{name}", PictureResult, partial(_devbench, model, root, threads, name)) for name in SETS]
    build_cache(root, cache)
    synthetic = [
        Part(f"synthetic-{domain}", SampleResult, partial(_synthetic, model, root, cache, threads, domain))
        for domain in DOMAINS
    ]
    parts: list[Part[Any]] = [*whole, *distorted, *real, *synthetic]
    found = measured(parts, kept / file_sha256(model)[:16], processes)
    pictures, real_edits, samples = (
        [result for part in some for result in found[part.name]] for some in (whole, real, synthetic)
    )
    return "\n\n".join(
        [
            card_tables.devbench_table(real_edits),
            card_tables.alarms_table(real_edits),
            card_tables.synthetic_table(samples),
            card_tables.whole_pictures_table(pictures),
            card_tables.reliability_table(pictures),
            # Its rows are of the real edits, which it takes of all.
            card_tables.robustness_table({"as they are": real_edits, **{name: found[name] for name in DISTORTIONS}}),
        ]
    )


def _devbench(model: Path, root: Path, threads: int | None, dataset: str) -> Iterator[PictureResult]:
    return score_devbench(Detector(model, threads=threads), root, sets=[dataset])


def _distorted(model: Path, root: Path, threads: int | None, name: str) -> Iterator[PictureResult]:
    detector = Detector(model, threads=threads)
    return score_devbench(detector, root, sets=REAL_EDITS, distortion=DISTORTIONS[name], authentic=False)


def _synthetic(model: Path, root: Path, cache: Path, threads: int | None, domain: Domain) -> list[SampleResult]:
    session, pool = open_session(model, threads=threads), build_cache(root, cache)
    config = SynthesisConfig(authentic=0.33)
    return score_samples(outputs(session, pool, "test", domain, config, count=TEST_COUNT, seed=TEST_SEED))


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
    parser.add_argument("--threads", type=int, default=None, help="of ONNX Runtime in each process")
    parser.add_argument("--processes", type=int, default=1, help="parts that are measured beside each other")
    parser.add_argument("--write", action="store_true", help="put the tables into the bundled model's card")
    options = parser.parse_args()
    model = options.model or bundled_path()
    try:
        root = data_root()
    except FileNotFoundError as error:
        parser.error(str(error))
    tables = measure(model, root, options.cache, options.kept, threads=options.threads, processes=options.processes)
    print(tables)
    if options.write:
        write_tables(bundled_path().with_name("CARD.md"), tables)


if __name__ == "__main__":
    main()
