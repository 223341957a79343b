"""Facts about a file: what its metadata and its compression say, by group, as plain values for JSON.

Every text comes from a file that nobody vouches for: it is made printable and cut to `omni_iml.text.LONGEST`
characters, lists are bounded, and nothing in it is trusted or followed. A group or key that is missing was not in the
file.
docs/guides/inputs.md says what each may and may not mean.

The facts are gathered when a file is loaded, not when somebody asks: they take a few milliseconds beside a decoding of
hundreds, the file's bytes are at hand only then, and a result must not change with the moment at which it is read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from omni_iml.io.content_credentials import read_credentials
from omni_iml.io.embedded import Embedded, embedded_in
from omni_iml.io.exif import Exif, read_exif
from omni_iml.io.jpeg_quality import estimate_quality
from omni_iml.io.profiles import profile_name
from omni_iml.io.segments import CleanJpeg
from omni_iml.io.thumbnail import compare_thumbnail
from omni_iml.io.tiff_directory import Read
from omni_iml.io.xmp import read_xmp
from omni_iml.text import plain

Facts = dict[str, Any]

_MOST_TEXTS = 16
_NOTHING = Embedded()
_GENERATOR_KEYS = {"parameters", "prompt", "workflow", "invokeai_metadata", "sd-metadata", "dream", "generation_data"}
_GENERATOR_COMMENT = re.compile(rb"\bSteps: \d+, Sampler: ")
_SUBSAMPLINGS: dict[tuple[tuple[int, int], ...], str] = {
    ((1, 1), (1, 1), (1, 1)): "4:4:4",
    ((2, 1), (1, 1), (1, 1)): "4:2:2",
    ((1, 2), (1, 1), (1, 1)): "4:4:0",
    ((2, 2), (1, 1), (1, 1)): "4:2:0",
    ((4, 1), (1, 1), (1, 1)): "4:1:1",
}


def jpeg_facts(stream: IO[bytes], kind: str, clean: CleanJpeg, digest: str, pixels: NDArray[np.uint8]) -> Facts:
    """Facts about a JPEG file.

    Args:
        stream: the file, at any position; left open.
        kind: "JPEG" or "MPO".
        clean: what `omni_iml.io.segments.sanitise` made of it.
        digest: SHA-256 of the file's bytes, in hex.
        pixels: uint8 ``(H, W, 3)`` RGB, stored orientation.

    Returns:
        The groups "hashes", "jpeg" and "c2pa", and where there is something of the kind "exif", "thumbnail", "icc",
        "xmp", "photoshop", "text" and "generator".
    """
    exif = read_exif(_reader(clean.embedded.exif))
    return {
        "hashes": {"file": digest, "pixels": pixel_digest(pixels)},
        "jpeg": compression(clean),
        **_common(stream, kind, clean.embedded, exif, pixels),
    }


def raster_facts(
    stream: IO[bytes], kind: str, digest: str, pixels: NDArray[np.uint8], decoded: Embedded = _NOTHING
) -> Facts:
    """Facts about a picture file that is not a JPEG.

    Args:
        stream: the file, at any position; left open.
        kind: its format, as `omni_iml.io.sniff.sniff` names it.
        digest: SHA-256 of the file's bytes, in hex.
        pixels: uint8 ``(H, W, 3)`` RGB, stored orientation.
        decoded: what the decoder found, for what lies too deep for a walk over the chunks.

    Returns:
        As `jpeg_facts`, without "jpeg".
    """
    walked = embedded_in(stream, kind)
    embedded = replace(
        walked,
        exif=walked.exif or decoded.exif,
        icc=walked.icc or decoded.icc,
        xmp=walked.xmp or decoded.xmp,
        texts=walked.texts or decoded.texts,
    )
    read = _stream_reader(stream) if kind == "TIFF" else _reader(embedded.exif)
    return {
        "hashes": {"file": digest, "pixels": pixel_digest(pixels)},
        **_common(stream, kind, embedded, read_exif(read), pixels),
    }


def pixel_facts(digest: str) -> Facts:
    """Facts about pixels without a file.

    Args:
        digest: from `pixel_digest`.

    Returns:
        The group "hashes".
    """
    return {"hashes": {"pixels": digest}}


def pixel_digest(pixels: NDArray[np.uint8]) -> str:
    """SHA-256 of the shape as text and the samples row by row, in hex: the same for every lossless copy.

    Args:
        pixels: uint8 ``(H, W, 3)``, stored orientation.
    """
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def compression(clean: CleanJpeg) -> Facts:
    """How a JPEG file is coded.

    Args:
        clean: the file after `omni_iml.io.segments.sanitise`.

    Returns:
        ``process``, ``components``, ``subsampling`` ("4:2:0"; the sampling factors in words where they have no such
        name; left out for one component), ``restart_interval``, and of `omni_iml.io.jpeg_quality`: ``tables``,
        ``quality``, ``quality_exact``, ``quality_distance``.
    """
    frame, quality = clean.frame, estimate_quality(clean.tables or (clean.table,))
    factors = tuple((horizontal, vertical) for _, horizontal, vertical, _ in frame.components)
    facts: Facts = {
        "process": "progressive" if frame.progressive else "sequential",
        "components": len(factors),
        "restart_interval": clean.restart_interval,
        "tables": quality.family,
        "quality": quality.quality,
        "quality_exact": quality.exact,
        "quality_distance": quality.distance,
    }
    if len(factors) > 1:
        facts["subsampling"] = _SUBSAMPLINGS.get(factors) or " ".join(f"{h}x{v}" for h, v in factors)
    return facts


def is_camera(facts: Mapping[str, Any]) -> bool:
    """True where the file names the camera that took the picture.

    Args:
        facts: from this module.
    """
    exif = facts.get("exif", {})
    return "make" in exif or "model" in exif


def _common(stream: IO[bytes], kind: str, embedded: Embedded, exif: Exif, pixels: NDArray[np.uint8]) -> Facts:
    facts: Facts = {}
    if exif.facts:
        facts["exif"] = exif.facts
    if exif.thumbnail:
        facts["thumbnail"] = compare_thumbnail(exif.thumbnail, pixels)
    if embedded.icc:
        facts["icc"] = {"bytes": len(embedded.icc), "description": plain(profile_name(embedded.icc))}
    if embedded.xmp:
        facts["xmp"] = read_xmp(embedded.xmp)
    if embedded.photoshop or embedded.web_quality is not None:
        facts["photoshop"] = {"resources": embedded.photoshop}
        if embedded.web_quality is not None:
            facts["photoshop"]["save_for_web_quality"] = embedded.web_quality
    if embedded.texts:
        facts["text"] = [{"key": plain(key), "value": plain(value)} for key, value in embedded.texts[:_MOST_TEXTS]]
    keys = [plain(key) for key, _ in embedded.texts if key.lower() in _GENERATOR_KEYS]
    if _GENERATOR_COMMENT.search(exif.comment):
        keys.append("exif comment")
    if keys:
        facts["generator"] = {"parameters": list(dict.fromkeys(keys))}
    if embedded.c2pa is not None:
        size = stream.seek(0, 2)
        facts["c2pa"] = read_credentials(stream, kind, size) if embedded.c2pa else {"manifest": "absent"}
    return facts


def _reader(data: bytes) -> Read:
    return lambda offset, size: data[offset : offset + size]


def _stream_reader(stream: IO[bytes]) -> Read:
    def read(offset: int, size: int) -> bytes:
        stream.seek(offset)
        return stream.read(size)

    return read
