"""Our model in IMDL-BenCo's own test loop, and a model of its zoo in our evaluator."""

import json
import subprocess
import sys
from argparse import Namespace
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from omni_iml.cli import app

torch = pytest.importorskip("torch")
SCRIPT = Path(__file__).parents[2] / "scripts" / "benco_predict.py"


@pytest.fixture(scope="module")
def imdlbenco():
    """The whole package, which needs albumentations 1.3 and more beside the wheel."""
    try:
        with redirect_stdout(StringIO()):
            import IMDLBenCo.registry
            from IMDLBenCo import datasets, evaluation
            from IMDLBenCo.training_scripts import tester
    except ImportError as error:
        pytest.skip(
            f"IMDL-BenCo cannot be imported ({error}); pip install --no-deps imdlbenco==0.1.45 albumentations==1.3.0 "
            "qudida grad-cam ttach fvcore iopath yacs portalocker termcolor tabulate appdirs colorama"
        )
    return Namespace(datasets=datasets, evaluation=evaluation, tester=tester, registry=IMDLBenCo.registry)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Three pictures with a pasted place, of different shapes, in IMDL-BenCo's layout."""
    root = tmp_path_factory.mktemp("set")
    rng = np.random.default_rng(6)
    for index, (wide, high) in enumerate([(300, 220), (512, 512), (180, 260)]):
        small = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8))
        pixels = np.array(small.resize((wide, high), Image.Resampling.BICUBIC))
        pixels[40:120, 50:150] = rng.integers(0, 256, (80, 100, 3))
        mask = np.zeros((high, wide), np.uint8)
        mask[40:120, 50:150] = 255
        for folder, array in (("Tp", pixels), ("Gt", mask)):
            (root / folder).mkdir(exist_ok=True)
            Image.fromarray(array).save(root / folder / f"{index}.png")
    return root


@pytest.mark.slow
def test_their_loop_and_our_protocol_give_one_score_to_our_model(imdlbenco, data, tmp_path):
    from omni_iml.evaluation.peers.benco_model import OmniIml

    model = OmniIml(threads=1)
    loader = torch.utils.data.DataLoader(
        imdlbenco.datasets.ManiDataset(str(data), is_resizing=True, output_size=(512, 512)), batch_size=2
    )
    evaluators = [imdlbenco.evaluation.PixelF1(), imdlbenco.evaluation.PixelIOU()]
    arguments = Namespace(no_model_eval=False, distributed=False, test_batch_size=2)
    with redirect_stdout(StringIO()):
        theirs = imdlbenco.tester.test_one_epoch(model, loader, evaluators, torch.device("cpu"), 0, args=arguments)
    out = tmp_path / "out"
    result = CliRunner().invoke(
        app, ["evaluate", "--data", f"pasted={data}", "--out", str(out), "--protocol", "benco", "--threads", "1"]
    )
    assert result.exit_code == 0, result.output
    ours = json.loads((out / "scores.json").read_text())["scores"][0]["pixel"]
    assert ours["F1"]["mean"] > 0
    assert ours["F1"]["mean"] == pytest.approx(theirs["pixel-level F1"], abs=1e-4)
    assert ours["IoU"]["mean"] == pytest.approx(theirs["pixel-level IOU"], abs=1e-4)


@pytest.mark.slow
def test_their_whole_test_script_gives_our_model_the_score_of_our_protocol(imdlbenco, data, tmp_path):
    listed, out, ours = tmp_path / "sets.json", tmp_path / "theirs", tmp_path / "ours"
    listed.write_text(json.dumps({"pasted": str(data)}))
    command = [
        *(sys.executable, "-m", "omni_iml.evaluation.peers.benco_test", "--test_data_json", str(listed)),
        *("--output_dir", str(out), "--device", "cpu", "--threads", "1"),
    ]
    subprocess.run(command, check=True, capture_output=True)
    theirs = json.loads((out / "pasted" / "log.txt").read_text())
    arguments = ["evaluate", "--data", f"pasted={data}", "--out", str(ours), "--protocol", "benco", "--threads", "1"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    score = json.loads((ours / "scores.json").read_text())["scores"][0]
    assert score["pixel"]["F1"]["mean"] == pytest.approx(theirs["test_pixel-level F1"], abs=1e-4)
    assert score["pixel"]["F1"]["mean"] > 0


@pytest.mark.slow
def test_a_model_of_the_zoo_is_scored_by_our_evaluator(imdlbenco, data, tmp_path):
    maps, out = tmp_path / "maps", tmp_path / "out"
    command = [
        sys.executable,
        str(SCRIPT),
        "Mesorch",
        "--data",
        f"pasted={data}",
        "--out",
        str(maps),
        "--device",
        "cpu",
    ]
    subprocess.run(command, check=True, capture_output=True)
    result = CliRunner().invoke(
        app, ["evaluate", "--data", f"pasted={data}", "--predictions", str(maps), "--out", str(out)]
    )
    assert result.exit_code == 0, result.output
    score = json.loads((out / "scores.json").read_text())["scores"][0]
    assert score["n"] == 3
    assert 0 <= score["pixel"]["F1"]["mean"] <= 1
