"""Pictures whose file was cut short: nothing is said of the rows that are missing."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from omni_iml.inference import detector as detector_module
from omni_iml.inference.detector import Detector
from omni_iml.inference.verdict import picture_score
from omni_iml.io import load
from omni_iml.io.orientation import to_displayed, to_stored
from omni_iml.types import Detection, UnreadableImage

HEIGHT, WIDTH = 272, 264
TURNED = Image.Exif()
TURNED[0x0112] = 6
KINDS: dict[str, dict] = {
    "4:4:4": {"subsampling": 0},
    "4:2:0": {"subsampling": 2},
    "restart": {"subsampling": 2, "restart_marker_blocks": 3},
    "turned": {"subsampling": 0, "exif": TURNED},
}


def dark(options: dict) -> bytes:
    """Grain darker than the gray that libjpeg puts in place of what is missing, with a bright patch near the top."""
    pixels = np.random.default_rng(0).integers(20, 60, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    pixels[16:32, 40:72] = 150
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90, **options)
    return buffer.getvalue()


@pytest.fixture
def detector(tiny_model):
    return Detector(tiny_model, threads=1, mask_threshold=0.25)  # what is missing has a probability of one half


def stored(result: Detection, orientation: int) -> np.ndarray:
    return to_stored(result.probability, orientation)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("share", [0.3, 0.5, 0.8, 0.97])
def test_nothing_is_found_where_nothing_is(detector, name, share):
    data = dark(KINDS[name])
    data = data[: int(share * len(data))]
    image, result = load(data), detector.detect(data)
    kept = HEIGHT - image.missing_rows
    assert 0 < kept < HEIGHT
    assert stored(result, image.orientation)[:kept].all()
    assert not stored(result, image.orientation)[kept:].any()
    assert not to_stored(result.mask, image.orientation)[kept:].any()
    np.testing.assert_array_equal(result.pixels, to_displayed(image.pixels, image.orientation))
    assert len(result.regions) == 1
    x0, y0, x1, y1 = result.regions[0].box
    area = int(result.mask.sum())
    assert (x1 - x0) * (y1 - y0) == pytest.approx(16 * 32, rel=0.5)
    assert result.regions[0].area_share == pytest.approx(area / (kept * WIDTH))


@pytest.mark.parametrize("name", KINDS)
def test_the_score_is_of_what_is_there(detector, name, monkeypatch):
    areas = []
    monkeypatch.setattr(
        detector_module,
        "picture_score",
        lambda logits, area, info: areas.append(area) or picture_score(logits, area, info),
    )
    data = dark(KINDS[name])
    cut = data[: len(data) // 2]
    image, result = load(cut), detector.detect(cut)
    kept = HEIGHT - image.missing_rows
    assert areas == [kept * WIDTH]
    seen = np.zeros((HEIGHT, WIDTH), bool)
    shown = to_displayed(seen, image.orientation)
    for tile in result.tiles:
        x0, y0, x1, y1 = tile.box
        shown[y0:y1, x0:x1] = True
    seen = to_stored(shown, image.orientation)
    assert seen[:kept].all()
    assert not seen[kept:].any()
    for tile in result.tiles:
        x0, y0, x1, y1 = tile.box
        brightest = int(result.pixels[y0:y1, x0:x1].max())
        assert tile.image_logit == pytest.approx((brightest - 200) / 10 + int(image.trace.table[0, 0]) - 1, abs=1e-3)


def test_small_regions_are_measured_by_what_is_there(write_model, model_metadata):
    data = dark({"subsampling": 0})
    cut = data[: len(data) // 2]
    area = 16 * 32 / (HEIGHT * WIDTH)
    strict = Detector(write_model(metadata={**model_metadata, "region_min_area": 1.5 * area}), mask_threshold=0.25)
    assert not strict.detect(data).regions
    assert len(strict.detect(cut).regions) == 1


def test_no_trace_is_not_said_of_a_picture_half_of_which_is_missing(detector):
    data = dark({})
    assert detector.detect(data).verdict == "no_trace"
    result = detector.detect(data[: len(data) // 2])
    assert result.verdict == "inconclusive"
    assert result.fitness.grade == "poor"
    assert json.loads(json.dumps(result.to_json()))["fitness"]["signs"]["missing_share"] > 0.3


@pytest.mark.parametrize("name", [*KINDS, "progressive"])
def test_a_file_that_lacks_its_end_marker_only_gives_the_same(detector, name):
    data = dark(KINDS.get(name, {"progressive": True}))
    whole, cut = detector.detect(data), detector.detect(data[:-2])
    np.testing.assert_array_equal(cut.probability, whole.probability)
    assert (cut.score, cut.verdict, cut.regions, cut.tiles) == (whole.score, whole.verdict, whole.regions, whole.tiles)
    assert cut.fitness == whole.fitness


def test_every_length_of_a_file_gives_a_result_or_one_sentence(detector):
    data = dark({})
    results = list(detector.detect_many(data[:kept] for kept in range(0, len(data), 1009)))
    read = [isinstance(result, Detection) for result in results]
    assert read == sorted(read)  # the shortest are refused
    assert sum(read) > 0.75 * len(read)
    assert all(isinstance(result, Detection | UnreadableImage) for result in results)
    whole = detector.detect(data)
    assert all(result.score <= whole.score for result in results if isinstance(result, Detection))
