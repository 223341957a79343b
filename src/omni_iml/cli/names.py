"""Choices that several commands offer."""

from __future__ import annotations

from enum import StrEnum


class DomainName(StrEnum):
    """The choices of ``--domain``."""

    NATURAL = "natural"
    DOCUMENT = "document"
    FACE = "face"
    SCENE_TEXT = "scene_text"


class SplitName(StrEnum):
    """The choices of ``--split``."""

    TRAIN = "train"
    TEST = "test"


class PrecisionName(StrEnum):
    """The choices of ``--precision``."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
