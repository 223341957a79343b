"""How a repository or a paper scores, as data: what is counted, at what size, and how the counts become one number.

The field's numbers disagree because each repository scores differently under one name. A `Protocol` says all that
matters; `PROTOCOLS` has the ones in use, read in the code of those who use them. Every figure of every protocol is a
reduction of one table of counts, `omni_iml.evaluation.counting`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from omni_iml.metrics.bands import Band

TruthRule = Literal["above half", "non-zero"]
Compression = Literal["official-asrun", "intended", "first", "final"]


@dataclass(frozen=True)
class Counting:
    """How the four counts of a picture are made.

    Attributes:
        truth: what of a mask file is tampered: mean over RGB above 127.5, or any value but zero.
        band: pixels around the region's edge that are left out, or None.
        threshold: of the map, 0..1.
        strict: tampered is above the threshold, not at it.
        bits: the map is first cut down to this many bits (as when stored in a file, fractions dropped); 0 = it is not.
        inverted: 1 - map, in float32, stands for the map.
    """

    truth: TruthRule = "above half"
    band: Band | None = None
    threshold: float = 0.5
    strict: bool = True
    bits: Literal[0, 8] = 0
    inverted: bool = False

    @property
    def name(self) -> str:
        """Names the columns of the table of counts, for example "above half, map > 0.5"."""
        band = f", band {self.band.erode}/{self.band.dilate}" if self.band else ""
        map_ = ("1 - map" if self.inverted else "map") + (f" in {self.bits} bits" if self.bits else "")
        return f"{self.truth}{band}, {map_} {'>' if self.strict else '>='} {self.threshold:g}"


@dataclass(frozen=True)
class Geometry:
    """The size that a picture has when a model sees it and when it is scored.

    Attributes:
        mode: "original"; "resize" to S x S, whatever the aspect, picture and map bilinear, mask nearest; "pad", the top
            left S x S: what lies beyond is cut off, what is missing is padded and not scored.
        side: S in pixels; 0 for "original".
    """

    mode: Literal["original", "resize", "pad"] = "original"
    side: int = 0

    def __post_init__(self) -> None:
        if (self.mode == "original") != (self.side == 0) or self.side < 0:
            raise ValueError(f"the geometry {self.mode!r} cannot have the side {self.side}; only the original has 0.")

    @property
    def name(self) -> str:
        """For example "resize-512"."""
        return self.mode if self.mode == "original" else f"{self.mode}-{self.side}"


@dataclass(frozen=True)
class Protocol:
    """One way to score a set of pictures.

    Attributes:
        name: as commands and results print it.
        source: whose way it is, and where it is written.
        counting: how pixels are counted.
        geometry: at what size.
        pictures: which pictures the pixel figures look at: those that the data set calls tampered, or all.
        figures: pixel figures by name -> formula of `omni_iml.evaluation.formulas`, the first being the one to quote.
        permute: each picture scores the better of its map and the inverted one: "swap" exchanges the counts, "benco"
            does so for F1 and accuracy, and inverts the map itself for IoU and AUC.
        empty: what a picture scores whose mask has no tampered pixel: "skip" leaves it out and counts it, "formula"
            lets the formula say, "one" gives 1 where the prediction is empty too and else lets the formula say.
        undefined: what a figure that is nan for one picture does: "skip" leaves the picture out and counts it, "spoil"
            makes the figure of the whole set nan, as a plain mean does.
        epsilon: added to the formulas' denominators.
        batch: means are taken of batches of so many pictures, in order, and then of the batches; 0 = of the pictures.
        image_score: what a picture's score is: the classifier's, the largest value of the map, or the mean of its top.
        compression: how DocTamper's pictures are compressed before the model sees them, or None.
        exceptions: data sets whose name begins so are scored by another protocol.
    """

    name: str
    source: str
    figures: Mapping[str, str]
    counting: Counting = field(default_factory=Counting)
    geometry: Geometry = field(default_factory=Geometry)
    pictures: Literal["tampered", "all"] = "tampered"
    permute: Literal["none", "swap", "benco"] = "none"
    empty: Literal["skip", "formula", "one"] = "formula"
    undefined: Literal["skip", "spoil"] = "skip"
    epsilon: float = 0.0
    batch: int = 0
    image_score: Literal["classifier", "maximum", "top"] = "classifier"
    compression: Compression | None = None
    exceptions: Mapping[str, str] = field(default_factory=dict)

    @property
    def countings(self) -> tuple[Counting, ...]:
        """The counts that its figures need."""
        both = self.permute == "benco"
        return (self.counting, replace(self.counting, inverted=True)) if both else (self.counting,)

    @property
    def view(self) -> str:
        """Names what the model is shown: the geometry, and how it is compressed."""
        return self.geometry.name + (f"+{self.compression}" if self.compression else "")

    def of(self, data: str) -> Protocol:
        """The protocol for a data set of this name: itself, or the one that it makes an exception of."""
        for start, other in self.exceptions.items():
            if data.lower().startswith(start):
                return PROTOCOLS[other]
        return self


_PAPER = {"IoU": "iou", "P": "precision", "R": "recall", "F1": "f1", "AUC": "auc"}
_BENCO = {"F1": "f1", "IoU": "iou", "accuracy": "accuracy", "AUC": "auc of benco"}
_DOCTAMPER = {"IoU": "pooled iou", "P": "precision", "R": "recall bare", "F1": "f1 of means"}


def _doctamper(compression: Compression, source: str) -> Protocol:
    return Protocol(
        f"doctamper-{compression}",
        source,
        _DOCTAMPER,
        Counting("non-zero"),
        pictures="all",
        undefined="spoil",
        epsilon=1e-8,
        batch=6,
        compression=compression,
    )


_ALL = (
    Protocol(
        "paper",
        "Omni-IML, ICLR text, F.1: foreground IoU, P, R and F of each sample, averaged, after Ma et al. (2024); "
        "DocTamper by its official script, whose variant is named",
        _PAPER,
        epsilon=1e-8,
        exceptions={"doctamper": "doctamper-official-asrun"},
    ),
    Protocol(
        "benco",
        "IMDL-BenCo 0.1.45, evaluation/, resized to 512 as most of its test scripts do; manipulated pictures only, as "
        "its users agree: its evaluators count an authentic one as 0",
        _BENCO,
        geometry=Geometry("resize", 512),
        undefined="spoil",
        epsilon=1e-8,
    ),
    Protocol(
        "benco-permute",
        'IMDL-BenCo 0.1.45, mode "double": the better of map and inverted map, for each picture',
        _BENCO,
        geometry=Geometry("resize", 512),
        permute="benco",
        undefined="spoil",
        epsilon=1e-8,
    ),
    Protocol(
        "trufor",
        "TruFor, test_docker/metrics.py: band of 15 and 11 pixels left out, better of map and inverted map, at 0.5 and "
        "at the best threshold; original size",
        {"F1 fixed": "dice fixed", "F1 best": "best f1"},
        Counting(band=Band(15, 11)),
        permute="swap",
    ),
    Protocol(
        "mvss",
        "MVSS-Net, evaluate.py: map stored in 8 bits at original size, any non-zero mask pixel; score = maximum",
        {"F1": "dice"},
        Counting("non-zero", bits=8),
        empty="one",
        epsilon=1e-6,
        image_score="maximum",
    ),
    Protocol(
        "catnet",
        "CAT-Net, lib/core/function.py: mean IoU of background and foreground of each picture, and the better of map "
        "and inverted map",
        {"mIoU": "mean iou", "p-mIoU": "mean iou permuted"},
        Counting("non-zero"),
        pictures="all",
    ),
    _doctamper(
        "official-asrun",
        "DocTamper, models/eval_dtd.py as it runs: all saves go to one open file, so the coefficients are of the first "
        "quality, the table of the last, the picture of the first save, or uncompressed where there is one save",
    ),
    _doctamper("intended", "DocTamper as its paper means it: compressed in order, coefficients and table of the last"),
    _doctamper("first", "FFDN: compressed once with the first quality, table read from the file, clipped to 63"),
    _doctamper("final", "ForensicHub: compressed once with the last quality"),
    Protocol(
        "clean",
        "this project: original size, tie-aware AUC, pictures without tampered pixels skipped and counted, no epsilon",
        {"IoU": "iou", "P": "precision", "R": "recall", "F1": "dice", "AUC": "auc", "pooled AUC": "pooled auc"},
        empty="skip",
    ),
)

PROTOCOLS: Mapping[str, Protocol] = {protocol.name: protocol for protocol in _ALL}
"""The protocols by name."""

STANDARD_COUNTINGS: tuple[Counting, ...] = tuple(
    {counting.name: counting for protocol in _ALL for counting in protocol.countings}.values()
)
"""What is always counted, so that a stored table serves every protocol."""
