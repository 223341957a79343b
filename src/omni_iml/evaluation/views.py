"""What a model is shown of a picture: distorted or compressed first, then brought to a protocol's size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.evaluation.counting import Truth
from omni_iml.evaluation.distortions import Distortion
from omni_iml.evaluation.doctamper import compressed
from omni_iml.evaluation.protocol import Compression, Geometry, Protocol
from omni_iml.io import load
from omni_iml.io.orientation import to_displayed
from omni_iml.types import EvidenceImage


@dataclass(frozen=True)
class View:
    """One way to show a picture.

    Attributes:
        geometry: its size, last.
        compression: of DocTamper's pictures, or None.
        distortion: of a robustness suite, or None.
    """

    geometry: Geometry = field(default_factory=Geometry)
    compression: Compression | None = None
    distortion: Distortion | None = None

    @property
    def name(self) -> str:
        """For example "resize-512" or "original@jpeg-50"."""
        shown = self.geometry.name + (f"+{self.compression}" if self.compression else "")
        return shown + (f"@{self.distortion.name}" if self.distortion else "")

    def show(
        self, image: EvidenceImage, truth: Truth, *, qualities: Sequence[int] = (), seed: int = 0
    ) -> tuple[EvidenceImage, Truth]:
        """Picture and mask as this view has them.

        Args:
            image: the picture as it was read.
            truth: its mask, in displayed orientation.
            qualities: DocTamper's, for a compression.
            seed: of the distortion.

        Raises:
            ValueError: the mask is of another size than the picture.
        """
        if self.distortion is not None:
            pixels = np.ascontiguousarray(to_displayed(image.pixels, image.orientation))
            half = self.distortion(pixels, truth.above_half, seed=seed)
            any_ = self.distortion(pixels, truth.non_zero, seed=seed) if truth.gray else half
            assert half.mask is not None
            assert any_.mask is not None
            image, truth = load(half.data), Truth(half.mask, any_.mask)
        if self.compression is not None:
            image = compressed(to_displayed(image.pixels, image.orientation), qualities, self.compression)
        if self.geometry.mode == "original":
            return image, truth
        pixels = to_displayed(image.pixels, image.orientation)
        return load(at_size(pixels, self.geometry)), truth_at_size(truth, self.geometry)


def views_of(protocols: Sequence[Protocol], names: Sequence[str], distortions: Sequence[Distortion] = ()) -> list[View]:
    """All views that the protocols need, each once: undistorted first, then with every distortion.

    Args:
        protocols: as asked for.
        names: of the data sets, whose exceptions count too.
        distortions: of a suite.
    """
    actual = [p.of(name) for p in protocols for name in names] or list(protocols)
    plain = dict.fromkeys(View(p.geometry, p.compression) for p in actual)
    return [*plain, *(View(v.geometry, v.compression, d) for v in plain for d in distortions)]


def at_size(array: NDArray[np.uint8] | NDArray[np.float32], geometry: Geometry) -> NDArray[np.uint8]:
    """Picture or map at a geometry's size: bilinear without antialiasing, as IMDL-BenCo's transform has it.

    Args:
        array: ``(H, W)`` or ``(H, W, 3)``.
        geometry: "pad" gives the part that exists, without the padding, which nothing looks at.
    """
    side = geometry.side
    if geometry.mode == "pad":
        return np.ascontiguousarray(array[:side, :side])
    if geometry.mode == "resize" and array.shape[:2] != (side, side):
        return np.asarray(cv2.resize(np.ascontiguousarray(array), (side, side), interpolation=cv2.INTER_LINEAR))
    return np.ascontiguousarray(array)


def truth_at_size(truth: Truth, geometry: Geometry) -> Truth:
    """A mask at a geometry's size, by the nearest pixel."""
    if geometry.mode == "original":
        return truth

    def sized(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        if geometry.mode == "resize":
            side = (geometry.side, geometry.side)
            return np.asarray(cv2.resize(mask.astype(np.uint8), side, interpolation=cv2.INTER_NEAREST)) > 0
        return mask[: geometry.side, : geometry.side]

    half = sized(truth.above_half)
    return Truth(half, sized(truth.non_zero) if truth.gray else half)
