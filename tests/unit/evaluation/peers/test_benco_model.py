"""Our model under IMDL-BenCo's contract, without IMDL-BenCo (see also tests/parity/test_benco_loop.py)."""

import inspect

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from omni_iml.evaluation.peers.benco_model import OmniIml  # noqa: E402
from omni_iml.inference.detector import Detector  # noqa: E402

MEAN, STD = np.array((0.485, 0.456, 0.406)), np.array((0.229, 0.224, 0.225))


@pytest.fixture(scope="module")
def model():
    return OmniIml(threads=1)


def test_forward_gives_what_the_detector_finds(model):
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 256, (2, 64, 96, 3), np.uint8)
    image = torch.from_numpy((pixels / 255 - MEAN) / STD).permute(0, 3, 1, 2).float()
    output = model(image=image, mask=torch.zeros(2, 1, 64, 96), label=torch.zeros(2), name=["a", "b"])
    assert output["pred_mask"].shape == (2, 1, 64, 96)
    assert output["backward_loss"] == 0
    detector = Detector(threads=1)
    for index in range(2):
        found = detector.detect(pixels[index])
        np.testing.assert_allclose(output["pred_mask"][index, 0], found.probability, atol=1e-6)
        assert float(output["pred_label"][index]) == pytest.approx(found.score, abs=1e-6)


def test_its_script_can_make_options_of_the_constructor(model):
    parameters = dict(inspect.signature(OmniIml.__init__).parameters)
    assert [parameters[name].annotation for name in ("weights", "runtime", "threads")] == [str, str, int]
    assert "model" not in parameters  # the script hands its own --model to a parameter of this name


def test_its_script_can_unwrap_wrap_and_load_it(model, tmp_path):
    assert model.module is model
    model.load_state_dict({"unused": torch.zeros(1)})
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        assert torch.nn.parallel.DistributedDataParallel(model).module is model
    finally:
        torch.distributed.destroy_process_group()
