"""The model that comes with the package: an ONNX file with its card inside."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from omni_iml.types import UnreadableModel


def bundled_path(suffix: str = ".onnx") -> Path:
    """Where the bundled model lies.

    Args:
        suffix: ".onnx" for the file that ONNX Runtime reads, ".safetensors" for the weights that training resumes from
            (those are in the source tree only, not in the installed package).

    Returns:
        The path of an existing file.

    Raises:
        UnreadableModel: this installation has no such file.
    """
    path = Path(str(files(__name__).joinpath(f"bundled{suffix}")))
    if not path.is_file():
        way_out = (
            "name a weights file, or work from a source checkout"
            if suffix == ".safetensors"  # left out of wheels on purpose: installing again would not bring it
            else "install the released package again or name a model file (--model PATH, Detector(model=...))"
        )
        raise UnreadableModel(f"{path}: this installation of omni-iml carries no bundled {suffix} model; {way_out}.")
    return path
