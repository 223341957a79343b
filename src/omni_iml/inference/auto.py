"""``runtime="auto"``: time the runtimes on the model and the machine at hand, and keep the fastest.

Which one is faster depends on the processor, the thread count and the model file (float or int8), so it is measured
instead of looked up. docs/decisions/0005-runtimes.md has the rule and figures.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter

import numpy as np

from omni_iml.inference.hub import located
from omni_iml.inference.session import Precision, Session, open_session
from omni_iml.types import OmniError

log = logging.getLogger(__name__)

ROUNDS = 5
"""Tiles that each runtime is timed on, one at a time and in turns; the first, before them, is not counted."""

BUDGET = 2.0
"""Seconds after which no further round begins."""

MARGIN = 0.9
"""OpenVINO is kept only if its best tile takes less than this share of ONNX Runtime's: a tie stays with the default."""


def fastest_session(
    model: str | Path | None = None, threads: int | None = None, precision: Precision = "auto"
) -> Session:
    """Load a model in the runtime that is fastest with it here.

    A weights file (``.safetensors``) is read by torch alone. Of a model file, ONNX Runtime and, where it is installed,
    OpenVINO are timed on tiles of noise, in turns. An OpenVINO that cannot run the file is named in the log and left
    out.

    Args:
        model: path of a model file or weights file; ``None`` for the bundled model.
        threads: as for `open_session`.
        precision: likewise; it matters for a weights file.

    Returns:
        The session; `Session.runtime` says which it is.

    Raises:
        UnreadableModel: the file is missing, damaged or not an Omni-IML model file.
        MissingRuntime: a weights file without torch.
    """
    model = model if model is None else located(model)  # once, for all of them
    if model is not None and Path(model).suffix.lower() == ".safetensors":
        return open_session(model, "torch", threads, precision)
    default = open_session(model, "onnx", threads)
    if find_spec("openvino") is None:
        log.info("runtime auto: onnx, the only one installed")
        return default
    try:
        other = open_session(model, "openvino", threads)
        ours, theirs = best_times((default, other))
    except (OmniError, ImportError, OSError) as error:
        log.warning("runtime auto: onnx, because OpenVINO failed (%s)", error)
        return default
    chosen = other if theirs < MARGIN * ours else default
    log.info("runtime auto: %s (a tile takes %.0f ms in onnx, %.0f ms in openvino)", chosen.runtime, ours, theirs)
    return chosen


def best_times(
    sessions: tuple[Session, ...], rounds: int = ROUNDS, clock: Callable[[], float] = perf_counter
) -> list[float]:
    """The shortest time of each session for one tile.

    Turns, and the minimum instead of the mean, because other programs only ever make a tile slower.

    Args:
        sessions: of the same model.
        rounds: at most this many tiles each.
        clock: seconds.

    Returns:
        Milliseconds, in the order of the sessions.
    """
    side = sessions[0].info.tile
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (1, 3, side, side), dtype=np.uint8)
    coefficients = rng.integers(0, 4, (1, side, side), dtype=np.uint8)
    table = np.full((1, 8, 8), 4, np.uint8)
    for session in sessions:  # the first call of a runtime allocates
        session(image, coefficients, table)
    best = [float("inf")] * len(sessions)
    end = clock() + BUDGET
    for turn in range(rounds):
        if turn and clock() > end:
            break
        for index, session in enumerate(sessions):
            begin = clock()
            session(image, coefficients, table)
            best[index] = min(best[index], 1000 * (clock() - begin))
    return best
