"""How much `omni-iml refine` gains on documents: IoU before and after, on the tampered documents of devbench (Tianchi).

    OMNI_IML_DATA=DATA python benchmarks/refinement_gain.py

Needs the extra explain. Masks are those of the bundled model, or of --model; places are found again by the reader of
text. Each document is refined twice: by what is read at the model's own regions, as `explain` writes it without a
multimodal model, and by what is read at the true regions, as one would say that is never wrong. The second is a limit
of what refinement can give with this reader and this rule, and no result of a model.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from omni_iml.data.sources import data_root
from omni_iml.evaluation.devbench import read_mask
from omni_iml.evidence.text_lines import TextLine, TextReader
from omni_iml.explain.masks import instances_of
from omni_iml.explain.naming import name_of, place_of
from omni_iml.explain.refine.mentions import mentions_of
from omni_iml.explain.refine.refining import refine_picture
from omni_iml.explain.refine.rule import Mention
from omni_iml.explain.refine.text_boxes import TextFinder
from omni_iml.inference.detector import Detector


class Once(TextReader):
    """Reads each picture once."""

    def __init__(self) -> None:
        super().__init__()
        self._read: dict[int, tuple[TextLine, ...]] = {}

    def read(self, pixels: NDArray[np.uint8]) -> tuple[TextLine, ...]:
        """As `TextReader.read`; ``pixels`` must not change."""
        if id(pixels) not in self._read:
            self._read = {id(pixels): super().read(pixels)}
        return self._read[id(pixels)]


def named(mask: NDArray[np.bool_], lines: tuple[TextLine, ...], right: bool) -> tuple[Mention, ...]:
    """What an explanation of the mask's regions names: as measured, or as said by a model that is right."""
    height, width = mask.shape
    items = [
        {
            "Tampered Region": name_of(region, lines),
            "Absolute Position": region.position,
            "Relative Position": place_of(region, lines, (), (), None, width, height),
        }
        for region, _ in instances_of(mask)
    ]
    return mentions_of(
        {"explanation": items, "interpretation": {"status": "answered", "explanation": items} if right else None}
    )


def main() -> None:
    """Print a row a document, and the means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="model file in place of the bundled one")
    detector, reader = Detector(parser.parse_args().model), Once()
    finder, ious = TextFinder(reader), []
    folder = Path(data_root()) / "devbench" / "tianchi"
    print("| document | regions | before | as measured | if the explanation is right |\n|---|---|---|---|---|")
    for path in sorted((folder / "images").iterdir()):
        found = detector.detect(path)
        pixels, truth = found.pixels, read_mask(folder / "masks" / f"{path.stem}.png")
        mask, lines = np.asarray(found.mask > 0), reader.read(pixels)
        after = [
            refine_picture(pixels, mask, mentions, finder, probability=found.probability, truth=truth).ious
            for mentions in (named(mask, lines, right=False), named(truth, lines, right=True))
        ]
        assert after[0] is not None
        assert after[1] is not None
        ious.append((after[0][0], after[0][1], after[1][1]))
        print(
            f"| {path.name} | {len(instances_of(truth))} | " + " | ".join(f"{one:.3f}" for one in ious[-1]) + " |",
            flush=True,
        )
    values = np.array(ious)
    print("| mean |  | " + " | ".join(f"{one:.3f}" for one in values.mean(0)) + " |")
    for name, column in (("as measured", 1), ("if right", 2)):
        gain = values[:, column] - values[:, 0]
        print(f"{name}: {(gain > 0.005).sum()} gain, {(gain < -0.005).sum()} lose, {(abs(gain) <= 0.005).sum()} stay")


if __name__ == "__main__":
    main()
