"""Every data set in miniature: a few generated pictures in its own layout, written by real encoders."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import cv2
import lmdb
import numpy as np
import pyarrow
import pyarrow.parquet
from numpy.typing import NDArray
from PIL import Image

Truth = dict[str, NDArray[np.uint8]]
"""Key of each picture -> its mask, all zero where it is authentic."""

SIDE = 96


def picture(rng: np.random.Generator, height: int = SIDE, width: int = SIDE + 16) -> NDArray[np.uint8]:
    """Smooth colours with some grain."""
    coarse = rng.uniform(20, 235, (5, 5, 3)).astype(np.float32)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth + rng.normal(0, 4, (height, width, 1)), 0, 255).astype(np.uint8)


def forged(rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A picture with a pasted box, and the box as a mask of 0 and 1."""
    pixels, mask = picture(rng), np.zeros((SIDE, SIDE + 16), np.uint8)
    y, x, height, width = rng.integers(8, 40), rng.integers(8, 40), rng.integers(16, 40), rng.integers(16, 40)
    mask[y : y + height, x : x + width] = 1
    pixels[mask == 1] = 255 - pixels[mask == 1]
    return pixels, mask


def box_of(mask: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1, inclusive."""
    y, x = np.nonzero(mask)
    return int(x.min()), int(y.min()), int(x.max()), int(y.max())


def save(path: Path, array: NDArray[np.uint8]) -> None:
    """Write a picture by the suffix of its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **({"quality": 88} if path.suffix == ".jpg" else {}))


def pair(
    root: Path,
    rng: np.random.Generator,
    image: str,
    mask: str,
    to_file: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] = lambda mask: mask * np.uint8(255),
) -> NDArray[np.uint8]:
    """A forged picture and its mask file; the mask."""
    pixels, truth = forged(rng)
    save(root / image, pixels)
    save(root / mask, to_file(truth))
    return truth


def plain(root: Path, rng: np.random.Generator, image: str) -> NDArray[np.uint8]:
    """An authentic picture; its mask."""
    save(root / image, picture(rng))
    return np.zeros((SIDE, SIDE + 16), np.uint8)


def tampcoco(root: Path, rng: np.random.Generator) -> Truth:
    truth = {}
    for kind in ("sp", "cm"):
        names = [(f"{kind}_images/{n:06d}_{kind}.jpg", f"{kind}_masks/{n:06d}.png") for n in range(2)]
        truth |= {image: pair(root, rng, image, mask, lambda mask: mask) for image, mask in names}
        lines = "".join(f"{image},{mask}\n" for image, mask in names)
        (root / f"{kind}_COCO_list.txt").write_text(lines)
    truth["bcm/5"] = pair(root, rng, "bcm_images/5.jpg", "bcm_masks/5.png")  # no list: by name
    return truth


def tampcoco_bcmc(root: Path, rng: np.random.Generator) -> Truth:
    image, mask = "bcmc_images/1_aligned_Q77.jpg", "bcm_masks/1.png"
    truth = {image: pair(root, rng, image, mask)}
    (root / "lists").mkdir()
    (root / "lists" / "bcmc_COCO_train_list.txt").write_text(f"{image},{mask},more\n")
    return truth


def casia1(root: Path, rng: np.random.Generator) -> Truth:
    base, names = "CASIA 1.0 dataset", ["CM/Sp_S_NRN_A_ani0001_420", "Sp/Sp_D_CND_A_pla0005_281"]
    truth = {
        name.partition("/")[2]: pair(
            root, rng, f"{base}/Modified Tp/{name}.jpg", f"CASIA 1.0 groundtruth/{name}_gt.png"
        )
        for name in names
    }
    return truth | {"Au/Au_ani_0001": plain(root, rng, f"{base}/Au/Au_ani_0001.jpg")}


def casia2(root: Path, rng: np.random.Generator) -> Truth:
    names = ["Tp_D_CND_M_N_ani00018_138.tif", "Tp_D_CNN_S_N_arc00013_083.jpg"]
    truth = {Path(name).stem: pair(root, rng, f"Tp/{name}", f"Gt/{Path(name).stem}_gt.png") for name in names}
    return truth | {"Au/Au_ani_00001": plain(root, rng, "Au/Au_ani_00001.jpg")}


