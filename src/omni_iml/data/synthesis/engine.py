"""The engine: (seed, index) -> one sample, the same whatever process asks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator

from omni_iml.data.framing import draw_start
from omni_iml.data.sources import DOMAINS, Domain, Split
from omni_iml.data.synthesis.checks import check
from omni_iml.data.synthesis.config import SynthesisConfig
from omni_iml.data.synthesis.crop import draw_crop
from omni_iml.data.synthesis.edit import Edit, NothingToEdit, Operation, differs
from omni_iml.data.synthesis.forgery import AUTHENTIC, Forgery
from omni_iml.data.synthesis.history import History, draw_after, draw_before, draw_jpeg
from omni_iml.data.synthesis.operations import Entry, LocalFilter, catalogue
from omni_iml.data.synthesis.pages import draw_page
from omni_iml.data.synthesis.pixels import Mask
from omni_iml.data.synthesis.sample import Sample, sample_of
from omni_iml.data.synthesis.scene import Scene
from omni_iml.data.tile_cache import SMALLEST, TileEntry, TilePool

GENERATED_ORIGINS = {"face/faker_ai_portraits_cc0"}
"""Wholly generated pictures: material to tamper with, never an authentic example."""

RENDERED = "document/rendered"
"""Origin of rendered pages."""

_TRIES = 6
_FEWEST_PIXELS, _LARGEST_SHARE = 64, 0.9  # a digit of small print, and all but a rim


Outcome = tuple[Edit, str, list[tuple[str, str]]]
"""An edit, its operation's name, and what was dropped before it, each with its cause."""


@dataclass(frozen=True)
class Composite:
    """One picture that was edited, or not, before it goes its ways.

    Attributes:
        scene: as the editor opened it.
        edit: its pixels, the mask (empty where nobody edited it) and what was done.
        operation: name of the operation, or `AUTHENTIC`.
        domain: of its source.
        origin: of its source.
        identity: of its source.
        histories: one for each view.
        dropped: operations that were tried in vain, each with its cause.
    """

    scene: Scene
    edit: Edit
    operation: str
    domain: Domain
    origin: str
    identity: str
    histories: tuple[History, ...]
    dropped: tuple[tuple[str, str], ...]


