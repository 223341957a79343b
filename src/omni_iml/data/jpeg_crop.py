"""A piece of a JPEG file as a JPEG file, its coefficients copied and not encoded anew."""

from __future__ import annotations

import tempfile
from pathlib import Path

import jpeglib

from omni_iml.io.segments import Frame, sanitise
from omni_iml.types import UnreadableImage


def grid_of(frame: Frame, *, source: str = "JPEG data") -> int:
    """Pixels that a lossless crop must start at a multiple of: 8, or 16 where the chroma is subsampled.

    Args:
        frame: what the file's frame header says.
        source: how to name the file in errors.

    Raises:
        UnreadableImage: the file has neither one component nor three.
    """
    components = frame.components
    if len(components) not in (1, 3):
        raise UnreadableImage(source, f"has {len(components)} colour components", "convert it to YCbCr")
    return 8 * max(max(across, down) for _, across, down, _ in components) if len(components) == 3 else 8


def crop_jpeg(data: bytes, y: int, x: int, height: int, width: int, *, source: str = "JPEG data") -> bytes:
    """Cut a piece out of a JPEG file without loss, as ``jpegtran -crop`` does. Metadata is left behind.

    Args:
        data: the file's bytes.
        y: first row, a multiple of `grid_of`.
        x: first column, a multiple of `grid_of`.
        height: rows; the piece lies inside the picture.
        width: columns.
        source: how to name the file in errors.

    Returns:
        The piece as a baseline file with the same tables and subsampling.

    Raises:
        UnreadableImage: the file is no JPEG of one or three components, or cannot be read.
        ValueError: the piece does not start on the grid, or does not lie inside the picture.
    """
    clean = sanitise(data, source=source)
    grid = grid_of(clean.frame, source=source)
    if y % grid or x % grid or min(y, x) < 0:
        raise ValueError(f"crop at row {y}, column {x}: is not on the grid of {grid} pixels; move it there.")
    if not (0 < height <= clean.frame.height - y and 0 < width <= clean.frame.width - x):
        raise ValueError(
            f"crop of {width}x{height} at row {y}, column {x}: does not lie inside the picture of "
            f"{clean.frame.width}x{clean.frame.height}; make it smaller."
        )
    with tempfile.TemporaryDirectory() as folder:
        whole, piece = Path(folder) / "whole.jpg", Path(folder) / "piece.jpg"
        whole.write_bytes(clean.stream)
        jpeg = jpeglib.read_dct(str(whole))
        jpeg.load()
        most = [max(component[axis] for component in jpeg.samp_factor) for axis in (0, 1)]
        for name, factors in zip(("Y", "Cb", "Cr"), jpeg.samp_factor, strict=False):
            # A component's blocks cover 8 pixels times the largest factor over its own, in each direction.
            down, across = (8 * largest // int(own) for largest, own in zip(most, factors, strict=True))
            rows, columns = slice(y // down, -(-(y + height) // down)), slice(x // across, -(-(x + width) // across))
            setattr(jpeg, name, getattr(jpeg, name)[rows, columns].copy())
        jpeg.height, jpeg.width = height, width
        jpeg.write_dct(str(piece))
        return piece.read_bytes()
