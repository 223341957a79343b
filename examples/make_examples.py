"""Make the example pictures, their masks and `truth.json`. Seeded: the same inputs give the same files.

Every tampered picture lives through what a forger's picture lives through: a camera, phone or scanner saves a JPEG; an
editor opens it, changes it, and saves a JPEG again. Authentic ones were saved once, or twice without an edit. The mask
is white where the editor wrote (where a soft brush wrote, from half its strength on) and black elsewhere.

Inputs, unpacked anywhere (versions are those the committed files were made from):

* ``--lomiri``: ``usr/share/backgrounds`` of the Debian package lomiri-wallpapers-16.04, version 20.04.0-2
* ``--skimage``: ``skimage/data`` of scikit-image 0.26.0
* ``--sklearn``: ``sklearn/datasets/images`` of scikit-learn 1.9.1
* ``--fonts``: ``usr/share/fonts/truetype/liberation2`` of the Debian package fonts-liberation2, version 2.1.5-1

    python examples/make_examples.py --lomiri DIR --skimage DIR --sklearn DIR --fonts DIR

It needs what the package itself needs (numpy, Pillow, OpenCV) and `drawn.py` beside it. Made with Pillow 13.0.0 and
opencv-python-headless 5.0.0.93; another JPEG encoder may give other bytes for the same pictures.
"""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import drawn
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
HERE = Path(__file__).resolve().parent

NASA = "astronaut.png of scikit-image: portrait of Eileen Collins, NASA; public domain"
DEBIAN = "of the Debian package lomiri-wallpapers-16.04"
FLOWER = (
    "flower.jpg of scikit-learn: Flickr photo 6056698931, credited to danielbuechele by the package's README, "
    "whose links lead to Flickr user vultilion; CC-BY-2.0"
)
CHINA = "china.jpg of scikit-learn: Flickr photo 6061409035 by danielbuechele; CC-BY-2.0"


@dataclass(frozen=True)
class Inputs:
    """Where the unpacked packages lie."""

    lomiri: Path
    skimage: Path
    sklearn: Path
    fonts: Path


@dataclass(frozen=True)
class Example:
    """One picture of the set: its bytes, its mask (None when authentic) and what is known of it."""

    file: str
    domain: str
    licence: str
    history: str
    sources: tuple[str, ...]
    jpeg: bytes
    mask: NDArray[np.bool_] | None = None
    edit: str = "none"


def read(path: Path | io.BytesIO, long_side: int | None = None) -> Pixels:
    """RGB pixels of a file, reduced so that the longer side has ``long_side`` pixels."""
    with Image.open(path) as picture:
        rgb = picture.convert("RGB")
    if long_side is not None:
        rgb.thumbnail((long_side, long_side), Image.Resampling.LANCZOS)
    return np.asarray(rgb)


