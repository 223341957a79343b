"""Sizes and tags that tell a screenshot, and sizes that messengers bring pictures to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

SCREENS = frozenset(
    {
        # Telephones, portrait.
        (640, 1136), (750, 1334), (828, 1792), (1080, 1920), (1080, 2160), (1080, 2220), (1080, 2280), (1080, 2340),
        (1080, 2376), (1080, 2400), (1080, 2408), (1080, 2412), (1125, 2436), (1170, 2532), (1179, 2556), (1206, 2622),
        (1242, 2208), (1242, 2688), (1284, 2778), (1290, 2796), (1320, 2868), (1440, 2560), (1440, 2960), (1440, 3040),
        (1440, 3088), (1440, 3120), (1440, 3200), (720, 1280), (720, 1520), (720, 1560), (720, 1600),
        # Tablets.
        (768, 1024), (1536, 2048), (1620, 2160), (1640, 2360), (1668, 2224), (1668, 2388), (2048, 2732), (1200, 1920),
        (1600, 2560), (800, 1280),
        # Computers, height first.
        (768, 1366), (900, 1440), (900, 1600), (1050, 1680), (1200, 1600), (1440, 3440), (1600, 2560), (1664, 2560),
        (1800, 2880), (1964, 3024), (2160, 3840), (2234, 3456), (1504, 2256), (1824, 2736), (1920, 2880),
    }
)  # fmt: skip
"""Pixels of common screens, the shorter side first."""

MESSENGER_SIDES = frozenset({1280, 1600, 2048})
"""Longer sides to which messengers and social networks shrink pictures."""

_WORDS = re.compile(r"screen ?shot|screen capture|screengrab|bildschirmfoto|capture d.?écran", re.IGNORECASE)


def is_screen_size(width: int, height: int) -> bool:
    """True where a picture has exactly the size of a common screen, upright or turned.

    Args:
        width: pixels.
        height: pixels.
    """
    return (min(width, height), max(width, height)) in SCREENS


def says_screenshot(facts: Mapping[str, Any]) -> bool:
    """True where the file itself says that it is a screenshot.

    Args:
        facts: from `omni_iml.io.facts`.
    """
    exif, xmp = facts.get("exif", {}), facts.get("xmp", {})
    said = [exif.get("software", ""), exif.get("comment", ""), xmp.get("creator_tool", "")]
    said += [text for item in facts.get("text", ()) for text in (item["key"], item["value"])]
    return any(_WORDS.search(text) for text in said)
