"""Pictures of an evaluation: the contact sheet of the worst and best, and curves over distortions."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from omni_iml.evaluation.counting import Row
from omni_iml.evaluation.formulas import FORMULAS, picture_values
from omni_iml.evaluation.protocol import Protocol
from omni_iml.evaluation.scores import SetScore
from omni_iml.io.whole_file import write_whole

EACH = 10
_LINE, _GAP = 14, 6


def contact_sheet(path: Path, thumbnails: Path, rows: Sequence[Row], protocol: Protocol) -> None:
    """Ten worst and ten best tampered pictures: picture, truth and map side by side.

    Args:
        path: of the PNG file.
        thumbnails: folder that `omni_iml.evaluation.run` keeps them in.
        rows: of one view.
        protocol: whose first figure of single pictures decides.
    """
    tampered = [row for row in rows if row.label]
    name, formula = next((n, f) for n, f in protocol.figures.items() if f in FORMULAS)
    values = picture_values(tampered, protocol, formula) if tampered else np.zeros(0)
    order = [int(i) for i in np.argsort(values, kind="stable") if not math.isnan(values[i])]
    chosen = [("worst", i) for i in order[:EACH]] + [("best", i) for i in order[EACH:][-EACH:][::-1]]
    cells = []
    for word, index in chosen:
        row = tampered[index]
        file = thumbnails / row.data / f"{row.key}.jpg"
        if file.is_file():
            with Image.open(file) as kept:
                cells.append((f"{word}: {row.data}/{row.key}  {name} {values[index]:.3f}", kept.convert("RGB")))
    if not cells:
        return
    columns = 2
    wide = max(image.width for _, image in cells) + _GAP
    grid = [cells[i : i + columns] for i in range(0, len(cells), columns)]
    heights = [max(image.height for _, image in line) + _LINE + _GAP for line in grid]
    sheet = Image.new("RGB", (columns * wide, sum(heights)), "white")
    draw, top = ImageDraw.Draw(sheet), 0
    for strips, height in zip(grid, heights, strict=True):
        for column, (text, strip) in enumerate(strips):
            draw.text((column * wide, top), text.encode("ascii", "replace").decode(), fill="black")
            sheet.paste(strip, (column * wide, top + _LINE))
        top += height
    _write_png(path, sheet)


def curves(path: Path, scores: Sequence[SetScore]) -> None:
    """A panel for each family of distortions: the first pixel figure over the level, a line a data set.

    Args:
        path: of the PNG file.
        scores: of one protocol, undistorted ones among them.

    Raises:
        ImportError: matplotlib is not installed; the extra ``omni-iml[eval]`` brings it.
    """
    from matplotlib.figure import Figure

    distorted = [score for score in scores if "@" in score.view]
    families = list(dict.fromkeys(_level(score)[0] for score in distorted))
    if not families:
        return
    figure = Figure(figsize=(3.4 * len(families), 3.2), layout="constrained")
    panels = figure.subplots(1, len(families), squeeze=False)[0]
    name = next(iter(scores[0].pixel))
    for family, panel in zip(families, panels, strict=True):
        for data in dict.fromkeys(score.data for score in scores):
            points = sorted(
                (_level(s)[1], s.pixel[name]) for s in distorted if s.data == data and _level(s)[0] == family
            )
            levels, means = [p[0] for p in points], [p[1].mean for p in points]
            errors = [[p[1].mean - p[1].low for p in points], [p[1].high - p[1].mean for p in points]]
            line = panel.errorbar(levels, means, errors, marker="o", capsize=2, label=data)
            plain = next((s.pixel[name].mean for s in scores if s.data == data and "@" not in s.view), math.nan)
            if not math.isnan(plain):
                panel.axhline(plain, color=line[0].get_color(), linestyle=":", linewidth=1)
        panel.set(title=family, xlabel=_AXES.get(family, "level"), ylim=(0, 1))
    panels[0].set_ylabel(f"{name}, {scores[0].protocol} (dotted: undistorted)")
    panels[0].legend(fontsize="small")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    write_whole(path, lambda out: out.write(buffer.getvalue()))


_AXES = {
    "resize": "factor",
    "blur": "kernel, pixels",
    "noise": "sigma of 255",
    "noise-variance": "variance",
    "jpeg": "quality",
    "jpeg-range": "quality",
    "reupload": "quality, whatever the size",
}


def _level(score: SetScore) -> tuple[str, float]:
    family, _, level = score.view.partition("@")[2].rpartition("-")
    if family.startswith("reupload"):  # "reupload-2048-q95"
        return "reupload", float(level.removeprefix("q"))
    return family, float(level)


def _write_png(path: Path, image: Image.Image) -> None:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    write_whole(path, lambda out: out.write(buffer.getvalue()))
