"""Pictures of data sets beside what the network made of them: Figures 10, 11 and 12."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.inspection.drawing import RGB, Map, colours, robust_range
from omni_iml.visualization.looking import Look, Maps

SIDE = 224
"""Pixels of a panel's longer side."""

_OUTLINE = (255, 0, 200)

Panel = tuple[str, RGB]
Row = tuple[str, Sequence[Panel]]


@dataclass(frozen=True)
class Chosen:
    """A picture that is shown.

    Attributes:
        why: "worst", "best", "random" or "most marked", the last of authentic pictures.
        look: its numbers.
    """

    why: str
    look: Look


def choose(looks: Sequence[Look], each: int, seed: int) -> list[Chosen]:
    """The pictures of one domain that the grid shows, each once.

    Args:
        looks: of the domain.
        each: how many of a kind.
        seed: draws the random ones.

    Returns:
        The tampered pictures with the lowest IoU (of few, the lower half), those with the highest, random ones of the
        rest, and the authentic ones of which the mask marks most.
    """
    tampered = sorted((look for look in looks if look.label), key=lambda look: (look.iou, look.data, look.key))
    worst = tampered[: min(each, -(-len(tampered) // 2))]
    best = tampered[len(worst) :][::-1][:each]
    rest = sorted(tampered[len(worst) : len(tampered) - len(best)], key=lambda look: (look.data, look.key))
    order = np.random.default_rng(seed).permutation(len(rest))[:each]
    authentic = sorted((look for look in looks if not look.label), key=lambda look: (-look.marked, look.data, look.key))
    kinds = (("worst", worst), ("best", best), ("random", [rest[i] for i in order]), ("most marked", authentic[:each]))
    return [Chosen(why, look) for why, found in kinds for look in found]


def draw_random(looks: Sequence[Look], each: int, seed: int) -> list[Chosen]:
    """Tampered pictures of one domain, drawn at random: those that the enhancement is shown on."""
    tampered = sorted((look for look in looks if look.label), key=lambda look: (look.data, look.key))
    order = np.random.default_rng(seed).permutation(len(tampered))[:each]
    return [Chosen("random", tampered[i]) for i in order]


def grid_row(chosen: Chosen, maps: Maps, others: Mapping[str, Map]) -> Row:
    """A picture's row of the grid (Figures 11 and 12).

    Args:
        chosen: the picture.
        maps: its maps.
        others: probability maps of other models, by the name that is shown; float32 of the picture's size.

    Returns:
        Heading, and panels: picture, truth, coarse masks, mask, other models' masks.
    """
    look = chosen.look
    figures = f"IoU {look.iou:.3f}, F1 {look.f1:.3f}" if look.label else f"authentic, marks {look.marked:.1%}"
    gate = "" if look.gate_probability is None else f", P(vision) {look.gate_probability:.2f}"
    heading = f"{look.domain}, {chosen.why}: {look.data}/{look.key}  {figures}{gate}"
    panels: list[Panel] = [("picture", _small(maps.pixels)), ("truth", _gray(maps.truth.astype(np.float32)))]
    panels += [(name, _gray(map_)) for name, map_ in maps.coarse.items()]
    panels.append(("mask", _gray(maps.probability)))
    panels += [(name, _gray(map_)) for name, map_ in others.items()]
    return _plain(heading), panels


def enhancement_row(chosen: Chosen, maps: Maps) -> Row:
    """A picture's row of Figure 10: the energy of E2 and E3 before and after anomaly enhancement.

    Args:
        chosen: the picture.
        maps: its maps, with energies.

    Returns:
        Heading, and panels with the truth's outline; colours run from the 1st to the 99th percentile of each map.
    """
    look = chosen.look
    panels: list[Panel] = [("picture", _outlined(maps.pixels, maps.truth))]
    for name, map_ in maps.energy.items():
        low, high = robust_range(map_)
        found = look.contrast[name]
        caption = f"{name} {low:.2f}..{high:.2f}  d {found.energy:+.2f} sep {found.separation:.2f}"
        panels.append((caption, _outlined(colours(map_, low, high), maps.truth)))
    return _plain(f"{look.domain}: {look.data}/{look.key}"), panels


def _size(shape: tuple[int, ...]) -> tuple[int, int]:
    """Width and height at which something of that shape fills a panel."""
    scale = SIDE / max(shape[:2])
    return max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale))


def _small(picture: RGB) -> RGB:
    method = cv2.INTER_AREA if max(picture.shape[:2]) > SIDE else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(picture, _size(picture.shape), interpolation=method), np.uint8)


def _gray(values: Map) -> RGB:
    return _small(np.repeat(np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)[..., None], 3, 2))


def _outlined(picture: RGB, truth: NDArray[np.bool_]) -> RGB:
    """The picture at a panel's size, with the borders of the tampered regions."""
    size = _size(truth.shape)
    method = cv2.INTER_AREA if max(picture.shape[:2]) > SIDE else cv2.INTER_NEAREST
    canvas = cv2.resize(picture, size, interpolation=method)
    mask = cv2.resize(truth.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    lines, _ = cv2.findContours((mask > 0.5).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    return np.asarray(cv2.drawContours(canvas, lines, -1, _OUTLINE, 1), np.uint8)


def _plain(text: str) -> str:
    """What the font has."""
    return text.encode("ascii", "replace").decode()
