"""A picture's tiles, one `Inspection` each, and what they say together, as `omni_iml.inference.detector` would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from omni_iml.inference.blending import Canvas, sigmoid
from omni_iml.inference.hub import located
from omni_iml.inference.session import Precision
from omni_iml.inference.tiles import Grid, cut, grid_of
from omni_iml.inference.torch_session import TorchSession
from omni_iml.inference.verdict import gate_of, picture_score, probability_of, verdict_of
from omni_iml.io.missing import completed, present
from omni_iml.io.orientation import box_to_displayed, to_displayed
from omni_iml.models.checkpoint import read_metadata
from omni_iml.models.inspection import FilterActivations, Inspection, recording
from omni_iml.types import Box, EvidenceImage, Modality, ModelInfo, UnreadableModel, Verdict
from omni_iml.weights import bundled_path

BUNDLED = "bundled"
"""Stands for the weights that come with the source tree."""


@dataclass(frozen=True)
class TileInspection:
    """One tile.

    Attributes:
        index: its number, row by row from 0.
        box: its part of the picture in stored pixels, half-open; what the inputs hold past it is padding.
        values: what the network's parts gave, with a batch axis of one, in stored orientation.
    """

    index: int
    box: Box
    values: Inspection


@dataclass(frozen=True)
class TileSummary:
    """The few numbers of a tile that are kept for the whole picture.

    Attributes:
        index: its number.
        box: as displayed, in pixels, half-open.
        stored_box: in stored pixels.
        gate_logit: None for a network without a gate.
        image_logit: None for a network without the image-level classifier.
        activations: A of each dynamic weight filter, 0..1, by the filter's name.
        mean_probability: mean of the tile's own mask probability inside the picture.
        mean_coarse_rgb: mean of P_rgb's probability over the whole tile; None where there is none.
        mean_coarse_fused: likewise of P_fused.
    """

    index: int
    box: Box
    stored_box: Box
    gate_logit: float | None
    image_logit: float | None
    activations: Mapping[str, tuple[float, ...]]
    mean_probability: float
    mean_coarse_rgb: float | None
    mean_coarse_fused: float | None

    @property
    def gate_probability(self) -> float | None:
        """P(vision alone), 0..1."""
        return None if self.gate_logit is None else probability_of(self.gate_logit)

    @property
    def modality(self) -> Modality | None:
        """What the gate chose; the comparison is the network's own, on the logit."""
        if self.gate_logit is None:
            return None
        return "vision" if self.gate_logit >= 0 else "vision+frequency"


@dataclass(frozen=True)
class PictureInspection:
    """What the tiles say together, in displayed orientation.

    Attributes:
        image: the picture, in stored orientation.
        model: the weights.
        probability: float32 ``(height, width)``, the blended map, 0..1, as displayed.
        score: calibrated, 0..1; None for a network without the image-level classifier.
        verdict: that goes with it.
        gate_probability: area-weighted mean of P(vision alone); None without a gate.
        modality: what the gate chose for the greater part of the area.
        activations: area-weighted mean of A over the tiles, 0..1, by the filter's name (one picture's cells of
            Figure 8).
        tiles: every tile's numbers, in order.
        filters: the dynamic weight filters; their values are the last tile's.
        absent: fields of `Inspection` that this network has no part for.
    """

    image: EvidenceImage
    model: ModelInfo
    probability: NDArray[np.float32]
    score: float | None
    verdict: Verdict | None
    gate_probability: float | None
    modality: Modality | None
    activations: Mapping[str, tuple[float, ...]]
    tiles: tuple[TileSummary, ...]
    filters: tuple[FilterActivations, ...]
    absent: tuple[str, ...]

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """uint8 ``(height, width, 3)`` RGB as displayed."""
        return to_displayed(self.image.pixels, self.image.orientation)


