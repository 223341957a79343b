"""What an explanation file names: by the multimodal model where it answered, else by what was measured and read."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Literal

from omni_iml.explain.positions import read_position
from omni_iml.explain.refine.rule import Mention
from omni_iml.io.paths import openable
from omni_iml.types import OmniError

_SCHEMA = "omni-iml/explanation/1"
_KEYS = ("Tampered Region", "Absolute Position", "Relative Position")
_NAMELESS = re.compile(r"A region of \d+x\d+ pixels, [\d.]+% of the picture")  # `explain.naming.name_of`


class UnreadableExplanation(OmniError):  # noqa: N818 - twin of UnreadableMask
    """A file that is no explanation, or that of a picture of another size."""


def read_explanation(path: Path, width: int, height: int) -> dict[str, Any]:
    """Read ``<name>.explanation.json`` as `omni-iml explain` writes it.

    Args:
        path: of the file.
        width: of the picture as displayed, in pixels.
        height: likewise.

    Returns:
        The object.

    Raises:
        UnreadableExplanation: there is no such file, it is no explanation, something in it is of another
            form, or it is that of another picture.
    """
    way_out = "write it with omni-iml explain --out"
    try:
        found = json.loads(openable(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UnreadableExplanation(f"{path}: the explanation cannot be read ({error}); {way_out}.") from error
    if not isinstance(found, dict) or found.get("schema") != _SCHEMA or not isinstance(found.get("explanation"), list):
        raise UnreadableExplanation(f"{path}: this is not an {_SCHEMA} file; {way_out}.")
    if (found.get("width"), found.get("height")) != (width, height):
        size = f"{found.get('width')}x{found.get('height')}"
        raise UnreadableExplanation(f"{path}: explains a picture of {size} pixels, not {width}x{height}; {way_out}.")
    if wrong := _wrong_in(found):
        raise UnreadableExplanation(f"{path}: {wrong}; {way_out}.")
    return found


def _wrong_in(explanation: dict[str, Any]) -> str:
    """What `mentions_of` could not read, in words; "" where there is nothing."""
    said = explanation.get("interpretation")
    if not isinstance(said, dict | None):
        return "its interpretation is neither an object nor null"
    lists = [("explanation", explanation["explanation"])]
    if said and said.get("status") == "answered":
        lists.append(("interpretation's explanation", said.get("explanation")))
    for name, items in lists:
        if not isinstance(items, list):
            return f"its {name} is no list"
        for number, item in enumerate(items, 1):
            if not isinstance(item, dict):
                return f"item {number} of its {name} is no object"
            if wrong := [key for key in _KEYS if not isinstance(item.get(key), str | None)]:
                return f"{wrong[0]!r} in item {number} of its {name} is no text"
    return ""


def mentions_of(explanation: dict[str, Any]) -> tuple[Mention, ...]:
    """What an explanation names.

    Args:
        explanation: as `read_explanation` returns it.

    Returns:
        An entry for each of its items; without content where a region was called by its size only, which no finder can
        look for.
    """
    said = explanation.get("interpretation") or {}
    items = said.get("explanation") if said.get("status") == "answered" else None
    source: Literal["model", "measured"] = "model" if items else "measured"
    return tuple(_mention(item, source) for item in items or explanation["explanation"])


def _mention(item: dict[str, Any], source: Literal["model", "measured"]) -> Mention:
    content, place, relative = ((item.get(key) or "").strip() for key in _KEYS)
    return Mention("" if _NAMELESS.fullmatch(content) else content, read_position(place) or "", relative, source)
