"""Draw the README's picture: an example, its true mask, and what the bundled model found.

python scripts/result_picture.py examples/receipt.jpg examples-truth/receipt.jpg.mask.png docs/images/result.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

import omni_iml

HEIGHT, GAP, CAPTION = 480, 12, 34


def main() -> None:
    """Command line; see the module."""
    parser = argparse.ArgumentParser(description="Draw the README's picture.")
    parser.add_argument("picture", type=Path)
    parser.add_argument("mask", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    found = omni_iml.detect(options.picture)
    with Image.open(options.picture) as picture, Image.open(options.mask) as mask:
        panels = [
            ("the file", picture.convert("RGB")),
            ("what was changed", mask.convert("RGB")),
            (f"found: {found.verdict.replace('_', ' ')}, score {found.score:.2f}", found.overlay().convert("RGB")),
        ]
    width = round(HEIGHT * found.width / found.height)
    sheet = Image.new("RGB", (3 * width + 2 * GAP, HEIGHT + CAPTION), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(18)
    for index, (caption, panel) in enumerate(panels):
        left = index * (width + GAP)
        sheet.paste(panel.resize((width, HEIGHT), Image.Resampling.LANCZOS), (left, 0))
        pen.text((left, HEIGHT + 8), caption, "black", font)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    sheet.quantize(128).save(options.out, optimize=True)


if __name__ == "__main__":
    main()
