"""Damaged files of every format: no crash, no hang over 5 s, no more memory than a picture may cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

WORKER = Path(__file__).with_name("worker.py")
SEED = 20_261
CHUNK = 500
WALL_SECONDS = 240
"""For one chunk. A worker that takes longer hangs: its files take some milliseconds each."""

FILES = 50_000


def run(first: int, count: int) -> dict[str, object]:
    """Read ``count`` damaged files in a process of its own."""
    command = [sys.executable, str(WORKER), str(first), str(count), str(SEED)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=WALL_SECONDS, check=False)
    except subprocess.TimeoutExpired as late:
        reached = (late.stdout or b"").decode().strip().splitlines()[-1:]
        return {"wrong": [{"number": reached, "error": f"no end after {WALL_SECONDS} s"}]}
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines or lines[-1].startswith("@"):
        error = f"the process ended with {done.returncode}: {done.stderr[-800:]}"
        return {"wrong": [{"number": lines[-1:], "error": error}]}
    outcome: dict[str, object] = json.loads(lines[-1])
    return outcome


def outcomes(files: int) -> Iterator[dict[str, object]]:
    """Outcomes of all chunks; as many at once as there are processors."""
    starts = range(0, files, CHUNK)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(lambda first: run(first, min(CHUNK, files - first)), starts)


def check(files: int) -> None:
    """Every file was read or refused by a sentence, and both happened often enough to mean something."""
    found = list(outcomes(files))
    wrong = [flaw for outcome in found for flaw in outcome["wrong"]]  # type: ignore[attr-defined]
    assert not wrong, json.dumps(wrong[:5], indent=1)
    read = sum(int(str(outcome["read"])) for outcome in found)
    refused = sum(int(str(outcome["refused"])) for outcome in found)
    assert read > files // 10, "the damage is too heavy to get past the first check"
    assert refused > files // 10, "the damage is too light to be refused"


def test_a_few_damaged_files() -> None:
    check(400)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_fifty_thousand_damaged_files() -> None:
    check(FILES)
