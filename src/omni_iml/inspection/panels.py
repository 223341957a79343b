"""A tile's values -> its pictures, and their contact sheet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw

from omni_iml.inference.blending import sigmoid
from omni_iml.inspection.drawing import (
    RGB,
    Map,
    colours,
    components,
    deviation,
    enlarged,
    filter_matrix,
    font,
    robust_range,
    sheet,
)
from omni_iml.inspection.picture import PictureInspection, TileInspection, TileSummary
from omni_iml.report.drawing import blend, palette_rgb
from omni_iml.report.wording import MODALITIES

_PANEL = 224
_LONGEST = 2000
"""Pixels of the longer side of the picture's own overview."""

FEATURES: Mapping[str, str] = {
    "rgb": "F_rgb", "frequency": "F_freq", "fused": "F_fused",
    "e1": "E1", "e2": "E2", "e2_attention": "F_a", "e2_enhanced": "E2'",
    "e3": "E3", "e3_attention": "F_b", "e3_enhanced": "E3'", "e4": "E4",
}  # fmt: skip
"""Feature maps by their field in `Inspection`, with the paper's name."""

PROBABILITIES: Mapping[str, tuple[str, str]] = {
    "coarse_rgb": ("coarse_rgb_logit", "P_rgb"),
    "coarse_fused": ("coarse_fused_logit", "P_fused"),
    "coarse": ("coarse_logit", "P_co"),
    "mask": ("mask_logit", "mask"),
}
"""Probability maps: their pictures' name, field, and the paper's name."""


def _views(*features: str) -> tuple[str, ...]:
    return tuple(f"{name}.{view}" for view in ("deviation", "pca") for name in features)


_GATE = "Modal gate"
_ROWS = (
    ("Input and result", ("image", "coefficients", "coarse_rgb", "coarse_fused", "coarse", "mask", "overlay")),
    (_GATE, (*_views("rgb", "frequency", "fused"), "gate_weights")),
    ("Anomaly enhancement at 1/8: before, attention, after", _views("e2", "e2_attention", "e2_enhanced")),
    ("Anomaly enhancement at 1/16: before, attention, after", _views("e3", "e3_attention", "e3_enhanced")),
    ("Encoder at 1/4 and 1/32, dynamic weight filters", (*_views("e1", "e4"), "filters")),
)
"""Rows of the contact sheet: heading, and names of panels."""


@dataclass(frozen=True)
class Panel:
    """One picture of a tile.

    Attributes:
        caption: for the contact sheet.
        picture: uint8 ``(h, w, 3)`` RGB, at the map's own size.
        is_map: whether it may be enlarged to the tile's size; a drawing with letters may not.
    """

    caption: str
    picture: RGB
    is_map: bool = True

    def at(self, height: int, width: int) -> Image.Image:
        """As it is written for a tile of that size in pixels."""
        return Image.fromarray(enlarged(self.picture, height, width) if self.is_map else self.picture)


def panels(tile: TileInspection) -> dict[str, Panel]:
    """Every picture of a tile, by the name that its file gets. What the network has no part for is left out.

    Args:
        tile: from `omni_iml.inspection.picture.Inspector.tiles`.

    Returns:
        "image", "overlay", "coefficients"; "mask", "coarse_rgb", "coarse_fused", "coarse", "gate_weights" (colours
        from 0 to 1); "<feature>.deviation" and "<feature>.pca" for each of `FEATURES`; "filters".
    """
    values = tile.values
    image = np.ascontiguousarray(values.image[0].transpose(1, 2, 0))  # (H, W, 3)
    found = {"image": Panel("input", image)}
    magnitude = np.sqrt(values.coefficients[0].astype(np.float32))
    # The root lifts the many small coefficients, where the traces are, above black.
    found["coefficients"] = Panel("min(|c|, 20), root scale", colours(magnitude, 0, float(np.sqrt(20))))
    arrays = values.arrays()
    for name, (field, title) in PROBABILITIES.items():
        if field in arrays:
            probability = sigmoid(arrays[field][0, 0])
            caption = f"{title}  mean {probability.mean():.3f} max {probability.max():.2f}"
            found[name] = Panel(caption, colours(probability, 0, 1))
            if name == "mask":
                found["overlay"] = Panel("input under mask", blend(image, probability, palette_rgb()))
    for name, title in FEATURES.items():
        if name in arrays:
            features: Map = arrays[name][0]
            away = deviation(features)
            low, high = robust_range(away)
            found[f"{name}.deviation"] = Panel(f"{title}  deviation {low:.2f}..{high:.2f}", colours(away, low, high))
            found[f"{name}.pca"] = Panel(f"{title}  PCA of {len(features)} channels", components(features))
    if values.gate_weights is not None:
        share: Map = values.gate_weights[0].mean(0)
        caption = f"share of vision  mean {share.mean():.2f}"
        found["gate_weights"] = Panel(caption, colours(share, 0, 1))
    if values.filters:
        activations = {item.name: tuple(map(float, item.values[0])) for item in values.filters}
        found["filters"] = Panel(
            "A of each filter (Figure 8)", filter_matrix(activations, _PANEL, _PANEL), is_map=False
        )
    return found


def contact_sheet(name: str, summary: TileSummary, found: Mapping[str, Panel]) -> Image.Image:
    """A tile on one page.

    Args:
        name: of the picture, for the title.
        summary: the tile's numbers.
        found: from `panels`.

    Returns:
        RGB picture.
    """
    x0, y0, x1, y1 = summary.stored_box
    title = f"{name}  tile {summary.index}  x {x0}..{x1}, y {y0}..{y1} (stored)"
    if summary.image_logit is not None:
        title += f"  image logit {summary.image_logit:+.2f}"
    rows = []
    for heading, names in _ROWS:
        if heading == _GATE and summary.modality is not None:
            chosen = f"P(vision alone) = {summary.gate_probability:.3f}, so it chose {MODALITIES[summary.modality]}"
            heading = f"{heading}: {chosen}"
        if shown := [(found[name].caption, found[name].picture) for name in names if name in found]:
            rows.append((heading, shown))
    return sheet(title, rows, _PANEL)


def overview(picture: PictureInspection) -> Image.Image:
    """The picture under its map, as displayed, with the tiles' numbers at their centres and their borders.

    Args:
        picture: from `omni_iml.inspection.picture.Gathering.finish`.

    Returns:
        RGB picture of the displayed size, made smaller where a side is longer than 2000 pixels.
    """
    pixels, probability = picture.pixels, picture.probability
    height, width = probability.shape
    scale = min(1.0, _LONGEST / max(height, width))
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        probability = np.asarray(cv2.resize(probability, size, interpolation=cv2.INTER_AREA), np.float32)
    canvas = Image.fromarray(blend(pixels, probability, palette_rgb()))
    draw = ImageDraw.Draw(canvas)
    letters = font(max(12, round(max(canvas.size) / 45)))
    for tile in picture.tiles:
        x0, y0, x1, y1 = (round(edge * scale) for edge in tile.box)
        draw.rectangle((x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)), outline=(255, 255, 255))
        middle = ((x0 + x1) / 2, (y0 + y1) / 2)
        draw.text(middle, str(tile.index), (255, 255, 255), letters, anchor="mm", stroke_width=2, stroke_fill=(0, 0, 0))
    return canvas
