"""Data sets of a user's own: folders, lists of pairs, manifests."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from omni_iml.data.readers.entry import Entry
from omni_iml.data.readers.masks import Mask, NoMask, NpzMask, PictureMask, Polygons
from omni_iml.data.readers.reader import Part, Reader, beside, pictures

NEGATIVE = "Negative"
"""What stands for the mask of an authentic picture in IMDL-BenCo's lists."""


def mask_of(path: Path, source: str) -> Mask:
    """A mask by the name of its file: NumPy's, JSON outlines, or a picture whose any non-zero value is tampered.

    Raises:
        ValueError: a JSON file holds no outlines.
    """
    if path.suffix in (".npz", ".npy"):
        return NpzMask(path)
    if path.suffix == ".json":
        try:
            outlines = json.loads(path.read_text(encoding="utf-8"))
            return Polygons(source, tuple(tuple(float(v) for v in outline) for outline in outlines))
        except (OSError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: is no list of outlines [x0, y0, x1, y1, ...] ({error}); mend it.") from error
    return PictureMask(path)


class Folder(Reader):
    """A folder of pictures and a folder of masks of the same names.

    Layout (any)::

        Tp/ Gt/ Au/           images/ masks/ authentic/           imgs/ masks/           fake/ mask/ real/

    A mask is ``<name>``, ``<name>_gt`` or ``<name>_mask`` with .png, .jpg, .tif, .bmp, .npz, .npy or .json (outlines);
    what is not zero is tampered. The third folder, of authentic pictures, may be missing.
    """

    name, title = "folder", "a folder of your own"
    part: ClassVar[Part] = "any"
    authentic: ClassVar[int | None] = None
    licence = "yours"
    homepage = ""

    def entries(self) -> Iterator[Entry]:
        """See `Reader`."""
        forged = self.place("Tp", "images", "imgs", "fake")
        masks = self.root / {"Tp": "Gt", "images": "masks", "imgs": "masks", "fake": "mask"}[forged.name]
        kinds = (".png", ".jpg", ".tif", ".bmp", ".npz", ".npy", ".json")
        suffixes = [f"{added}{kind}" for added in ("", "_gt", "_mask") for kind in kinds]
        for path in pictures(forged, deep=True):
            below = path.relative_to(forged).with_suffix("")
            found = beside(masks / below.parent, path.stem, *suffixes, *(f"{path.suffix}{s}" for s in (".mask.png",)))
            yield Entry(below.as_posix(), path, mask_of(found, str(found)))
        if plain := self.maybe("Au", "authentic", "real"):
            for path in pictures(plain, deep=True):
                yield Entry(f"{plain.name}/{path.relative_to(plain).with_suffix('').as_posix()}", path, label=0)


class Pairs(Reader):
    """A list of pairs in JSON, IMDL-BenCo's form: [[picture, mask], [picture, "Negative"], ...].

    The root is the file itself, or a folder with one ``.json`` file. Paths are absolute or relative to its folder.
    """

    name, title = "json", "a list of pairs in JSON"
    part: ClassVar[Part] = "any"
    authentic: ClassVar[int | None] = None
    licence = "yours"
    homepage = ""

    def entries(self) -> Iterator[Entry]:
        """See `Reader`."""
        listed = _one_file(self.root, ".json")
        try:
            rows = [(str(image), str(mask)) for image, mask in json.loads(listed.read_text(encoding="utf-8"))]
        except (OSError, TypeError, ValueError) as error:
            raise ValueError(f"{listed}: is no list of pairs [picture, mask] ({error}); mend it.") from error
        for image, mask in rows:
            yield _pair(listed.parent, image, "" if mask == NEGATIVE else mask)


class Manifest(Reader):
    """A table in CSV or Parquet with the columns ``image`` and ``mask``, and if you like ``key`` and ``label``.

    The root is the file itself, or a folder with one. Paths are absolute or relative to its folder; an empty mask, or
    label 0, is an authentic picture. Parquet needs the extra ``omni-iml[data]``.
    """

    name, title = "manifest", "a table in CSV or Parquet"
    part: ClassVar[Part] = "any"
    authentic: ClassVar[int | None] = None
    licence = "yours"
    homepage = ""

    def entries(self) -> Iterator[Entry]:
        """See `Reader`."""
        listed = _one_file(self.root, ".csv", ".parquet")
        for row in _rows(listed):
            if not row.get("image"):
                raise ValueError(f"{listed}: a row has no image; a manifest has the columns image and mask.")
            authentic = str(row.get("label", "")) in ("0", "0.0", "authentic")
            entry = _pair(listed.parent, str(row["image"]), "" if authentic else str(row.get("mask") or ""))
            yield Entry(str(row.get("key") or entry.key), entry.image, entry.mask, entry.label)


def _pair(folder: Path, image: str, mask: str) -> Entry:
    truth = mask_of(folder / mask, mask) if mask else NoMask()
    return Entry(Path(image).as_posix(), folder / image, truth, int(bool(mask)))


def _one_file(root: Path, *suffixes: str) -> Path:
    if root.is_file():
        return root
    found = sorted(path for path in root.glob("*") if path.suffix in suffixes)
    if len(found) != 1:
        raise FileNotFoundError(f"{root}: holds {len(found)} files {' or '.join(suffixes)}; name the one itself.")
    return found[0]


def _rows(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        import pyarrow.parquet

        table: list[dict[str, Any]] = pyarrow.parquet.read_table(path).to_pylist()
        return table
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
