"""A history: the steps before the edit, those after it, and the file that is written in the end."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from omni_iml.data.synthesis.history.steps import Jpeg, Png, PrintScan, Resize, Shift, Step
from omni_iml.data.synthesis.pixels import Mask, Pixels
from omni_iml.data.synthesis.scene import Scene


@dataclass(frozen=True)
class History:
    """What happens to one picture beside its edit; drawn before anybody knows whether it will be edited.

    Attributes:
        channel: name of the way that the picture took, for example "messenger".
        before: compressions and crops before the edit.
        after: what happens to the whole picture after it.
        save: the file that is written in the end.
    """

    channel: str
    before: tuple[Jpeg | Shift, ...]
    after: tuple[Step, ...]
    save: Jpeg | Png

    def side_before(self, size: int) -> int:
        """Side at the first compression of a picture that shall have ``size`` pixels at the end, a multiple of 8."""
        for step in reversed((*self.before, *self.after)):
            if isinstance(step, Resize):
                size = int(np.ceil(size / step.scale)) + 1
            elif isinstance(step, PrintScan):
                size = step.side_before(size)
            elif isinstance(step, Shift):
                size += 8
        return -(-size // 8) * 8

    def lead(self, scene: Scene) -> Scene:
        """The scene as the editor opens it."""
        for step in self.before:
            if isinstance(step, Shift):
                height, width = scene.pixels.shape[:2]
                scene = scene.window(step.y, step.x, height - step.y, width - step.x)
            else:
                scene = scene.painted(step.through(scene.pixels))
        return scene

    def follow(self, pixels: Pixels, mask: Mask) -> tuple[Pixels, Mask]:
        """Picture and mask as they are when the last file is written."""
        for step in self.after:
            pixels, mask = step(pixels, mask)
        return pixels, mask

    def told(self) -> dict[str, Any]:
        """Plain values for the sample's JSON."""

        def tell(step: Any) -> dict[str, Any]:
            return {"step": type(step).__name__.lower(), **asdict(step)}

        return {
            "channel": self.channel,
            "before": [tell(step) for step in self.before],
            "after": [tell(step) for step in self.after],
            "save": tell(self.save),
        }
