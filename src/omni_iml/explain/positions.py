"""The nine positions in a model's words: "upper-left corner" is "Top left", "near the top" is none."""

from __future__ import annotations

import re

from omni_iml.regions import parse_position

_ROWS = {"top": "top", "upper": "top", "bottom": "bottom", "lower": "bottom"}
_COLUMNS = {"left": "left", "right": "right"}
_MIDDLE = frozenset({"center", "centre", "middle", "central"})
_FILLING = {
    "a", "an", "and", "area", "at", "corner", "edge", "image", "in", "is", "it", "located", "of", "on", "part", "photo",
    "picture", "region", "section", "side", "the", "this",
}  # fmt: skip


def read_position(text: str) -> str | None:
    """Read a position.

    Args:
        text: as a model gives it.

    Returns:
        One of `omni_iml.types.POSITIONS`; None where the words say something else, or more than one place.
    """
    try:
        return parse_position(text)
    except ValueError:
        pass
    words = re.findall(r"[a-z]+", text.casefold())
    rows = {_ROWS[word] for word in words if word in _ROWS}
    columns = {_COLUMNS[word] for word in words if word in _COLUMNS}
    middle = bool(_MIDDLE.intersection(words))
    known = _FILLING.union(_ROWS, _COLUMNS, _MIDDLE)
    if not known.issuperset(words) or len(rows) > 1 or len(columns) > 1:
        return None
    row, column = "".join(rows), "".join(columns)
    if row and column:
        return None if middle else parse_position(f"{row} {column}")
    if row:
        return parse_position(f"{row} center") if middle else None
    if column:
        return parse_position(f"{column} side") if middle or "side" in words else None
    return parse_position("center") if middle else None
