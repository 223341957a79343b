from __future__ import annotations

import io

import numpy as np
import pytest
from io_pictures import encode, picture
from PIL import Image

from omni_iml.io.jpeg_quality import estimate_quality, scaled_tables
from omni_iml.io.segments import sanitise


@pytest.mark.parametrize("quality", [1, 10, 25, 49, 50, 51, 75, 92, 95, 99, 100])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_the_encoder_setting_is_read_back(quality: int, mode: str) -> None:
    clean = sanitise(encode(Image.fromarray(picture()).convert(mode), quality=quality))
    found = estimate_quality(clean.tables)
    assert (found.family, found.quality, found.exact, found.distance) == ("standard", quality, True, 0)


def test_pillow_scales_as_we_do() -> None:
    for quality in range(1, 101):
        with Image.open(io.BytesIO(encode(picture(16, 16), quality=quality))) as image:
            theirs = [np.array(table).reshape(8, 8) for table in image.quantization.values()]
        assert all(np.array_equal(a, b) for a, b in zip(scaled_tables(quality), theirs, strict=True))


def test_one_table_for_all_is_told_from_the_standard_pair() -> None:
    luma, _ = scaled_tables(80, "robidoux")
    found = estimate_quality((luma, luma, luma))
    assert (found.family, found.quality, found.exact) == ("robidoux", 80, True)


def test_other_tables_get_the_nearest_quality() -> None:
    luma, chroma = scaled_tables(80)
    odd = luma.copy()
    odd[7, 7] += 3
    found = estimate_quality((odd, chroma, chroma))
    assert (found.family, found.quality, found.exact) == ("custom", 80, False)
    assert found.distance == pytest.approx(3 / 64, abs=1e-3)


def test_standard_luma_with_the_chroma_of_another_quality_is_custom() -> None:
    found = estimate_quality((scaled_tables(90)[0], scaled_tables(70)[1], scaled_tables(70)[1]))
    assert (found.family, found.quality, found.distance) == ("custom", 90, 0)
