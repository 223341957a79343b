"""Tell a file's format from its first bytes."""

from __future__ import annotations

HEAD_BYTES = 64

SUFFIXES = frozenset(
    {
        ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".tif", ".tiff", ".bmp", ".dib", ".gif",
        ".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx", ".avif", ".avifs", ".heic", ".heics", ".heif", ".heifs", ".hif",
    }
)  # fmt: skip
"""Suffixes, in lower case, of the files that a folder is searched for."""

READ_FORMATS = "JPEG, PNG, WebP, TIFF, BMP, GIF, JPEG 2000, AVIF or HEIC"
"""What is read, in words."""

_READ = (
    (b"\xff\xd8", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II\x2a\x00", "TIFF"),
    (b"MM\x00\x2a", "TIFF"),
    (b"II\x2b\x00", "TIFF"),
    (b"MM\x00\x2b", "TIFF"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG2000"),
)
_AVIF_BRANDS = (b"avif", b"avis")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")
_SHARED_BRANDS = (b"mif1", b"msf1", b"miaf")
_NOT_READ = (
    (0, b"%PDF", "a PDF document"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (0, b"\x00\x00\x00\x0cJXL", "a JPEG XL picture"),
    (4, b"ftyp", "a video"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an office file or mail of the old kind, or one with a password"),
)


def sniff(head: bytes) -> str | None:
    """Name the format that the first bytes of a file announce.

    Args:
        head: at least the first 12 bytes.

    Returns:
        "JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "JPEG2000", "AVIF" or "HEIF"; None for anything else.
    """
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    return next((name for magic, name in _READ if head.startswith(magic)), None)


def _by_brand(head: bytes) -> str | None:
    """The format of a file of boxes, which names its brand and those that it is compatible with."""
    brand = head[8:12]
    end = int.from_bytes(head[:4], "big")
    others = [head[at : at + 4] for at in range(16, min(end, len(head)), 4)]
    if brand in _AVIF_BRANDS or (brand in _SHARED_BRANDS and any(other in _AVIF_BRANDS for other in others)):
        return "AVIF"
    return "HEIF" if brand in _HEIF_BRANDS + _SHARED_BRANDS else None


def describe(head: bytes) -> str:
    """Say in words what a file that `sniff` does not know seems to be.

    Args:
        head: the first bytes.

    Returns:
        For example "a PDF document" or "text".
    """
    for offset, magic, name in _NOT_READ:
        if head[offset : offset + len(magic)] == magic:
            return name
    text = all(byte in b"\t\n\r\f" or 32 <= byte < 127 or byte >= 128 for byte in head)
    return "text" if text else "no picture format that is known here"
