"""Drawn material of the examples: a till receipt, a letter, an enamel door plate, and the forgeries made on them.

Everything is drawn at several times its final size, put into perspective, lit, blurred, given grain and reduced, so
that glyph edges, paper and noise look like a camera's or a scanner's rather than like a renderer's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]
Plane = NDArray[np.float32]
Bounds = tuple[float, float, float, float]

RULE = "-" * 26
RECEIPT = (
    ("CAFE LIBELLE", "head"), ("14 Harbour Street", "centre"), (RULE, ""), ("Date  12.03.2025    09:41", ""),
    ("Table 6     No. 004817", ""), (RULE, ""), ("2 Cappuccino          8.40", ""), ("1 Quiche              9.80", ""),
    ("1 Soup of the day     7.50", ""), ("2 Apple cake          9.00", ""), ("1 Mineral water       3.70", ""),
    (RULE, ""), ("TOTAL EUR 38.40", "total"), ("incl. VAT 9%          3.17", ""), ("Paid by card", ""), (RULE, ""),
    ("Thank you for your visit", "centre"),
)  # fmt: skip
LETTER = (
    "To whom it may concern,", "",
    "This is to confirm that the reading room on the second floor was open",
    "to members on every weekday of the month of October, from nine in the",
    "morning until six in the evening, and that no fee was charged for its use.", "",
    "The enclosed list names the 214 volumes that were lent. Of these, 209 came",
    "back within four weeks; the remaining five were returned in November.", "",
    "We have no objection to this letter being shown to the committee.", "",
    "Yours faithfully,",
)  # fmt: skip


@dataclass(frozen=True)
class Placed:
    """Where a drawn thing lies in a picture.

    Attributes:
        homography: (3, 3), from the drawing's pixels to the picture's.
        boxes: named parts, (x0, y0, x1, y1) in the drawing's pixels.
        size: width and height of the drawing.
        fonts: size of each named part's type, in the drawing's pixels.
    """

    homography: NDArray[np.float64]
    boxes: dict[str, Bounds]
    size: tuple[int, int]
    fonts: dict[str, int] = field(default_factory=dict)


def typeface(fonts: Path, name: str, size: int) -> ImageFont.FreeTypeFont:
    """A Liberation face, such as "Mono-Regular"."""
    return ImageFont.truetype(str(fonts / f"Liberation{name}.ttf"), size)


def corners(bounds: Bounds) -> NDArray[np.float32]:
    """The four corners of a box, clockwise from the top left."""
    x0, y0, x1, y1 = bounds
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)


def project(homography: NDArray[np.float64], points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Points (N, 2) through a homography."""
    moved: NDArray[np.float32] = cv2.perspectiveTransform(points[None].astype(np.float32), homography)[0]
    return moved


