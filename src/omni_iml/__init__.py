"""Omni-IML: find where a picture was edited.

    >>> import omni_iml
    >>> result = omni_iml.detect("photo.jpg")  # doctest: +SKIP
    >>> result.verdict, result.score, result.regions  # doctest: +SKIP

`detect` uses the bundled model, and so does `detect_parts`, which looks at every picture of a document or archive;
`Detector` takes another model, runtime or thread count and handles many pictures.
The names below are imported when they are first used, so that ``import omni_iml`` stays cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from omni_iml.version import __version__

if TYPE_CHECKING:
    from omni_iml.inference.detector import Detector, detect, detect_parts
    from omni_iml.types import Detection, OmniError, Region, UnreadableImage, UnreadableModel

__all__ = [
    "Detection",
    "Detector",
    "OmniError",
    "Region",
    "UnreadableImage",
    "UnreadableModel",
    "__version__",
    "detect",
    "detect_parts",
]

_HOMES = {
    "detect": "omni_iml.inference.detector",
    "detect_parts": "omni_iml.inference.detector",
    "Detector": "omni_iml.inference.detector",
    "Detection": "omni_iml.types",
    "OmniError": "omni_iml.types",
    "Region": "omni_iml.types",
    "UnreadableImage": "omni_iml.types",
    "UnreadableModel": "omni_iml.types",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
