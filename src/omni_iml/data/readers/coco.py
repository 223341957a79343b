"""COCO 2017 and what was made from it: tampCOCO, CocoGlide."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from omni_iml.data.readers.entry import Entry
from omni_iml.data.readers.masks import PictureMask, above_half
from omni_iml.data.readers.reader import Part, Reader, pictures


class Coco(Reader):
    """COCO 2017's training pictures: authentic ones. Annotations are not read.

    Layout::

        train2017/*.jpg

    """

    name, title = "coco", "COCO 2017"
    part: ClassVar[Part] = "train"
    tampered: ClassVar[int | None] = 0
    authentic: ClassVar[int | None] = 118_287
    licence = "pictures under their Flickr terms, annotations CC BY 4.0"
    homepage = "https://cocodataset.org"

    def entries(self) -> Iterator[Entry]:
        """See `Reader`."""
        yield from (Entry(path.stem, path, label=0) for path in pictures(self.place("train2017", ".")))


class TampCoco(Reader):
    """tampCOCO of CAT-Net: splicing (sp), copy-move (cm) and blended copy-move (bcm) on COCO, 200,000 each.

    These three make the papers' 600,000. The fourth list, bcmc, is bcm recompressed: `TampCocoCompressed`.

    Layout::

        {sp,cm,bcm}_images/*.jpg  {sp,cm,bcm}_masks/*.png
        {sp,cm,bcm}_COCO_list.txt or ..._train_list.txt, here or in lists/: picture,mask[,...] in each line

    Without a list, the mask of ``sp_images/<name>.jpg`` is ``sp_masks/<name>.png``. Masks: not zero is tampered.
    """

    name, title = "tampcoco", "tampCOCO"
    part: ClassVar[Part] = "train"
    tampered: ClassVar[int | None] = 600_000
    licence = "research only; pictures under COCO's terms"
    homepage = "https://github.com/mjkwon2021/CAT-Net"
    kinds: ClassVar[tuple[str, ...]] = ("sp", "cm", "bcm")

    def entries(self) -> Iterator[Entry]:
        """See `Reader`."""
        for kind in self.kinds:
            names = (f"{kind}_COCO_list.txt", f"{kind}_COCO_train_list.txt")
            listed = self.maybe(*(f"{folder}{name}" for folder in ("", "lists/") for name in names))
            if listed is None:
                for path in pictures(self.place(f"{kind}_images")):
                    mask = self.root / f"{kind}_masks" / f"{path.stem}.png"
                    yield Entry(f"{kind}/{path.stem}", path, PictureMask(mask))
                continue
            for line in listed.read_text(encoding="utf-8").splitlines():
                if line.strip():
                    image, mask_name = line.strip().split(",")[:2]
                    yield Entry(image, self.root / image, PictureMask(self.root / mask_name))


class TampCocoCompressed(TampCoco):
    """The fourth part of tampCOCO, bcmc: bcm's pictures compressed again; they share bcm's masks.

    Layout::

        bcmc_images/*.jpg  bcm_masks/*.png  bcmc_COCO_list.txt or bcmc_COCO_train_list.txt

    """

    name, title = "tampcoco-bcmc", "tampCOCO, bcmc"
    tampered: ClassVar[int | None] = 200_000
    kinds = ("bcmc",)


class CocoGlide(Reader):
    """CocoGlide: objects of COCO 2017's validation part repainted by GLIDE, 256x256.

    Layout::

        fake/glide_inpainting_val2017_<id>_up.png  mask/<class>_<id>_mask.png  real/*.png

    Masks: white is tampered. Listed in TruFor's repository.
    """

    name, title = "cocoglide", "CocoGlide"
    part: ClassVar[Part] = "test"
    tampered: ClassVar[int | None] = 512
    authentic: ClassVar[int | None] = 512
    licence = "research only"
    homepage = "https://github.com/grip-unina/TruFor"

    def entries(self) -> Iterator[Entry]:
        """See `Reader`."""
        folder = self.place("mask")
        masks = {path.stem.removesuffix("_mask").rpartition("_")[2]: path for path in pictures(folder)}
        for path in pictures(self.place("fake")):
            number = path.stem.removesuffix("_up").rpartition("_")[2]
            mask: Path = masks.get(number, folder / f"{number}_mask.png")
            yield Entry(path.stem, path, PictureMask(mask, above_half))
        if plain := self.maybe("real"):
            yield from (Entry(f"real/{path.stem}", path, label=0) for path in pictures(plain))