class Engine:
    """Draws samples from a pool of authentic tiles.

    Args:
        pool: cached source tiles.
        split: which identities may be drawn; None for all.
        config: what is drawn how often.
        seed: first part of every sample's seed.

    Raises:
        ValueError: the configuration is one that `check` refuses or names an unknown operation or inpainter; or the
            split has no tile of a set that it names or of a domain that has a share.
    """

    def __init__(self, pool: TilePool, split: Split | None, config: SynthesisConfig, seed: int) -> None:
        self.pool, self.config, self.seed = pool, config, seed
        check(config)
        self._domains = [d for d in DOMAINS if config.domains.get(d, 0) > 0]
        tiles = pool.select(split)
        here = {entry.origin for entries in tiles.values() for entry in entries}
        if missing := sorted(set(config.sets) - here):
            names = ", ".join(sorted(here))
            raise ValueError(f"sets: split {split or 'all'!r} has none of {', '.join(missing)}; it has {names}.")
        wanted = set(config.sets) or here
        self._origins: dict[Domain, list[list[TileEntry]]] = {}
        for domain in DOMAINS:
            by_origin: dict[str, list[TileEntry]] = {}
            for entry in tiles[domain]:
                if entry.origin in wanted and min(entry.height, entry.width) >= SMALLEST:
                    by_origin.setdefault(entry.origin, []).append(entry)
            self._origins[domain] = list(by_origin.values())
        drawn = {"document"} if config.rendered >= 1 else set()  # needs no source
        if missing := [d for d in self._domains if not self._origins[d] and d not in drawn]:
            raise ValueError(f"split {split or 'all'!r} has no source tile of {', '.join(missing)}; give it no share.")
        shares = np.array([config.domains[d] for d in self._domains])
        self._shares = shares / shares.sum()
        self._catalogue = _shares(self._domains, config)
        self._latest: tuple[int, Composite] | None = None

    def __call__(self, index: int) -> Sample:
        """The sample of this index; equal for equal (seed, index, configuration, sources, fonts)."""
        return sample_of(self.forgery(index), self.config.size)

    def forgery(self, index: int) -> Forgery:
        """The sample of this index before its last save, at most ``size`` pixels a side."""
        number, view = divmod(index, self.config.views)
        # A third word of 0 would give the composite's own stream again: numpy fills missing words with zeros.
        rng = np.random.default_rng([self.seed, number, view + 1])
        return self._view(rng, self.composite(number), view, {"seed": self.seed, "index": index})

    def composite(self, number: int) -> Composite:
        """The composite that the samples ``views * number`` and after are views of."""
        # Views are mostly asked for in order, so one composite is worth keeping.
        if self._latest is None or self._latest[0] != number:
            self._latest = number, self._compose(np.random.default_rng([self.seed, number]))
        return self._latest[1]

    def _compose(self, rng: Generator) -> Composite:
        config = self.config
        domain = self._domains[int(rng.choice(len(self._domains), p=self._shares))]
        # Histories come first: whether somebody edits the picture is drawn later and does not depend on them.
        before = draw_before(rng, config)
        drawn = [draw_after(rng, config) for _ in range(config.views)]
        histories = tuple(History(channel, before, after, save) for channel, after, save in drawn)
        side = max(history.side_before(config.size) for history in histories)
        if config.views > 1:
            side += config.size // 4  # so that the views' crops differ
        scene, origin, identity = self._draw_scene(rng, domain, side)
        scene = histories[0].lead(scene)
        # What was mirrored to fill a small source up is no part of the picture: nothing is edited there.
        scene = scene.window(0, 0, *scene.extent)
        edit, operation, dropped = _untouched(scene)
        if rng.random() >= config.authentic:
            edit, operation, dropped = self._tamper(rng, domain, scene, identity)
        # Without it no number is drawn, so that samples are what they were before there was such a setting.
        if config.again and operation != AUTHENTIC and rng.random() < config.again:
            edit = self._edit_again(rng, domain, scene, identity, edit)
        return Composite(scene, edit, operation, domain, origin, identity, histories, tuple(dropped))

    def _draw_scene(self, rng: Generator, domain: Domain, side: int) -> tuple[Scene, str, str]:
        """A piece of a source or of a rendered page, with its origin and identity."""
        if domain == "document" and rng.random() < self.config.rendered:
            # Half of the cards that bear a portrait bear one of a source; it is the issuer's work and no tampering.
            faces = self._origins["face"] if rng.random() < 0.5 else []
            portrait = self.pool.pixels(self._draw_tile(rng, "face")) if faces else None
            return draw_page(rng, side, side, portrait), RENDERED, RENDERED
        entry = self._draw_tile(rng, domain)
        return self._crop(rng, entry, side), entry.origin, entry.identity

    def _draw_tile(self, rng: Generator, domain: Domain) -> TileEntry:
        origins = self._origins[domain]
        # Square-root weights: small sets are seen often enough, large ones keep their variety.
        weights = np.sqrt([len(tiles) for tiles in origins])
        tiles = origins[int(rng.choice(len(origins), p=weights / weights.sum()))]
        return tiles[int(rng.integers(len(tiles)))]

    def _crop(self, rng: Generator, entry: TileEntry, side: int) -> Scene:
        return draw_crop(rng, self.pool.pixels(entry), entry, side, self.config.rescale, self.config.size)

    def _tamper(self, rng: Generator, domain: Domain, scene: Scene, identity: str) -> Outcome:
        """An edit that shows, or none where nothing that was tried does (on an empty page)."""
        entries = self._catalogue[domain]
        names, shares = list(entries), [entry.share for entry in entries.values()]
        drawn = [names[int(choice)] for choice in rng.choice(len(names), _TRIES, p=shares)]
        tries: list[tuple[str, Operation]] = [(name, entries[name].operation) for name in drawn]
        dropped: list[tuple[str, str]] = []
        for name, operation in (*tries, ("local_filter", LocalFilter((0.05, 0.15)))):
            try:
                edit = operation(rng, scene, lambda r: self._donor(r, domain, scene, identity))
            except NothingToEdit as reason:
                dropped.append((name, str(reason) or "nothing to edit"))
                continue
            if cause := _unfit(scene, edit):
                dropped.append((name, cause))
                continue
            return edit, name, dropped
        return _untouched(scene, dropped)

    def _edit_again(self, rng: Generator, domain: Domain, scene: Scene, identity: str, first: Edit) -> Edit:
        """The first edit and a second one upon it, told under "again"; the first alone where no second one shows."""
        second, operation, _ = self._tamper(rng, domain, scene.painted(first.pixels), identity)
        mask = first.mask | second.mask
        if operation == AUTHENTIC or mask.mean() >= _LARGEST_SHARE:
            return first
        return Edit(second.pixels, mask, {**first.did, "again": {"operation": operation, **second.did}})

    def _donor(self, rng: Generator, domain: Domain, scene: Scene, identity: str) -> Scene:
        """A picture of something else, of the scene's shape, with a compression of its own at times."""
        # Seven donors of ten are of the picture's own domain, and all are where there are no photographs.
        own = rng.random() < 0.7 or not self._origins["natural"]
        height, width = scene.pixels.shape[:2]
        side = -(-max(height, width) // 8) * 8 + 8
        others = (self._draw_tile(rng, domain if own else "natural") for _ in range(_TRIES))
        tile = next((tile for tile in others if tile.identity != identity), None)
        if tile is None:
            raise NothingToEdit("there is no picture of anything else.")
        donor = self._crop(rng, tile, side)
        if rng.random() < self.config.donor_jpeg:
            donor = donor.painted(draw_jpeg(rng, self.config.first_quality, self.config.camera).through(donor.pixels))
        # A pasted piece lies on the JPEG grid of the picture it comes from once in 64 times, as in life.
        y, x = (int(v) for v in rng.integers(0, 8, 2))
        return donor.window(y, x, height, width)

    def _view(self, rng: Generator, composite: Composite, view: int, asked: dict[str, Any]) -> Forgery:
        """One way of the composite: a crop on its grid, what happens to the whole picture, the last save."""
        config, edit, history = self.config, composite.edit, composite.histories[view]
        side = history.side_before(config.size)
        y, x = _crop_towards(rng, edit.mask, side, side) if config.views > 1 else (0, 0)
        pixels, mask = history.follow(edit.pixels[y : y + side, x : x + side], edit.mask[y : y + side, x : x + side])
        height, width = (min(config.size, own) for own in mask.shape)
        if rng.random() < config.pad:
            height, width = (
                min(own, int(config.size * s)) for own, s in zip((height, width), rng.uniform(0.4, 1, 2), strict=True)
            )
            # Were the edit cut away, small pictures would be authentic more often than others.
            top, left = _crop_towards(rng, mask, height, width)
            pixels, mask = pixels[top:, left:], mask[top:, left:]
        pixels, mask = np.ascontiguousarray(pixels[:height, :width]), np.ascontiguousarray(mask[:height, :width])
        seen = bool(mask.any())
        untouched = -1.0 if composite.origin in GENERATED_ORIGINS else 0.0
        operation = composite.operation if seen else AUTHENTIC
        recipe = {
            **asked,
            "source": {"origin": composite.origin, "identity": composite.identity},
            "operation": operation,
            "did": dict(edit.did) if seen else {},
            "history": history.told(),
            "crop": [y, x, height, width],
            "dropped": [list(attempt) for attempt in composite.dropped],
        }
        return Forgery(pixels, mask, history.save, 1.0 if seen else untouched, composite.domain, operation, recipe)


def _shares(domains: list[Domain], config: SynthesisConfig) -> dict[Domain, dict[str, Entry]]:
    """Each domain's operations with the shares that the configuration gives them, or else their own; they sum to 1."""
    every = catalogue(config.area, config.inpainter)
    names = sorted({name for entries in every.values() for name in entries})
    if unknown := sorted(set(config.operations) - set(names)):
        raise ValueError(f"operation {', '.join(unknown)}: is unknown; the operations are {', '.join(names)}.")
    chosen = {}
    for domain in domains:
        own = {name: entry.share for name, entry in every[domain].items()}
        wanted = {name: config.operations.get(name, 0.0) for name in own} if config.operations else own
        shares = {name: share for name, share in wanted.items() if share > 0}
        if not shares:
            raise ValueError(
                f"synthesis operations: none that {domain} has is given a share; give it one, or no {domain}."
            )
        total = sum(shares.values())
        chosen[domain] = {name: replace(every[domain][name], share=share / total) for name, share in shares.items()}
    return chosen


def _untouched(scene: Scene, dropped: list[tuple[str, str]] | None = None) -> Outcome:
    """The scene as it is, after what was tried in vain."""
    return Edit(scene.pixels, np.zeros(scene.pixels.shape[:2], np.uint8)), AUTHENTIC, dropped or []


def _unfit(scene: Scene, edit: Edit) -> str | None:
    """Why an edit is no use, or None: a mask of almost nothing or almost everything, a change that nobody sees."""
    if np.count_nonzero(edit.mask) < _FEWEST_PIXELS:
        return "covers next to nothing"
    if edit.mask.mean() >= _LARGEST_SHARE:
        return "covers next to everything"
    return None if differs(scene.pixels, edit) else "changes nothing that shows"


def _crop_towards(rng: Generator, mask: Mask, height: int, width: int) -> tuple[int, int]:
    """Top and left of a crop on the 8 grid, around a tampered pixel where there is one."""
    rows, columns = np.nonzero(mask)
    y = x = (0, 0)
    if rows.size:
        place = int(rng.integers(rows.size))
        y, x = ((int(at[place]), int(at[place]) + 1) for at in (rows, columns))
    tall, wide = mask.shape
    return draw_start(rng, tall, min(height, tall), *y), draw_start(rng, wide, min(width, wide), *x)
