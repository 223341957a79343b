"""What synthesis draws how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import ConfigDict


@dataclass(frozen=True)
class SynthesisConfig:
    """What is drawn how often. Shares and probabilities in 0..1, qualities are libjpeg's 1..100.

    Attributes:
        size: side of the samples in pixels, a multiple of 32, at least 32.
        domains: share of each domain.
        sets: the only source sets that are drawn from, as ``<domain>/<set>``; none for all that are there.
        operations: shares of operations by name, in place of those of `operations.catalogue`; none leaves them as they
            are. A domain draws from those of them that it has.
        inpainter: name "package.module:function" of a learned inpainter (see `Remove`); with one, a tenth of the edits
            of natural pictures are its removals.
        authentic: share of samples that nobody tampered with; they go through the same histories.
        rendered: share of document samples whose page is rendered instead of taken from a source.
        first_jpeg: probability that the picture is compressed before the edit (beyond its own history).
        first_quality: range of that quality.
        twice: probability that it is compressed a second time before the edit.
        camera: probability that a compression uses a camera's table instead of libjpeg's.
        donor_jpeg: probability that a spliced donor has a compression of its own.
        crop_shift: probability that the first compression's grid is shifted by a crop.
        rescale: probability that the source is rescaled first.
        channels: share of each way that the picture takes after the edit; the names are those of `history.CHANNELS`.
        soften: probability of a light blur over everything after the edit.
        last_png: probability that the result is saved without loss, where the channel leaves the choice.
        last_quality: range of the last JPEG quality, where the channel leaves the choice.
        pad: probability of padding at the right and bottom, as inference pads small pictures.
        area: smallest and largest share of the picture that is edited.
        again: probability that an edited picture is edited a second time, in another place or over the first one.
        views: samples drawn from one composite, each with a crop and later history of its own.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    size: int = 128
    domains: Mapping[str, float] = field(
        default_factory=lambda: {"natural": 0.45, "document": 0.25, "face": 0.15, "scene_text": 0.15}
    )
    sets: tuple[str, ...] = ()
    operations: Mapping[str, float] = field(default_factory=dict)
    inpainter: str | None = None
    authentic: float = 0.12
    rendered: float = 0.5
    first_jpeg: float = 0.75
    first_quality: tuple[int, int] = (55, 98)
    twice: float = 0.12
    camera: float = 0.15
    donor_jpeg: float = 0.4
    crop_shift: float = 0.2
    rescale: float = 0.35
    channels: Mapping[str, float] = field(
        default_factory=lambda: {
            "saved": 0.57,
            "resaved": 0.12,
            "resized": 0.1,
            "messenger": 0.12,
            "screenshot": 0.06,
            "printed": 0.03,
        }
    )
    soften: float = 0.1
    last_png: float = 0.15
    last_quality: tuple[int, int] = (65, 100)
    pad: float = 0.08
    area: tuple[float, float] = (0.01, 0.4)
    again: float = 0.0
    views: int = 1
