"""Print what `omni-iml detect` said of the example pictures beside what is true.

    python scripts/demo_table.py demo-out examples/truth.json examples-truth

The arguments: the folder that `omni-iml detect examples/ --out` wrote, the list of the examples, the folder of their
masks. Exit code 0, or 1 when a result is missing or unreadable; a wrong verdict is shown, it is no failure.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from omni_iml.metrics import count_pixels, iou
from omni_iml.types import OmniError

RIGHT = {"tampered": "tampered", "authentic": "no_trace"}
WORDS = {"tampered": "tampered", "inconclusive": "inconclusive", "no_trace": "no trace found"}


@dataclass(frozen=True)
class Row:
    """One picture: truth and finding.

    Attributes:
        file: name of the picture.
        domain: "natural", "document", "face" or "scene_text".
        label: the truth, "tampered" or "authentic".
        verdict: "tampered", "inconclusive" or "no_trace".
        score: calibrated probability of tampering, 0..1.
        marked: share of the picture's pixels in the mask found, 0..1.
        iou: overlap of the mask found with the true one, 0..1; nan for an authentic picture.
    """

    file: str
    domain: str
    label: str
    verdict: str
    score: float
    marked: float
    iou: float


def read_mask(path: Path) -> np.ndarray:
    """A mask file as bool (H, W), True = tampered.

    Raises:
        OmniError: the file is missing or no picture.
    """
    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("L")) > 127
    except OSError as error:
        raise OmniError(f"{path}: the mask cannot be read ({error}); run `make demo` again.") from error


def read_json(path: Path) -> dict:
    """A JSON object from a file.

    Raises:
        OmniError: the file is missing or no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OmniError(f"{path}: the file cannot be read ({error}); run `make demo` again.") from error


def compare(found: Path, truth: Path, masks: Path) -> list[Row]:
    """Read results and truth of every picture that the truth lists.

    Args:
        found: folder of ``<file>.json`` and ``<file>.mask.png``.
        truth: ``truth.json`` of the examples.
        masks: folder of the true masks.

    Returns:
        One row a picture, in the order of ``truth``.

    Raises:
        OmniError: a file is missing or unreadable, or a mask has another size than its truth.
    """
    rows = []
    for entry in read_json(truth)["pictures"]:
        file = entry["file"]
        result = read_json(found / f"{file}.json")
        mask = read_mask(found / f"{file}.mask.png")
        overlap = float("nan")
        if entry["mask"] is not None:
            true_mask = read_mask(masks / entry["mask"])
            if true_mask.shape != mask.shape:
                raise OmniError(
                    f"{file}: the mask found is {mask.shape[1]}x{mask.shape[0]} and the true one "
                    f"{true_mask.shape[1]}x{true_mask.shape[0]} pixels; run `make demo` again."
                )
            overlap = float(iou(count_pixels(mask, true_mask))[0])
        marked = float(mask.mean())
        rows.append(
            Row(file, entry["domain"], entry["label"], result["verdict"], float(result["score"]), marked, overlap)
        )
    return rows


def summary(rows: list[Row]) -> str:
    """What the table comes to, in one line."""
    tampered = [row for row in rows if row.label == "tampered"]
    authentic = [row for row in rows if row.label == "authentic"]
    flagged = sum(row.verdict == "tampered" for row in tampered)
    alarms = sum(row.verdict == "tampered" for row in authentic)
    mean = float(np.mean([row.iou for row in tampered])) if tampered else float("nan")
    return (
        f"{flagged} of {len(tampered)} tampered pictures called tampered, {alarms} of {len(authentic)} authentic ones "
        f"called so wrongly; mean IoU of the masks {mean:.2f}."
    )


def render(rows: list[Row]) -> Table:
    """The table for people. IoU is that of the mask with the truth; authentic pictures have none."""
    table = Table(title="Verdicts beside the truth")
    for heading in ("file", "domain", "truth", "verdict", ""):
        table.add_column(heading)
    for heading in ("score", "marked", "IoU"):
        table.add_column(heading, justify="right")
    for row in rows:
        right = row.verdict == RIGHT[row.label]
        sign = "right" if right else "open" if row.verdict == "inconclusive" else "wrong"
        table.add_row(
            row.file,
            row.domain.replace("_", " "),
            row.label,
            WORDS[row.verdict],
            sign,
            f"{row.score:.2f}",
            f"{row.marked:.1%}",
            "" if np.isnan(row.iou) else f"{row.iou:.2f}",
        )
    return table


def main(arguments: list[str] | None = None) -> int:
    """Print the table; returns the exit code."""
    parser = argparse.ArgumentParser(description="Print verdicts on the example pictures beside the truth.")
    parser.add_argument("found", type=Path, help="folder that omni-iml detect wrote")
    parser.add_argument("truth", type=Path, help="examples/truth.json")
    parser.add_argument("masks", type=Path, help="folder of the true masks")
    options = parser.parse_args(arguments)
    try:
        rows = compare(options.found, options.truth, options.masks)
    except OmniError as error:
        print(error, file=sys.stderr)
        return 1
    # A log file has no width of its own: keep the rows whole there.
    console = Console() if sys.stdout.isatty() else Console(width=110)
    console.print(render(rows))
    console.print(summary(rows), highlight=False)
    console.print(
        f"Pictures: {(options.found / '*.overlay.png').resolve()}", highlight=False, soft_wrap=True, markup=False
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
