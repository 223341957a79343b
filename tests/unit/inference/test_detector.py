import threading
import tracemalloc

import numpy as np
import pytest
from PIL import Image, ImageOps

import omni_iml
from omni_iml.inference import detector as detector_module
from omni_iml.inference.detector import Detector
from omni_iml.io import load
from omni_iml.types import Detection, UnreadableImage


def expected_map(pixels: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-(pixels[..., 1].astype(np.float64) - 128) / 16))


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height + width).integers(0, 256, (height, width, 3), dtype=np.uint8)


class RecordingSession:
    """A session that notes the sizes of the tiles it is given."""

    runtime = "onnx"

    def __init__(self, session, shapes):
        self.session, self.shapes = session, shapes

    @property
    def info(self):
        return self.session.info

    def __call__(self, image, coefficients, table):
        self.shapes.append(image.shape[2:])
        return self.session(image, coefficients, table)


@pytest.fixture
def detector(tiny_model):
    return Detector(tiny_model, threads=1)


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (1, 500), (500, 1), (64, 64), (64, 65), (65, 64), (63, 63), (200, 131), (7, 200)]
)
def test_any_size_gives_the_network_s_own_map(detector, height, width):
    pixels = noise(height, width)
    result = detector.detect(pixels)
    assert (result.width, result.height) == (width, height)
    assert result.probability.dtype == np.float32
    np.testing.assert_allclose(result.probability, expected_map(pixels), atol=2e-6)
    covered = np.zeros((height, width), bool)
    for tile in result.tiles:
        x0, y0, x1, y1 = tile.box
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height
        covered[y0:y1, x0:x1] = True
    assert covered.all()


@pytest.mark.parametrize(
    ("height", "width", "seen"),
    [(40, 50, [(64, 64)]), (64, 33, [(64, 64)]), (20, 30, [(32, 32)]), (20, 100, [(32, 64)] * 3)],
)
def test_a_model_of_any_size_gets_no_more_padding_than_it_needs(free_model, height, width, seen):
    detector = Detector(free_model, threads=1)
    shapes = []
    session = detector._session
    detector._session = RecordingSession(session, shapes)
    pixels = noise(height, width)
    result = detector.detect(pixels)
    assert shapes == seen
    np.testing.assert_allclose(result.probability, expected_map(pixels), atol=2e-6)


@pytest.mark.parametrize(("value", "verdict"), [(0, "no_trace"), (200, "inconclusive"), (255, "tampered")])
def test_uniform_colour(detector, value, verdict):
    result = detector.detect(np.full((100, 150, 3), value, np.uint8))
    assert result.verdict == verdict
    assert np.ptp(result.probability) < 1e-6
    assert len(result.regions) == (1 if value > 128 else 0)


def test_score_and_gate_follow_the_graph(detector):
    pixels = np.full((64, 64, 3), 90, np.uint8)
    pixels[0, 0] = 210
    result = detector.detect(pixels)
    assert result.tiles[0].image_logit == pytest.approx(1.0, abs=1e-5)
    assert result.score == pytest.approx(1 / (1 + np.exp(-1)), abs=1e-6)
    assert result.gate_probability == pytest.approx(result.tiles[0].gate_probability)


def test_picture_logit_is_that_of_the_strongest_tile(detector):
    pixels = np.full((64, 300, 3), 50, np.uint8)
    pixels[10, 290] = 220
    result = detector.detect(pixels)
    assert max(tile.image_logit for tile in result.tiles) == pytest.approx(2.0, abs=1e-5)
    assert result.score == pytest.approx(1 / (1 + np.exp(-2)), abs=1e-6)


def test_gate_is_the_mean_over_the_real_area(detector):
    pixels = np.zeros((64, 101, 3), np.uint8)  # the last tile hangs three pixels over the edge
    pixels[:, 50:] = 190
    result = detector.detect(pixels)
    gates = [tile.gate_probability for tile in result.tiles]
    areas = [(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (tile.box for tile in result.tiles)]
    assert areas[0] == 64 * 64
    assert areas[-1] == 64 * 61
    assert result.gate_probability == pytest.approx(np.average(gates, weights=areas), abs=1e-12)
    assert result.gate_probability != pytest.approx(np.mean(gates), abs=1e-6)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        ("png", {}),
        ("jpg", {"subsampling": 0, "quality": 95}),
        ("tif", {}),
        ("webp", {"lossless": True}),
        ("avif", {"subsampling": "4:4:4", "quality": 100, "speed": 10}),
    ],
)
def test_everything_is_turned_as_displayed(detector, tmp_path, orientation, suffix, options):
    pixels = np.full((72, 120, 3), 40, np.uint8)
    pixels[8:24, 16:56, 1] = 250
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned.{suffix}"
    Image.fromarray(pixels).save(path, exif=exif, **options)
    with Image.open(path) as picture:
        shown = np.asarray(ImageOps.exif_transpose(picture))
    result = detector.detect(path)
    assert (result.height, result.width) == shown.shape[:2]
    np.testing.assert_array_equal(result.pixels, shown)
    np.testing.assert_array_equal(result.mask, (shown[..., 1] > 128).astype(np.uint8))
    stored = load(path)  # what the network saw: the grid of the file
    assert (stored.pixels.shape, stored.orientation) == ((72, 120, 3), orientation)
    assert stored.trace.coefficients.shape == (72, 120)
    means = stored.trace.coefficients[::8, ::8] * int(stored.trace.table[0, 0])
    assert np.array_equal(means > means.min() + 200, pixels[::8, ::8, 1] == 250)
    rows, columns = np.nonzero(shown[..., 1] > 128)
    assert result.regions[0].box == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    for tile in result.tiles:
        x0, y0, x1, y1 = tile.box
        assert 0 <= x0 < x1 <= result.width
        assert 0 <= y0 < y1 <= result.height


