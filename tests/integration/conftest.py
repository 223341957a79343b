"""What tests of training legs share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def leg_machine(data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Where the module's pictures are; and what a leg sets for the whole process, set back."""
    import torch

    monkeypatch.setenv("OMNI_IML_DATA", str(data))
    for name in ("PL_GLOBAL_SEED", "PL_SEED_WORKERS"):
        monkeypatch.setenv(name, "0")
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)
