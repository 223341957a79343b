"""Natural pictures: MIML, Coverage, Columbia, NIST16, IMD2020, AutoSplice, RSCMQA."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import ClassVar

from omni_iml.data.readers.entry import Entry
from omni_iml.data.readers.masks import Mask, NpzMask, PictureMask, above_half, black, greenish
from omni_iml.data.readers.reader import Part, Reader, beside, pictures


class Miml(Reader):
    """MIML: Photoshop contests' pictures, annotated automatically.

    Layout, of both parts or of one::

        MIML_Part1/imgs/*.jpg  MIML_Part1/masks/<name>.png or <name>.npz
        MIML_Part2/imgs/*.jpg  MIML_Part2/masks/<name>.png or <name>.npz

    Masks: not zero is tampered.
    """

    name, title = "miml", "MIML"
    part: ClassVar[Part] = "train"
    tampered: ClassVar[int | None] = 123_150
    licence = "research only"
    homepage = "https://github.com/qcf-568/MIML"

    def entries(self) -> Iterator[Entry]:
        """See `Reader`."""
        parts = [part for part in ("MIML_Part1", "MIML_Part2", ".") if (self.root / part / "imgs").is_dir()]
        for part in parts or [str(self.place("MIML_Part1/imgs", "MIML_Part2/imgs"))]:
            for path in pictures(self.root / part / "imgs"):
                found = beside(self.root / part / "masks", path.stem, ".png", ".npz", ".npy")
                mask: Mask = PictureMask(found) if found.suffix == ".png" else NpzMask(found)
                yield Entry(f"{part}/{path.stem}", path, mask)


class Coverage(Reader):
    """COVERAGE: copy-move among similar objects.

    Layout::

        image/<n>t.tif (tampered)  image/<n>.tif (its original)  mask/<n>forged.tif

    Masks: white is tampered; of <n>copy, <n>paste and <n>forged, the last is the one.
    """

    name, title = "coverage", "COVERAGE"
    part: ClassVar[Part] = "test"
    tampered: ClassVar[int | None] = 100
    authentic: ClassVar[int | None] = 100
    licence = "research only"
    homepage = "https://github.com/wenbihan/coverage"

    def entries(self) -> Iterator[Entry]:
        """See `Reader`."""
        for path in pictures(self.place("image")):
            if path.stem.endswith("t"):
                mask = beside(self.place("mask"), path.stem[:-1], "forged.tif", "forged.png")
                yield Entry(path.stem, path, PictureMask(mask, above_half))
            else:
                yield Entry(path.stem, path, label=0)


class Columbia(Reader):
    """Columbia uncompressed image splicing detection evaluation dataset.

    Layout::

        4cam_splc/*.tif  4cam_splc/edgemask/<name>_edgemask.jpg  4cam_auth/*.tif

    Masks are coloured: red and green mark the two cameras' parts, and papers differ in which of both they call
    spliced. Green counts as tampered here, as in photoholmes.
    """

    name, title = "columbia", "Columbia uncompressed"
    part: ClassVar[Part] = "test"
    tampered: ClassVar[int | None] = 180
    authentic: ClassVar[int | None] = 183
    licence = "research only, on request"
    homepage = "https://www.ee.columbia.edu/ln/dvmm/downloads/authsplcuncmp/"

    def entries(self) -> Iterator[Entry]:
        """See `Reader`."""
        spliced = self.place("4cam_splc")
        for path in pictures(spliced):
            yield Entry(path.stem, path, PictureMask(spliced / "edgemask" / f"{path.stem}_edgemask.jpg", greenish))
        if plain := self.maybe("4cam_auth"):
            yield from (Entry(f"auth/{path.stem}", path, label=0) for path in pictures(plain))


class Nist16(Reader):
    """NIST Nimble Challenge 2016.

    Layout::

        reference/manipulation/NC2016-manipulation-ref.csv: "|" between the columns, ProbeFileName, ProbeMaskFileName,
            IsTarget; paths are relative to the root
        probe/*.jpg  reference/manipulation/mask/*.png

    Masks are inverted: black is tampered. The papers count 582 probes, others 564 that are not listed twice.
    """

    name, title = "nist16", "NIST16"
    part: ClassVar[Part] = "test"
    tampered: ClassVar[int | None] = 582
    authentic: ClassVar[int | None] = None
    licence = "on request from NIST"
    homepage = "https://mfc.nist.gov"

    def entries(self) -> Iterator[Entry]:
        """See `Reader`."""
        listed = "reference/manipulation/NC2016-manipulation-ref.csv"
        reference = self.place(listed, f"NC2016_Test0613/{listed}", f"NC2016_Test0601/{listed}")
        root = reference.parents[2]
        with reference.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="|"):
                image, mask = row["ProbeFileName"], row.get("ProbeMaskFileName") or ""
                if row.get("IsTarget", "Y") != "Y":
                    yield Entry(image, root / image, label=0)
                else:
                    yield Entry(image, root / image, PictureMask(root / mask, black))


class Imd2020(Reader):
    """IMD2020, the part of real manipulations from the web (IMD2020.zip).

    Layout::

        <post>/<post>_orig.jpg  <post>/<name>.{jpg,png}  <post>/<name>_mask.png

    Masks: white (not zero) is tampered.
    """

    name, title = "imd2020", "IMD2020"
    part: ClassVar[Part] = "test"
    tampered: ClassVar[int | None] = 2_010
    authentic: ClassVar[int | None] = 414
    licence = "research only"
    homepage = "https://staff.utia.cas.cz/novozada/db/"

    def entries(self) -> Iterator[Entry]:
        """See `Reader`."""
        for path in pictures(self.place("."), deep=True):
            key = path.relative_to(self.root).with_suffix("").as_posix()
            if path.stem.endswith("_orig"):
                yield Entry(key, path, label=0)
            elif not path.stem.endswith("_mask"):
                yield Entry(key, path, PictureMask(path.with_name(f"{path.stem}_mask.png"), above_half))


class AutoSplice(Reader):
    """AutoSplice: regions of news pictures repainted by DALL-E 2; the files of JPEG quality 100.

    Layout::

        Forged_JPEG100/<id>_<k>.jpg  Forged_JPEG90/  Forged_JPEG75/  Mask/<id>_mask.png  Authentic/<id>.jpg

    Masks: not zero is tampered. Not in the papers.
    """

    name, title = "autosplice", "AutoSplice, JPEG 100"
    part: ClassVar[Part] = "test"
    tampered: ClassVar[int | None] = 3_621
    authentic: ClassVar[int | None] = 2_273
    licence = "academic research, on request"
    homepage = "https://github.com/shanface33/AutoSplice_Dataset"
    quality: ClassVar[int] = 100

    def entries(self) -> Iterator[Entry]:
        """See `Reader`."""
        masks = self.place("Mask")
        for path in pictures(self.place(f"Forged_JPEG{self.quality}")):
            mask = beside(masks, path.stem, "_mask.png", ".png")
            if not mask.is_file():
                mask = masks / f"{path.stem.partition('_')[0]}_mask.png"
            yield Entry(path.stem, path, PictureMask(mask))
        if plain := self.maybe("Authentic"):
            yield from (Entry(f"Authentic/{path.stem}", path, label=0) for path in pictures(plain))


class AutoSplice90(AutoSplice):
    """AutoSplice's files of JPEG quality 90; layout as of ``autosplice``."""

    name, title, quality = "autosplice-90", "AutoSplice, JPEG 90", 90


class AutoSplice75(AutoSplice):
    """AutoSplice's files of JPEG quality 75; layout as of ``autosplice``."""

    name, title, quality = "autosplice-75", "AutoSplice, JPEG 75", 75


class Rscmqa(Reader):
    """RSCMQA: copy-move in satellite pictures, asked questions about; only pictures and masks are read here.

    Layout, of one of its sets (RS-CMQA, Real-RSCM, RS-TQA)::

        image/<id>.png  target/<id>.png (what was pasted)  source/  background/  JsonFiles/

    Masks: not zero in ``target`` is tampered. Written from its code and guide; never seen as files.
    """

    name, title = "rscmqa", "RSCMQA"
    part: ClassVar[Part] = "test"
    authentic: ClassVar[int | None] = None
    licence = "CC BY-NC-SA 4.0"
    homepage = "https://github.com/shenyedepisa/RSCMQA"

    def entries(self) -> Iterator[Entry]:
        """See `Reader`."""
        targets = self.place("target")
        for path in pictures(self.place("image")):
            yield Entry(path.stem, path, PictureMask(targets / f"{path.stem}.png"))
