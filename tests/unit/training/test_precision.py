"""Who would train in a precision that the processor only imitates is told."""

from __future__ import annotations

import pytest
import torch

from omni_iml.training.precision import slow_here, slow_on_this_machine


def test_bfloat16_without_its_instructions_is_told_with_the_way_out() -> None:
    said = slow_here("bf16-mixed", gpu=False, instructions="AVX2")
    assert said is not None
    assert "AVX2" in said
    assert "--set optim.precision=32-true" in said


@pytest.mark.parametrize(
    ("precision", "gpu", "instructions"),
    [
        ("32-true", False, "AVX2"),
        ("bf16-mixed", True, "AVX2"),
        ("bf16-mixed", False, "AVX512"),
        ("bf16-mixed", False, "SVE256"),
    ],
)
def test_nothing_is_said_where_it_is_fast(precision: str, gpu: bool, instructions: str) -> None:
    assert slow_here(precision, gpu=gpu, instructions=instructions) is None


def test_this_machine_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert slow_on_this_machine("bf16-mixed")
    assert slow_on_this_machine("32-true") is None
