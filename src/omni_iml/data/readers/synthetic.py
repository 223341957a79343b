"""What `omni-iml synth` and `omni-iml data testset` write, as a data set."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import ClassVar

from omni_iml.data.readers.entry import AUTHENTIC, Entry
from omni_iml.data.readers.masks import PictureMask
from omni_iml.data.readers.reader import Part, Reader


class Synthetic(Reader):
    """A folder that `omni-iml synth` or `omni-iml data testset` wrote.

    Layout::

        synthesis.json   images/   masks/   recipes/

    Labels are those of the recipes. A wholly generated portrait that nobody edited has none there and is left out.
    """

    name, title = "synthetic", "a folder of omni-iml synth"
    part: ClassVar[Part] = "any"
    authentic: ClassVar[int | None] = None
    licence = "that of its sources"
    homepage = ""

    def entries(self) -> Iterator[Entry]:
        """See `Reader`."""
        for path in sorted(self.place("recipes").glob("*.json")):
            try:
                recipe = json.loads(path.read_text(encoding="utf-8"))
                image, mask, label = str(recipe["image"]), str(recipe["mask"]), int(recipe["label"])
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{path}: is no recipe of omni-iml synth ({error!r}); make it anew.") from error
            truth = PictureMask(self.root / "masks" / mask) if label == 1 else AUTHENTIC
            yield Entry(path.stem, self.root / "images" / image, truth, label)
