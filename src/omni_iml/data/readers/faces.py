"""Faces: OpenForensics, FaceShifter of HiFi-IFDL, CelebA-HQ."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from omni_iml.data.readers.entry import Entry
from omni_iml.data.readers.masks import PictureMask, Polygons
from omni_iml.data.readers.reader import Part, Reader, beside, pictures


class OpenForensics(Reader):
    """OpenForensics' training part: several faces a picture, some of them swapped.

    Layout::

        Train_poly.json or Train/Train_poly.json: COCO's form, category 0 "Real", 1 "Fake", polygons
        Images/Train/*.jpg or Train/*.jpg or Train/Train/*.jpg

    The tampered region is that of all fake faces; a picture without one is authentic.
    """

    name, title, own_domain = "openforensics", "OpenForensics, training part", "face"
    part: ClassVar[Part] = "train"
    tampered: ClassVar[int | None] = None
    total: ClassVar[int | None] = 44_122
    authentic: ClassVar[int | None] = None
    licence = "CC BY 4.0, pictures under Open Images' terms"
    homepage = "https://zenodo.org/records/5528418"
    folder: ClassVar[str] = "Train"

    def entries(self) -> Iterator[Entry]:
        """See `Reader`."""
        own = self.folder
        listed = self.place(f"{own}_poly.json", f"{own}/{own}_poly.json", f"annotations/{own}_poly.json")
        folder = self.place(f"Images/{own}", f"{own}/{own}", own)
        try:
            content = json.loads(listed.read_text(encoding="utf-8"))
            fake = {c["id"] for c in content["categories"] if str(c["name"]).lower() == "fake"}
            outlines: dict[int, list[tuple[float, ...]]] = defaultdict(list)
            for note in content["annotations"]:
                if note["category_id"] in fake:
                    outlines[note["image_id"]] += [tuple(outline) for outline in note["segmentation"]]
            for row in content["images"]:
                path = folder / Path(row["file_name"]).name
                if regions := tuple(outlines.get(row["id"], ())):
                    mask = Polygons(f"{listed.name} of {path.name}", regions, (row["height"], row["width"]))
                    yield Entry(path.stem, path, mask)
                else:
                    yield Entry(path.stem, path, label=0)
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"{listed}: is not of COCO's form ({error!r}); fetch it again.") from error


class OpenForensicsTest(OpenForensics):
    """OpenForensics' Test-Dev part; layout as of ``openforensics``, with "Test-Dev" for "Train"."""

    name, title, folder = "openforensics-test", "OpenForensics, Test-Dev", "Test-Dev"
    part: ClassVar[Part] = "test"
    total: ClassVar[int | None] = 18_895


class FaceShifter(Reader):
    """The FaceShifter part of HiFi-IFDL's training data.

    Layout (as the repository's own sample folders; the large archive was never seen)::

        train/fake/*  train/mask/<name>.png          or fake/ and mask/ right here

    Masks: not zero is tampered.
    """

    name, title, own_domain = "faceshifter", "FaceShifter of HiFi-IFDL, training part", "face"
    part: ClassVar[Part] = "train"
    licence = "research only, on request"
    homepage = "https://github.com/CHELSEA234/HiFi_IFDL"
    tampered: ClassVar[int | None] = None

    def entries(self) -> Iterator[Entry]:
        """See `Reader`."""
        folder = self.place(f"{self.part}/fake", "fake")
        for path in pictures(folder):
            mask = beside(folder.with_name("mask"), path.stem, ".png", "_gt.png", "_mask.png")
            yield Entry(path.stem, path, PictureMask(mask))


class FaceShifterTest(FaceShifter):
    """The FaceShifter part of HiFi-IFDL's test data; layout as of ``faceshifter``, with ``test/``."""

    name, title = "faceshifter-test", "FaceShifter of HiFi-IFDL, test part"
    part: ClassVar[Part] = "test"


class CelebaHq(Reader):
    """24,000 of CelebA-HQ's 30,000 faces, authentic: A took that many at random, here a hash of the name chooses.

    Layout (that of CelebAMask-HQ)::

        CelebA-HQ-img/<n>.jpg

    """

    name, title, own_domain = "celeba-hq", "CelebA-HQ, 24,000 of it", "face"
    part: ClassVar[Part] = "train"
    tampered: ClassVar[int | None] = 0
    authentic: ClassVar[int | None] = 24_000
    licence = "non-commercial research"
    homepage = "https://github.com/switchablenorms/CelebAMask-HQ"

    def entries(self) -> Iterator[Entry]:
        """See `Reader`."""
        found = pictures(self.place("CelebA-HQ-img", "."))
        drawn = sorted(found, key=lambda path: hashlib.sha256(path.stem.encode()).digest())[: self.authentic]
        yield from (Entry(path.stem, path, label=0) for path in sorted(drawn))
