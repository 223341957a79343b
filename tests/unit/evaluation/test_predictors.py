"""Predictions that lie in a folder."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest

from omni_iml.evaluation.predictors import FolderPredictor
from omni_iml.types import EvidenceImage


def map_file(path: Path, height: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.zeros((height, 4), np.float32))


def test_maps_in_a_linked_folder_are_found(tmp_path: Path, image: EvidenceImage) -> None:
    map_file(tmp_path / "elsewhere" / "a.npy", 3)
    (tmp_path / "maps").mkdir()
    try:
        (tmp_path / "maps" / "sub").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    except OSError:
        pytest.skip("links may not be made here")
    assert FolderPredictor(tmp_path / "maps")("mine", "sub/a.jpg", image).probability.shape == (3, 4)


@pytest.mark.parametrize(("stored", "asked"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_how_accents_are_encoded_does_not_matter(tmp_path: Path, image: EvidenceImage, stored: str, asked: str) -> None:
    map_file(tmp_path / unicodedata.normalize(stored, "été.npy"), 3)
    name = unicodedata.normalize(asked, "été.heic")
    assert FolderPredictor(tmp_path)("mine", name, image).probability.shape == (3, 4)


@pytest.fixture
def image() -> EvidenceImage:
    """The picture, which this predictor does not look at."""
    return EvidenceImage.__new__(EvidenceImage)