def clouds(shape: tuple[int, int], cell: float, rng: np.random.Generator) -> Plane:
    """Smooth noise of mean 0 and deviation 1, with blobs of about ``cell`` pixels."""
    small = rng.standard_normal((max(2, int(shape[0] / cell)), max(2, int(shape[1] / cell)))).astype(np.float32)
    noise = cv2.resize(small, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray((noise - noise.mean()) / noise.std(), np.float32)


def grain(picture: Plane, sigma: float, rng: np.random.Generator) -> Pixels:
    """Sensor noise: mostly common to the channels, a little of each one's own."""
    common = rng.normal(0, sigma, picture.shape[:2])[..., None]
    own = rng.normal(0, sigma / 2, picture.shape)
    return np.clip(np.round(picture + common + own), 0, 255).astype(np.uint8)


def write(
    size: tuple[int, int], at: tuple[float, float], text: str, font: ImageFont.FreeTypeFont, anchor: str
) -> Plane:
    """How much ink lies on each pixel of a sheet on which only ``text`` is written, 0..1."""
    sheet = Image.new("L", size, 0)
    ImageDraw.Draw(sheet).text(at, text, fill=255, font=font, anchor=anchor)
    return np.asarray(sheet, np.float32) / 255


def receipt(fonts: Path, rng: np.random.Generator) -> tuple[Pixels, Placed]:
    """A receipt on a wooden table, photographed: (960, 720, 3), and where its parts lie."""
    page = (1000, 1640)
    sheet = Image.new("L", page, 0)
    pen = ImageDraw.Draw(sheet)
    boxes: dict[str, Bounds] = {}
    sizes = {"head": 84, "total": 92, "centre": 54, "": 54}
    y = 70.0
    for text, style in RECEIPT:
        font = typeface(fonts, "Mono-Bold" if style in ("head", "total") else "Mono-Regular", sizes[style])
        advance = font.getlength("0")
        x = (page[0] - font.getlength(text)) / 2 if style in ("head", "centre") else 80.0
        pen.text((x, y), text, fill=255, font=font, anchor="la")
        ascent, descent = font.getmetrics()
        if style == "total":
            for digit, column in (("3", text.index("3")), ("8", text.index("8"))):
                boxes[digit] = (x + column * advance, y, x + (column + 1) * advance, y + ascent + descent * 0.4)
        if text.startswith("Date"):
            left = x + text.index("12") * advance
            boxes["date"] = (left - 6, y - 2, left + 10 * advance + 6, y + ascent + descent)
        y += (ascent + descent) * 1.32
    ink = np.asarray(sheet, np.float32) / 255
    ink *= np.clip(0.93 + 0.07 * clouds(ink.shape, 9, rng), 0, 1)  # a thermal head prints unevenly
    paper = 236 + 2.0 * clouds(ink.shape, 3, rng) + 5 * clouds(ink.shape, 220, rng)
    # The table: grain that runs across, twice the final size.
    size = (1440, 1920)
    streaks = cv2.GaussianBlur(rng.standard_normal((size[1], size[0])).astype(np.float32), (0, 0), 60, sigmaY=1.6)
    table = np.array([118, 82, 54], np.float32) + (streaks / streaks.std() * 9)[..., None]
    table += 6 * clouds((size[1], size[0]), 300, rng)[..., None]
    target = np.array([[236, 118], [1196, 150], [1250, 1780], [190, 1764]], np.float32)
    homography = cv2.getPerspectiveTransform(corners((0, 0, *page)), target)
    tint = np.array([1.0, 0.985, 0.95], np.float32)
    lit = (paper * (1 - ink) + 46 * ink)[..., None] * tint
    on = cv2.warpPerspective(np.ones_like(ink), homography, size, flags=cv2.INTER_AREA)
    shadow = cv2.GaussianBlur(np.roll(on, (14, 18), (0, 1)), (0, 0), 16)
    photo = table * (1 - 0.55 * shadow[..., None])
    photo = photo * (1 - on[..., None]) + cv2.warpPerspective(lit, homography, size) * on[..., None]
    fall = 1.04 - 0.16 * np.linspace(0, 1, size[0], dtype=np.float32)[None, :, None]
    photo = cv2.GaussianBlur(photo * fall, (0, 0), 1.3)
    noisy = grain(photo, 5.0, rng)
    reduced = cv2.resize(noisy, (size[0] // 2, size[1] // 2), interpolation=cv2.INTER_AREA)
    return reduced, Placed(np.diag([0.5, 0.5, 1.0]) @ homography, boxes, page, {"date": sizes[""]})


def forge_receipt(
    scene: Pixels, placed: Placed, fonts: Path, rng: np.random.Generator
) -> tuple[Pixels, NDArray[np.bool_]]:
    """Copy the 8 of the total over its 3; blank the date with paper from further down and type another."""
    forged = scene.copy()
    mask = np.zeros(scene.shape[:2], bool)
    from_8, to_3 = (project(placed.homography, corners(placed.boxes[name])) for name in ("8", "3"))
    x0, y0 = np.floor(from_8.min(0)).astype(int)
    x1, y1 = np.ceil(from_8.max(0)).astype(int)
    dx, dy = np.round(to_3.mean(0) - from_8.mean(0)).astype(int)
    forged[y0 + dy : y1 + dy, x0 + dx : x1 + dx] = scene[y0:y1, x0:x1]
    mask[y0 + dy : y1 + dy, x0 + dx : x1 + dx] = True

    # Blank paper to cover the date comes from the empty strip between the last line and the paper's end.
    field_ = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(field_, np.round(project(placed.homography, corners(placed.boxes["date"]))).astype(np.int32), 1)
    rows, columns = np.nonzero(field_)
    blank_top = int(project(placed.homography, np.array([[500, placed.size[1] - 105]], np.float32))[0, 1])
    shift = blank_top - rows.min()
    # Its own light is taken out and that of the paper around the date put in, column by column.
    first, last = columns.min(), columns.max() + 1
    around = np.concatenate([scene[rows.min() - 4 : rows.min() - 1], scene[rows.max() + 1 : rows.max() + 3]])
    light = cv2.GaussianBlur(around[:, first:last].astype(np.float32).mean(0)[None], (0, 0), 8)[0]
    blank = scene.astype(np.float32) - cv2.GaussianBlur(scene.astype(np.float32), (0, 0), 6)
    forged[rows, columns] = np.clip(blank[rows + shift, columns] + light[columns - first], 0, 255)
    left, top, _, _ = placed.boxes["date"]
    font = typeface(fonts, "Mono-Regular", placed.fonts["date"])
    ink = write(placed.size, (left + 6, top + 2), "19.08.2025", font, "la")
    ink = cv2.warpPerspective(cv2.GaussianBlur(ink, (0, 0), 1.6), placed.homography, mask.shape[::-1])
    ink = ink[..., None] * field_[..., None]
    typed = forged * (1 - 0.97 * ink) + np.array([50, 49, 47]) * 0.97 * ink
    forged = np.where(field_[..., None] > 0, grain(typed, 0.8, rng), forged)
    return forged, mask | (field_ > 0)


def letter(fonts: Path, rng: np.random.Generator) -> Pixels:
    """A signed and stamped letter as a flatbed scanner gives it: (1040, 740, 3)."""
    size = (1480, 2080)
    sheet = Image.new("RGB", size, (247, 246, 241))
    pen = ImageDraw.Draw(sheet)
    ink = (38, 38, 44)
    pen.text((150, 130), "MUNICIPAL LIBRARY", fill=(60, 45, 40), font=typeface(fonts, "Serif-Bold", 58))
    pen.text((150, 205), "Lindenplatz 3, second floor", fill=ink, font=typeface(fonts, "Serif-Italic", 34))
    pen.line((150, 265, size[0] - 150, 265), fill=(120, 60, 50), width=4)
    pen.text((size[0] - 150, 330), "4 November 2025", fill=ink, font=typeface(fonts, "Serif-Regular", 36), anchor="ra")
    body = typeface(fonts, "Serif-Regular", 38)
    for row, line in enumerate(LETTER):
        pen.text((150, 470 + 62 * row), line, fill=ink, font=body)
    # A signature: a few strokes along a curve that bends back on itself.
    t = np.linspace(0, 1, 400)
    x = 190 + 460 * t + 38 * np.sin(34 * t) * (1 - 0.55 * t)
    y = 1330 - 60 * np.sin(21 * t + 0.4) * np.exp(-1.6 * t) - 24 * np.sin(47 * t)
    pen.line(list(zip(x.tolist(), y.tolist(), strict=True)), fill=(28, 40, 110), width=5, joint="curve")
    pen.text((150, 1430), "Head of lending", fill=ink, font=typeface(fonts, "Serif-Regular", 34))
    stamp = Image.new("L", (380, 380), 0)
    ring = ImageDraw.Draw(stamp)
    for inset, width in ((8, 8), (70, 4)):
        ring.ellipse((inset, inset, 380 - inset, 380 - inset), outline=255, width=width)
    for row, line in enumerate(("READING", "ROOM", "2025")):
        ring.text((190, 140 + 50 * row), line, fill=255, font=typeface(fonts, "Sans-Bold", 40), anchor="mm")
    press = np.asarray(stamp.rotate(14, Image.Resampling.BICUBIC), np.float32) / 255
    press *= np.clip(0.72 + 0.2 * clouds(press.shape, 14, rng), 0.2, 0.95)  # ink takes unevenly
    sheet.paste((70, 60, 150), (900, 1230), Image.fromarray((press * 255).astype(np.uint8)))
    page = np.asarray(sheet, np.float32)
    page = page + (1.6 * clouds(page.shape[:2], 3, rng) + 1.2 * clouds(page.shape[:2], 260, rng))[..., None]
    turn = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), 0.6, 1.0)
    page = cv2.warpAffine(
        page, turn, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT, borderValue=(214,) * 3
    )
    noisy = grain(cv2.GaussianBlur(page, (0, 0), 1.1), 3.5, rng)
    return np.asarray(cv2.resize(noisy, (size[0] // 2, size[1] // 2), interpolation=cv2.INTER_AREA))


def put_up_plate(house: Pixels, fonts: Path, rng: np.random.Generator) -> tuple[Pixels, Placed]:
    """An enamel plate "DOCK ROW 17" on the white boards of the house, at the photo's full size."""
    size = (1120, 720)
    plate = Image.new("RGB", size, (22, 44, 98))
    pen = ImageDraw.Draw(plate)
    pen.rounded_rectangle((26, 26, size[0] - 27, size[1] - 27), radius=36, outline=(226, 228, 224), width=16)
    pen.text((size[0] / 2, 150), "DOCK ROW", fill=(226, 228, 224), font=typeface(fonts, "Sans-Bold", 130), anchor="mm")
    number = typeface(fonts, "Sans-Bold", 380)
    pen.text((size[0] / 2, 425), "17", fill=(226, 228, 224), font=number, anchor="mm")
    for x, y in ((78, 78), (size[0] - 78, 78), (78, size[1] - 78), (size[0] - 78, size[1] - 78)):
        pen.ellipse((x - 17, y - 17, x + 17, y + 17), fill=(140, 140, 136), outline=(30, 34, 60), width=4)
    height, width = house.shape[:2]
    unit = height / 900
    target = np.array([[404, 172], [556, 167], [556, 266], [404, 270]], np.float32) * np.float32(unit)
    homography = cv2.getPerspectiveTransform(corners((0, 0, *size)), target)
    drawing = np.asarray(plate, np.float32)
    gloss = 1.10 - 0.22 * np.linspace(0, 1, size[1], dtype=np.float32)[:, None]
    gloss = gloss + 0.03 * clouds((size[1], size[0]), 180, rng)
    drawing = drawing * gloss[..., None] * np.array([0.94, 0.96, 1.0], np.float32) + 12
    drawing = cv2.GaussianBlur(drawing, (0, 0), size[0] / (152 * unit) * 1.2)
    on = cv2.warpPerspective(np.ones(drawing.shape[:2], np.float32), homography, (width, height))
    on = cv2.GaussianBlur(on, (0, 0), 1.6)
    shadow = cv2.GaussianBlur(np.roll(on, (14, -6), (0, 1)), (0, 0), 9)
    photo = house * (1 - 0.38 * shadow[..., None])
    placed = cv2.warpPerspective(drawing, homography, (width, height))
    photo = photo * (1 - on[..., None]) + (placed + rng.normal(0, 5, (height, width, 1))) * on[..., None]
    boxes = {"number": (size[0] / 2 - 300, 262.0, size[0] / 2 + 300, 590.0)}
    result = np.clip(np.round(photo), 0, 255).astype(np.uint8)
    return result, Placed(homography, boxes, size, {"number": 380})


def repaint_number(
    scene: Pixels, placed: Placed, factor: float, fonts: Path, rng: np.random.Generator
) -> tuple[Pixels, NDArray[np.bool_]]:
    """Overpaint the plate's number with the ground colour and write 43 in its place."""
    height, width = scene.shape[:2]
    homography = np.diag([factor, factor, 1.0]) @ placed.homography
    area = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(area, np.round(project(homography, corners(placed.boxes["number"]))).astype(np.int32), 1)
    written = area > 0
    rows = np.nonzero(written.any(1))[0]
    columns = np.nonzero(written.any(0))[0]
    # The ground colour, row by row, from the plate just left and right of the number.
    ground = scene.astype(np.float32).copy()
    for row in rows:
        beside = np.concatenate(
            [scene[row, columns[0] - 7 : columns[0] - 1], scene[row, columns[-1] + 2 : columns[-1] + 8]]
        )
        ground[row, written[row]] = np.median(beside, axis=0)
    ground = np.where(written[..., None], cv2.GaussianBlur(ground, (0, 0), 1.2), ground)
    paint = np.percentile(scene[written], 96, axis=0)
    font = typeface(fonts, "Sans-Bold", placed.fonts["number"])
    ink = write(placed.size, (placed.size[0] / 2, 425), "43", font, "mm")
    ink = cv2.GaussianBlur(ink, (0, 0), placed.size[0] / 152 * 0.55)
    ink = cv2.warpPerspective(ink, homography, (width, height), flags=cv2.INTER_AREA)[..., None] * area[..., None]
    painted = grain(ground * (1 - ink) + paint * ink, 1.6, rng)
    return np.where(written[..., None], painted, scene), written
