"""Read the quantized luma coefficients of a JPEG file.

Of a file that was cut short, libjpeg itself writes "Corrupt JPEG data: ..." to the process's standard error.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading

import numpy as np
from jpeglib._bind import CJpegLib
from numpy.typing import NDArray

from omni_iml.io.memory_file import readable_path
from omni_iml.io.segments import CleanJpeg, sanitise
from omni_iml.types import MAX_PIXELS, JpegTrace, OmniError, UnreadableImage

# The library keeps state in global variables.
_lock = threading.Lock()

# The sanitiser lets at most two application segments through, of fewer bytes than this together.
_MARKER_BYTES = 64

# What C's fopen takes file names in: on Windows the ANSI code page, which may lack a character ("strict" notices).
_C_ENCODING, _C_ERRORS = ("mbcs", "strict") if os.name == "nt" else (sys.getfilesystemencoding(), "surrogateescape")


def read_trace(data: bytes, *, max_pixels: int = MAX_PIXELS, source: str = "JPEG data") -> JpegTrace:
    """Read the quantized DCT coefficients and the quantization table of a JPEG file's first component.

    The first component is luma in nearly every file; in RGB and CMYK JPEG files it is red or cyan. A file that was cut
    short gives zero coefficients after the cut.

    Args:
        data: the file's bytes.
        max_pixels: refuse pictures with more pixels.
        source: how to name the file in errors.

    Returns:
        Coefficients int16 ``(8*ceil(H/8), 8*ceil(W/8))`` in image layout and the uint16 ``(8, 8)`` table.

    Raises:
        UnreadableImage: the file is no JPEG that this package reads; see `omni_iml.io.segments.sanitise`.
        OmniError: the C library cannot open files in the folder of temporary files.
    """
    clean = sanitise(data, max_pixels=max_pixels, source=source)
    return trace_of_clean(clean, source=source)


def trace_of_clean(clean: CleanJpeg, *, source: str = "JPEG data") -> JpegTrace:
    """Read coefficients and table from a stream that `sanitise` has rebuilt.

    Args:
        clean: the rebuilt stream.
        source: how to name the file in errors.

    Returns:
        The trace, as `read_trace` describes it.

    Raises:
        UnreadableImage: the coded data cannot be decoded.
        OmniError: the C library cannot open files in the folder of temporary files.
    """
    blocks = _first_component(clean, source)
    rows, columns = clean.frame.luma_blocks
    layout = blocks.reshape(rows, columns, 8, 8).transpose(0, 2, 1, 3).reshape(rows * 8, columns * 8)
    return JpegTrace(coefficients=layout, table=clean.table)


def empty_tail(coefficients: NDArray[np.int16]) -> int:
    """Count the rows of pixels at the bottom whose blocks hold nothing at all, not even a mean.

    That is what decoding leaves where the data end before the picture does, whether or not an end-of-image marker
    follows. A true picture has it only where it ends in exactly middle gray.

    Args:
        coefficients: ``(H, W)``, multiples of 8, as in `JpegTrace`.

    Returns:
        A multiple of 8; 0 for a picture that is empty from top to bottom, which is then a flat one.
    """
    rows = np.flatnonzero(coefficients.any(axis=1))
    return coefficients.shape[0] - (int(rows[-1]) // 8 + 1) * 8 if rows.size else 0


def _first_component(clean: CleanJpeg, source: str) -> NDArray[np.int16]:
    """Coefficients ``(rows, columns, 64)`` of the first component.

    jpeglib's own reading function is passed by: it would read markers into global arrays, leave a named temporary file
    behind when the process dies, allocate buffers for the chroma, and print to stdout on failure. The native function
    beneath it takes null for what is not wanted. It must not meet an error before the first scan, though: it would then
    close a file handle that was never set. So another native function, which handles that case, reads the header first.

    The buffer's size is right by construction: the sanitiser lets through one frame header only, and only a first
    component of full resolution.

    Each call gets a path of its own: where opening /dev/fd/N shares the offset (macOS), a path can be read only once.
    """
    blocks = np.zeros((*clean.frame.luma_blocks, 64), dtype=np.int16)
    table_numbers = (ctypes.c_short * 4)()
    tables = (ctypes.c_ushort * 256)()
    markers = (ctypes.c_ubyte * _MARKER_BYTES)()
    with readable_path(clean.stream) as header, readable_path(clean.stream) as whole, _lock:
        library = CJpegLib.get()
        read = library.read_jpeg_markers(_c_name(header), markers) and library.read_jpeg_dct(
            _c_name(whole),
            blocks.ctypes.data_as(ctypes.c_void_p),
            None,
            None,
            None,
            tables,
            table_numbers,
        )
    if not read:
        raise UnreadableImage(source, "its coded picture data is damaged", "fetch or copy the file again")
    return blocks


def _c_name(path: str) -> ctypes.c_char_p:
    """A path as C's fopen takes it."""
    try:
        return ctypes.c_char_p(path.encode(_C_ENCODING, _C_ERRORS))
    except UnicodeEncodeError as error:
        raise OmniError(
            f"{path}: the JPEG library cannot open a temporary file of this name, as the system's code page "
            f"lacks {path[error.start]!r}; set TMPDIR (on Windows TMP) to a folder with a plain name."
        ) from error
