"""The engine: (seed, index) -> one sample, the same whatever process asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.random import Generator
from pydantic import ConfigDict

from omni_iml.data.sources import DOMAINS, Domain, Split, TileEntry, TilePool
from omni_iml.data.synthesis import operations, shapes, text
from omni_iml.data.synthesis.crop import Crop, draw_crop
from omni_iml.data.synthesis.history import finish_as_jpeg, finish_as_png, recompress
from omni_iml.data.synthesis.pixels import Mask, Pixels
from omni_iml.data.synthesis.sample import Sample, assemble
from omni_iml.data.words import WordBox
from omni_iml.types import Box

GENERATED_ORIGINS = {"face/faker_ai_portraits_cc0"}
"""Wholly generated pictures: material to tamper with, never an authentic example."""

AUTHENTIC = "authentic"
"""Name of the operation of samples in which no tampered pixel is seen."""

_SMALLEST_TILE = 64
_SMALLEST_TEXT = 6  # pixels in height; no font draws letters below

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
        size: side of the samples in pixels, a multiple of 32, at least 32.
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
        ValueError: the configuration names an unknown domain, gives none a share, or has a size that is no multiple of
            32; or the split has no tile of a domain that has a share.
    """

    def __init__(self, pool: TilePool, split: Split, config: SynthesisConfig, seed: int) -> None:
        self.pool, self.config, self.seed = pool, config, seed
        if config.size < 32 or config.size % 32:
            raise ValueError(f"synthesis size {config.size}: is no positive multiple of 32; choose 128, 256 or 512.")
        if unknown := sorted(set(config.domains) - set(DOMAINS)):
            raise ValueError(f"domain {', '.join(unknown)}: is unknown; the domains are {', '.join(DOMAINS)}.")
        self._domains = [d for d in DOMAINS if config.domains.get(d, 0) > 0]
        if not self._domains:
            raise ValueError("synthesis domains: none has a share above 0; give one a share.")
        tiles = pool.select(split)
        self._origins: dict[Domain, list[list[TileEntry]]] = {}
        for domain in DOMAINS:
            by_origin: dict[str, list[TileEntry]] = {}
            for entry in tiles[domain]:
                if min(entry.height, entry.width) >= _SMALLEST_TILE:
                    by_origin.setdefault(entry.origin, []).append(entry)
            self._origins[domain] = list(by_origin.values())
        if missing := [d for d in self._domains if not self._origins[d]]:
            raise ValueError(f"split {split!r} has no source tile of {', '.join(missing)}; give it no share.")
        shares = np.array([config.domains[d] for d in self._domains])
        self._shares = shares / shares.sum()

    def __call__(self, index: int) -> Sample:
        """The sample of this index; equal for equal (seed, index, configuration, sources, fonts)."""
        rng = np.random.default_rng([self.seed, index])
        domain = self._domains[int(rng.choice(len(self._domains), p=self._shares))]
        entry = self._draw_tile(rng, domain)
        base = self._crop(rng, entry)
        if rng.random() < self.config.first_jpeg:
            base = self._compress_first(rng, base)
        # What was mirrored to fill a small source up is no part of the picture: nothing is edited there.
        base = base.window(0, 0, *(min(self.config.size, own) for own in base.extent))
        edit = None if rng.random() < self.config.authentic else self._tamper(rng, domain, base)
        tampered, mask, operation = edit or (base.pixels, np.zeros(base.pixels.shape[:2], np.uint8), AUTHENTIC)
        return self._finish(rng, tampered, mask, operation, entry)

    def _draw_tile(self, rng: Generator, domain: Domain) -> TileEntry:
        origins = self._origins[domain]
        # Square-root weights: small sets are seen often enough, large ones keep their variety.
        weights = np.sqrt([len(tiles) for tiles in origins])
        tiles = origins[int(rng.choice(len(origins), p=weights / weights.sum()))]
        return tiles[int(rng.integers(len(tiles)))]

    def _crop(self, rng: Generator, entry: TileEntry) -> Crop:
        """A crop with 8 pixels to spare, which a shift of the first compression's grid eats into."""
        return draw_crop(rng, self.pool.pixels(entry), entry, self.config.size + 8, self.config.rescale)

    def _compress_first(self, rng: Generator, crop: Crop) -> Crop:
        low, high = self.config.first_quality
        compressed = replace(crop, pixels=recompress(crop.pixels, int(rng.integers(low, high + 1)), rng))
        if rng.random() >= self.config.crop_shift:
            return compressed
        y, x = (int(v) for v in rng.integers(0, 8, 2))
        height, width = crop.pixels.shape[:2]
        return compressed.window(y, x, height - y, width - x)

    def _tamper(self, rng: Generator, domain: Domain, base: Crop) -> tuple[Pixels, Mask, str] | None:
        """An edit that shows, or none where nothing that was tried does (on an empty page)."""
        names, shares = zip(*_OPERATIONS[domain].items(), strict=True)
        for _ in range(6):
            operation = names[int(rng.choice(len(names), p=shares))]
            tampered, mask = self._apply(rng, operation, domain, base)
            if 0.002 < mask.mean() < 0.9 and _shows(base.pixels, tampered, mask):
                return tampered, mask, operation
        height, width = base.pixels.shape[:2]
        region = shapes.fitted(shapes.rectangle(rng, max(height, width), 0.1), height, width)
        tampered, mask = operations.local_filter(rng, base.pixels, region)
        return (tampered, mask, "local_filter") if _shows(base.pixels, tampered, mask) else None

    def _apply(self, rng: Generator, operation: str, domain: Domain, crop: Crop) -> tuple[Pixels, Mask]:
        base, (low, high) = crop.pixels, self.config.area
        height, width = base.shape[:2]
        side = max(height, width)
        area = float(np.exp(rng.uniform(np.log(low), np.log(high))))
        if operation == "text":
            return text.replace_text(rng, base, text_box(rng, height, width, area, crop.words))
        if operation == "text_erase":
            return text.erase_text(rng, base, text_box(rng, height, width, area, crop.words))
        if operation == "text_copy":
            line = shapes.rectangle(rng, side, min(area, 0.15), wide=True)
            return operations.copy_move(rng, base, shapes.fitted(line, height, width))
        if operation == "remove":
            mask = shapes.any_shape(rng, side, min(area, 0.12))
            return operations.remove(rng, base, shapes.fitted(mask, height, width))
        mask = shapes.fitted(shapes.any_shape(rng, side, area), height, width)
        if operation == "copy_move":
            return operations.copy_move(rng, base, mask)
        if operation == "local_filter":
            return operations.local_filter(rng, base, mask)
        # Seven donors of ten are of the picture's own domain, and all are where there are no photographs.
        own = rng.random() < 0.7 or not self._origins["natural"]
        donor = self._crop(rng, self._draw_tile(rng, domain if own else "natural"))
        if rng.random() < self.config.donor_jpeg:
            donor = self._compress_first(rng, donor)
        # A pasted piece lies on the JPEG grid of the picture it comes from once in 64 times, as in life.
        y, x = (int(rng.integers(0, donor.pixels.shape[axis] - base.shape[axis])) for axis in (0, 1))
        return operations.splice(rng, base, donor.window(y, x, height, width).pixels, mask)

    def _finish(self, rng: Generator, pixels: Pixels, mask: Mask, operation: str, entry: TileEntry) -> Sample:
        """The last history; a picture smaller than the sample where the source is, and now and then besides."""
        config, size = self.config, self.config.size
        if rng.random() < config.soften:
            pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.4, 0.9))), np.uint8)
        height, width = mask.shape
        if rng.random() < config.pad:
            low_y, low_x = min(height, int(0.4 * size)), min(width, int(0.4 * size))
            height, width = int(rng.integers(low_y, height + 1)), int(rng.integers(low_x, width + 1))
        pixels, mask = np.ascontiguousarray(pixels[:height, :width]), mask[:height, :width]
        if rng.random() < config.last_png:
            pixels, trace = finish_as_png(pixels)
        else:
            low, high = config.last_quality
            pixels, trace = finish_as_jpeg(pixels, int(rng.integers(low, high + 1)), rng)
        # The smaller picture may have lost the edit: what is left of it is then what it was before.
        if mask.any():
            label = 1.0
        else:
            label, operation = (-1.0 if entry.origin in GENERATED_ORIGINS else 0.0), AUTHENTIC
        return assemble(pixels, trace, mask, size, label, DOMAINS.index(entry.domain), operation)


