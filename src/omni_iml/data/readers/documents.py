"""Documents: DocTamper in LMDB, SACP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from omni_iml.data.readers.entry import Entry
from omni_iml.data.readers.lmdb_file import LmdbValue, value_of
from omni_iml.data.readers.masks import PictureMask
from omni_iml.data.readers.reader import Part, Reader, beside, pictures
from omni_iml.io.plain_pickle import load_plain


class DocTamper(Reader):
    """DocTamper's training set, documents of 512x512 pixels.

    Layout, the root being the database or the folder around it::

        DocTamperV1-TrainingSet/data.mdb: num-samples, image-%09d (JPEG), label-%09d (PNG), from 0
        pks/DocTamperV1-<set>_<75|80|85|90>.pk: index -> JPEG qualities in the order of their application

    Masks: not zero is tampered. The quality lists are in the authors' repository; training draws its own.
    """

    name, title, own_domain = "doctamper", "DocTamper, training set", "document"
    part: ClassVar[Part] = "train"
    tampered: ClassVar[int | None] = 120_000
    licence = "non-commercial research, on request"
    homepage = "https://github.com/qcf-568/DocTamper"
    folder: ClassVar[str] = "DocTamperV1-TrainingSet"

    def entries(self) -> Iterator[Entry]:
        """See `Reader`."""
        base = self.root if (self.root / "data.mdb").is_file() else self.place(self.folder)
        count = value_of(base, "num-samples")
        if count is None or not count.isdigit():
            raise ValueError(f"{base}: its key num-samples holds {count!r}, no number; fetch it again.")
        for index in range(int(count)):
            mask = PictureMask(LmdbValue(base, f"label-{index:09d}"))
            yield Entry(f"{index:09d}", LmdbValue(base, f"image-{index:09d}"), mask)

    def qualities(self, least: int = 75) -> Mapping[int, tuple[int, ...]]:
        """The authors' list of JPEG qualities, index -> one to three of them, the last one last.

        Args:
            least: smallest quality, "minq": 75, 80, 85 or 90.

        Raises:
            FileNotFoundError: the list is not there.
            ValueError: it is not such a list.
        """
        name = f"{self.folder}_{least}.pk"
        places = (self.root / "pks" / name, self.root.parent / "pks" / name, self.root / name)
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            raise FileNotFoundError(f"{places[0]}: the list of qualities is missing; take it from {self.homepage}.")
        content = load_plain(path)
        if not isinstance(content, dict):
            raise ValueError(f"{path}: holds no list of qualities; take it from {self.homepage}.")
        return {int(index): tuple(int(quality) for quality in row) for index, row in content.items()}


class DocTamperTest(DocTamper):
    """DocTamper's test set; layout as of ``doctamper``."""

    name, title, folder = "doctamper-test", "DocTamper, test set", "DocTamperV1-TestingSet"
    part: ClassVar[Part] = "test"
    tampered: ClassVar[int | None] = 30_000


class DocTamperFcd(DocTamper):
    """DocTamper's first cross-domain set (FCD); layout as of ``doctamper``."""

    name, title, folder = "doctamper-fcd", "DocTamper, FCD", "DocTamperV1-FCD"
    part: ClassVar[Part] = "test"
    tampered: ClassVar[int | None] = 2_000


class DocTamperScd(DocTamper):
    """DocTamper's second cross-domain set (SCD); layout as of ``doctamper``."""

    name, title, folder = "doctamper-scd", "DocTamper, SCD", "DocTamperV1-SCD"
    part: ClassVar[Part] = "test"
    tampered: ClassVar[int | None] = 18_000


class Sacp(Reader):
    """SACP: certificates and letters of the Security AI Challenger Program, phase 5, track 2 (Tianchi 531812).

    Layout (``data`` may be ``s2_data/data``)::

        train/<n>.jpg  train_mask/<n>.png        of the training part
        test/<n>.jpg   test_mask/<n>.png         of the test part
        train.txt, test.txt: names, a line each, where a part is not a folder of its own but a list

    Masks: 1 or 255 is tampered. The competition published masks of its training pictures only, and the papers' split
    into 1,604 and 406 is not public: give lists of your own, or folders.
    """

    name, title, own_domain = "sacp", "SACP, training part", "document"
    part: ClassVar[Part] = "train"
    tampered: ClassVar[int | None] = 1_604
    licence = "terms of the competition"
    homepage = "https://tianchi.aliyun.com/competition/entrance/531812"

    def entries(self) -> Iterator[Entry]:
        """See `Reader`."""
        own, base = self.part, self._base()
        listed = base / f"{own}.txt"
        folder = base / ("train" if listed.is_file() and not (base / f"{own}_mask").is_dir() else own)
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder}: is not there; SACP has its {own} part's pictures in it.")
        names = set(listed.read_text(encoding="utf-8").split()) if listed.is_file() else None
        for path in pictures(folder):
            if names is None or names & {path.name, path.stem}:
                mask = beside(folder.with_name(f"{folder.name}_mask"), path.stem, ".png", ".jpg")
                yield Entry(path.stem, path, PictureMask(mask))

    def _base(self) -> Path:
        return self.place("s2_data/data", "data", ".")


class SacpTest(Sacp):
    """The test part of SACP; layout as of ``sacp``."""

    name, title = "sacp-test", "SACP, test part"
    part: ClassVar[Part] = "test"
    tampered: ClassVar[int | None] = 406
