from __future__ import annotations

import io
import json

import cv2
import numpy as np
import pytest
from data_pictures import textured
from numpy.typing import NDArray
from PIL import Image

from omni_iml.data.synthesis import SynthesisConfig
from omni_iml.data.synthesis.history import (
    CHANNELS,
    Blur,
    History,
    Jpeg,
    Png,
    PrintScan,
    Resize,
    Shift,
    draw_after,
    draw_before,
    draw_jpeg,
)
from omni_iml.data.synthesis.history.steps import decode
from omni_iml.data.synthesis.history.tables import cameras, tables_of
from omni_iml.data.synthesis.scene import Scene
from omni_iml.io import load

SHAPES = [(64, 96), (61, 35), (8, 8), (1, 1), (7, 130)]


def picture(height: int, width: int) -> NDArray[np.uint8]:
    flat = np.full((height, width, 3), 77, np.uint8)
    return textured(np.random.default_rng(0), height, width) if min(height, width) > 7 else flat


def spot(height: int, width: int) -> NDArray[np.uint8]:
    mask = np.zeros((height, width), np.uint8)
    cv2.circle(mask, (width // 2, height // 2), min(height, width) // 4, 1, -1)
    return mask


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("quality", [40, 90, 100])
def test_a_compression_gives_what_pillow_decodes(shape: tuple[int, int], quality: int) -> None:
    pixels, step = picture(*shape), Jpeg(quality)
    out, mask = step(pixels, np.ones(shape, np.uint8))
    expected = np.asarray(Image.open(io.BytesIO(step.encode(pixels))).convert("RGB"))
    np.testing.assert_array_equal(out, expected)
    assert mask.all()
    assert mask.shape == shape


@pytest.mark.parametrize(("subsampling", "factors"), [("4:4:4", (1, 1)), ("4:2:2", (2, 1)), ("4:2:0", (2, 2))])
def test_subsampling_is_what_the_file_says(subsampling: str, factors: tuple[int, int]) -> None:
    data = Jpeg(80, subsampling).encode(picture(32, 32))  # type: ignore[arg-type]
    assert Image.open(io.BytesIO(data)).layer[0][1:3] == factors  # type: ignore[attr-defined]


def test_the_noisiest_picture_can_be_written_progressively() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    for quality in (80, 94, 100):
        encoded = Jpeg(quality, "4:4:4", progressive=True).encode(noise)
        assert len(encoded) > 300 * 300
        assert decode(encoded).shape == noise.shape


@pytest.mark.parametrize("progressive", [False, True])
def test_progressive_is_what_the_file_says(progressive: bool) -> None:
    image = Image.open(io.BytesIO(Jpeg(80, progressive=progressive).encode(picture(64, 64))))
    assert bool(image.info.get("progressive")) is progressive


@pytest.mark.parametrize("camera", cameras())
def test_a_cameras_tables_end_up_in_the_file(camera: str) -> None:
    data = Jpeg(1, table=camera).encode(picture(40, 40))
    luma, chroma = tables_of(camera)
    np.testing.assert_array_equal(load(data).trace.table, np.array(luma).reshape(8, 8))
    assert Image.open(io.BytesIO(data)).quantization[1] == chroma  # type: ignore[attr-defined]
    assert all(len(table) == 64 and 1 <= min(table) <= max(table) <= 255 for table in (luma, chroma))
    assert luma[0] < luma[63]  # natural order: coarser towards the high frequencies


def test_an_unknown_camera_is_named() -> None:
    with pytest.raises(ValueError, match="table 'Brownie': is no known camera's; known are standard and Canon"):
        Jpeg(80, table="Brownie").encode(picture(8, 8))


def test_png_loses_nothing() -> None:
    pixels = picture(45, 62)
    np.testing.assert_array_equal(load(Png().encode(pixels)).pixels, pixels)


def test_a_shift_moves_picture_and_mask_alike() -> None:
    pixels, mask = picture(40, 50), spot(40, 50)
    out, moved = Shift(3, 7)(pixels, mask)
    np.testing.assert_array_equal(out, pixels[3:, 7:])
    np.testing.assert_array_equal(moved, mask[3:, 7:])


@pytest.mark.parametrize("scale", [0.5, 0.77, 1.0, 1.3])
@pytest.mark.parametrize("method", ["area", "linear", "cubic"])
def test_a_resized_mask_stays_on_its_object(scale: float, method: str) -> None:
    mask = spot(120, 160)
    pixels = np.repeat((mask * 200)[..., None], 3, 2)
    out, resized = Resize(scale, method)(pixels, mask)
    assert out.shape[:2] == resized.shape == (round(120 * scale), round(160 * scale))
    assert np.mean((out[..., 0] >= 99) != resized) < 0.004
    assert set(np.unique(resized)) == {0, 1}


def test_a_blur_leaves_the_mask() -> None:
    pixels, mask = picture(40, 40), spot(40, 40)
    out, same = Blur(0.8)(pixels, mask)
    assert same is mask
    assert np.abs(np.diff(out.astype(int), axis=0)).mean() < np.abs(np.diff(pixels.astype(int), axis=0)).mean()


@pytest.mark.parametrize("shape", [(200, 260), (64, 300), (520, 520)])
def test_printed_and_scanned_the_mask_stays_on_its_object(shape: tuple[int, int]) -> None:
    mask = spot(*shape)
    pixels = np.repeat((40 + mask * 170)[..., None], 3, 2).astype(np.uint8)
    for seed in range(8):
        out, moved = PrintScan(seed)(pixels, mask)
        assert out.shape[:2] == moved.shape
        assert min(moved.shape) > 0.5 * min(shape)
        grey = cv2.GaussianBlur(out[..., 1], (0, 0), 2)  # dots and dust
        seen = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]
        assert np.mean(seen != moved) < 0.02
        np.testing.assert_array_equal(PrintScan(seed)(pixels, mask)[0], out)


def test_printing_and_scanning_leaves_no_trace_of_the_former_grid() -> None:
    pixels = Jpeg(50).through(picture(256, 256))
    out, _ = PrintScan(3)(pixels, np.zeros((256, 256), np.uint8))

    def steps_at_borders(values: NDArray[np.uint8], phase: int) -> float:
        return float(np.abs(np.diff(values[..., 1].astype(int), axis=1))[:, phase::8].mean())

    def blocking(values: NDArray[np.uint8]) -> float:
        by_phase = [steps_at_borders(values, phase) for phase in range(8)]
        return max(by_phase) / float(np.median(by_phase))

    assert blocking(pixels) > 1.5 * blocking(out)


@pytest.mark.parametrize("side", [32, 128, 512])
def test_a_scan_is_cut_from_as_much_as_it_needs(side: int) -> None:
    step = PrintScan(0)
    before = step.side_before(side)
    _, mask = step(picture(before, before), np.ones((before, before), np.uint8))
    assert side <= min(mask.shape) <= side + 1
    assert mask.all()  # nothing of what lies beside the paper


def test_what_comes_before_the_edit_is_done_to_the_scene() -> None:
    pixels = picture(64, 80)
    history = History("saved", (Jpeg(60), Shift(2, 5), Jpeg(90)), (), Png())
    led = history.lead(Scene(pixels, faces=((10, 10, 30, 30),)))
    np.testing.assert_array_equal(led.pixels, Jpeg(90).through(np.ascontiguousarray(Jpeg(60).through(pixels)[2:, 5:])))
    assert led.faces == ((5, 8, 25, 28),)


@pytest.mark.parametrize("size", [64, 128])
def test_enough_is_cut_out_for_all_that_follows(size: int) -> None:
    rng, config = np.random.default_rng(3), SynthesisConfig(crop_shift=0.7, twice=0.5)
    for _ in range(200):
        before, (channel, after, save) = draw_before(rng, config), draw_after(rng, config)
        history = History(channel, before, after, save)
        side = history.side_before(size)
        assert side % 8 == 0
        scene = history.lead(Scene(np.zeros((side, side, 3), np.uint8)))
        pixels, mask = history.follow(scene.pixels, np.ones(scene.pixels.shape[:2], np.uint8))
        assert pixels.shape[:2] == mask.shape
        assert size <= min(mask.shape) <= max(mask.shape) <= 1.25 * size + 24


def test_histories_are_as_the_configuration_says() -> None:
    rng = np.random.default_rng(0)
    config = SynthesisConfig(first_quality=(30, 60), last_quality=(85, 95), camera=0.3, first_jpeg=0.6, last_png=0.25)
    before = [draw_before(rng, config) for _ in range(3000)]
    compressed = [steps for steps in before if steps]
    assert len(compressed) / 3000 == pytest.approx(0.6, abs=0.04)
    first = [steps[0] for steps in compressed]
    assert {step.quality for step in first if isinstance(step, Jpeg)} == set(range(30, 61))
    assert np.mean([step.table != "standard" for step in first]) == pytest.approx(0.3, abs=0.05)  # type: ignore[union-attr]
    twice = np.mean([sum(isinstance(step, Jpeg) for step in steps) == 2 for steps in compressed])
    assert twice == pytest.approx(config.twice, abs=0.03)
    after = [draw_after(rng, config) for _ in range(3000)]
    for channel, share in config.channels.items():
        assert np.mean([drawn[0] == channel for drawn in after]) == pytest.approx(share, abs=0.03)
    saved = [save for channel, _, save in after if channel == "saved"]
    assert np.mean([save == Png() for save in saved]) == pytest.approx(0.25, abs=0.04)
    assert {save.quality for save in saved if isinstance(save, Jpeg)} == set(range(85, 96))
    messenger = [save for channel, _, save in after if channel == "messenger"]
    assert all(isinstance(save, Jpeg) and save.subsampling == "4:2:0" for save in messenger)
    assert {save.quality for save in messenger} == set(range(70, 86))  # type: ignore[union-attr]


@pytest.mark.parametrize("channel", sorted(CHANNELS))
def test_every_channel_is_told_in_plain_values(channel: str) -> None:
    rng, config = np.random.default_rng(0), SynthesisConfig(channels={channel: 1.0})
    for _ in range(20):
        history = History(*(drawn := draw_after(rng, config))[:1], draw_before(rng, config), *drawn[1:])
        told = json.loads(json.dumps(history.told()))
        assert told["channel"] == channel
        assert len(told["after"]) == len(history.after)
        assert told["save"]["step"] in ("jpeg", "png")


def test_most_files_have_subsampled_chroma() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_jpeg(rng, (50, 90)) for _ in range(2000)]
    assert np.mean([step.subsampling == "4:2:0" for step in drawn]) == pytest.approx(0.72, abs=0.05)
    assert np.mean([step.progressive for step in drawn]) == pytest.approx(0.1, abs=0.03)
