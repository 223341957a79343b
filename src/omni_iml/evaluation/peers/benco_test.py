"""IMDL-BenCo's own test script, unchanged, with our model in it.

    python -m omni_iml.evaluation.peers.benco_test --test_data_json sets.json --output_dir out --device cpu
    torchrun --nproc_per_node 4 -m omni_iml.evaluation.peers.benco_test --test_data_json sets.json --output_dir out

Takes every option of its ``test.py``, and `OmniIml`'s (``--weights``, ``--runtime``, ``--threads``). Without torchrun,
the script leaves out the pictures of a last batch that is not full: hence ``--test_batch_size 1`` by default.
IMDL-BenCo must be installed; see docs/guides/evaluate.md.
"""

from __future__ import annotations

import importlib
import runpy
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

from omni_iml.evaluation.peers.benco_model import OmniIml

SCRIPT = "IMDLBenCo.training_scripts.test"


def run(options: Sequence[str]) -> None:
    """Run the script as if it had been called with these options.

    Args:
        options: of its command line; ours stand before them, so that each can be overruled.

    Raises:
        ImportError: IMDL-BenCo is not installed.
        SystemExit: the script ends by it, with status 0 where all went well.
    """
    registry = importlib.import_module("IMDLBenCo.registry")
    if not registry.MODELS.has(OmniIml.__name__):
        registry.MODELS.register_module()(OmniIml)
    out = _value(options, "--output_dir", "./output_dir")
    geometry = () if "--if_padding" in options else ("--if_resizing",)
    ours = ["--model", OmniIml.__name__, "--image_size", "512", *geometry, "--test_batch_size", "1", "--log_dir", out]
    with tempfile.TemporaryDirectory() as folder:
        # It tests checkpoints, one after the other: our weights lie in the model file, so there is one that holds none.
        torch.save({"model": {"unused": torch.zeros(1)}}, Path(folder) / "checkpoint-0.pth")
        before = sys.argv
        sys.argv = ["test.py", *ours, "--checkpoint_path", folder, *options]
        try:
            runpy.run_module(SCRIPT, run_name="__main__")
        finally:
            sys.argv = before


def _value(options: Sequence[str], name: str, otherwise: str) -> str:
    return options[options.index(name) + 1] if name in options[:-1] else otherwise


if __name__ == "__main__":
    run(sys.argv[1:])
