import subprocess
import sys

import pytest

import omni_iml
from omni_iml import types
from omni_iml.weights import bundled_path

HEAVY = ("onnxruntime", "cv2", "torch", "PIL", "numpy")


def imported_by(statement: str) -> list[str]:
    code = f"import sys; {statement}; print(' '.join(m for m in {HEAVY!r} if m in sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return run.stdout.split()


def test_names_resolve():
    from omni_iml.inference import detector

    assert omni_iml.detect is detector.detect
    assert omni_iml.Detector is detector.Detector
    assert omni_iml.Detection is types.Detection
    assert omni_iml.UnreadableImage is types.UnreadableImage
    for name in omni_iml.__all__:
        assert getattr(omni_iml, name) is not None
        assert name in dir(omni_iml)


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="no attribute 'detekt'"):
        omni_iml.detekt  # noqa: B018


def test_import_is_cheap():
    assert imported_by("import omni_iml") == []


def test_detector_needs_no_torch():
    assert "torch" not in imported_by("import omni_iml; omni_iml.Detector")


def test_missing_bundled_weights_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr("omni_iml.weights.files", lambda package: tmp_path)
    with pytest.raises(types.UnreadableModel, match=r"\.safetensors model; name a weights file, or work") as caught:
        bundled_path(".safetensors")
    assert "again" not in str(caught.value)  # the wheel leaves the weights out, so installing again does not help
    with pytest.raises(types.UnreadableModel, match="install the released package again"):
        bundled_path()
    (tmp_path / "bundled.onnx").write_bytes(b"")
    assert bundled_path() == tmp_path / "bundled.onnx"
