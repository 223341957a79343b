"""What travels through the package: frozen dataclasses, data only.

Pixels are in **stored** orientation (as the file's bytes lie) up to and including inference, because the JPEG
grid is; a `Detection` is in **displayed** orientation (as a viewer shows the picture), because people read it.
Boxes are half-open, ``x0 <= x < x1``, in pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image

Box = tuple[int, int, int, int]
Verdict = Literal["tampered", "inconclusive", "no_trace"]
Modality = Literal["vision", "vision+frequency"]
Grade = Literal["good", "limited", "poor"]

POSITIONS = (
    "Top left", "Top center", "Top right",
    "Left side", "Center", "Right side",
    "Bottom left", "Bottom center", "Bottom right",
)  # fmt: skip
"""The nine positions, row by row (ICLR text, section 4; DESIGN "Contracts")."""

MAX_PIXELS = 100_000_000
"""Pictures with more pixels than this are refused unless the caller raises the limit."""


class OmniError(Exception):
    """Base of this package's errors: one sentence that names the input, the cause and the way out."""


class UnreadableImage(OmniError):  # noqa: N818 - the name is part of the public contract
    """A source that cannot be turned into an `EvidenceImage`.

    Attributes:
        source: how the source was named.
        cause: what is wrong with it, without the name.
    """

    def __init__(self, source: str, cause: str, way_out: str) -> None:
        super().__init__(f"{source}: {cause}; {way_out}.")
        self.source = source
        self.cause = cause
        self.way_out = way_out


class UnreadableModel(OmniError):  # noqa: N818 - twin of UnreadableImage
    """A model file that is missing, damaged or not an Omni-IML model file."""


@dataclass(frozen=True)
class JpegTrace:
    """The quantized luma DCT coefficients of a picture and their quantization table.

    Attributes:
        coefficients: int16 ``(8*ceil(H/8), 8*ceil(W/8))`` in image layout, unclipped; inside a block the row index is
            the vertical frequency. For a file that is not a JPEG: the rounded 8x8 DCT of its luma on the same grid.
        table: uint16 ``(8, 8)`` in natural order; all ones for a file that is not a JPEG.
    """

    coefficients: NDArray[np.int16]
    table: NDArray[np.uint16]


@dataclass(frozen=True)
class Fitness:
    """Whether traces of an edit can still be there to be found; see `omni_iml.io.fitness`.

    Attributes:
        grade: "good"; "limited", weak traces are gone; "poor", finding nothing says nothing.
        reasons: one sentence for each sign that lowered the grade.
        signs: what was measured, by name.
    """

    grade: Grade
    reasons: tuple[str, ...] = ()
    signs: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class EvidenceImage:
    """A picture as the network needs it: pixels and JPEG trace, in stored orientation.

    Attributes:
        pixels: uint8 ``(H, W, 3)`` RGB.
        trace: coefficients and table on the same 8-pixel grid.
        format: Pillow's name of the file format ("JPEG", "PNG", ...), "array" for arrays and PIL images without one.
        orientation: EXIF orientation, 1 to 8; 1 where there is none.
        source: how the source was named, for messages.
        sha256: hex digest of the file's bytes (of shape and pixels for arrays and PIL images).
        warnings: what a reader of the result should know (for example that the file was cut short).
        part: which picture of its file this is, as output names insert it: ".p003" for page or frame 3, ".p003.i01" for
            the first picture in that page, "!word/media/a.jpg" for a member; empty for a file that is one picture.
        facts: JSON-able facts about the file, by group; see `omni_iml.io.facts`.
        fitness: whether traces can be there; None where nobody asked.
        missing_rows: rows at the end of the stored picture whose pixels are not all in the file, which was cut short: a
            multiple of 8, but for the picture's own last rows. They are gray or half gray, and no evidence.
        missing_scans: the file ends before the scans that code the last bits of every row, so the picture is coarser
            than it was, or colourless.
    """

    pixels: NDArray[np.uint8]
    trace: JpegTrace
    format: str
    orientation: int
    source: str
    sha256: str
    warnings: tuple[str, ...] = ()
    part: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    fitness: Fitness | None = None
    missing_rows: int = 0
    missing_scans: bool = False

    @property
    def is_jpeg(self) -> bool:
        """True when the coefficients were read from a JPEG file rather than computed from pixels."""
        return self.format in ("JPEG", "MPO")


