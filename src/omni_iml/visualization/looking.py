"""What the network did with one picture of a data set, in numbers; and the same picture's maps, to be drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.data.readers import Entry
from omni_iml.evaluation.data_sets import DataSet, truth_of
from omni_iml.inference.blending import sigmoid
from omni_iml.inference.tiles import BLOCK, Grid, axis_weights
from omni_iml.inspection import Gathering, Inspection, Inspector, PictureInspection
from omni_iml.io import load
from omni_iml.io.missing import completed
from omni_iml.io.orientation import to_displayed, to_stored
from omni_iml.metrics import count_pixels, f1, iou
from omni_iml.types import EvidenceImage, Modality
from omni_iml.visualization.contrast import Contrast, ContrastCounter, Map, energy, places

ENHANCEMENT: Mapping[str, str] = {"E2": "e2", "E2'": "e2_enhanced", "E3": "e3", "E3'": "e3_enhanced"}
"""The maps before and after anomaly enhancement: the paper's name and the field of `Inspection`."""

COARSE: Mapping[str, str] = {"P_rgb": "coarse_rgb_logit", "P_fused": "coarse_fused_logit", "P_co": "coarse_logit"}
"""The coarse masks likewise."""


@dataclass(frozen=True)
class Look:
    """One picture's numbers.

    Attributes:
        data: name of the data set.
        domain: of the data set.
        key: name of the picture in it.
        label: 1 tampered, 0 authentic, as the data set says.
        tiles: how many the network ran on.
        vision_tiles: for how many of them the gate chose vision alone; None without a gate.
        gate_probability: area-weighted mean of P(vision alone), 0..1; None without a gate.
        modality: what the gate chose for the greater part of the area; None without a gate.
        activations: area-weighted mean of A, 0..1, by the filter's name; empty without dynamic filters.
        iou: of the mask at probability above 0.5; nan for an authentic picture.
        f1: likewise.
        marked: share of the picture that the mask marks.
        contrast: by the map's name in `ENHANCEMENT`; empty for an authentic picture, and without enhancement.
    """

    data: str
    domain: str
    key: str
    label: int
    tiles: int
    vision_tiles: int | None
    gate_probability: float | None
    modality: Modality | None
    activations: Mapping[str, tuple[float, ...]]
    iou: float
    f1: float
    marked: float
    contrast: Mapping[str, Contrast]


@dataclass(frozen=True)
class Maps:
    """One picture to be drawn, all of it as displayed.

    Attributes:
        image: as it was read.
        pixels: uint8 ``(H, W, 3)`` RGB.
        truth: bool ``(H, W)``.
        probability: float32 ``(H, W)``, 0..1.
        coarse: float32 ``(H, W)``, 0..1, a value for each 8x8 block, by the name in `COARSE`.
        energy: likewise, by the name in `ENHANCEMENT`, in the features' own unit.
    """

    image: EvidenceImage
    pixels: NDArray[np.uint8]
    truth: NDArray[np.bool_]
    probability: Map
    coarse: Mapping[str, Map]
    energy: Mapping[str, Map]


def look_at(inspector: Inspector, data: DataSet, entry: Entry) -> Look:
    """Run the network on a picture and count.

    Args:
        inspector: the loaded weights.
        data: the picture's data set.
        entry: the picture.

    Raises:
        UnreadableImage: picture or mask cannot be read.
        OmniError: the network could not be run.
    """
    image, truth = _read(entry)
    stored = to_stored(truth, image.orientation)
    gathering, counters = Gathering(image, inspector), {name: ContrastCounter() for name in ENHANCEMENT}
    for tile in inspector.tiles(image):
        gathering.add(tile)
        arrays = tile.values.arrays()
        # A network without enhancement has no map after it, and then the map before it is no "before".
        if entry.label and ENHANCEMENT["E2'"] in arrays:
            mask, valid = _padded(stored, tile.box, tile.values)
            for name, field in ENHANCEMENT.items():
                features = arrays[field][0]
                counters[name].add(features, places(mask, valid, *features.shape[1:]))
    found = gathering.finish()
    modalities = [tile.modality for tile in found.tiles]
    marked = found.probability > np.float32(0.5)
    quality = (math.nan, math.nan)
    if entry.label:
        counts = count_pixels(marked, truth)
        quality = float(iou(counts)[0]), float(f1(counts)[0])
    contrast = {name: counter.finish() for name, counter in counters.items()}
    return Look(
        data=data.name,
        domain=data.domain,
        key=entry.key,
        label=entry.label,
        tiles=len(found.tiles),
        vision_tiles=None if None in modalities else modalities.count("vision"),
        gate_probability=found.gate_probability,
        modality=found.modality,
        activations=found.activations,
        iou=quality[0],
        f1=quality[1],
        marked=float(marked.mean()),
        contrast=contrast if entry.label and "e2_enhanced" not in found.absent else {},
    )