def encode(pixels: Pixels, quality: int, subsampling: int = 2) -> bytes:
    """A JPEG file; ``subsampling`` 2 is 4:2:0 (cameras, phones), 0 is 4:4:4 (editors at high quality)."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    return buffer.getvalue()


def through_jpeg(pixels: Pixels, quality: int, subsampling: int = 2) -> Pixels:
    """What an editor sees when it opens the picture that a camera saved at ``quality``."""
    return read(io.BytesIO(encode(pixels, quality, subsampling)))


def over(below: Pixels, above: Pixels, alpha: NDArray[np.float32]) -> Pixels:
    """``above`` laid over ``below`` with opacity ``alpha`` (H, W), 0..1."""
    weight = alpha[..., None]
    return np.round(below * (1 - weight) + above * weight).astype(np.uint8)


def bowl(inputs: Inputs, _: np.random.Generator) -> Example:
    """Splicing: a dahlia from another photo takes the place of the fig in the bowl."""
    master = read(inputs.lomiri / "Picture_0B_by_freespace.jpg", 800)
    scene = through_jpeg(master, 90)
    donor = read(inputs.sklearn / "flower.jpg")
    # Cut the flower head out with GrabCut, from a box around it (the second flower at the bottom stays outside).
    label = np.zeros(donor.shape[:2], np.uint8)
    cv2.setRNGSeed(1)
    cv2.grabCut(donor, label, (165, 85, 300, 270), np.zeros((1, 65)), np.zeros((1, 65)), 6, cv2.GC_INIT_WITH_RECT)
    head = np.isin(label, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    _, parts, stats, centres = cv2.connectedComponentsWithStats(head)
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    head = cv2.morphologyEx((parts == largest).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    # Pull the edge in, so that no dark background of the donor comes along; turn, scale and move to the fig.
    alpha = cv2.GaussianBlur(cv2.erode(head, np.ones((3, 3), np.uint8)).astype(np.float32), (0, 0), 0.9)
    scale = 246 / max(stats[largest, cv2.CC_STAT_WIDTH], stats[largest, cv2.CC_STAT_HEIGHT])
    centre = (float(centres[largest][0]), float(centres[largest][1]))
    move = cv2.getRotationMatrix2D(centre, -35, scale)
    move[:, 2] += np.array([453.0, 298.0]) - centre
    size = (scene.shape[1], scene.shape[0])
    flower = cv2.warpAffine(donor, move, size, flags=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    flower = np.clip(flower * np.array([1.08, 1.02, 0.95]), 0, 255).astype(np.uint8)  # the sun of the bowl's photo
    alpha = cv2.warpAffine(alpha, move, size)
    return Example(
        "bowl.jpg",
        "natural",
        "CC-BY-4.0",
        "saved at quality 90, edited, saved at quality 93",
        (f"Picture_0B_by_freespace.jpg {DEBIAN}: Trevor 'Freespace', 2018; CC-BY-4.0", FLOWER),
        encode(over(scene, flower, alpha), 93, 0),
        alpha >= 0.5,
        "splicing: a dahlia from another JPEG photo, cut out, turned and scaled, covers the fig",
    )


def meadow(inputs: Inputs, _: np.random.Generator) -> Example:
    """Copy-move: the seed head at the lower right, mirrored and made smaller, appears again further left."""
    scene = through_jpeg(read(inputs.lomiri / "seeding_by_Clements_Engelhardt.jpg", 960), 88)
    height, width = scene.shape[:2]
    brush = np.zeros((height, width), np.float32)
    cv2.ellipse(brush, (786, 416), (65, 55), 0, 0, 360, 1.0, -1)
    cv2.fillPoly(brush, [np.array([[768, 462], [786, 462], [778, 540], [762, 540]])], 1.0)
    brush = cv2.GaussianBlur(brush, (0, 0), 2.0)
    scale = 0.86
    move = np.array([[-scale, 0, 622 + scale * 786], [0, scale, 442 - scale * 416]], np.float64)
    copy = cv2.warpAffine(scene, move, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(brush, move, (width, height))
    # The copied stem ends where the source picture ends: draw it out to the lower edge of the picture.
    last = int(np.floor(scale * (height - 1 - 416) + 442)) - 4
    for row in range(last, height):
        copy[row], alpha[row] = copy[last - (row - last) % 6], alpha[last]
    return Example(
        "meadow.jpg",
        "natural",
        "CC0-1.0",
        "saved at quality 88, edited, saved at quality 92",
        (f"seeding_by_Clements_Engelhardt.jpg {DEBIAN}: Clemens Engelhardt, 2018; CC0-1.0",),
        encode(over(scene, copy, alpha), 92),
        alpha >= 0.5,
        "copy-move: a seed head of the same picture, mirrored and reduced to 86%, appears a second time",
    )


def portrait(inputs: Inputs, _: np.random.Generator) -> Example:
    """Inner face replaced: her own face, mirrored and from a poorer copy, aligned and blended as face swaps are."""
    master = read(inputs.skimage / "astronaut.png")
    scene = through_jpeg(master, 90)
    height, width = scene.shape[:2]
    # The donor is a mirrored copy that went through a smaller size and another JPEG, as pictures from the web have.
    small = cv2.resize(np.ascontiguousarray(master[:, ::-1]), None, fx=0.9, fy=0.9, interpolation=cv2.INTER_AREA)
    donor = through_jpeg(small, 80)
    eyes_and_mouth = np.array([[203.7, 101.3], [246.7, 103.2], [224.5, 145.5]], np.float32)
    mirrored = np.array([[width - 1 - x, y] for x, y in eyes_and_mouth[[1, 0, 2]]], np.float32) * np.float32(0.9)
    align = cv2.getAffineTransform(mirrored, eyes_and_mouth)
    face = cv2.warpAffine(donor, align, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    outline = np.array([[189, 90], [200, 85], [226, 88], [250, 87], [262, 93], [262, 128], [254, 150], [240, 164]])
    outline = np.vstack([outline, [[224, 168], [208, 163], [196, 149], [188, 127]]])
    inner = np.zeros((height, width), np.uint8)
    cv2.fillPoly(inner, [outline], 255)
    x, y, w, h = cv2.boundingRect(outline)
    # OpenCV solves for the whole box around the outline (and inverts the mask it is given, hence the copy): keep what
    # lies inside the outline, with a soft edge.
    blended = cv2.seamlessClone(face, scene, inner.copy(), (x + w // 2, y + h // 2), cv2.NORMAL_CLONE)
    alpha = cv2.GaussianBlur(inner.astype(np.float32) / 255, (0, 0), 1.5)
    return Example(
        "portrait.jpg",
        "face",
        "public domain",
        "saved at quality 90, edited, saved at quality 94",
        (NASA,),
        encode(over(scene, blended, alpha), 94, 0),
        alpha >= 0.5,
        "inner face replaced: mirrored copy of the same face from a poorer file, aligned by eyes and mouth, blended",
    )


def receipt(inputs: Inputs, rng: np.random.Generator) -> Example:
    """A till receipt on a table: the total's first digit copied over, the date typed anew."""
    photo, placed = drawn.receipt(inputs.fonts, rng)
    scene = through_jpeg(photo, 88)
    forged, mask = drawn.forge_receipt(scene, placed, inputs.fonts, rng)
    return Example(
        "receipt.jpg",
        "document",
        "CC0-1.0",
        "saved at quality 88, edited, saved at quality 92",
        ("drawn by examples/drawn.py; Liberation fonts (SIL OFL 1.1)",),
        encode(forged, 92, 0),
        mask,
        "the total's 3 overpainted with a copy of the 8 beside it; the date blanked and typed anew in the same font",
    )


