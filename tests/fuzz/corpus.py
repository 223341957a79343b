"""Whole files of every format that is read, small, made here: what the fuzzing harness damages."""

from __future__ import annotations

import io
import zipfile
from email.message import EmailMessage
from typing import Any

import numpy as np
from PIL import Image, features

ORIENTATION, SOFTWARE = 274, 305


def whole_files() -> dict[str, bytes]:
    """Name -> bytes, for each format and each of its kinds that takes another way through the readers."""
    rgb, other = _picture(40, 56), _picture(24, 24, seed=1)
    gray, small = rgb.convert("L"), _picture(16, 24, seed=2)
    palette = small.quantize(16)
    deep = Image.fromarray(np.arange(24 * 16, dtype=np.uint16).reshape(16, 24) * 170)
    files = {
        "jpeg": _save(rgb, "JPEG", quality=70, exif=_exif(6)),
        "jpeg-progressive": _save(rgb, "JPEG", progressive=True, icc_profile=_icc()),
        "jpeg-restart": _save(rgb, "JPEG", restart_marker_blocks=2, subsampling=0, comment=b"hello"),
        "jpeg-gray": _save(gray, "JPEG", optimize=True),
        "jpeg-cmyk": _save(rgb.convert("CMYK"), "JPEG"),
        "mpo": _save(rgb, "MPO", save_all=True, append_images=[other.copy()]),
        "png": _save(rgb, "PNG", exif=_exif(3)),
        "png-palette": _save(palette, "PNG", transparency=3),
        "png-16": _save(deep, "PNG"),
        "png-alpha": _save(small.convert("RGBA"), "PNG"),
        "apng": _save(small, "PNG", save_all=True, append_images=[_picture(16, 24, seed=3)]),
        "gif": _save(palette, "GIF"),
        "gif-animated": _save(small, "GIF", save_all=True, append_images=[_picture(16, 24, seed=4)], duration=50),
        "webp": _save(small, "WEBP"),
        "webp-lossless": _save(small.convert("RGBA"), "WEBP", lossless=True, exif=_exif(8)),
        "webp-animated": _save(small, "WEBP", save_all=True, append_images=[_picture(16, 24, seed=5)]),
        "tiff": _save(small, "TIFF", exif=_exif(5)),
        "tiff-lzw": _save(small, "TIFF", compression="tiff_lzw"),
        "tiff-deflate": _save(small, "TIFF", compression="tiff_adobe_deflate"),
        "tiff-jpeg": _save(rgb, "TIFF", compression="jpeg"),
        "tiff-fax": _save(small.convert("1"), "TIFF", compression="group4"),
        "tiff-16": _save(deep, "TIFF"),
        "tiff-pages": _save(small, "TIFF", save_all=True, append_images=[other.copy()]),
        "bmp": _save(small, "BMP"),
        "bmp-palette": _save(palette, "BMP"),
    }
    if features.check("jpg_2000"):
        files["jp2"] = _save(small, "JPEG2000")
        files["j2k"] = _save(small, "JPEG2000", no_jp2=True)
    if features.check("avif"):
        files["avif"] = _save(small, "AVIF", speed=10)
    files |= _containers(files)
    return files


def _containers(files: dict[str, bytes]) -> dict[str, bytes]:
    jpeg, png = files["jpeg"], files["png"]
    page = jpeg_page(jpeg, 56, 40)
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.org", "b@example.org", "picture"
    mail.set_content("see below")
    mail.add_attachment(jpeg, maintype="image", subtype="jpeg", filename="a.jpg")
    mail.add_attachment(_zip({"b.png": png}), maintype="application", subtype="zip", filename="b.zip")
    office = {
        "[Content_Types].xml": b'<?xml version="1.0"?><Types/>',
        "word/document.xml": b'<?xml version="1.0"?><document/>',
        "docProps/core.xml": b'<?xml version="1.0"?><coreProperties><creator>me</creator></coreProperties>',
        "word/media/image1.jpeg": jpeg,
    }
    return {
        "pdf": page,
        "pdf-pillow": _save(_picture(60, 40), "PDF", save_all=True, append_images=[_picture(40, 60)]),
        "zip": _zip({"a.jpg": jpeg, "inner/b.png": png, "c.txt": b"no picture"}),
        "zip-stored": _zip({"a.gif": files["gif"], "b.pdf": page}, zipfile.ZIP_STORED),
        "docx": _zip(office),
        "eml": mail.as_bytes(),
    }


def jpeg_page(jpeg: bytes, width: int, height: int) -> bytes:
    """A PDF document of one page that is one JPEG picture."""
    drawn = f"q {width} 0 0 {height} 0 0 cm /Im0 Do Q".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}] /Contents 4 0 R "
        "/Resources << /XObject << /Im0 5 0 R >> >> >>".encode(),
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(drawn), drawn),
        b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceRGB /BitsPerComponent 8 "
        b"/Filter /DCTDecode /Length %d >>\nstream\n%b\nendstream" % (width, height, len(jpeg), jpeg),
    ]
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def _picture(height: int, width: int, seed: int = 0) -> Image.Image:
    """A smooth coloured field with grain: compresses like a photograph."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (height // 8 + 2, width // 8 + 2, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))
    return Image.fromarray(np.clip(smooth + rng.normal(0, 6, smooth.shape), 0, 255).astype(np.uint8))


def _save(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.copy().save(buffer, kind, **options)  # savers leave their options on the image
    return buffer.getvalue()


def _zip(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, compress_type=method)
    return buffer.getvalue()


def _exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[ORIENTATION], tags[SOFTWARE] = orientation, "An editor 1.0"
    return tags


def _icc() -> bytes:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