def maps_of(inspector: Inspector, entry: Entry) -> tuple[Maps, PictureInspection]:
    """Run the network on a picture and keep its maps.

    Args:
        inspector: the loaded weights.
        entry: the picture.

    Returns:
        The maps, and the picture's numbers.

    Raises:
        UnreadableImage: picture or mask cannot be read.
        OmniError: the network could not be run.
    """
    image, truth = _read(entry)
    grid, gathering = inspector.grid(image), Gathering(image, inspector)
    coarse: dict[str, _Blocks] = {}
    energies: dict[str, _Blocks] = {}
    for tile in inspector.tiles(image):
        gathering.add(tile)
        arrays, origin = tile.values.arrays(), grid.origin(tile.index)
        for name, field in COARSE.items():
            if field in arrays:
                coarse.setdefault(name, _Blocks(grid)).add(*origin, sigmoid(arrays[field][0, 0]))
        for name, field in ENHANCEMENT.items():
            if field in arrays and ENHANCEMENT["E2'"] in arrays:
                energies.setdefault(name, _Blocks(grid)).add(*origin, energy(arrays[field][0]))
    found = gathering.finish()

    def displayed(blocks: Mapping[str, _Blocks]) -> dict[str, Map]:
        return {name: to_displayed(completed(one.spread(), image), image.orientation) for name, one in blocks.items()}

    maps = Maps(image, found.pixels, truth, found.probability, displayed(coarse), displayed(energies))
    return maps, found


class _Blocks:
    """A picture's map with a value for each 8x8 block, blended from tiles as the mask is."""

    def __init__(self, grid: Grid) -> None:
        self._shape = grid.height, grid.width
        tall, wide = -(-grid.height // BLOCK), -(-grid.width // BLOCK)
        self._tile = grid.tall // BLOCK, grid.wide // BLOCK
        rows, columns = (tuple(start // BLOCK for start in starts) for starts in (grid.rows, grid.columns))
        self._rows = dict(zip(rows, axis_weights(rows, tall, self._tile[0]), strict=True))
        self._columns = dict(zip(columns, axis_weights(columns, wide, self._tile[1]), strict=True))
        self._map = np.zeros((tall, wide), np.float32)

    def add(self, top: int, left: int, values: Map) -> None:
        """Add a tile's map, at whatever resolution it is."""
        top, left = top // BLOCK, left // BLOCK
        down, across = self._rows[top], self._columns[left]
        method = cv2.INTER_AREA if values.shape[0] > self._tile[0] else cv2.INTER_NEAREST
        values = np.asarray(cv2.resize(values, self._tile[::-1], interpolation=method), np.float32)
        weight = np.outer(down, across).astype(np.float32)
        part = values[: len(down), : len(across)]
        self._map[top : top + len(down), left : left + len(across)] += part * weight

    def spread(self) -> Map:
        """At the picture's size."""
        height, width = self._shape
        return self._map.repeat(BLOCK, 0)[:height].repeat(BLOCK, 1)[:, :width]


def _read(entry: Entry) -> tuple[EvidenceImage, NDArray[np.bool_]]:
    """The picture, and its truth as displayed."""
    image = load(entry.data())
    return image, truth_of(entry, image).above_half


def _padded(
    stored: NDArray[np.bool_], box: tuple[int, int, int, int], values: Inspection
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The mask of a tile at the tile's size, and where the picture is in it."""
    x0, y0, x1, y1 = box
    mask = np.zeros(values.image.shape[-2:], np.bool_)
    valid = np.zeros_like(mask)
    mask[: y1 - y0, : x1 - x0] = stored[y0:y1, x0:x1]
    valid[: y1 - y0, : x1 - x0] = True
    return mask, valid