def doorplate(inputs: Inputs, rng: np.random.Generator) -> Example:
    """An enamel plate on a house wall: the number overpainted and written anew."""
    # The plate is put up in the full-size photo, before it is reduced and saved: the camera saw it, so to speak.
    house = read(inputs.lomiri / "friends_by_Aitzol_Berasategi.jpg")
    with_plate, placed = drawn.put_up_plate(house, inputs.fonts, rng)
    factor = 900 / with_plate.shape[0]
    reduced = Image.fromarray(with_plate).resize((round(with_plate.shape[1] * factor), 900), Image.Resampling.LANCZOS)
    scene = through_jpeg(np.asarray(reduced), 90)
    forged, mask = drawn.repaint_number(scene, placed, factor, inputs.fonts, rng)
    return Example(
        "doorplate.jpg",
        "scene_text",
        "CC-BY-4.0",
        "saved at quality 90, edited, saved at quality 93",
        (
            f"friends_by_Aitzol_Berasategi.jpg {DEBIAN}: Aitzol Berasategi, 2018; CC-BY-4.0",
            "plate drawn by examples/drawn.py before the first save; Liberation fonts (SIL OFL 1.1)",
        ),
        encode(forged, 93, 0),
        mask,
        "the plate's number 17 overpainted with its ground colour and written anew as 43",
    )


def letter(inputs: Inputs, rng: np.random.Generator) -> Example:
    """Authentic: a scanned letter, opened and saved again without a change."""
    scan = drawn.letter(inputs.fonts, rng)
    return Example(
        "letter.jpg",
        "document",
        "CC0-1.0",
        "saved at quality 90, saved again at quality 93 without an edit",
        ("drawn by examples/drawn.py; Liberation fonts (SIL OFL 1.1)",),
        encode(through_jpeg(scan, 90, 0), 93, 0),
    )


def mountains(inputs: Inputs, _: np.random.Generator) -> Example:
    """Authentic: a photo, reduced once, saved twice."""
    photo = read(inputs.lomiri / "picosdeeuropa_by_Aitzol_Berasategi.jpg", 800)
    return Example(
        "mountains.jpg",
        "natural",
        "CC-BY-4.0",
        "reduced, saved at quality 85, saved again at quality 90 without an edit",
        (f"picosdeeuropa_by_Aitzol_Berasategi.jpg {DEBIAN}: Aitzol Berasategi, 2018; CC-BY-4.0",),
        encode(through_jpeg(photo, 85), 90),
    )


def pagoda(inputs: Inputs, _: np.random.Generator) -> Example:
    """Authentic: the package's file, byte for byte."""
    return Example(
        "pagoda.jpg",
        "natural",
        "CC-BY-2.0",
        "the file as published: reduced and saved by Flickr, untouched here",
        (CHINA,),
        (inputs.sklearn / "china.jpg").read_bytes(),
    )


MAKERS: tuple[Callable[[Inputs, np.random.Generator], Example], ...] = (
    bowl, meadow, receipt, portrait, doorplate, letter, mountains, pagoda,
)  # fmt: skip


def record(example: Example) -> dict[str, object]:
    """The entry of ``truth.json``."""
    entry = {key: value for key, value in asdict(example).items() if key not in ("jpeg", "mask")}
    entry["label"] = "authentic" if example.mask is None else "tampered"
    entry["mask"] = None if example.mask is None else f"{example.file}.mask.png"
    return entry


def main() -> None:
    """Write pictures and truth beside this script, masks into the folder ``examples-truth`` next door."""
    parser = argparse.ArgumentParser(description="Make the example pictures and their masks.")
    for name in ("lomiri", "skimage", "sklearn", "fonts"):
        parser.add_argument(f"--{name}", type=Path, required=True, help="see the head of this script")
    parser.add_argument("--pictures", type=Path, default=HERE)
    parser.add_argument("--masks", type=Path, default=HERE.parent / "examples-truth")
    options = parser.parse_args()
    inputs = Inputs(options.lomiri, options.skimage, options.sklearn, options.fonts)
    options.pictures.mkdir(parents=True, exist_ok=True)
    options.masks.mkdir(parents=True, exist_ok=True)
    entries = []
    for seed, make in enumerate(MAKERS, start=2411):
        example = make(inputs, np.random.default_rng(seed))
        (options.pictures / example.file).write_bytes(example.jpeg)
        if example.mask is not None:
            mask = Image.fromarray(example.mask.astype(np.uint8) * 255)
            mask.save(options.masks / f"{example.file}.mask.png", optimize=True)
        entries.append(record(example))
        print(f"{example.file:14} {len(example.jpeg) / 1000:6.0f} kB  {example.edit}")
    text = json.dumps({"schema": "omni-iml/examples/1", "pictures": entries}, indent=2, ensure_ascii=False)
    (options.pictures / "truth.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
