"""Faces drawn with a few strokes: enough for one to be laid over another."""

from __future__ import annotations

import cv2
import numpy as np

from omni_iml.data.synthesis.scene import Scene
from omni_iml.types import Box


def person(seed: int, *faces: Box, height: int = 200, width: int = 240, grain: float = 4.0) -> Scene:
    """A picture with faces in these boxes, in colours and proportions of their own."""
    rng = np.random.default_rng(seed)
    ground = cv2.resize(rng.uniform(60, 190, (4, 4, 3)).astype(np.float32), (width, height))
    for x0, y0, x1, y1 in faces:
        wide, tall = x1 - x0, y1 - y0

        def spot(x: float, y: float, rx: float, ry: float, colour: tuple[float, float, float]) -> None:
            centre = round(x0 + x * wide), round(y0 + y * tall)  # noqa: B023
            axes = max(1, round(rx * wide)), max(1, round(ry * tall))  # noqa: B023
            cv2.ellipse(ground, centre, axes, 0, 0, 360, colour, -1, cv2.LINE_AA)

        skin = (rng.uniform(150, 230), rng.uniform(110, 170), rng.uniform(80, 140))
        dark = (rng.uniform(20, 60), rng.uniform(15, 50), rng.uniform(10, 50))
        spot(0.5, 0.5, 0.47, 0.58, skin)
        for side in (-1, 1):
            spot(0.5 + side * rng.uniform(0.17, 0.21), 0.38, 0.08, 0.04, dark)
            spot(0.5 + side * 0.19, 0.27, 0.11, 0.02, dark)
        spot(0.5, 0.58, 0.05, 0.1, (skin[0] * 0.8, skin[1] * 0.75, skin[2] * 0.7))
        spot(0.5, 0.8, rng.uniform(0.14, 0.19), 0.05, (150, 40, 50))
    noise = rng.normal(0, grain, (height, width, 1))
    return Scene(np.clip(np.rint(ground + noise), 0, 255).astype(np.uint8), faces=faces)