def miml(root: Path, rng: np.random.Generator) -> Truth:
    truth = {"MIML_Part1/6692": pair(root, rng, "MIML_Part1/imgs/6692.jpg", "MIML_Part1/masks/6692.png")}
    pixels, mask = forged(rng)
    save(root / "MIML_Part2/imgs/7.jpg", pixels)
    (root / "MIML_Part2/masks").mkdir()
    np.savez_compressed(root / "MIML_Part2/masks/7.npz", mask=mask)
    return truth | {"MIML_Part2/7": mask}


def coco(root: Path, rng: np.random.Generator) -> Truth:
    return {name: plain(root, rng, f"train2017/{name}.jpg") for name in ("000000000009", "000000000025")}


def _sacp(root: Path, rng: np.random.Generator, part: str) -> Truth:
    base = root / "s2_data" / "data"
    return {n: pair(base, rng, f"{part}/{n}.jpg", f"{part}_mask/{n}.png", lambda mask: mask) for n in ("1", "2")}


def _doctamper(root: Path, rng: np.random.Generator, folder: str) -> Truth:
    truth = {}
    with lmdb.open(str(root / folder), map_size=2**24) as database, database.begin(write=True) as write:
        for index in range(3):
            pixels, mask = forged(rng)
            for kind, array, suffix in (("image", pixels[..., ::-1], ".jpg"), ("label", mask, ".png")):
                write.put(f"{kind}-{index:09d}".encode(), cv2.imencode(suffix, array)[1].tobytes())
            truth[f"{index:09d}"] = mask
        write.put(b"num-samples", b"3")
    (root / "pks").mkdir()
    content = {index: np.array([91, 77, 84][: index + 1], np.uint8) for index in range(3)}
    (root / "pks" / f"{folder}_75.pk").write_bytes(pickle.dumps(content))
    return truth


def _openforensics(root: Path, rng: np.random.Generator, part: str) -> Truth:
    truth, images, notes = {}, [], []
    for number, name in enumerate(("d1ccd04012", "b6c7682765", "a804f17f73")):
        pixels, mask = forged(rng)
        x0, y0, x1, y1 = box_of(mask)
        save(root / part / f"{name}.jpg", pixels)
        images.append({"id": number, "file_name": f"Images/{part}/{name}.jpg", "height": SIDE, "width": SIDE + 16})
        category = 1 if number < 2 else 0  # the last picture has a real face alone
        outline = [x0, y0, x1, y0, x1, y1, x0, y1]
        notes.append({"id": number, "image_id": number, "category_id": category, "segmentation": [outline]})
        truth[name] = mask if category else np.zeros_like(mask)
    notes.append({"id": 9, "image_id": 0, "category_id": 0, "segmentation": [[0, 0, 5, 0, 5, 5, 0, 5]]})
    categories = [{"id": 0, "name": "Real"}, {"id": 1, "name": "Fake"}]
    content = {"images": images, "annotations": notes, "categories": categories}
    (root / f"{part}_poly.json").write_text(json.dumps(content))
    return truth


def _faceshifter(root: Path, rng: np.random.Generator, part: str) -> Truth:
    return {n: pair(root, rng, f"{part}/fake/{n}.png", f"{part}/mask/{n}.png") for n in ("00001", "00002")}


def celeba_hq(root: Path, rng: np.random.Generator) -> Truth:
    return {name: plain(root, rng, f"CelebA-HQ-img/{name}.jpg") for name in ("0", "1")}


def _tampered_ic13(root: Path, rng: np.random.Generator, part: str) -> Truth:
    truth = {}
    for number in range(3):
        pixels, mask = forged(rng)
        boxes = [[2, 2, 20, 6, 2], [*box_of(mask), 1]] if number else [[2, 2, 20, 6, 2]]
        save(root / f"{part}_img" / f"{number}.jpg", pixels)
        (root / f"{part}_gt").mkdir(exist_ok=True)
        lines = "\n".join(",".join(str(value) for value in box) for box in boxes)
        (root / f"{part}_gt" / f"{number}.txt").write_text(lines + "\n")
        truth[str(number)] = mask if number else np.zeros_like(mask)
    return truth