class Inspector:
    """Loaded weights, ready to look at pictures tile by tile.

    Args:
        weights: ``.safetensors`` file that training wrote, its name on the hub (see `omni_iml.inference.hub`), or
            "bundled".
        threads: of torch on the CPU, for the whole process; ``None`` leaves torch's choice.
        device: torch's name of a device; ``None`` takes CUDA where there is one.
        precision: of torch's arithmetic, see `omni_iml.inference.torch_session.TorchSession`.

    Attributes:
        samples: that the weights have seen in training; None where they do not say.

    Raises:
        UnreadableModel: the file is missing, damaged, or no weights file.
        ValueError: torch cannot use the device; an unknown precision.
    """

    def __init__(
        self,
        weights: str | Path = BUNDLED,
        threads: int | None = None,
        device: str | None = None,
        precision: Precision = "auto",
    ) -> None:
        path = bundled_path(".safetensors") if str(weights) == BUNDLED else located(weights, ".safetensors")
        if path.suffix.lower() == ".onnx":
            raise UnreadableModel(
                f"{path}: an ONNX graph gives its outputs only, none of the values in between; name the weights "
                f"(.safetensors) that it was exported from, or {BUNDLED!r} for those that come with omni-iml."
            )
        self._session = TorchSession(path, threads, device, precision=precision)
        _ = self._session.network  # a peer's parts cannot be recorded, which is better said before the work
        samples = read_metadata(path)["extra"].get("samples")
        self.samples: int | None = samples if isinstance(samples, int) else None

    @property
    def info(self) -> ModelInfo:
        """What the weights' metadata says of the model."""
        return self._session.info

    def grid(self, image: EvidenceImage) -> Grid:
        """Where the tiles of ``image`` lie: as in detection, on the rows that are there."""
        height, width = present(image).pixels.shape[:2]
        return grid_of(height, width, self.info)

    def tiles(self, image: EvidenceImage) -> Iterator[TileInspection]:
        """Run the network tile by tile; one tile's values are in memory at a time.

        Args:
            image: from `omni_iml.io.load`.

        Yields:
            Every tile, in the order of the grid.

        Raises:
            OmniError: the network could not be run, or gave values that are not finite.
        """
        grid, image = self.grid(image), present(image)
        for index in range(len(grid)):
            inputs = cut(image, *grid.origin(index), grid.tall, grid.wide)
            with recording(self._session.network) as recorder:
                self._session(inputs.image, inputs.coefficients, inputs.table)
            yield TileInspection(index, grid.box(index), recorder.inspection())


class Gathering:
    """Collects the picture's own map and numbers while its tiles go by.

    Args:
        image: the picture.
        inspector: whose tiles they are.
    """

    def __init__(self, image: EvidenceImage, inspector: Inspector) -> None:
        self._image, self._info = image, inspector.info
        self._grid = grid = inspector.grid(image)
        self._canvas = Canvas(grid.height, grid.width, (grid.tall, grid.wide), grid.rows, grid.columns)
        self._tiles: list[TileSummary] = []
        self._last: Inspection | None = None

    def add(self, tile: TileInspection) -> TileSummary:
        """Take in the next tile; returns its numbers."""
        values, (x0, y0, x1, y1) = tile.values, tile.box
        probability = sigmoid(values.mask_logit[0, 0])
        self._canvas.add(*self._grid.origin(tile.index), probability)
        self._last = values
        summary = TileSummary(
            index=tile.index,
            box=box_to_displayed(tile.box, self._image.orientation, *self._image.pixels.shape[:2]),
            stored_box=tile.box,
            gate_logit=_number(values.gate_logit),
            image_logit=_number(values.image_logit),
            activations={item.name: tuple(map(float, item.values[0])) for item in values.filters},
            mean_probability=float(probability[: y1 - y0, : x1 - x0].mean()),
            mean_coarse_rgb=_mean_probability(values.coarse_rgb_logit),
            mean_coarse_fused=_mean_probability(values.coarse_fused_logit),
        )
        self._tiles.append(summary)
        return summary

    def finish(self) -> PictureInspection:
        """The picture as a whole.

        Raises:
            ValueError: tiles are missing.
        """
        tiles, last = self._tiles, self._last
        if last is None or len(tiles) != len(self._grid):
            raise ValueError(f"{len(tiles)} of {len(self._grid)} tiles were added; add every one of them.")
        areas = [(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (tile.stored_box for tile in tiles)]
        logits = [tile.image_logit for tile in tiles if tile.image_logit is not None]
        gates = [tile.gate_probability for tile in tiles if tile.gate_probability is not None]
        score = picture_score(logits, self._grid.height * self._grid.width, self._info) if logits else None
        gate, modality = gate_of(gates, areas) if gates else (None, None)
        shares = np.divide(areas, sum(areas))
        return PictureInspection(
            image=self._image,
            model=self._info,
            probability=to_displayed(completed(self._canvas.finish(), self._image), self._image.orientation),
            score=score,
            verdict=None if score is None else verdict_of(score, self._info, self._image.fitness),
            gate_probability=gate,
            modality=modality,
            activations={
                name: tuple(map(float, shares @ np.array([tile.activations[name] for tile in tiles])))
                for name in tiles[0].activations
            },
            tiles=tuple(tiles),
            filters=last.filters,
            absent=last.absent,
        )


def _number(value: NDArray[np.float32] | None) -> float | None:
    return None if value is None else float(value[0])


def _mean_probability(logits: NDArray[np.float32] | None) -> float | None:
    return None if logits is None else float(sigmoid(logits[0]).mean())
