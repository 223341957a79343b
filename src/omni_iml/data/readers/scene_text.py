"""Scene text: Tampered-IC13, OSTF."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from omni_iml.data.readers.entry import Entry
from omni_iml.data.readers.masks import Polygons
from omni_iml.data.readers.reader import Part, Reader, pictures
from omni_iml.io.plain_pickle import load_plain

TAMPERED_TEXT = 1
"""Class of tampered words in Tampered-IC13's text files and, from 0, in OSTF's tables; 2 or 0 is authentic text."""


class TamperedIc13(Reader):
    """Tampered-IC13's training part: words of ICDAR 2013 replaced by SRNet.

    Layout::

        train_img/*  train_gt/<name>.txt: x0,y0,x1,y1,class a line, class 1 tampered, 2 authentic text

    The tampered region is that of the boxes of class 1. A picture without one is authentic.
    """

    name, title, own_domain = "tampered-ic13", "Tampered-IC13, training part", "scene_text"
    part: ClassVar[Part] = "train"
    tampered: ClassVar[int | None] = None
    total: ClassVar[int | None] = 229
    authentic: ClassVar[int | None] = None
    licence = "research only"
    homepage = "https://github.com/wangyuxin87/Tampered-IC13"

    def entries(self) -> Iterator[Entry]:
        """See `Reader`."""
        words = self.place(f"{self.part}_gt")
        for path in pictures(self.place(f"{self.part}_img")):
            listed = words / f"{path.stem}.txt"
            boxes = self._boxes(listed)
            if boxes:
                yield Entry(path.stem, path, Polygons.of_boxes(str(listed), boxes))
            else:
                yield Entry(path.stem, path, label=0)

    @staticmethod
    def _boxes(listed: Path) -> list[tuple[int, int, int, int]]:
        try:
            lines = listed.read_text(encoding="utf-8-sig").split()
            rows = [[int(value) for value in line.split(",") if value] for line in lines]
            return [(row[0], row[1], row[2], row[3]) for row in rows if row[4] == TAMPERED_TEXT]
        except (OSError, ValueError, IndexError) as error:
            raise ValueError(f"{listed}: is no list of boxes ({error}); fetch it again.") from error


class TamperedIc13Test(TamperedIc13):
    """Tampered-IC13's test part; layout as of ``tampered-ic13``, with "test" for "train"."""

    name, title = "tampered-ic13-test", "Tampered-IC13, test part"
    part: ClassVar[Part] = "test"
    total: ClassVar[int | None] = 233


class Ostf(Reader):
    """OSTF's training part: words replaced by eight generators.

    Layout, as the repository's loader reads it (the files themselves were never seen)::

        <generator>_train.pk, here or in a folder of the generator: picture -> {w, h, b: rows x0, y0, x1, y1, class}
        the pictures, by the path that the table gives, or by name anywhere below the root

    Class 1 is tampered, 0 authentic text. The tables are pickles; they are read as plain data only.
    """

    name, title, own_domain = "ostf", "OSTF, training part", "scene_text"
    part: ClassVar[Part] = "train"
    authentic: ClassVar[int | None] = None
    licence = "CC BY-NC 4.0"
    homepage = "https://github.com/qcf-568/OSTF"

    def entries(self) -> Iterator[Entry]:
        """See `Reader`."""
        tables = sorted(self.root.rglob(f"*_{self.part}.pk"))
        if not tables:
            raise FileNotFoundError(f"{self.root}: holds no <generator>_{self.part}.pk, which {self.title} has.")
        by_name = {path.name: path for path in pictures(self.root, deep=True)}
        for table in tables:
            for image, row in load_plain(table).items():
                path = next((p for p in (self.root / image, table.parent / image) if p.is_file()), None)
                path = path or by_name.get(Path(image).name, self.root / image)
                rows = [[int(value) for value in box] for box in row["b"]]
                boxes = [(r[0], r[1], r[2], r[3]) for r in rows if r[4] == TAMPERED_TEXT]
                key = f"{table.stem}/{Path(image).stem}"
                mask = Polygons.of_boxes(f"{table.name} of {image}", boxes, (int(row["h"]), int(row["w"])))
                yield Entry(key, path, mask) if boxes else Entry(key, path, label=0)


class OstfTest(Ostf):
    """OSTF's test part; layout as of ``ostf``, with "test" for "train"."""

    name, title = "ostf-test", "OSTF, test part"
    part: ClassVar[Part] = "test"
    total: ClassVar[int | None] = 1_007
