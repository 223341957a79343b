"""Which word of a scene is edited."""

from __future__ import annotations

from numpy.random import Generator

from omni_iml.data.synthesis.edit import NothingToEdit
from omni_iml.data.synthesis.scene import Scene
from omni_iml.data.synthesis.signs import Sign, laid_flat
from omni_iml.data.words import WordBox

_TRIES = 4


def draw_sign(rng: Generator, scene: Scene, smallest: int) -> tuple[Sign, WordBox]:
    """A word that is tall enough, laid flat.

    Args:
        rng: draws the word.
        scene: where it stands.
        smallest: height in pixels.

    Raises:
        NothingToEdit: no word is known, or none can be told from its ground.
    """
    known = [word for word in scene.words if word.y1 - word.y0 >= smallest and word.x1 - word.x0 >= smallest]
    for index in rng.permutation(len(known))[:_TRIES]:
        try:
            return laid_flat(scene.pixels, known[int(index)]), known[int(index)]
        except NothingToEdit:
            continue
    raise NothingToEdit("no text is known in the picture that could be told from its ground.")
