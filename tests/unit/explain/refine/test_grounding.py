from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from omni_iml.cli import app
from omni_iml.explain.refine.areas import painted
from omni_iml.explain.refine.rule import Mention
from tiny_finders import build_detector, build_segmenter

pytest.importorskip("transformers")
pytestmark = pytest.mark.slow  # ten seconds go into building the models

PIXELS = np.random.default_rng(0).integers(0, 255, (80, 120, 3), np.uint8)
BOAT = Mention("A red. Boat", "Center")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("tiny")
    return str(build_detector(folder / "d", ("a", "red", "boat"))), str(build_segmenter(folder / "s"))


def test_places_are_those_of_the_plain_models(folders: tuple[str, str]) -> None:
    import torch
    from torchvision.ops import box_iou
    from transformers import (
        GroundingDinoForObjectDetection,
        GroundingDinoProcessor,
        SamModel,
        SamProcessor,
    )

    from omni_iml.explain.refine.grounding import ObjectFinder

    found = ObjectFinder(*folders, threshold=0.0, most=60).find(PIXELS, [Mention("", ""), BOAT])
    assert {one.mention for one in found} == {1}
    assert {one.label for one in found} == {"“A red. Boat”"}
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)

    with torch.inference_mode():
        reader = GroundingDinoProcessor.from_pretrained(folders[0])
        inputs = reader(images=PIXELS, text="a red boat.", return_tensors="pt")
        outputs = GroundingDinoForObjectDetection.from_pretrained(folders[0]).eval()(**inputs)
        middle, size = outputs.pred_boxes[0, :, :2], outputs.pred_boxes[0, :, 2:]
        boxes = torch.cat([middle - size / 2, middle + size / 2], 1) * torch.tensor([120, 80, 120, 80])
        score = outputs.logits[0].sigmoid().max(1).values
        order = score.argsort(descending=True).tolist()
        alone: list[int] = []  # greedily: none is like a better one
        for at in order:
            if all(box_iou(boxes[at : at + 1], boxes[k : k + 1]).item() <= 0.7 for k in alone):
                alone.append(at)
        assert 1 < len(alone) < 60
        framer, segmenter = SamProcessor.from_pretrained(folders[1]), SamModel.from_pretrained(folders[1]).eval()
        framed = framer(images=PIXELS, input_boxes=[boxes[alone].tolist()], return_tensors="pt")
        seen = segmenter(**framed)  # all boxes at once, and all three readings of each
        masks = framer.image_processor.post_process_masks(
            seen.pred_masks, framed["original_sizes"], framed["reshaped_input_sizes"]
        )[0]
    expected = [
        (float(score[at]), masks[row, int(seen.iou_scores[0, row].argmax())].numpy()) for row, at in enumerate(alone)
    ]
    expected = [(score, mask) for score, mask in expected if mask.any()]
    assert scores == pytest.approx([score for score, _ in expected], abs=1e-5)
    for one, (_, mask) in zip(found, expected, strict=True):
        assert mask.shape == (80, 120)
        assert np.mean(painted([one.area], 80, 120) != mask) < 0.001


def test_the_threshold_and_the_number_bound_what_is_found(folders: tuple[str, str]) -> None:
    from omni_iml.explain.refine.grounding import ObjectFinder

    every = ObjectFinder(*folders, threshold=0.0).find(PIXELS, [BOAT])
    level = every[1].score
    some = ObjectFinder(*folders, threshold=level).find(PIXELS, [BOAT])
    assert [one.score for one in some] == [one.score for one in every if one.score > level]
    assert len(ObjectFinder(*folders, threshold=0.0, most=1).find(PIXELS, [BOAT])) == 1
    assert ObjectFinder(*folders, threshold=1.0).find(PIXELS, [BOAT]) == []
    long = Mention("red boat " * 400, "Center")  # longer than the model reads
    assert all(0 <= one.score <= 1 for one in ObjectFinder(*folders).find(PIXELS, [long]))


def test_what_is_no_such_model_is_named(folders: tuple[str, str], tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    from omni_iml.explain.refine.grounding import ObjectFinder, UnreadableFinder

    with pytest.raises(UnreadableFinder, match="nowhere: cannot be opened"):
        ObjectFinder(str(tmp_path / "nowhere"), folders[1])
    with pytest.raises(UnreadableFinder, match="is a sam; give a grounding-dino"):
        ObjectFinder(folders[1], folders[0])
    half = build_segmenter(tmp_path / "half")
    weights = load_file(half / "model.safetensors")
    dropped = sorted(weights)[0]
    save_file(
        {name: value for name, value in weights.items() if name != dropped},
        half / "model.safetensors",
        {"format": "pt"},
    )
    with pytest.raises(UnreadableFinder, match="lacks 1 weights"):  # random ones would take their place
        ObjectFinder(folders[0], str(half))


def test_the_command_refines_a_natural_picture(folders: tuple[str, str], tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (80, 120, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "sea.png")
    mask = np.zeros((80, 120), np.uint8)
    mask[20:40, 30:60] = 255
    results = tmp_path / "r"
    results.mkdir()
    Image.fromarray(mask).save(results / "sea.png.mask.png")
    item = {"Tampered Region": "a red boat", "Absolute Position": "Center", "Relative Position": "", "Artifacts": {}}
    told = {"schema": "omni-iml/explanation/1", "width": 120, "height": 80, "explanation": [item]}
    (results / "sea.png.explanation.json").write_text(json.dumps(told))
    common = ["refine", str(tmp_path / "sea.png"), "--results", str(results), "--domain", "natural"]
    models = ["--detector", folders[0], "--segmenter", folders[1], "--device", "cpu", "--threshold", "0"]
    result = CliRunner().invoke(app, [*common, *models, "--out", str(tmp_path / "o"), "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert len(told["candidates"]) > 1
    assert [box for change in told["changes"] for box in change["regions"]] == [[30, 20, 60, 40]]
    assert (tmp_path / "o" / "sea.png.mask.png").is_file()
    without = CliRunner().invoke(app, [*common, "--out", str(tmp_path / "o")])
    assert without.exit_code == 2
    assert "--detector and --segmenter" in without.stderr
