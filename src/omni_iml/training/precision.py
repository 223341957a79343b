"""What learns on the machine at hand, and which precision is slower there than full precision."""

from __future__ import annotations

import torch


def slow_here(precision: str, *, gpu: bool, instructions: str) -> str | None:
    """A sentence for who trains in bfloat16 on a processor that only imitates it, or None.

    On an AMD EPYC without AVX-512, a convolution of 64 channels and its gradient took 7 times as long in bfloat16 as in
    float32; with AVX-512 and its bfloat16, a step of the bundled network is 1.6 times as fast (`docs/training-log.md`).

    Args:
        precision: Lightning's name, as `OptimConfig.precision`.
        gpu: training runs on one.
        instructions: what the processor knows, as `torch.backends.cpu.get_cpu_capability` says it.
    """
    if precision != "bf16-mixed" or gpu or "AVX512" in instructions or "SVE" in instructions:
        return None
    return (
        f"optim.precision bf16-mixed is slow on this processor ({instructions}), several times slower than float32; "
        "stop and say --set optim.precision=32-true."
    )


def gpu_here() -> bool:
    """Whether training runs on a GPU on this machine; it does where there is one."""
    return torch.cuda.is_available() or torch.backends.mps.is_available()


def slow_on_this_machine(precision: str) -> str | None:
    """`slow_here` on this machine."""
    return slow_here(precision, gpu=gpu_here(), instructions=torch.backends.cpu.get_cpu_capability())