def text_box(rng: Generator, height: int, width: int, area: float, words: Sequence[WordBox]) -> Box:
    """A box for a piece of text.

    Args:
        rng: source of all choices.
        height: of the picture in pixels, 32 at least.
        width: of the picture in pixels, 32 at least.
        area: share of the picture wanted where no word is known.
        words: known words and text lines inside the picture.

    Returns:
        One to seven times as wide as tall: a part of a known word, or a box 9 to 64 pixels in height anywhere.
    """
    if known := [w for w in words if w.y1 - w.y0 >= _SMALLEST_TEXT and w.x1 - w.x0 >= _SMALLEST_TEXT]:
        word = known[int(rng.integers(len(known)))]
        wide = min(word.x1 - word.x0, int((word.y1 - word.y0) * rng.uniform(1, 7)))
        x = int(rng.integers(word.x0, word.x1 - wide + 1))
        return x, word.y0, x + wide, word.y1
    side = np.sqrt(height * width)
    tall = int(np.clip(side * np.sqrt(area / rng.uniform(1.5, 6)), 9, min(64, height - 8, width - 8)))
    wide = int(np.clip(tall * rng.uniform(1, 7), tall, width - 8))
    x, y = int(rng.integers(0, width - wide)), int(rng.integers(0, height - tall))
    return x, y, x + wide, y + tall


def _shows(before: Pixels, after: Pixels, mask: Mask) -> bool:
    """Whether the masked pixels differ by more than a level: blank paper on blank paper is no tampering."""
    inside = mask > 0
    return bool(inside.any()) and float(np.abs(after[inside].astype(np.int16) - before[inside]).mean()) > 1.0
