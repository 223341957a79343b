import hashlib
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from omni_iml.inference.session import open_session  # noqa: E402
from omni_iml.inference.torch_session import TorchSession  # noqa: E402
from omni_iml.models import OmniIML  # noqa: E402
from omni_iml.models.checkpoint import save_weights  # noqa: E402
from omni_iml.models.export import UNCALIBRATED  # noqa: E402
from omni_iml.types import OmniError, UnreadableModel  # noqa: E402

SIDE = 64


def inputs(batch=1, side=SIDE):
    rng = np.random.default_rng(1)
    return (
        rng.integers(0, 256, (batch, 3, side, side), dtype=np.uint8),
        rng.integers(0, 21, (batch, side, side), dtype=np.uint8),
        rng.integers(1, 64, (batch, 8, 8), dtype=np.uint8),
    )


@pytest.fixture(scope="module")
def write_weights(small_config, tmp_path_factory):
    """Writes the weights of a small network, changed by ``spoil``, for tiles of 64 pixels."""

    def write(spoil=None):
        torch.manual_seed(0)
        network = OmniIML(small_config)
        if spoil:
            with torch.no_grad():
                spoil(network)
        path = tmp_path_factory.mktemp("weights") / "weights.safetensors"
        save_weights(network, path, {"model_file": {**UNCALIBRATED, "name": "small", "tile": SIDE}})
        return path

    return write


@pytest.fixture(scope="module")
def session(write_weights):
    return TorchSession(write_weights())


def test_outputs_are_the_network_s(session, write_weights, small_config):
    torch.manual_seed(0)
    network = OmniIML(small_config).eval()
    given = inputs(2)
    with torch.inference_mode():
        wanted = network(*(torch.from_numpy(x) for x in given))
    outputs = session(*given)
    for name in ("mask", "gate", "image"):
        found = getattr(outputs, name)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, getattr(wanted, name).numpy(), atol=1e-4)


def test_info_comes_from_the_file(write_weights):
    path = write_weights()
    info = open_session(path, "torch").info
    assert (info.name, info.tile) == ("small", SIDE)
    assert info.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda a: a[..., :-1],
        lambda a: a.astype(np.float32),
        lambda a: np.concatenate([a, a[:1]]),
        lambda a: np.array(0, np.uint8),
    ],
)
def test_wrong_shapes_and_types_are_refused(session, position, spoil):
    arrays = list(inputs(2))
    arrays[position] = spoil(arrays[position])
    with pytest.raises(ValueError, match="must be uint8"):
        session(*arrays)


def test_another_side_that_the_network_itself_would_take_is_refused(session):
    with pytest.raises(ValueError, match="'image' must be uint8"):
        session(*inputs(1, side=96))


@pytest.mark.parametrize(
    ("output", "spoil"),
    [
        ("mask", lambda n: n.decoder.predict.bias.fill_(torch.inf)),
        ("gate", lambda n: n.gate.linear.bias.fill_(torch.nan)),
        ("image", lambda n: list(n.classifier.parameters())[-1].fill_(torch.nan)),
    ],
)
def test_values_that_are_not_finite(write_weights, output, spoil):
    path = write_weights(spoil)
    with pytest.raises(UnreadableModel, match=f"'{output}' holds values that are not finite") as caught:
        TorchSession(path)(*inputs())
    assert str(path) in str(caught.value)


def test_thread_count_is_honoured(write_weights):
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            TorchSession(write_weights(), threads)
            assert torch.get_num_threads() == threads
        TorchSession(write_weights())
        assert torch.get_num_threads() == 2, "None leaves torch's choice"
    finally:
        torch.set_num_threads(before)


def test_what_torch_cannot_run_is_an_error_of_ours(session, monkeypatch):
    def fail(*_):
        raise RuntimeError("out of memory\nand a long story")

    monkeypatch.setattr(session._network, "forward", fail)
    with pytest.raises(OmniError, match=r"could not run the model on \w+ \(out of memory\); check the free memory"):
        session(*inputs())


def test_bfloat16_is_near_and_not_the_same(write_weights):
    path, given = write_weights(), inputs(2)
    exact, near = TorchSession(path)(*given), TorchSession(path, precision="bfloat16")(*given)
    for name in ("mask", "gate", "image"):
        one, other = getattr(exact, name), getattr(near, name)
        assert other.dtype == np.float32
        np.testing.assert_allclose(other, one, atol=0.05 * np.abs(one).max() + 0.01)
    assert not np.array_equal(near.mask, exact.mask)


def test_on_a_cpu_the_usual_precision_is_float32(write_weights):
    path, given = write_weights(), inputs()
    usual, exact = TorchSession(path, device="cpu"), TorchSession(path, device="cpu", precision="float32")
    np.testing.assert_array_equal(usual(*given).mask, exact(*given).mask)


def test_an_unknown_precision_is_refused(write_weights):
    with pytest.raises(ValueError, match="precision 'int4' is unknown; choose one of auto, float32, bfloat16"):
        TorchSession(write_weights(), precision="int4")


@pytest.mark.parametrize("runtime", ["torch", "auto"])
def test_precision_reaches_the_session(write_weights, runtime):
    path, given = write_weights(), inputs()
    for precision in ("float32", "bfloat16") if runtime == "torch" else ("float32",):
        wanted = TorchSession(path, precision=precision)(*given)
        np.testing.assert_array_equal(open_session(path, runtime, None, precision)(*given).mask, wanted.mask)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_is_near_the_cpu(write_weights):
    path, given = write_weights(), inputs(2)
    cpu, cuda = TorchSession(path, device="cpu")(*given), TorchSession(path, device="cuda")(*given)
    np.testing.assert_allclose(cuda.mask, cpu.mask, atol=0.05 * np.abs(cpu.mask).max() + 0.01)


@pytest.mark.slow
@pytest.mark.skipif(not any(map(shutil.which, ("g++", "clang++", "cl"))), reason="needs a C++ compiler")
def test_compiled_gives_the_same(write_weights):
    path, given = write_weights(), inputs()
    found = TorchSession(path, compiled=True)(*given)
    np.testing.assert_allclose(found.mask, TorchSession(path)(*given).mask, atol=1e-4)