def test_jpeg_trace_reaches_the_network(detector, tmp_path):
    path = tmp_path / "coarse.jpg"
    Image.fromarray(np.full((64, 64, 3), 100, np.uint8)).save(path, quality=50)
    with Image.open(path) as picture:
        first_step = picture.quantization[0][0]
    assert first_step > 1
    tile = detector.detect(path).tiles[0]
    assert tile.image_logit == pytest.approx((100 - 200) / 10 + first_step - 1, abs=0.2)


def test_mask_threshold_is_exclusive(tiny_model):
    pixels = np.full((64, 64, 3), 128, np.uint8)  # logit 0: probability one half everywhere
    assert not Detector(tiny_model).detect(pixels).mask.any()
    assert Detector(tiny_model, mask_threshold=0.49).detect(pixels).mask.all()


def test_small_regions_are_left_out_by_the_model_s_own_limits(write_model, model_metadata):
    pixels = np.full((64, 64, 3), 40, np.uint8)
    pixels[:4, :4, 1] = 250
    strict = Detector(write_model(metadata={**model_metadata, "region_min_area": 0.01}))
    assert len(Detector(write_model()).detect(pixels).regions) == 1
    result = strict.detect(pixels)
    assert result.regions == ()
    assert result.mask.sum() == 16  # the mask is the raw map; only regions are filtered


def test_timings_add_up(detector):
    timing = detector.detect(noise(100, 100)).timing_ms
    assert set(timing) == {"load", "network", "blend", "cut", "regions", "total"}
    assert all(value >= 0 for value in timing.values())
    assert sum(timing.values()) == pytest.approx(2 * timing["total"], rel=1e-6)


def test_many_go_on_after_a_bad_one(detector, tmp_path):
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"nothing")
    results = list(detector.detect_many([noise(8, 8), bad, tmp_path / "absent.png", noise(9, 9)]))
    assert [type(result) for result in results] == [Detection, UnreadableImage, UnreadableImage, Detection]
    assert "bad.jpg" in str(results[1])


def test_many_are_analysed_one_at_a_time(detector):
    def sources():
        yield noise(8, 8)
        raise AssertionError("the second picture was fetched before it was asked for")

    assert isinstance(next(detector.detect_many(sources())), Detection)


def test_pixel_limit(tiny_model):
    with pytest.raises(UnreadableImage):
        Detector(tiny_model, max_pixels=99).detect(noise(10, 10))
    Detector(tiny_model, max_pixels=100).detect(noise(10, 10))


def test_lack_of_memory_is_told_of_the_picture(detector, monkeypatch):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(detector_module, "Canvas", fail)
    with pytest.raises(UnreadableImage, match="not enough memory to analyse 20x10 pixels"):
        detector.detect(noise(10, 20))


@pytest.mark.parametrize(
    "options", [{"mask_threshold": 1.1}, {"mask_threshold": -0.1}, {"max_pixels": 0}, {"threads": 0}]
)
def test_options_out_of_range(tiny_model, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        Detector(tiny_model, **options)


def test_threads_share_a_detector(detector):
    pictures = [noise(90, 70 + n) for n in range(4)]
    results: dict[int, Detection] = {}
    workers = [
        threading.Thread(target=lambda n=n: results.__setitem__(n, detector.detect(pictures[n]))) for n in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for n, picture in enumerate(pictures):
        np.testing.assert_allclose(results[n].probability, expected_map(picture), atol=2e-6)


def test_module_level_detect_keeps_its_detector(monkeypatch, tiny_model):
    opened = []

    def bundled() -> Detector:
        opened.append(1)
        return Detector(tiny_model)

    detector_module._default_detector.cache_clear()
    monkeypatch.setattr(detector_module, "Detector", bundled)
    try:
        first, second = omni_iml.detect(noise(8, 8)), omni_iml.detect(noise(8, 8))
    finally:
        detector_module._default_detector.cache_clear()
    assert opened == [1]
    assert first.score == second.score


@pytest.mark.slow
def test_memory_of_twelve_megapixels(detector):
    pixels = np.full((3000, 4000, 3), 60, np.uint8)
    pixels[500:900, 1000:2000, 1] = 250
    image = detector_module.load(pixels)
    tracemalloc.start()
    try:
        result = detector._analyse(image, 0.0, 0.0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert result.probability.shape == (3000, 4000)
    assert peak < 12 * pixels.shape[0] * pixels.shape[1] + 2**26  # regions are averaged in strips of a fixed size
