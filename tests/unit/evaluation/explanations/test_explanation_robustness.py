from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from omni_iml.annotate import Annotation
from omni_iml.evaluation.explanations.reading import pair, read_predictions
from omni_iml.evaluation.explanations.results import tables
from omni_iml.evaluation.explanations.robustness import PAPER, OtherRun, measured_explanation, run
from omni_iml.evaluation.explanations.scoring import score
from omni_iml.inference.detector import Detector
from omni_iml.metrics.word_vectors import counted_words
from omni_iml.types import OmniError

ITEM = {
    "Tampered Region": "A dog",
    "Absolute Position": "Center",
    "Relative Position": "",
    "Artifacts": {"Edge": "halo"},
}


@pytest.fixture
def pairs(tmp_path):
    found = []
    for number in range(2):
        path = tmp_path / f"{number}.png"
        pixels = np.random.default_rng(number).integers(0, 255, (100, 160, 3), np.uint8)
        Image.fromarray(pixels).save(path)
        about = {"image": path.name, "source": "set", "domain": "natural", "instances": [ITEM]}
        found.append((Annotation.model_validate(about), path))
    return found


def test_every_view_is_localised_and_explained_anew(pairs, tmp_path):
    seen = []

    def localize(image):
        seen.append(image.pixels.shape[:2])
        return image.pixels.shape

    def explain(image, detection, domain):
        assert detection == image.pixels.shape
        wide = image.pixels.shape[1] == 160
        return {"instances": [ITEM if wide else {**ITEM, "Tampered Region": "A cat"}]}

    files = run(pairs, tmp_path / "said", localize, explain, report=pytest.fail)
    assert list(files) == ["none", "resize-0.78", "resize-0.25", "blur-3", "blur-15", "jpeg-100", "jpeg-50"]
    assert seen.count((100, 160)) == 10
    assert seen.count((78, 125)) == 2
    truth = [row for row, _ in pairs]
    by_view = {name: score(pair(truth, read_predictions(file, print)), counted_words()) for name, file in files.items()}
    ours = next(table for table in tables(by_view, "mine") if table.title.startswith("C-T13")).rows[-1]
    assert ours[1] == ours[4] == "1.000"
    assert float(ours[2]) < 1
    assert ours[2] == ours[3]


def test_what_was_said_is_not_asked_again_and_what_failed_is(pairs, tmp_path):
    asked = []

    def explain(image, detection, domain):
        asked.append(image.source)
        if len(asked) == 2:
            raise OmniError("the model is asleep; wake it.")
        return {"output": "nothing"}

    problems = []
    (file,) = run(pairs, tmp_path / "s", lambda i: i, explain, distortions=PAPER[:1], report=problems.append).values()
    assert [str(problem) for problem in problems] == [f"{pairs[1][1]}, none: the model is asleep; wake it."]
    with file.open("a") as lines:
        lines.write('{"image": "1.p')  # a run that was cut off in the middle of a line
    run(pairs, tmp_path / "s", lambda i: i, explain, distortions=PAPER[:1], report=pytest.fail)
    assert len(asked) == 3
    assert [json.loads(line)["image"] for line in file.read_text().splitlines()] == ["0.png", "1.png"]


def test_nobodys_answers_pass_for_anothers(pairs, tmp_path):
    folder = tmp_path / "s"

    def again(**about):
        run(pairs, folder, lambda i: i, lambda *_: {"output": "x"}, distortions=PAPER[:1], about=about, report=print)

    again(mllm="a", query="plain")
    again(query="plain", mllm="a")
    with pytest.raises(OtherRun, match=r"was asked otherwise \(mllm, seed\); name another"):
        again(mllm="b", query="plain", seed=1)
    for damage in ("{", "[1]"):
        (folder / "run.json").write_text(damage)
        with pytest.raises(OtherRun, match=r"\(mllm\)"):
            again(mllm="a")
    (folder / "run.json").unlink()
    with pytest.raises(OtherRun, match=r"holds answers and no run\.json"):
        again(mllm="a")
    assert len((folder / "none.jsonl").read_text().splitlines()) == len(pairs)


def test_measurements_explain_a_real_detection(pairs, tmp_path):
    (file,) = run(
        pairs[:1], tmp_path / "m", Detector().analyse, measured_explanation(), distortions=PAPER[:1], report=pytest.fail
    ).values()
    assert isinstance(json.loads(file.read_text())["instances"], list)
