"""A `Detection` as files: JSON, mask, heat map and overlay."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image

from omni_iml.io.names import safe_folder, safe_name
from omni_iml.io.whole_file import make_folder, write_together
from omni_iml.report.drawing import heatmap, overlay
from omni_iml.report.json import to_json
from omni_iml.types import Detection

_FAST_PNG = 3
"""zlib level: half the time of Pillow's default for a few per cent more bytes."""


def save(detection: Detection, folder: str | Path, name: str | None = None) -> dict[str, Path]:
    """Write ``<name>.json``, ``<name>.mask.png``, ``<name>.heatmap.png`` and ``<name>.overlay.png``.

    Each file is written under a temporary name and then renamed: a file with its final name is whole.

    Args:
        detection: the result.
        folder: where to write; made if it does not exist.
        name: the picture's file name with its suffix, or its path relative to ``folder`` with ``/`` between the parts;
            ``None`` for the file name of the detection's source and its part. Characters that some file system refuses
            become "_", and a path cannot lead out of ``folder``.

    Returns:
        The paths by kind: "json", "mask" (0 and 255), "heatmap" (8-bit grey) and "overlay".

    Raises:
        UnwritableFile: the folder cannot be made or written to, or the disk is full.
    """
    if name is None:
        name = detection.source.replace("\\", "/").rsplit("/", 1)[-1] + detection.part
    stem = output_stem(name)
    target = Path(folder) / stem
    make_folder(target.parent)
    text = json.dumps(to_json(detection), indent=2, ensure_ascii=False) + "\n"
    writers: dict[str, tuple[str, Callable[[IO[bytes]], object]]] = {
        "mask": (".mask.png", lambda out: _png(Image.fromarray(detection.mask * np.uint8(255)), out)),
        "heatmap": (".heatmap.png", lambda out: _png(heatmap(detection), out)),
        "overlay": (".overlay.png", lambda out: _png(overlay(detection), out)),
        "json": (".json", lambda out: out.write(text.encode("utf-8"))),
    }
    paths = {kind: target.with_name(target.name + suffix) for kind, (suffix, _) in writers.items()}
    # The JSON comes last: where it is, the pictures are too.
    write_together([(paths[kind], write) for kind, (_, write) in writers.items()])
    return paths


def output_stem(name: str) -> Path:
    """The relative path that a picture's output files share.

    Args:
        name: file name with suffix, or a relative path with ``/`` between the parts.

    Returns:
        A relative path of at least one part, free of "..", of reserved names and of characters that Windows refuses.
    """
    *folders, last = [part for part in name.split("/") if part not in ("", ".", "..")] or ["picture"]
    return Path(*map(safe_folder, folders), safe_name(last))


def _png(picture: Image.Image, out: IO[bytes]) -> None:
    picture.save(out, format="PNG", compress_level=_FAST_PNG)
