"""A contact sheet of a data set: each picture with the outline of its mask, and the mask beside it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from omni_iml.data.readers.decoding import decode
from omni_iml.data.readers.entry import Entry

CELL, GAP, CAPTION = 256, 6, 18
_OUTLINE = (255, 0, 200)


def drawn(entries: Sequence[Entry], count: int, seed: int = 0) -> list[Entry]:
    """Some entries, chosen at random, in their order.

    Args:
        entries: of a reader.
        count: how many at most.
        seed: the same seed chooses the same.
    """
    chosen = np.random.default_rng(seed).permutation(len(entries))[:count]
    return [entries[int(index)] for index in sorted(chosen)]


def contact_sheet(entries: Sequence[Entry], columns: int = 3) -> NDArray[np.uint8]:
    """Pictures and masks side by side, a caption under each.

    Args:
        entries: what is shown, at least one.
        columns: pictures in a row.

    Returns:
        uint8 ``(H, W, 3)`` RGB.

    Raises:
        UnreadableImage: one of them cannot be read.
    """
    cells = [_cell(entry) for entry in entries]
    cells += [np.full_like(cells[0], 255)] * (-len(cells) % columns)
    rows = [np.hstack(cells[start : start + columns]) for start in range(0, len(cells), columns)]
    return np.vstack(rows)


def _cell(entry: Entry) -> NDArray[np.uint8]:
    picture = decode(entry.data(), str(entry.image)).pixels
    mask = entry.mask.read(*picture.shape[:2])
    scale = CELL / max(mask.shape)
    size = max(1, round(mask.shape[1] * scale)), max(1, round(mask.shape[0] * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    small = np.asarray(cv2.resize(picture, size, interpolation=method), np.uint8)
    truth = np.asarray(cv2.resize(mask * np.uint8(255), size, interpolation=method), np.uint8)
    outlines, _ = cv2.findContours((truth > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    small = np.asarray(cv2.drawContours(small.copy(), outlines, -1, _OUTLINE, 1), np.uint8)
    cell = np.full((CELL + CAPTION + GAP, 2 * CELL + 2 * GAP, 3), 255, np.uint8)
    cell[: size[1], : size[0]] = small
    cell[: size[1], CELL + GAP : CELL + GAP + size[0]] = truth[..., None]
    name = entry.key.encode("ascii", "replace").decode()[-44:]
    text = f"{name}  {'tampered' if entry.label else 'authentic'}"
    where = (2, CELL + CAPTION - 5)
    return np.asarray(
        cv2.putText(cell, text, where, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA), np.uint8
    )
