"""CASIA 1.0 and 2.0."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from omni_iml.data.readers.entry import Entry
from omni_iml.data.readers.masks import PictureMask
from omni_iml.data.readers.reader import Part, Reader, beside, pictures


class Casia1(Reader):
    """CASIA 1.0 tampering detection evaluation database, with the ground truth made by others later.

    Layout (either)::

        CASIA 1.0 dataset/Modified Tp/{CM,Sp}/*.jpg     CASIA 1.0 groundtruth/{CM,Sp}/<name>_gt.png
        CASIA 1.0 dataset/Au/*.jpg
        Tp/*.jpg  Gt/<name>_gt.png  Au/*.jpg            as IMDL-BenCo has it

    Masks: white (not zero) is tampered. Research use; the authors ask for a citation.
    """

    name, title = "casia1", "CASIA 1.0"
    part: ClassVar[Part] = "test"
    tampered: ClassVar[int | None] = 921
    authentic: ClassVar[int | None] = 800
    licence = "research only"
    homepage = "https://github.com/CauchyComplete/casia1groundtruth"

    def entries(self) -> Iterator[Entry]:
        """See `Reader`."""
        masks = self.place("CASIA 1.0 groundtruth", "Gt", "mask")
        masks_by_stem = {path.stem.removesuffix("_gt"): path for path in pictures(masks, deep=True)}
        modified = ("Modified Tp", "Modified TP")
        forged = self.place(*(f"CASIA 1.0 dataset/{name}" for name in modified), *modified, "Tp", "fake")
        for path in pictures(forged, deep=True):
            yield Entry(path.stem, path, PictureMask(masks_by_stem.get(path.stem, masks / f"{path.stem}_gt.png")))
        if plain := self.maybe("CASIA 1.0 dataset/Au", "Au"):
            yield from (Entry(f"Au/{path.stem}", path, label=0) for path in pictures(plain, deep=True))


class Casia2(Reader):
    """CASIA 2.0, with the corrected ground truth of SunnyHaze.

    Layout::

        Tp/*.{jpg,tif}  Gt/<name>_gt.png  Au/*.{jpg,bmp}        the corrected archive
        CASIA 2.0/{Tp,Au}/  CASIA 2 Groundtruth/<name>_gt.png   Pham's, of which some masks have another size

    Masks: white (not zero) is tampered. Research use; the authors ask for a citation.
    """

    name, title = "casia2", "CASIA 2.0"
    part: ClassVar[Part] = "train"
    tampered: ClassVar[int | None] = 5_123
    authentic: ClassVar[int | None] = 7_491
    licence = "research only"
    homepage = "https://github.com/SunnyHaze/CASIA2.0-Corrected-Groundtruth"

    def entries(self) -> Iterator[Entry]:
        """See `Reader`."""
        masks = self.place("Gt", "CASIA 2 Groundtruth", "mask")
        for path in pictures(self.place("Tp", "CASIA 2.0/Tp", "fake")):
            yield Entry(path.stem, path, PictureMask(beside(masks, path.stem, "_gt.png", ".png", "_gt.jpg")))
        if plain := self.maybe("Au", "CASIA 2.0/Au"):
            yield from (Entry(f"Au/{path.stem}", path, label=0) for path in pictures(plain))
