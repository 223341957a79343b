"""Seconds of a training step on a processor, with the network as it is built and as `training_form` arranges it.

    OMP_NUM_THREADS=1 python benchmarks/training_step.py

One thread, the recipe's batch of random samples, forward and backward pass, clipping and AdamW. The cases take turns,
so that what disturbs one disturbs all, and what counts are the ratios.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

from omni_iml.models import OmniIML
from omni_iml.models.training_form import arrange_for_training
from omni_iml.training.losses import losses
from omni_iml.training.recipe import Recipe, load_recipe

RECIPE = Path(__file__).parents[1] / "recipes" / "bundled.yaml"


def stepper(network: OmniIML, recipe: Recipe, bfloat16: bool) -> Callable[[], float]:
    """A function that takes a step and returns its seconds."""
    batch, side = recipe.optim.batch, recipe.synthesis.size
    inputs = (
        torch.randint(0, 256, (batch, 3, side, side), dtype=torch.uint8),
        torch.randint(0, 21, (batch, side, side), dtype=torch.uint8),
        torch.randint(1, 64, (batch, 8, 8), dtype=torch.uint8),
    )
    mask, label = (torch.rand(batch, side, side) > 0.9).to(torch.uint8), torch.ones(batch)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-5)

    def step() -> float:
        started = time.perf_counter()
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            total = losses(network(*inputs), mask, label, recipe.loss)["total"]
        total.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), recipe.optim.clip)
        optimiser.step()
        return time.perf_counter() - started

    return step


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", type=Path, default=RECIPE, help="one that trains our network")
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    recipe = load_recipe(options.recipe)
    assert not isinstance(recipe.model, str)
    built = OmniIML(recipe.model).train()
    arranged = copy.deepcopy(built)
    arrange_for_training(arranged)
    steps = {
        (precision, form): stepper(network, recipe, precision == "bfloat16")
        for precision in ("bfloat16", "float32")
        for form, network in (("as built", built), ("as arranged", arranged))
    }
    rounds = [{case: step() for case, step in steps.items()} for _ in range(1 + options.repetitions)][1:]
    print(f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}\n")
    print("| precision | as built, s a sample | as arranged | ratio |\n|---|---|---|---|")
    for precision in ("bfloat16", "float32"):
        slow, fast = (
            statistics.median(seconds[precision, form] for seconds in rounds) / recipe.optim.batch
            for form in ("as built", "as arranged")
        )
        print(f"| {precision} | {slow:.3f} | {fast:.3f} | {slow / fast:.2f} |")


if __name__ == "__main__":
    main()
