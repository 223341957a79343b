from dataclasses import replace

import numpy as np
import pytest

from omni_iml.report.drawing import heatmap, overlay, palette_rgb


def test_heatmap_is_the_probability_in_256_steps(detection):
    picture = heatmap(detection)
    assert (picture.mode, picture.size) == ("L", (60, 40))
    values = np.asarray(picture)
    assert values[0, 0] == 32
    assert values[10, 20] == 239


def test_overlay_has_the_picture_s_size_and_leaves_the_detection_alone(detection):
    before = detection.pixels.copy()
    picture = overlay(detection)
    assert (picture.mode, picture.size) == ("RGB", (60, 40))
    np.testing.assert_array_equal(detection.pixels, before)


def test_motif_stays_recognisable_where_nothing_was_found(detection):
    clean = replace(detection, probability=np.zeros((40, 60), np.float32), regions=())
    shown = np.asarray(overlay(clean)).astype(float)
    luma = detection.pixels @ np.array([0.299, 0.587, 0.114])
    assert np.corrcoef((shown @ np.array([0.299, 0.587, 0.114])).ravel(), luma.ravel())[0, 1] > 0.99


def test_motif_shows_through_the_strongest_map(detection):
    strong = replace(detection, probability=np.ones((40, 60), np.float32), regions=())
    shown = np.asarray(overlay(strong)).astype(float).mean(-1)
    assert np.corrcoef(shown.ravel(), detection.pixels.mean(-1).ravel())[0, 1] > 0.9


def test_tampered_pixels_look_different(detection):
    flat = replace(detection, pixels=np.full((40, 60, 3), 90, np.uint8), regions=())
    shown = np.asarray(overlay(flat)).astype(int)
    assert np.abs(shown[10, 20] - shown[30, 50]).max() > 60


def test_regions_are_outlined_in_white_on_black(detection):
    dark = replace(detection, pixels=np.full((40, 60, 3), 90, np.uint8))
    shown = np.asarray(overlay(dark))
    assert shown[5, 20].tolist() == [255, 255, 255]
    assert shown[14, 29].tolist() == [255, 255, 255]
    assert shown[4, 20].tolist() == [0, 0, 0]


def test_pictures_taller_than_a_band(detection):
    tall = replace(
        detection,
        pixels=np.full((700, 3, 3), 90, np.uint8),
        probability=np.full((700, 3), np.float32(0.5)),
        width=3,
        height=700,
        regions=(),
    )
    shown = np.asarray(overlay(tall)).astype(int)
    assert np.abs(shown - shown[0, 0]).max() <= 1  # the last bit of a dot product may differ with its place


def test_one_pixel(detection):
    one = replace(
        detection, pixels=np.zeros((1, 1, 3), np.uint8), probability=np.ones((1, 1), np.float32), width=1, height=1
    )
    assert overlay(replace(one, regions=())).size == (1, 1)


def test_palette_grows_lighter_all_the_way():
    # Monotone lightness is what makes a palette readable without telling hues apart.
    luma = palette_rgb() @ np.array([0.2126, 0.7152, 0.0722])
    assert palette_rgb().shape == (256, 3)
    assert luma[-1] - luma[0] > 150
    assert (np.diff(luma) > -0.6).all()


@pytest.mark.parametrize("end", [0, -1])
def test_palette_runs_from_blue_to_yellow(end):
    red, _, blue = palette_rgb()[end].astype(int)
    assert (blue > red) if end == 0 else (red > blue)
