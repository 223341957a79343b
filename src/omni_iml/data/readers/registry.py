"""All readers by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from omni_iml.data.readers import casia, coco, documents, faces, generic, natural, scene_text, shards, synthetic
from omni_iml.data.readers.reader import Labels, Reader
from omni_iml.data.sources import Domain

READERS: Mapping[str, type[Reader]] = {
    reader.name: reader
    for reader in (
        coco.TampCoco,
        coco.TampCocoCompressed,
        casia.Casia2,
        natural.Miml,
        coco.Coco,
        documents.Sacp,
        documents.DocTamper,
        faces.OpenForensics,
        faces.FaceShifter,
        faces.CelebaHq,
        scene_text.TamperedIc13,
        scene_text.Ostf,
        casia.Casia1,
        natural.Coverage,
        natural.Nist16,
        coco.CocoGlide,
        natural.Imd2020,
        natural.Columbia,
        natural.AutoSplice,
        natural.AutoSplice90,
        natural.AutoSplice75,
        natural.Rscmqa,
        documents.SacpTest,
        documents.DocTamperTest,
        documents.DocTamperFcd,
        documents.DocTamperScd,
        faces.OpenForensicsTest,
        faces.FaceShifterTest,
        scene_text.TamperedIc13Test,
        scene_text.OstfTest,
        generic.Folder,
        generic.Pairs,
        generic.Manifest,
        shards.Shards,
        synthetic.Synthetic,
    )
}
"""Name -> reader, the papers' training sets first."""


def open_set(name: str, root: Path | str, labels: Labels = "all", domain: Domain | None = None) -> Reader:
    """The reader of a data set on disk.

    Args:
        name: in `READERS`.
        root: where the set lies.
        labels: which of its pictures.
        domain: of the pictures, where it is not the set's own.

    Raises:
        ValueError: no set is called that.
        FileNotFoundError: there is nothing at the root.
    """
    if name not in READERS:
        raise ValueError(f"data set {name!r} is unknown; the data sets are {', '.join(READERS)}.")
    if not Path(root).exists():
        raise FileNotFoundError(f"{root}: is not there; name the folder that holds {READERS[name].title}.")
    return READERS[name](root, labels, domain)


def parse_set(text: str, labels: Labels = "all") -> Reader:
    """The reader that ``NAME=ROOT`` names.

    Raises:
        ValueError: it has another form, or no set is called that.
        FileNotFoundError: there is nothing at the root.
    """
    name, separator, root = text.partition("=")
    if not separator or not root:
        raise ValueError(f"{text}: is not of the form NAME=ROOT, as casia1=data/casia1.")
    return open_set(name, root, labels)
