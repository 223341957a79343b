"""A detection made by hand, for tests of what is made of it."""

from __future__ import annotations

import numpy as np
import pytest

from omni_iml.types import Detection, ModelInfo, Region, Tile


@pytest.fixture
def detection() -> Detection:
    """60x40 pixels, one region of 20x10 in the upper left part."""
    pixels = np.random.default_rng(3).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    probability = np.full((40, 60), np.float32(0.125))
    probability[5:15, 10:30] = np.float32(0.9375)
    return Detection(
        source="folder/photo.jpg",
        sha256="ab" * 32,
        width=60,
        height=40,
        format="JPEG",
        pixels=pixels,
        probability=probability,
        mask_threshold=0.5,
        score=0.87654321,
        verdict="tampered",
        modality="vision+frequency",
        gate_probability=0.25,
        regions=(Region((10, 5, 30, 15), 200 / 2400, 0.9375, "Top left"),),
        tiles=(Tile((0, 0, 60, 40), 0.25, 1.96),),
        warnings=("the file was cut short",),
        model=ModelInfo(
            name="tiny",
            version="1",
            sha256="cd" * 32,
            tile=64,
            tampered_at=0.7,
            no_trace_below=0.3,
            calibration={"scale": 1.0, "bias": 0.0, "log_tiles": 0.0},
            region_min_area=0.0,
            region_min_probability=0.0,
            licence="CC0-1.0",
        ),
        timing_ms={"load": 1.26, "total": 12.34},
    )
