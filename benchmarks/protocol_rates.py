"""Maps a second: all protocols from one pass, beside the evaluators of IMDL-BenCo on the same arrays.

    python benchmarks/protocol_rates.py --maps 1000 --threads 2

For the second figure: pip install --no-deps imdlbenco==0.1.45, and torch.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
import time
import types
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from omni_iml.evaluation.counting import Truth, count_picture
from omni_iml.evaluation.protocol import PROTOCOLS
from omni_iml.evaluation.scores import score_set

Case = tuple[NDArray[np.float32], NDArray[np.bool_]]


def cases(count: int, side: int = 512) -> list[Case]:
    rng = np.random.default_rng(0)
    made = []
    for _ in range(count):
        mask = np.zeros((side, side), np.bool_)
        y, x = rng.integers(0, side // 2, 2)
        mask[y : y + rng.integers(20, side // 2), x : x + rng.integers(20, side // 2)] = True
        map_ = rng.random((side, side), np.float32)
        map_[mask] = np.sqrt(map_[mask])
        made.append((map_, mask))
    return made


def ours(made: Sequence[Case], threads: int) -> None:
    with ThreadPoolExecutor(threads) as pool:  # NumPy's sort and OpenCV let other threads run
        rows = list(pool.map(lambda case: count_picture(case[0], Truth.of(case[1]), data="d"), made))
    for protocol in PROTOCOLS.values():
        score_set(rows, protocol, resamples=0)


def evaluators() -> list[object] | None:
    spec = importlib.util.find_spec("IMDLBenCo")
    if spec is None or not spec.submodule_search_locations:
        return None
    root = Path(next(iter(spec.submodule_search_locations)))
    for name in ("", ".evaluation", ".training_scripts", ".training_scripts.utils"):  # its __init__ imports the zoo
        bare = types.ModuleType(f"IMDLBenCo{name}")
        bare.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
        sys.modules[f"IMDLBenCo{name}"] = bare
    with redirect_stdout(StringIO()):
        f1, iou, auc, accuracy = (
            importlib.import_module(f"IMDLBenCo.evaluation.{name}") for name in ("F1", "IOU", "AUC", "Accuracy")
        )
    kinds = (f1.PixelF1, iou.PixelIOU, auc.PixelAUC, accuracy.PixelAccuracy)
    return [kind(mode=mode) for mode in ("origin", "double") for kind in kinds]


def theirs(made: Sequence[Case], used: Sequence[object], threads: int) -> None:
    import torch

    torch.set_num_threads(threads)
    for map_, mask in made:
        p, t = (torch.from_numpy(x.astype(np.float32))[None, None] for x in (map_, mask))
        for evaluator in used:
            evaluator.batch_update(p, t)  # type: ignore[attr-defined]


def timed(work: Callable[[], None]) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def main() -> None:
    parser = argparse.ArgumentParser(description="Time all protocols beside IMDL-BenCo's evaluators.")
    parser.add_argument("--maps", type=int, default=1000)
    parser.add_argument("--peer-maps", type=int, default=100, help="maps for the peer, whose time is scaled up")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    made = cases(options.maps)
    wall, processor = timed(lambda: ours(made, options.threads))
    print(f"all {len(PROTOCOLS)} protocols, {len(made)} maps: {wall:.1f} s ({processor:.1f} s of processor time)")
    used = evaluators()
    if used is None:
        print("IMDL-BenCo is not installed; nothing to compare with.")
        return
    few = made[: options.peer_maps]
    scale = len(made) / len(few)
    peer_wall, peer_processor = (scale * value for value in timed(lambda: theirs(few, used, options.threads)))
    print(
        f"IMDL-BenCo, four evaluators in two modes, scaled from {len(few)} maps: {peer_wall:.1f} s "
        f"({peer_processor:.1f} s of processor time); {peer_wall / wall:.1f} times as long "
        f"({peer_processor / processor:.1f} times the processor time)"
    )


if __name__ == "__main__":
    main()
