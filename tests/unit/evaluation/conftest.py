"""A folder of sources of which all fall to the validation split."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from omni_iml.data.sources import DOMAINS, find


@pytest.fixture(scope="session")
def held_out_root(tmp_path_factory):
    """Of every domain two pictures whose names fall to validation, and a generated portrait; others fall elsewhere."""
    root, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(5)
    for domain, folder in [*((d, "made") for d in DOMAINS), ("face", "faker_ai_portraits_cc0")]:
        place = root / "source" / domain / folder
        place.mkdir(parents=True)
        for number in range(60):
            coarse = rng.integers(0, 255, (12, 14, 3), np.uint8)
            Image.fromarray(coarse).resize((280, 240), Image.Resampling.BICUBIC).save(place / f"p{number}x.jpg")
        kept = [s.path for s in find(root) if s.path.parent == place and s.split == "validation"][:2]
        assert kept, "sixty names, one in sixteen of which falls to validation"
        for path in place.iterdir():
            if path not in kept:
                path.unlink()
    return root
