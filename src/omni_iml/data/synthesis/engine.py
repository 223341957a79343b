"""The engine: (seed, index) -> one sample, the same whatever process asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import ConfigDict

from omni_iml.data.sources import DOMAINS, Domain, Split, TileEntry, TilePool
from omni_iml.data.synthesis import operations, shapes, text
from omni_iml.data.synthesis.history import finish_as_jpeg, finish_as_png, recompress
from omni_iml.data.synthesis.sample import IGNORE, Sample
from omni_iml.types import JpegTrace

Pixels = NDArray[np.uint8]
Mask = NDArray[np.uint8]

GENERATED_ORIGINS = {"face/faker_ai_portraits_cc0"}
"""Wholly generated pictures: material to tamper with, never an authentic example."""

_OPERATIONS: dict[str, dict[str, float]] = {
    "natural": {"splice": 0.45, "copy_move": 0.3, "remove": 0.13, "local_filter": 0.12},
    "document": {"text": 0.45, "text_copy": 0.2, "text_erase": 0.1, "splice": 0.15, "copy_move": 0.1},
    "face": {"splice": 0.6, "copy_move": 0.12, "remove": 0.1, "local_filter": 0.18},
    "scene_text": {"text": 0.4, "text_copy": 0.15, "text_erase": 0.1, "splice": 0.25, "copy_move": 0.1},
}


@dataclass(frozen=True)
class SynthesisConfig:
    """What is drawn how often. Shares and probabilities in 0..1, qualities are libjpeg's 1..100.

    Attributes:
        size: side of the samples in pixels, a multiple of 32.
        domains: share of each domain.
        authentic: share of samples that nobody tampered with; they go through the same histories.
        first_jpeg: probability that the picture is compressed before the edit (beyond its own history).
        first_quality: range of that quality.
        donor_jpeg: probability that a spliced donor has a compression of its own.
        crop_shift: probability that the first compression's grid is shifted by a crop.
        rescale: probability that the source is rescaled first.
        soften: probability of a light blur over everything after the edit.
        last_png: probability that the result is saved without loss.
        last_quality: range of the last JPEG quality.
        pad: probability of padding at the right and bottom, as inference pads small pictures.
        area: smallest and largest share of the picture that is edited.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    size: int = 128
    domains: Mapping[str, float] = field(
        default_factory=lambda: {"natural": 0.45, "document": 0.25, "face": 0.15, "scene_text": 0.15}
    )
    authentic: float = 0.12
    first_jpeg: float = 0.75
    first_quality: tuple[int, int] = (55, 98)
    donor_jpeg: float = 0.4
    crop_shift: float = 0.2
    rescale: float = 0.35
    soften: float = 0.1
    last_png: float = 0.15
    last_quality: tuple[int, int] = (65, 100)
    pad: float = 0.08
    area: tuple[float, float] = (0.01, 0.4)


