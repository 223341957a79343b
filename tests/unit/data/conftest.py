"""A data root of small generated pictures, a tile cache of it, and engines over it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_pictures import SETS, WANTED, picture, split_by_rule, write_boxes
from PIL import Image

from omni_iml.data.synthesis import Engine, SynthesisConfig
from omni_iml.data.tile_cache import TilePool, build_cache


@pytest.fixture(scope="session")
def make_root() -> Callable[[Path], Path]:
    """Writes ``source/<domain>/<set>/*.jpg`` into a folder, every split populated in every set."""

    def make(root: Path) -> Path:
        for origin, seed in SETS.items():
            folder = root / "source" / origin
            folder.mkdir(parents=True)
            rng, missing, number = np.random.default_rng(seed), dict(WANTED), 0
            while any(missing.values()):
                number += 1
                stem = f"p{number:03d}"
                split = split_by_rule(f"{folder.name}/{stem}")
                if not missing[split]:
                    continue
                missing[split] -= 1
                pixels, boxes = picture(rng, folder.parent.name)
                Image.fromarray(pixels).save(folder / f"{stem}.jpg", quality=92)
                if folder.name == "receipts":
                    write_boxes(folder.with_name("receipts_boxes") / f"{stem}.csv", boxes)
        return root

    return make


@pytest.fixture(scope="session")
def source_root(make_root: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root that no test changes."""
    return make_root(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def pool(source_root: Path, tmp_path_factory: pytest.TempPathFactory) -> TilePool:
    """The tiles of `source_root`."""
    return build_cache(source_root, tmp_path_factory.mktemp("tiles"))


@pytest.fixture
def engine(pool: TilePool) -> Callable[..., Engine]:
    """Makes an engine over the training split; keywords go into its configuration."""

    def make(*, seed: int = 7, split: Any = "train", **config: Any) -> Engine:
        return Engine(pool, split, SynthesisConfig(**{"size": 96, **config}), seed)

    return make


@pytest.fixture
def no_fonts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty font folder: only Pillow's built-in face is left."""
    monkeypatch.setenv("OMNI_IML_FONTS", str(tmp_path))
