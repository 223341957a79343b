"""A process of its own that reads damaged files; its parent sees how it ends.

    python tests/fuzz/worker.py FIRST COUNT SEED

Standard output gets one line before each file ("@ NUMBER") and one JSON object at the end, which tells what went wrong
with which number. A crash or a hang shows by the last "@" line.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from pathlib import Path

from corpus import whole_files
from mutations import damaged

from omni_iml.io.parts import load_parts
from omni_iml.types import EvidenceImage, UnreadableImage

MAX_PIXELS = 1_000_000
BYTES_A_PIXEL, SLACK = 40, 200 * 2**20
"""Never more memory than this for a picture (DESIGN: pixels * 40 bytes + 200 MB)."""

SECONDS = 5.0
"""Of the processor's time; the parent watches the clock on the wall."""


def peak() -> int | None:
    """Bytes of memory held at the most since `forget_peak`; None where the system does not tell."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")), None)


def forget_peak() -> None:
    """Let `peak` begin anew from what is held now (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


def read(data: bytes) -> tuple[int, int, int]:
    """Read every picture of a file; how many were read, how many refused, and the pixels of the largest."""
    good = bad = largest = 0
    for picture in load_parts(data, max_pixels=MAX_PIXELS, frames="all"):
        if isinstance(picture, UnreadableImage):
            bad += 1
            message = str(picture)
            if "\n" in message or len(message) > 2000:
                raise AssertionError(f"an error of more than a sentence: {message[:200]!r}")
            continue
        good += 1
        check(picture)
        largest = max(largest, picture.pixels.shape[0] * picture.pixels.shape[1])
        json.dumps(dict(picture.facts))
    return good, bad, largest


def check(picture: EvidenceImage) -> None:
    """What holds of every picture, however damaged its file was."""
    height, width = picture.pixels.shape[:2]
    assert picture.pixels.shape == (height, width, 3)
    assert height * width <= MAX_PIXELS
    assert picture.trace.coefficients.shape == (-(-height // 8) * 8, -(-width // 8) * 8)
    assert picture.trace.table.shape == (8, 8)
    assert 1 <= picture.orientation <= 8


def main(first: int, count: int, seed: int) -> None:
    """Read ``count`` files from number ``first`` on."""
    files = list(whole_files().items())
    read(files[0][1])
    outcome: dict[str, object] = {"read": 0, "refused": 0}
    wrong: list[dict[str, object]] = []
    pictures = refused = 0
    slowest = (0.0, "")
    for number in range(first, first + count):
        print("@", number, flush=True)
        name, data = damaged(files, number, seed)
        forget_peak()
        before, start = peak(), time.process_time()
        largest = 0
        try:
            good, bad, largest = read(data)
        except Exception:
            wrong.append({"number": number, "name": name, "error": traceback.format_exc()[-1500:]})
            continue
        seconds, after = time.process_time() - start, peak()
        slowest = max(slowest, (seconds, f"{name} {number}"))
        if seconds > SECONDS:
            wrong.append({"number": number, "name": name, "error": f"{seconds:.1f} s"})
        if before is not None and after is not None and after - before > BYTES_A_PIXEL * largest + SLACK:
            wrong.append({"number": number, "name": name, "error": f"{(after - before) >> 20} MB for {largest} pixels"})
        pictures, refused = pictures + good, refused + bad
    outcome |= {"read": pictures, "refused": refused, "wrong": wrong, "slowest": slowest}
    print(json.dumps(outcome), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main(*(int(value) for value in sys.argv[1:4]))