class Engine:
    """Draws samples from a pool of authentic tiles.

    Args:
        pool: cached source tiles.
        split: which identities may be drawn.
        config: what is drawn how often.
        seed: first part of every sample's seed.

    Raises:
        ValueError: the split has no tile of a domain that has a share.
    """

    def __init__(self, pool: TilePool, split: Split, config: SynthesisConfig, seed: int) -> None:
        self.pool, self.config, self.seed = pool, config, seed
        tiles = pool.select(split)
        self._origins: dict[Domain, list[list[TileEntry]]] = {}
        for domain in DOMAINS:
            by_origin: dict[str, list[TileEntry]] = {}
            for entry in tiles[domain]:
                if min(entry.height, entry.width) >= 64:
                    by_origin.setdefault(entry.origin, []).append(entry)
            self._origins[domain] = list(by_origin.values())
        self._domains = [d for d in DOMAINS if config.domains.get(d, 0) > 0]
        if missing := [d for d in self._domains if not self._origins[d]]:
            raise ValueError(f"split {split!r} has no source tile of {', '.join(missing)}; give it no share.")
        shares = np.array([config.domains[d] for d in self._domains])
        self._shares = shares / shares.sum()

    def __call__(self, index: int) -> Sample:
        """The sample of this index; equal for equal (seed, index, configuration, sources)."""
        rng = np.random.default_rng([self.seed, index])
        domain = self._domains[int(rng.choice(len(self._domains), p=self._shares))]
        entry = self._draw_tile(rng, domain)
        base = self._crop(rng, entry)
        if rng.random() < self.config.first_jpeg:
            base = self._compress_first(rng, base)
        if rng.random() < self.config.authentic:
            label = -1.0 if entry.origin in GENERATED_ORIGINS else 0.0
            tampered, mask, operation = base, np.zeros(base.shape[:2], np.uint8), "authentic"
        else:
            label = 1.0
            tampered, mask, operation = self._tamper(rng, domain, base)
        return self._finish(rng, tampered, mask, label, DOMAINS.index(domain), operation)

    def _draw_tile(self, rng: Generator, domain: Domain) -> TileEntry:
        origins = self._origins[domain]
        # Square-root weights: small sets are seen often enough, large ones keep their variety.
        weights = np.sqrt([len(tiles) for tiles in origins])
        tiles = origins[int(rng.choice(len(origins), p=weights / weights.sum()))]
        return tiles[int(rng.integers(len(tiles)))]

    def _crop(self, rng: Generator, entry: TileEntry) -> Pixels:
        """A crop of S + 8 on the source's own 8 grid, sometimes rescaled; small tiles are enlarged or mirrored."""
        need = self.config.size + 8
        tile = self.pool.pixels(entry)
        scale = float(np.exp(rng.uniform(-0.7, 0.4))) if rng.random() < self.config.rescale else 1.0
        if min(entry.height, entry.width) * scale < need:
            # Upsample a little at most: mirrored pixels keep the source's statistics, enlarged ones do not.
            scale = min(max(scale, need / min(entry.height, entry.width)), 1.25)
        wanted = int(np.ceil(need / scale))
        height, width = min(wanted, entry.height), min(wanted, entry.width)
        y = int(rng.integers(0, (entry.height - height) // 8 + 1)) * 8
        x = int(rng.integers(0, (entry.width - width) // 8 + 1)) * 8
        crop = np.array(tile[y : y + height, x : x + width])
        if scale != 1.0:
            size = (max(8, round(width * scale)), max(8, round(height * scale)))
            crop = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        bottom, right = max(0, need - crop.shape[0]), max(0, need - crop.shape[1])
        if bottom or right:
            crop = cv2.copyMakeBorder(crop, 0, bottom, 0, right, cv2.BORDER_REFLECT)
        crop = crop[:need, :need]
        mirrored = entry.origin.split("/")[0] in ("natural", "face") and rng.random() < 0.5
        return np.ascontiguousarray(crop[:, ::-1] if mirrored else crop)

    def _compress_first(self, rng: Generator, crop: Pixels) -> Pixels:
        low, high = self.config.first_quality
        compressed = recompress(crop, int(rng.integers(low, high + 1)), rng)
        if rng.random() >= self.config.crop_shift:
            return compressed
        y, x = (int(v) for v in rng.integers(0, 8, 2))
        return np.ascontiguousarray(compressed[y:, x:])

    def _tamper(self, rng: Generator, domain: Domain, base: Pixels) -> tuple[Pixels, Mask, str]:
        size = self.config.size
        base = np.ascontiguousarray(base[:size, :size])
        names, shares = zip(*_OPERATIONS[domain].items(), strict=True)
        for _ in range(6):
            operation = names[int(rng.choice(len(names), p=shares))]
            tampered, mask = self._apply(rng, operation, domain, base)
            share = float(mask.mean())
            changed = np.abs(tampered[mask > 0].astype(np.int16) - base[mask > 0]).mean() if share else 0.0
            # An edit that changes nothing (blank paper on blank paper) must not be called tampering.
            if 0.002 < share < 0.9 and changed > 1.0:
                return tampered, mask, operation
        tampered, mask = operations.local_filter(rng, base, shapes.rectangle(rng, size, 0.1))
        return tampered, mask, "local_filter"

    def _apply(self, rng: Generator, operation: str, domain: Domain, base: Pixels) -> tuple[Pixels, Mask]:
        size, (low, high) = self.config.size, self.config.area
        area = float(np.exp(rng.uniform(np.log(low), np.log(high))))
        if operation == "text":
            return text.replace_text(rng, base, self._text_box(rng, area))
        if operation == "text_erase":
            return text.erase_text(rng, base, self._text_box(rng, area))
        if operation == "text_copy":
            return operations.copy_move(rng, base, shapes.rectangle(rng, size, min(area, 0.15), wide=True))
        if operation == "remove":
            return operations.remove(rng, base, shapes.any_shape(rng, size, min(area, 0.12)))
        mask = shapes.any_shape(rng, size, area)
        if operation == "copy_move":
            return operations.copy_move(rng, base, mask)
        if operation == "local_filter":
            return operations.local_filter(rng, base, mask)
        donor = self._crop(rng, self._draw_tile(rng, domain if rng.random() < 0.7 else "natural"))
        if rng.random() < self.config.donor_jpeg:
            donor = self._compress_first(rng, donor)
        donor = np.ascontiguousarray(donor[:size, :size])
        return operations.splice(rng, base, donor, mask)

    def _text_box(self, rng: Generator, area: float) -> tuple[int, int, int, int]:
        """A text-line box of 8 pixels or more in height."""
        size = self.config.size
        height = int(np.clip(size * np.sqrt(area / rng.uniform(1.5, 6)), 9, 64))
        width = int(np.clip(height * rng.uniform(1, 7), height, size - 8))
        x, y = int(rng.integers(0, size - width)), int(rng.integers(0, size - height))
        return x, y, x + width, y + height

    def _finish(
        self, rng: Generator, pixels: Pixels, mask: Mask, label: float, domain: int, operation: str
    ) -> Sample:
        config, size = self.config, self.config.size
        pixels, mask = pixels[:size, :size], mask[:size, :size]
        if rng.random() < config.soften:
            pixels = cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.4, 0.9)))
        height = width = size
        if rng.random() < config.pad:
            height, width = (int(v) for v in rng.integers(int(0.4 * size), size + 1, 2))
        pixels = np.ascontiguousarray(pixels[:height, :width])
        if rng.random() < config.last_png:
            pixels, trace = finish_as_png(pixels)
        else:
            low, high = config.last_quality
            pixels, trace = finish_as_jpeg(pixels, int(rng.integers(low, high + 1)), rng)
        return assemble(pixels, trace, mask[:height, :width], size, label, domain, operation)


def assemble(
    pixels: Pixels, trace: JpegTrace, mask: Mask, size: int, label: float, domain: int, operation: str
) -> Sample:
    """Clip coefficients and table as the model file wants them and pad to ``size`` as DESIGN's contract says."""
    height, width = mask.shape
    below, beside = size - height, size - width
    coefficients = np.minimum(np.abs(trace.coefficients.astype(np.int32)), 20).astype(np.uint8)[:height, :width]
    return Sample(
        image=np.ascontiguousarray(np.pad(pixels, ((0, below), (0, beside), (0, 0)), mode="edge").transpose(2, 0, 1)),
        coefficients=np.pad(coefficients, ((0, below), (0, beside))),
        table=np.minimum(trace.table, 63).astype(np.uint8),
        mask=np.pad(mask, ((0, below), (0, beside)), constant_values=IGNORE),
        label=label if (mask == 1).any() or label <= 0 else 0.0,
        domain=domain,
        operation=operation,
    )
