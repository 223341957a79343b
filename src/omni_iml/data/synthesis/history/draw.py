"""Histories are drawn before anybody knows whether the picture will be edited: they cannot be the label."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from omni_iml.data.synthesis.config import SynthesisConfig
from omni_iml.data.synthesis.history.steps import Blur, Jpeg, Png, PrintScan, Resize, Shift, Step, Subsampling
from omni_iml.data.synthesis.history.tables import cameras

_SUBSAMPLINGS: tuple[Subsampling, ...] = ("4:2:0", "4:4:4", "4:2:2")
_PROGRESSIVE = 0.1

Way = Callable[[Generator, SynthesisConfig], tuple[list[Step], Jpeg | Png]]


def draw_jpeg(rng: Generator, quality: tuple[int, int], camera: float = 0.0) -> Jpeg:
    """A compression as files in circulation have it: 4:2:0 mostly, one in ten progressive.

    Args:
        rng: source of all choices.
        quality: smallest and largest.
        camera: probability of a camera's table.
    """
    subsampling = _SUBSAMPLINGS[int(rng.choice(3, p=[0.72, 0.2, 0.08]))]
    number = int(rng.integers(quality[0], quality[1] + 1))
    if rng.random() < camera:
        names = cameras()
        return Jpeg(number, subsampling, names[int(rng.integers(len(names)))])
    return Jpeg(number, subsampling, progressive=bool(rng.random() < _PROGRESSIVE))


def draw_before(rng: Generator, config: SynthesisConfig) -> tuple[Jpeg | Shift, ...]:
    """Compressions before the edit, whose grid a crop may shift."""
    if rng.random() >= config.first_jpeg:
        return ()
    steps: list[Jpeg | Shift] = [draw_jpeg(rng, config.first_quality, config.camera)]
    for again in (False, True):
        if again:
            if rng.random() >= config.twice:
                break
            steps.append(draw_jpeg(rng, config.first_quality))
        if rng.random() < config.crop_shift:
            steps.append(_draw_shift(rng))
    return tuple(steps)


def draw_after(rng: Generator, config: SynthesisConfig) -> tuple[str, tuple[Step, ...], Jpeg | Png]:
    """The channel, its steps and the last file."""
    names = sorted(config.channels)
    shares = np.array([config.channels[name] for name in names])
    channel = names[int(rng.choice(len(names), p=shares / shares.sum()))]
    softened = [Blur(float(rng.uniform(0.4, 0.9)))] if rng.random() < config.soften else []
    steps, save = CHANNELS[channel](rng, config)
    return channel, (*softened, *steps), save


def _draw_shift(rng: Generator) -> Shift:
    y, x = (int(v) for v in rng.integers(0, 8, 2))
    return Shift(y, x)


def _draw_save(rng: Generator, config: SynthesisConfig) -> Jpeg | Png:
    return Png() if rng.random() < config.last_png else draw_jpeg(rng, config.last_quality)


def _saved(rng: Generator, config: SynthesisConfig) -> tuple[list[Step], Jpeg | Png]:
    return [], _draw_save(rng, config)


def _resaved(rng: Generator, config: SynthesisConfig) -> tuple[list[Step], Jpeg | Png]:
    """Saved, opened, perhaps cropped, and saved again."""
    steps: list[Step] = [draw_jpeg(rng, config.last_quality)]
    if rng.random() < 0.5:
        steps.append(_draw_shift(rng))
    return steps, _draw_save(rng, config)


def _resized(rng: Generator, config: SynthesisConfig) -> tuple[list[Step], Jpeg | Png]:
    scale = float(np.exp(rng.uniform(np.log(0.5), np.log(1.4))))
    method = ("area", "linear", "cubic")[int(rng.integers(3))] if scale < 1 else "cubic"
    return [Resize(scale, method)], _draw_save(rng, config)


def _messenger(rng: Generator, config: SynthesisConfig) -> tuple[list[Step], Jpeg | Png]:
    """Scaled down by the app and compressed by its own rule: 4:2:0, quality 70 to 85."""
    steps: list[Step] = [draw_jpeg(rng, config.last_quality)]
    if rng.random() < 0.8:
        steps.append(Resize(float(rng.uniform(0.5, 0.95)), "area"))
    return steps, Jpeg(int(rng.integers(70, 86)), "4:2:0", progressive=bool(rng.random() < 0.3))


def _screenshot(rng: Generator, config: SynthesisConfig) -> tuple[list[Step], Jpeg | Png]:
    """Shown by a viewer at another size, taken from the screen, saved without loss or as JPEG."""
    steps: list[Step] = [draw_jpeg(rng, config.last_quality)]
    if rng.random() < 0.8:
        steps.append(Resize(float(rng.uniform(0.5, 1.25)), "linear"))
    steps.append(_draw_shift(rng))
    return steps, Png() if rng.random() < 0.6 else draw_jpeg(rng, (75, 95))


def _printed(rng: Generator, config: SynthesisConfig) -> tuple[list[Step], Jpeg | Png]:
    """Printed and scanned, so that nothing of the former files is left; half of the scans are not of the same size."""
    steps: list[Step] = [PrintScan(int(rng.integers(2**31)))]
    if rng.random() < 0.5:
        steps.append(Resize(float(rng.uniform(0.6, 1.2)), "area"))
    return steps, draw_jpeg(rng, config.last_quality)


CHANNELS: dict[str, Way] = {
    "saved": _saved,
    "resaved": _resaved,
    "resized": _resized,
    "messenger": _messenger,
    "screenshot": _screenshot,
    "printed": _printed,
}
"""The ways that a picture may take after the edit, by name."""