@dataclass(frozen=True)
class ModelInfo:
    """What a model file says of itself; see `omni_iml.models.export` for the metadata keys.

    Attributes:
        name: for example "bundled".
        version: version of the weights.
        sha256: hex digest of the model file.
        tile: side S of the input in pixels, a multiple of 32.
        tampered_at: a score at or above this is the verdict "tampered".
        no_trace_below: a score below this is the verdict "no_trace"; between the two it is "inconclusive".
        calibration: ``score = sigmoid(scale * logit + bias + log_tiles * ln(size))``, with the picture's size in
            512x512 pixels, at least 1.
        region_min_area: smallest region reported, as a share of the picture (missing rows left out).
        region_min_probability: lowest mean probability of a region reported.
        licence: terms of the weights.
        card: Markdown text of the model card.
        free_size: the input need not be S by S: any height and width that are multiples of 32, up to S.
        no_trace_grades: grades of fitness at which a low score may be called "no_trace"; at others it says nothing.
    """

    name: str
    version: str
    sha256: str
    tile: int
    tampered_at: float
    no_trace_below: float
    calibration: Mapping[str, float]
    region_min_area: float
    region_min_probability: float
    licence: str
    card: str = field(repr=False, default="")
    free_size: bool = False
    no_trace_grades: tuple[Grade, ...] = ("good", "limited")


@dataclass(frozen=True)
class Region:
    """One tampered region.

    Attributes:
        box: ``(x0, y0, x1, y1)`` in displayed pixels, half-open.
        area_share: region pixels / picture pixels (missing rows left out), 0..1.
        mean_probability: mean of the probability map over the region, 0..1.
        position: one of `POSITIONS`, by the centroid.
    """

    box: Box
    area_share: float
    mean_probability: float
    position: str


@dataclass(frozen=True)
class Tile:
    """What the network said of one tile.

    Attributes:
        box: the tile's part of the picture, displayed pixels, half-open (padding left out).
        gate_probability: P(vision alone) of the modal gate, 0..1.
        image_logit: raw logit of the image-level classifier.
    """

    box: Box
    gate_probability: float
    image_logit: float


@dataclass(frozen=True, repr=False)
class Detection:
    """The result for one picture, in displayed orientation. Plain data; the methods delegate to `omni_iml.report`.

    Attributes:
        source: how the source was named.
        sha256: digest of the source's bytes.
        width: displayed width in pixels.
        height: displayed height in pixels.
        format: file format of the source.
        pixels: uint8 ``(height, width, 3)`` RGB.
        probability: float32 ``(height, width)``, probability of tampering of each pixel, 0..1.
        mask_threshold: `mask` is ``probability > mask_threshold``.
        score: calibrated probability that the picture was tampered with, 0..1.
        verdict: "tampered", "inconclusive" or "no_trace" (no trace found, which is not "authentic").
        modality: what the modal gate chose for the greater part of the picture.
        gate_probability: area-weighted mean of P(vision alone) over the tiles, 0..1.
        regions: tampered regions, largest first.
        tiles: the tiles' own values.
        warnings: what a reader should know.
        model: the model that was used.
        timing_ms: milliseconds by step, with the key "total".
        runtime: what ran the model: "onnx", "openvino" or "torch".
        part: which picture of its file this is; as in `EvidenceImage`.
        facts: facts about the file, by group; as in `EvidenceImage`.
        fitness: whether traces can be there; as in `EvidenceImage`.
    """

    source: str
    sha256: str
    width: int
    height: int
    format: str
    pixels: NDArray[np.uint8]
    probability: NDArray[np.float32]
    mask_threshold: float
    score: float
    verdict: Verdict
    modality: Modality
    gate_probability: float
    regions: tuple[Region, ...]
    tiles: tuple[Tile, ...]
    warnings: tuple[str, ...]
    model: ModelInfo
    timing_ms: Mapping[str, float]
    runtime: str = "onnx"
    part: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    fitness: Fitness | None = None

    @property
    def mask(self) -> NDArray[np.uint8]:
        """uint8 ``(height, width)``, 1 = tampered: the raw map above the threshold."""
        return (self.probability > self.mask_threshold).astype(np.uint8)

    def to_json(self) -> dict[str, Any]:
        """The result without its maps as the JSON object "omni-iml/detection/1"."""
        from omni_iml.report import to_json

        return to_json(self)

    def overlay(self) -> Image.Image:
        """The picture with the probability map laid over it in colour-blind-safe colours."""
        from omni_iml.report import overlay

        return overlay(self)

    def save(self, folder: str | Path, name: str | None = None) -> dict[str, Path]:
        """Write JSON, mask, heat map and overlay into ``folder``; returns the paths by kind."""
        from omni_iml.report import save

        return save(self, Path(folder), name)

    def __repr__(self) -> str:
        """One line that says what a person wants to know first."""
        shares = sum(region.area_share for region in self.regions)
        return (
            f"Detection({self.source!r}, {self.width}x{self.height} {self.format}, verdict={self.verdict!r}, "
            f"score={self.score:.2f}, modality={self.modality!r}, {len(self.regions)} region"
            f"{'' if len(self.regions) == 1 else 's'} covering {shares:.1%})"
        )

    def _repr_html_(self) -> str:
        """Rich display in notebooks: verdict, figures and the overlay."""
        from omni_iml.report import to_html

        return to_html(self)
