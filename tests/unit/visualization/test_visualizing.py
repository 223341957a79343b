import csv
import json

import numpy as np
import pytest
from PIL import Image

from omni_iml.visualization import Request, visualize
from omni_iml.visualization.charts import published_gate

KNOWN = (0.1, 0.4, 0.6, 0.9)


def rows(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_papers_gate_rates():
    assert published_gate() == {"natural": 0.94, "document": 0.02, "scene_text": 0.78, "face": 0.97}


def test_a_folder_of_figures_with_known_numbers(inspector, data_root, tmp_path):
    (data_root / "face" / "masks" / "2.png").unlink()
    logs, folder = tmp_path / "logs", tmp_path / "maps"
    folder.mkdir()
    for name in ("document", "face"):
        (folder / "d" / name).mkdir(parents=True)
        Image.fromarray(np.zeros((72, 100), np.uint8)).save(folder / "d" / name / "0.png")
    request = Request(
        (f"d={data_root}",), tmp_path / "out", each=1, beside=(f"theirs={folder}", "ela=baseline:error-level"),
        tensorboard=logs,
    )  # fmt: skip
    done = visualize(request, inspector)
    names = {"gate.csv", "filters.csv", "enhancement.csv", "visualize.json"}
    names |= {"gate.png", "filters.png", "enhancement.png", "grid.png"}
    assert {path.name for path in done.files} == names == {path.name for path in (tmp_path / "out").iterdir()}
    assert done.absent == ()
    assert any("face/2" in problem for problem in done.problems)
    assert any(problem.startswith("theirs: ") and "no prediction" in problem for problem in done.problems)
    gate = {(row["by"], row["name"], row["label"]): row for row in rows(tmp_path / "out" / "gate.csv")}
    document = gate["domain", "document", "tampered"]
    assert (document["pictures"], document["vision"], document["share"]) == ("3", "3", "1.0000")
    assert (document["tiles"], document["mean_probability"], document["published"]) == ("18", "0.7500", "0.0200")
    assert gate["data set", "d/face", "tampered"]["pictures"] == "2"
    assert gate["data set", "d/face", "tampered"]["published"] == ""
    assert gate["domain", "face", "authentic"]["pictures"] == "1"
    cells = [r for r in rows(tmp_path / "out" / "filters.csv") if (r["name"], r["label"]) == ("face", "tampered")]
    assert len(cells) == 5 * 4
    for cell in cells:
        assert float(cell["mean"]) == pytest.approx(KNOWN[int(cell["weight"]) - 1], abs=1e-4)
        assert float(cell["spread"]) == 0
    content = json.loads((tmp_path / "out" / "visualize.json").read_text(encoding="utf-8"))
    assert content["model"]["samples"] == 1234
    assert content["activations_explained"] == {"by domain": None, "by data set": None}  # nothing varies
    assert len(content["pictures"]) == 7
    assert content["gate"][0]["share"] == 1
    enhancement = [row for row in content["enhancement"] if row["by"] == "domain" and row["name"] == "document"]
    each = [p["contrast"] for p in content["pictures"] if p["domain"] == "document" and p["label"] == 1]
    assert enhancement[0]["before"] == pytest.approx(np.mean([c["E2"]["separation"] for c in each]))
    assert enhancement[0]["after"] == pytest.approx(np.mean([c["E2'"]["separation"] for c in each]))
    for path in done.files:
        if path.suffix == ".png":
            with Image.open(path) as picture:
                assert min(picture.size) > 200
                assert len(np.unique(np.asarray(picture.convert("L")))) > 20  # no empty sheet


def test_the_event_folder_has_the_pictures_and_the_numbers(inspector, data_root, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    request = Request((f"document={data_root / 'document'}",), tmp_path / "o", each=1, tensorboard=tmp_path / "logs")
    visualize(request, inspector)
    events = EventAccumulator(str(tmp_path / "logs"))
    events.Reload()
    assert set(events.Tags()["images"]) == {f"visualize/{n}" for n in ("gate", "filters", "enhancement", "grid")}
    (point,) = events.Scalars("visualize/gate/document/tampered")
    assert (point.step, point.value) == (1234, 1)
    assert events.Scalars("visualize/filters/document/DWF_2.3.W4")[0].value == pytest.approx(0.9, abs=1e-5)
    assert "visualize/enhancement/document/E3.separation" in events.Tags()["scalars"]


@pytest.mark.slow
def test_a_limit_draws_from_both_labels(inspector, data_root, tmp_path):
    def keys(seed):
        request = Request((f"document={data_root / 'document'}",), tmp_path / f"{seed}", limit=1, each=1, seed=seed)
        visualize(request, inspector)
        content = json.loads((tmp_path / f"{seed}" / "visualize.json").read_text(encoding="utf-8"))
        return [(picture["key"], picture["label"]) for picture in content["pictures"]]

    found = [keys(seed) for seed in range(4)]
    assert all([label for _, label in one] == [1, 0] for one in found)
    assert len({one[0] for one in found}) > 1


@pytest.mark.parametrize(
    ("data", "beside", "words"),
    [
        (("d",), (), "is not of the form NAME=ROOT"),
        (("{root}",) * 2, (), "two data sets are called document"),
        (("{root}",), ("x",), "is not of the form NAME=MODEL"),
        (("{root}",), ("x=baseline:none",), "^baseline:none: is unknown; choose one of"),
        (("{root}",), ("x=baseline:error-level", "x=baseline:noise-level"), "--beside: two models are called x"),
    ],
)
def test_wrong_requests(inspector, data_root, tmp_path, data, beside, words):
    named = tuple(one.format(root=f"document={data_root / 'document'}") for one in data)
    with pytest.raises(ValueError, match=words):
        visualize(Request(named, tmp_path / "o", beside=beside), inspector)


def test_nothing_that_can_be_read(inspector, data_root, tmp_path):
    for path in (data_root / "face").rglob("*.jpg"):
        path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="no picture could be read; the first problem: face/"):
        visualize(Request((f"face={data_root / 'face'}",), tmp_path / "o"), inspector)
