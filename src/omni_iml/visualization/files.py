"""Figures as the bytes of files."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from omni_iml.io.whole_file import write_whole


def csv_bytes(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """A table with a head; fractions with four digits, nothing for what is not a number."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _figure(value) for key, value in row.items()} for row in rows)
    return text.getvalue().encode()


def _figure(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return "" if math.isnan(value) else f"{value:.4f}"


def png_bytes(picture: Image.Image) -> bytes:
    """A picture as a PNG file."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def written(path: Path, data: bytes) -> Path:
    """The path, once the whole file is there."""
    write_whole(path, lambda file: file.write(data))
    return path


def finite(value: Any) -> Any:
    """The same with null for what is not a number."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
