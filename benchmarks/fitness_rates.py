"""How often each sign of `omni_iml.io.fitness` is found, and found wrongly, on pictures whose history is known.

Usage: python benchmarks/fitness_rates.py FOLDER [--pictures 200] [--side 800] [--only WORD] [--as-is]

Every picture under the folder is first shrunk by a whole number of at least 2 (area averaging), which leaves no trace
of its own history, then given each history of the table, and measured. With --as-is the pictures are graded as they
are. Prints the tables of docs/fitness.md.
"""

from __future__ import annotations

import argparse
import io
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from omni_iml.io import load
from omni_iml.io.fitness import grade, measure
from omni_iml.io.sniff import SUFFIXES
from omni_iml.types import UnreadableImage

Pixels = NDArray[np.uint8]

BICUBIC, BILINEAR, LANCZOS = Image.Resampling.BICUBIC, Image.Resampling.BILINEAR, Image.Resampling.LANCZOS


def shuffled(folder: Path) -> list[Path]:
    """The picture files below a folder, in an order that a seed decides."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    random.Random(0).shuffle(paths)
    return paths


def print_grades(folder: Path, most: int) -> None:
    """Grades and reasons of pictures as they are."""
    grades: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for path in shuffled(folder)[:most]:
        fitness = load(path).fitness
        assert fitness is not None
        grades[fitness.grade] += 1
        reasons.update(re.sub(r"\d+", "N", reason) for reason in fitness.reasons)
    print(dict(grades))
    for reason, count in reasons.most_common():
        print(f"{count:4d} {reason}")


def clean_pictures(folder: Path, most: int, side: int) -> Iterator[Pixels]:
    """Pictures without a history."""
    given = 0
    for path in shuffled(folder):
        if given == most:
            return
        try:
            pixels = load(path).pixels
        except UnreadableImage:
            continue
        height, width = pixels.shape[:2]
        factor = max(2, -(-max(height, width) // side))
        if min(height, width) // factor < 200:
            continue
        pixels = pixels[: height // factor * factor, : width // factor * factor]
        given += 1
        yield cv2.resize(pixels, (width // factor, height // factor), interpolation=cv2.INTER_AREA)


def jpeg(pixels: Pixels, quality: int) -> bytes:
    """A JPEG file as Pillow writes it."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def png(pixels: Pixels) -> bytes:
    """A PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def saved(pixels: Pixels, quality: int) -> Pixels:
    """The pixels after a JPEG compression."""
    return np.asarray(Image.open(io.BytesIO(jpeg(pixels, quality))))


def cut(pixels: Pixels) -> Pixels:
    """The pixels without 5 rows and 3 columns: the grid now begins at (3, 5)."""
    return np.ascontiguousarray(pixels[5:, 3:])


def resized(pixels: Pixels, factor: float, method: Image.Resampling = BICUBIC) -> Pixels:
    """The pixels at another size."""
    height, width = pixels.shape[:2]
    return np.asarray(Image.fromarray(pixels).resize((round(width * factor), round(height * factor)), method))


def at_screen_size(pixels: Pixels) -> Pixels:
    """The middle of the picture, enlarged to 1080x1920 pixels: no screenshot."""
    height, width = pixels.shape[:2]
    wide = min(width, height * 9 // 16)
    left = (width - wide) // 2
    part = Image.fromarray(np.ascontiguousarray(pixels[:, left : left + wide]))
    return np.asarray(part.resize((1080, 1920), BICUBIC))


def on_a_screen(pixels: Pixels) -> Pixels:
    """The picture as an application of a telephone shows it: bars, text above and below, its own scaling."""
    screen = Image.new("RGB", (1080, 1920), (245, 245, 247))
    draw = ImageDraw.Draw(screen)
    draw.rectangle((0, 0, 1080, 150), fill=(30, 60, 110))
    for line in range(12):
        draw.text((40, 180 + 18 * line), "What somebody wrote about the picture below. " * 3, fill=(25, 25, 25))
    picture = Image.fromarray(pixels)
    picture = picture.resize((1080, min(1200, round(1080 * picture.height / picture.width))), BICUBIC)
    screen.paste(picture, (0, 420))
    return np.asarray(screen)


def histories() -> dict[str, Callable[[Pixels], bytes]]:
    """Each history by name: clean pixels in, a file out."""
    table: dict[str, Callable[[Pixels], bytes]] = {"PNG": png}
    for quality in (50, 75, 85, 90, 95):
        table[f"JPEG {quality}"] = lambda p, q=quality: jpeg(p, q)
        table[f"JPEG {quality}, PNG"] = lambda p, q=quality: png(saved(p, q))
    table["JPEG 75, cut, PNG"] = lambda p: png(cut(saved(p, 75)))
    for first, last in ((60, 75), (70, 75), (90, 75), (75, 90), (85, 90), (60, 95), (90, 95)):
        table[f"JPEG {first}, JPEG {last}"] = lambda p, a=first, b=last: jpeg(saved(p, a), b)
    for first, last in ((60, 75), (75, 85), (75, 90), (85, 90), (75, 95)):
        table[f"JPEG {first}, cut, JPEG {last}"] = lambda p, a=first, b=last: jpeg(cut(saved(p, a)), b)
    for factor in (0.7, 1.1, 1.3, 1.5, 2.0, 3.0):
        table[f"resized {factor}, PNG"] = lambda p, f=factor: png(resized(p, f))
    table["resized 1.3 bilinear, PNG"] = lambda p: png(resized(p, 1.3, BILINEAR))
    table["resized 1.3 Lanczos, PNG"] = lambda p: png(resized(p, 1.3, LANCZOS))
    table["JPEG 75, resized 1.3, PNG"] = lambda p: png(resized(saved(p, 75), 1.3))
    table["JPEG 75, resized 0.7, PNG"] = lambda p: png(resized(saved(p, 75), 0.7))
    table["resized 1.3, JPEG 90"] = lambda p: jpeg(resized(p, 1.3), 90)
    table["resized 1.3, JPEG 75"] = lambda p: jpeg(resized(p, 1.3), 75)
    table["at a screen's size, PNG"] = lambda p: png(at_screen_size(p))
    table["on a screen, PNG"] = lambda p: png(on_a_screen(p))
    table["on a screen, JPEG 90"] = lambda p: jpeg(on_a_screen(p), 90)
    return table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--side", type=int, default=800)
    parser.add_argument("--only", default="", help="histories whose name holds this")
    parser.add_argument("--as-is", action="store_true")
    arguments = parser.parse_args()
    if arguments.as_is:
        print_grades(arguments.folder, arguments.pictures)
        return
    names = ("former_grid", "earlier_quality", "shifted_grid", "resampling", "screen", "messenger")
    table = {name: history for name, history in histories().items() if arguments.only in name}
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in table}
    for pixels in clean_pictures(arguments.folder, arguments.pictures, arguments.side):
        for name, history in table.items():
            rows[name].append(measure(load(history(pixels))))
    print("| history | pictures |", " | ".join(names), "| quality within 2 | grades |")
    print("|---|---|" + "---|" * (len(names) + 2))
    for name, found in rows.items():
        wanted = [int(word) for word in name.replace(",", "").split() if word.isdigit()]
        if "cut, JPEG" in name:
            wanted = []  # the quality behind a second grid is not estimated
        key = "earlier_quality" if name.count("JPEG") == 2 else "quality"
        told = [signs[key] for signs in found if key in signs]
        right = sum(abs(quality - wanted[0]) <= 2 for quality in told) / len(told) if told and wanted else None
        shares = [sum(signs.get(sign, 0) > 0 for signs in found) / len(found) for sign in names]
        grades = [grade(signs).grade for signs in found]
        counts = ", ".join(f"{grades.count(word)} {word}" for word in ("good", "limited", "poor") if word in grades)
        cells = [f"{share:.0%}" for share in shares]
        print(
            "|",
            name,
            "|",
            len(found),
            "|",
            " | ".join(cells),
            "|",
            "" if right is None else f"{right:.0%}",
            f"| {counts} |",
        )


if __name__ == "__main__":
    main()
