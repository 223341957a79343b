import numpy as np
import pytest

from omni_iml.inspection.drawing import colours, components, deviation, enlarged, filter_matrix, robust_range, sheet
from omni_iml.report.drawing import palette_rgb


@pytest.fixture
def features():
    """Random channels of very different scale, with one odd block."""
    rng = np.random.default_rng(0)
    scale = 10.0 ** rng.integers(-2, 3, (12, 1, 1))
    values = rng.normal(0, 1, (12, 16, 20))
    values[:, 4:8, 10:14] += 4
    return (values * scale + scale).astype(np.float32)


def test_deviation_is_the_rms_of_z_scores(features):
    found = deviation(features)
    wanted = np.zeros((16, 20))
    for channel in features.astype(np.float64):
        wanted += ((channel - channel.mean()) / channel.std()) ** 2
    np.testing.assert_allclose(found, np.sqrt(wanted / 12), rtol=1e-4)
    assert found[4:8, 10:14].min() > np.median(found) * 1.5


def test_deviation_does_not_depend_on_the_scale_of_channels(features):
    factors = 10.0 ** np.arange(-3, 3).repeat(2)[:, None, None].astype(np.float32)
    np.testing.assert_allclose(deviation(features * factors), deviation(features), rtol=1e-3)


def test_constant_channels_count_as_nothing():
    assert not deviation(np.full((3, 4, 5), 7.3, np.float32)).any()


def test_components_are_those_of_an_svd(features):
    flat = features.reshape(12, -1).astype(np.float64)
    flat -= flat.mean(1, keepdims=True)
    _, _, scores = np.linalg.svd(flat, full_matrices=False)
    shown = components(features)
    assert shown.shape == (16, 20, 3)
    assert shown.dtype == np.uint8
    for i in range(3):
        channel = shown[..., i].ravel().astype(np.float64)
        assert abs(np.corrcoef(channel, scores[i])[0, 1]) > 0.98  # clipped at two percentiles
    assert np.array_equal(components(features), shown)


@pytest.mark.parametrize("count", [1, 2])
def test_fewer_components_leave_colours_black(count):
    values = np.random.default_rng(0).normal(size=(count, 8, 8)).astype(np.float32)
    shown = components(values)
    assert [bool(shown[..., i].any()) for i in range(3)] == [True, count > 1, False]
    assert not components(np.ones((4, 8, 8), np.float32)).any()


def test_colours_run_through_the_palette():
    palette = palette_rgb()
    found = colours(np.array([[-1, 0, 0.5, 1, 2]], np.float32), 0, 1)
    assert np.array_equal(found[0], palette[[0, 0, 128, 255, 255]])
    assert np.array_equal(colours(np.ones((2, 2), np.float32), 3, 3), np.broadcast_to(palette[0], (2, 2, 3)))


def test_robust_range_leaves_extremes_out():
    values = np.linspace(0, 1, 1001, dtype=np.float32).reshape(7, 143)
    values[0, 0] = -1e6
    assert robust_range(values) == pytest.approx((0.01, 0.99), abs=1e-3)


def test_cells_stay_blocks_when_enlarged():
    picture = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert np.array_equal(enlarged(picture, 8, 4), picture.repeat(4, 0).repeat(2, 1))
    assert enlarged(enlarged(picture, 8, 8), 4, 4).shape == (4, 4, 3)


def test_filter_matrix_has_a_cell_for_each_activation():
    found = filter_matrix({"DWF_2": (0.0, 1.0), "DWF_3": (0.25, 0.75)}, 268, 118)
    assert found.shape == (118, 268, 3)
    palette = palette_rgb()
    cells = [[found[18 + 50 * i + 3, 68 + 100 * j + 3] for j in range(2)] for i in range(2)]
    assert np.array_equal(cells, [[palette[0], palette[255]], [palette[64], palette[191]]])


def test_sheet_holds_its_panels_where_they_belong():
    red, blue = np.zeros((4, 4, 3), np.uint8), np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = blue[..., 2] = 255
    found = np.asarray(sheet("title", [("first", [("a", red), ("b", blue)]), ("second", [("c", blue)])], 32))
    assert found.shape == (34 + 2 * (24 + 32 + 18 + 8), 8 + 2 * 40, 3)
    assert np.array_equal(found[34 + 24 + 16, 8 + 16], [255, 0, 0])
    assert np.array_equal(found[34 + 24 + 16, 48 + 16], [0, 0, 255])
    assert np.array_equal(found[34 + 82 + 24 + 16, 8 + 16], [0, 0, 255])
    assert (found[34 + 82 + 24 + 16, 48:80] == 255).all()


def test_panels_keep_their_shape_in_the_sheet():
    found = np.asarray(sheet("title", [("row", [("a", np.zeros((4, 2, 3), np.uint8))])], 32))
    assert not found[34 + 24 : 34 + 24 + 32, 8:24].any()
    assert (found[34 + 24 : 34 + 24 + 32, 24:] == 255).all()