def _ostf(root: Path, rng: np.random.Generator, part: str) -> Truth:
    truth = {}
    for generator in ("srnet", "anytext"):
        pixels, mask = forged(rng)
        save(root / generator / "img" / f"{generator}7.jpg", pixels)
        boxes = np.array([[1, 1, 9, 5, 0], [*box_of(mask), 1]], np.int64)
        table = {f"mmacc/{generator}/img/{generator}7.jpg": {"w": SIDE + 16, "h": SIDE, "b": boxes}}
        (root / f"{generator}_{part}.pk").write_bytes(pickle.dumps(table))
        truth[f"{generator}_{part}/{generator}7"] = mask
    return truth


def coverage(root: Path, rng: np.random.Generator) -> Truth:
    truth = {f"{n}t": pair(root, rng, f"image/{n}t.tif", f"mask/{n}forged.tif") for n in (1, 12)}
    return truth | {"1": plain(root, rng, "image/1.tif")}


def columbia(root: Path, rng: np.random.Generator) -> Truth:
    def coloured(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.stack([255 * (1 - mask), 255 * mask, 0 * mask], 2).astype(np.uint8)

    name = "canong3_canonxt_sub_01"
    truth = {}
    pixels, mask = forged(rng)
    save(root / "4cam_splc" / f"{name}.tif", pixels)
    edges = root / "4cam_splc" / "edgemask" / f"{name}_edgemask.jpg"
    edges.parent.mkdir()
    Image.fromarray(coloured(mask)).save(edges, quality=100, subsampling=0)
    truth[name] = mask
    return truth | {"auth/canong3_02_sub_01": plain(root, rng, "4cam_auth/canong3_02_sub_01.tif")}


def nist16(root: Path, rng: np.random.Generator) -> Truth:
    rows, truth = ["ProbeFileID|ProbeFileName|IsTarget|ProbeMaskFileName"], {}
    for number in (7691, 7737):
        image, mask = f"probe/NC2016_{number}.jpg", f"reference/manipulation/mask/NC2016_{number + 1}.png"
        truth[image] = pair(root, rng, image, mask, lambda mask: (1 - mask) * np.uint8(255))
        rows.append(f"{number}|{image}|Y|{mask}")
    truth["probe/NC2016_1.jpg"] = plain(root, rng, "probe/NC2016_1.jpg")
    rows.append("1|probe/NC2016_1.jpg|N|")
    (root / "reference" / "manipulation" / "NC2016-manipulation-ref.csv").write_text("\n".join(rows) + "\n")
    return truth


def cocoglide(root: Path, rng: np.random.Generator) -> Truth:
    truth = {}
    for number, kind in ((114871, "dining table"), (563758, "teddy bear")):
        name = f"glide_inpainting_val2017_{number}_up"
        truth[name] = pair(root, rng, f"fake/{name}.png", f"mask/{kind}_{number}_mask.png")
    return truth | {"real/dining table_114871": plain(root, rng, "real/dining table_114871.png")}


def imd2020(root: Path, rng: np.random.Generator) -> Truth:
    truth = {f"1a3oag/{n}": pair(root, rng, f"1a3oag/{n}.jpg", f"1a3oag/{n}_mask.png") for n in ("c8_0", "c9_0")}
    return truth | {"1a3oag/1a3oag_orig": plain(root, rng, "1a3oag/1a3oag_orig.jpg")}


def _autosplice(root: Path, rng: np.random.Generator, quality: int) -> Truth:
    truth = {"40574_1": pair(root, rng, f"Forged_JPEG{quality}/40574_1.jpg", "Mask/40574_mask.png")}
    return truth | {"Authentic/40574": plain(root, rng, "Authentic/40574.jpg")}


def rscmqa(root: Path, rng: np.random.Generator) -> Truth:
    return {n: pair(root, rng, f"image/{n}.png", f"target/{n}.png") for n in ("0", "1")}


def folder(root: Path, rng: np.random.Generator) -> Truth:
    truth = {"a": pair(root, rng, "images/a.jpg", "masks/a.png")}
    truth["b/c"] = pair(root, rng, "images/b/c.png", "masks/b/c_gt.png")
    pixels, mask = forged(rng)
    x0, y0, x1, y1 = box_of(mask)
    save(root / "images/d.jpg", pixels)
    (root / "masks/d.json").write_text(json.dumps([[x0, y0, x1, y0, x1, y1, x0, y1]]))
    return truth | {"d": mask, "authentic/e": plain(root, rng, "authentic/e.jpg")}


def pairs(root: Path, rng: np.random.Generator) -> Truth:
    truth = {"Tp/6.jpg": pair(root, rng, "Tp/6.jpg", "Gt/6.png"), "Tp/8.jpg": plain(root, rng, "Tp/8.jpg")}
    (root / "set.json").write_text(json.dumps([["./Tp/6.jpg", "./Gt/6.png"], ["./Tp/8.jpg", "Negative"]]))
    return truth


def manifest(root: Path, rng: np.random.Generator) -> Truth:
    truth = {"one": pair(root, rng, "x/1.jpg", "y/1.png"), "two": plain(root, rng, "x/2.jpg")}
    columns = {"key": ["one", "two"], "image": ["x/1.jpg", "x/2.jpg"], "mask": ["y/1.png", None], "label": [1, 0]}
    pyarrow.parquet.write_table(pyarrow.table(columns), root / "set.parquet")
    return truth


def shards(root: Path, rng: np.random.Generator) -> Truth:
    from omni_iml.data.readers import open_set
    from omni_iml.data.readers.shards import write_shards

    truth = folder(root.with_name("original"), rng)
    list(write_shards(open_set("folder", root.with_name("original")), root, shard_bytes=4000))
    return truth


def synthetic(root: Path, rng: np.random.Generator) -> Truth:
    truth = {
        "000000": pair(root, rng, "images/000000.jpg", "masks/000000.png"),
        "000001": plain(root, rng, "images/000001.png"),
    }
    plain(root, rng, "images/000002.jpg")  # generated, not edited: it has no label
    (root / "recipes").mkdir()
    for stem, image, label in (("000000", "jpg", 1), ("000001", "png", 0), ("000002", "jpg", -1)):
        recipe = {"image": f"{stem}.{image}", "mask": f"{stem}.png", "label": label, "operation": "splice"}
        (root / "recipes" / f"{stem}.json").write_text(json.dumps(recipe))
    (root / "synthesis.json").write_text("{}")
    return truth


LAYOUTS: dict[str, Callable[[Path, np.random.Generator], Truth]] = {
    "tampcoco": tampcoco,
    "tampcoco-bcmc": tampcoco_bcmc,
    "casia1": casia1,
    "casia2": casia2,
    "miml": miml,
    "coco": coco,
    "sacp": lambda root, rng: _sacp(root, rng, "train"),
    "sacp-test": lambda root, rng: _sacp(root, rng, "test"),
    "doctamper": lambda root, rng: _doctamper(root, rng, "DocTamperV1-TrainingSet"),
    "doctamper-test": lambda root, rng: _doctamper(root, rng, "DocTamperV1-TestingSet"),
    "doctamper-fcd": lambda root, rng: _doctamper(root, rng, "DocTamperV1-FCD"),
    "doctamper-scd": lambda root, rng: _doctamper(root, rng, "DocTamperV1-SCD"),
    "openforensics": lambda root, rng: _openforensics(root, rng, "Train"),
    "openforensics-test": lambda root, rng: _openforensics(root, rng, "Test-Dev"),
    "faceshifter": lambda root, rng: _faceshifter(root, rng, "train"),
    "faceshifter-test": lambda root, rng: _faceshifter(root, rng, "test"),
    "celeba-hq": celeba_hq,
    "tampered-ic13": lambda root, rng: _tampered_ic13(root, rng, "train"),
    "tampered-ic13-test": lambda root, rng: _tampered_ic13(root, rng, "test"),
    "ostf": lambda root, rng: _ostf(root, rng, "train"),
    "ostf-test": lambda root, rng: _ostf(root, rng, "test"),
    "coverage": coverage,
    "columbia": columbia,
    "nist16": nist16,
    "cocoglide": cocoglide,
    "imd2020": imd2020,
    "autosplice": lambda root, rng: _autosplice(root, rng, 100),
    "autosplice-90": lambda root, rng: _autosplice(root, rng, 90),
    "autosplice-75": lambda root, rng: _autosplice(root, rng, 75),
    "rscmqa": rscmqa,
    "folder": folder,
    "json": pairs,
    "manifest": manifest,
    "shards": shards,
    "synthetic": synthetic,
}
"""Name of a data set -> what writes it in miniature into an empty folder and returns the truth."""


def build(name: str, root: Path, seed: int = 0) -> Truth:
    """Write a data set in miniature."""
    root.mkdir(parents=True, exist_ok=True)
    return LAYOUTS[name](root, np.random.default_rng(seed))
