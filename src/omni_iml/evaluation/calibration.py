"""Calibrate the image-level score so that false alarms do not grow with the size of the picture.

A picture's logit is the largest of its tiles' logits, and the larger the picture, the larger that of authentic ones.
So ``score = sigmoid(scale * logit + bias + log_tiles * ln(tiles))``, in tiles of 512x512 pixels whatever the model's,
is fitted on pictures of 1 to 64 tiles, put together from tiles of the validation split: an authentic picture from
authentic tiles, a tampered one with one tampered tile among them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

TILE_COUNTS = (1, 2, 4, 9, 16, 36, 64)


@dataclass(frozen=True)
class Calibration:
    """Fitted calibration and thresholds.

    Attributes:
        scale: of the logit.
        bias: added.
        log_tiles: times ln(tile count), added.
        tampered_at: score that at most ``false_alarms`` of authentic pictures of any size reach.
        no_trace_below: score that at most ``missed`` of tampered pictures stay below.
    """

    scale: float
    bias: float
    log_tiles: float
    tampered_at: float
    no_trace_below: float

    def score(self, logits: NDArray[np.float64], tiles: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores in 0..1 of pictures with these largest logits and tile counts."""
        z = self.scale * logits + self.bias + self.log_tiles * np.log(tiles)
        return np.asarray(1 / (1 + np.exp(-z)))


def calibrate(
    authentic: NDArray[np.float64],
    tampered: NDArray[np.float64],
    *,
    pictures: int = 1500,
    false_alarms: float = 0.05,
    missed: float = 0.2,
    seed: int = 0,
) -> Calibration:
    """Fit on tile logits.

    Args:
        authentic: image logits of authentic tiles, ``(N,)``.
        tampered: image logits of tampered tiles, ``(M,)``.
        pictures: pictures put together for each class and tile count.
        false_alarms: largest share of authentic pictures called tampered, at every tile count.
        missed: largest share of tampered pictures said to show no trace, at every tile count.
        seed: of the drawing.

    Raises:
        ValueError: fewer than 20 tiles of a class, or logits that do not tell the classes apart at all.
    """
    if min(len(authentic), len(tampered)) < 20:
        raise ValueError("calibration: fewer than 20 tiles of a class; score more validation samples.")
    rng = np.random.default_rng(seed)
    largest, counts, labels = [], [], []
    for tiles in TILE_COUNTS:
        clean = rng.choice(authentic, (pictures, tiles)).max(1)
        # One edited tile among authentic ones; the edit may spread over neighbours, which only helps.
        others = rng.choice(authentic, (pictures, tiles - 1)).max(1, initial=-np.inf)
        edited = np.maximum(rng.choice(tampered, pictures), others)
        largest += [clean, edited]
        counts += [np.full(2 * pictures, float(tiles))]
        labels += [np.zeros(pictures), np.ones(pictures)]
    logits, tile_counts, truth = (np.concatenate(x) for x in (largest, counts, labels))
    fit = LogisticRegression(C=1e6).fit(np.stack([logits, np.log(tile_counts)], 1), truth)
    scale, log_tiles = (float(v) for v in fit.coef_[0])
    if scale <= 0:
        raise ValueError("calibration: tampered tiles do not have larger logits than authentic ones; train longer.")
    fitted = Calibration(scale, float(fit.intercept_[0]), log_tiles, 1.0, 0.0)
    scores = fitted.score(logits, tile_counts)
    sizes = [tile_counts == tiles for tiles in TILE_COUNTS]
    # A verdict is "at or above" the threshold, and many large pictures share one largest tile: step over the tie.
    quantiles = [np.quantile(scores[size & (truth == 0)], 1 - false_alarms, method="higher") for size in sizes]
    tampered_at = min(float(max(quantiles)) + 1e-5, 1.0)
    below = min(float(np.quantile(scores[size & (truth == 1)], missed)) for size in sizes)
    return Calibration(fitted.scale, fitted.bias, log_tiles, tampered_at, min(below, tampered_at))
