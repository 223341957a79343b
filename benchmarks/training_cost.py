"""What a training run costs: arithmetic and memory of a step, counted; hours on named GPUs, estimated; or measured.

    python benchmarks/training_cost.py --page docs/reproduction.md
    python benchmarks/training_cost.py --measure --recipe recipes/iclr2026_base.yaml

The first counts each recipe's network on torch's fake tensors, of which shapes are computed and nothing else:
floating-point operations of forward and backward pass (torch.utils.flop_counter: convolutions, matrix products and
attention, two a multiply-add; elementwise work is free there), bytes of the training state, and bytes that the forward
pass keeps for the backward one. The detector of anomaly enhancement is counted by its parts, with as many regions as it
draws. Hours follow from a GPU's peak and an ASSUMED share of it; they are estimates, not measurements.

The second takes real steps on CUDA and prints samples a second, the memory's peak and the share of the GPU's peak. It
was not run on a GPU here (--device cpu shows that it works).
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from omni_iml.data.dataset import Batch
from omni_iml.evaluation.pages import replaced
from omni_iml.io.whole_file import write_whole
from omni_iml.models import OmniIML
from omni_iml.models.detection_branch import DetectionBranch
from omni_iml.training.boxes import mask_boxes
from omni_iml.training.losses import losses
from omni_iml.training.module import Localisation
from omni_iml.training.recipe import Recipe, load_recipe

ROOT = Path(__file__).parents[1]
SHARES = (0.3, 0.4)
"""Assumed shares of a GPU's peak that a step reaches. Large matrix products come close to 0.5; depthwise convolutions,
batch norms and the AdamW step, which move memory and compute little, pull it down."""

PEAKS = {
    "RTX 3090": (71.0, 24),
    "RTX 4090": (165.2, 24),
    "A100": (312.0, 80),
    "H100": (989.4, 80),
}
"""Dense bfloat16 peak with float32 sums in 10^12 operations a second, and GB of memory, by the makers' data sheets."""

SIDE = 512
"""Pixels of a sample's side in the papers' recipes."""

PAPERS_SPEED = {"iclr2026_base": 7.1, "iclr2026_small": 9.3}
"""C-T17: frames a second of the trained network on an RTX 3090, batch 1; the size of the frames is not said."""


@dataclass(frozen=True)
class Cost:
    """What one sample costs in training.

    Attributes:
        recipes: names of the recipes that train this network.
        parameters: that are trained, the detector's included.
        forward: floating-point operations of a forward pass at inference.
        step: of forward and backward pass in training.
        state: bytes of weights, gradients and AdamW's two moments, float32.
        kept: bytes that one sample's forward pass keeps for the backward pass, float32.
        batch: samples a step.
        steps: of the schedule.
    """

    recipes: tuple[str, ...]
    parameters: int
    forward: int
    step: int
    state: int
    kept: int
    batch: int
    steps: int

    def hours(self, peak: float, share: float) -> float:
        """Of the whole schedule on a GPU of that peak (operations a second)."""
        return self.step * self.batch * self.steps / (peak * share) / 3600


def convolution_backward(
    gradient: Sequence[int], x: Sequence[int], weight: Sequence[int], *others: Any, out_shape: object = None
) -> int:
    """Operations of a convolution's backward pass: as many as forward for each of its two gradients.

    torch 2.11's own formula leaves the groups out of the weights' gradient, so that a depthwise convolution of C
    channels counts C times as much as it is.

    Args:
        gradient: shape of the output's gradient.
        x: shape of the input.
        weight: shape of the weights; the second length is that of one group.
        others: bias, stride, padding, dilation, whether it is transposed, output padding, groups, and which of the
            gradients of input, weights and bias are wanted.
        out_shape: not used.
    """
    transposed, wanted = others[4], others[7]
    places = x[2:] if transposed else gradient[2:]
    return 2 * gradient[0] * math.prod(weight) * math.prod(places) * sum(wanted[:2])


def counter() -> FlopCounterMode:
    """Torch's counter with the formula above."""
    return FlopCounterMode(display=False, custom_mapping={torch.ops.aten.convolution_backward: convolution_backward})


class _Kept:
    """Adds up the storages that autograd keeps."""

    def __init__(self) -> None:
        self.seen: dict[int, Tensor] = {}  # the tensors are held, so that no address is given out twice

    def pack(self, tensor: Tensor) -> Tensor:
        """Called by autograd with each tensor that it keeps."""
        self.seen.setdefault(tensor.untyped_storage()._cdata, tensor)
        return tensor

    def bytes(self, weights: Sequence[Tensor]) -> int:
        """Of all but the weights themselves."""
        own = {weight.untyped_storage()._cdata for weight in weights}
        return sum(t.untyped_storage().nbytes() for address, t in self.seen.items() if address not in own)


def count(recipe: Recipe, recipes: Sequence[str] = ()) -> Cost:
    """Count a recipe's network with one sample, without running it."""
    side = recipe.synthesis.size
    with torch.device("meta"):
        network = OmniIML(recipe.model)
    with FakeTensorMode():  # tensors with shapes and no values, that autocast takes for the CPU's
        _without_values(network)
        shapes = (1, 3, side, side), (1, side, side), (1, 8, 8)
        inputs = [torch.empty(shape, dtype=torch.uint8) for shape in shapes]
        with counter() as once:
            network.eval()(*inputs)
        kept = _Kept()
        features: list[Tensor] = []
        enhancement = network.anomaly_enhancement
        hook = enhancement.register_forward_hook(lambda module, args, output: features.extend(output[1]))
        with counter() as whole, torch.autograd.graph.saved_tensors_hooks(kept.pack, lambda t: t):
            output = network.train()(*inputs)
            heads = [output.mask, output.image, output.decision, output.coarse_rgb, output.coarse_fused, output.coarse]
            terms = [head.sum() for head in heads if head is not None and head.requires_grad]
            if network.detection is not None and recipe.loss.detection:
                terms += _detector(network.detection, features)
            torch.stack(terms).sum().backward()
        hook.remove()
    weights = [p for p in network.parameters() if p.requires_grad]
    trained = sum(p.numel() for p in weights if p.grad is not None)
    return Cost(
        recipes=tuple(recipes) or (recipe.name,),
        parameters=trained,
        forward=once.get_total_flops(),
        step=whole.get_total_flops(),
        state=16 * trained,
        kept=kept.bytes(list(network.parameters())),
        batch=recipe.optim.batch,
        steps=recipe.optim.steps,
    )


def _without_values(network: nn.Module) -> None:
    """Put empty tensors of the mode that is on in the place of all parameters and buffers."""
    for module in network.modules():
        for name, value in [*module.named_parameters(recurse=False)]:
            empty = torch.empty(value.shape, dtype=value.dtype)
            setattr(module, name, nn.Parameter(empty, requires_grad=value.requires_grad))
        for name, value in [*module.named_buffers(recurse=False)]:
            setattr(module, name, torch.empty(value.shape, dtype=value.dtype))


def _detector(branch: DetectionBranch, features: Sequence[Tensor]) -> list[Tensor]:
    """Sums that have the detector's arithmetic: pyramids, proposal head, and the box head on the regions it draws.

    What chooses the regions depends on values, which fake tensors have not; it is no matrix product.
    """
    maps = dict(zip("ab", features, strict=True))
    for pyramid in branch.pyramids:
        maps = pyramid(maps)
    objectness, moves = branch.proposals.head(list(maps.values()))
    width = next(iter(maps.values())).shape[1]
    regions = next(iter(maps.values())).mean((2, 3)).view(1, width, 1, 1)
    regions = regions.expand(branch.boxes.fg_bg_sampler.batch_size_per_image, width, 7, 7)
    classes, boxes = branch.boxes.box_predictor(branch.boxes.box_head(regions))
    return [part.sum() for part in (*objectness, *moves, classes, boxes)]


def all_costs(paths: Sequence[Path]) -> list[Cost]:
    """Of each network once, in the order of the recipes."""
    by: dict[object, tuple[Recipe, list[str]]] = {}
    for path in paths:
        recipe = load_recipe(path)
        key = (recipe.model, recipe.synthesis.size, bool(recipe.loss.detection), recipe.optim.batch, recipe.optim.steps)
        by.setdefault(key, (recipe, []))[1].append(path.stem)
    return [count(recipe, names) for recipe, names in by.values()]


def tables(costs: Sequence[Cost]) -> str:
    """Both tables in Markdown."""
    lines = [
        "| recipe | parameters trained | forward pass | training step | state | kept a sample |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {', '.join(cost.recipes)} | {cost.parameters / 1e6:.1f} M | {cost.forward / 1e9:,.0f} GFLOP "
        f"| {cost.step / 1e9:,.0f} GFLOP | {cost.state / 1e9:.1f} GB | {cost.kept / 1e9:.1f} GB |"
        for cost in costs
    ]
    low, high = SHARES
    names = " | ".join(f"{name} ({peak:g} TFLOP/s)" for name, (peak, _) in PEAKS.items())
    lines += ["", f"| **estimated** hours on one GPU, {low:.0%} to {high:.0%} of its peak | steps x batch | {names} |"]
    lines.append("|---" * (len(PEAKS) + 2) + "|")
    for cost in costs:
        cells = " | ".join(
            f"{cost.hours(1e12 * peak, high):,.0f} to {cost.hours(1e12 * peak, low):,.0f} h"
            f" ({1e12 * peak * low / cost.step:,.0f} to {1e12 * peak * high / cost.step:,.0f} samples/s)"
            for peak, _ in PEAKS.values()
        )
        lines.append(f"| {cost.recipes[0]} | {cost.steps:,} x {cost.batch} | {cells} |")
    for cost in costs:
        for name in cost.recipes:
            if name in PAPERS_SPEED:
                reached = cost.forward * PAPERS_SPEED[name]
                hours = cost.hours(reached, 1)
                lines += [
                    "",
                    f"`{name}`: the paper's {PAPERS_SPEED[name]} frames a second on an RTX 3090 (C-T17), if they are "
                    f"of {SIDE}x{SIDE} pixels, are {reached / 1e12:.1f} TFLOP/s or "
                    f"{reached / (1e12 * PEAKS['RTX 3090'][0]):.0%} of its bfloat16 peak, one frame at a time. A "
                    f"training run that reaches no more takes {hours:,.0f} h there.",
                ]
    return "\n".join(lines)


def measure(recipe: Recipe, device: torch.device, batch: int, repetitions: int) -> str:
    """Take real steps on noise and say what they cost."""
    torch.manual_seed(0)
    network = OmniIML(recipe.model).to(device).train()
    module = Localisation(network, recipe)
    optimiser = module.configure_optimizers()
    samples = _noise(batch, recipe.synthesis.size).to(device)
    half = recipe.optim.precision == "bf16-mixed"
    cuda = device.type == "cuda"

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        boxes = mask_boxes(samples.mask) if recipe.loss.detection else None
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            output = module.forward_pass[0](samples.image, samples.coefficients, samples.table, boxes)
            total = losses(output, samples.mask, samples.label, recipe.loss)["total"]
        total.backward()
        optimiser.step()
        if cuda:
            torch.cuda.synchronize(device)

    step()  # allocates, chooses kernels, compiles
    if cuda:
        torch.cuda.reset_peak_memory_stats(device)
    begin = time.perf_counter()
    for _ in range(repetitions):
        step()
    seconds = (time.perf_counter() - begin) / repetitions
    reached = count(recipe).step * batch / seconds
    name = torch.cuda.get_device_name(device) if cuda else "CPU"
    peak = next((value for known, (value, _) in PEAKS.items() if known in name), None)
    hours = recipe.optim.steps * recipe.optim.batch * seconds / batch / 3600
    lines = [
        f"{recipe.name} on {name}, torch {torch.__version__}, {recipe.optim.precision}, batch {batch}",
        f"{batch / seconds:.2f} samples/s, {1000 * seconds:.0f} ms a step (mean of {repetitions})",
        f"{reached / 1e12:.3f} TFLOP/s" + ("" if peak is None else f", {reached / (1e12 * peak):.0%} of {peak:g}"),
        f"{hours:,.0f} h for {recipe.optim.steps:,} steps of {recipe.optim.batch}",
    ]
    if cuda:
        lines.insert(2, f"{torch.cuda.max_memory_allocated(device) / 1e9:.1f} GB at the most")
    return "\n".join(lines)


def _noise(batch: int, side: int) -> Batch:
    mask = torch.zeros(batch, side, side, dtype=torch.uint8)
    mask[:, side // 4 : side // 2, side // 4 : side // 2] = 1
    return Batch(
        image=torch.randint(0, 256, (batch, 3, side, side), dtype=torch.uint8),
        coefficients=torch.randint(0, 21, (batch, side, side), dtype=torch.uint8),
        table=torch.randint(1, 64, (batch, 8, 8), dtype=torch.uint8),
        mask=mask,
        label=torch.ones(batch),
        domain=torch.zeros(batch, dtype=torch.int64),
        skipped=torch.zeros(batch, dtype=torch.int64),
    )


def main() -> None:
    """Count, or measure, and print."""
    parser = argparse.ArgumentParser(description="What a training run costs.")
    parser.add_argument("--recipe", type=Path, action="append", help="repeat for more; all that train on data sets")
    parser.add_argument("--page", type=Path, help="write the tables between this page's marks too")
    parser.add_argument("--measure", action="store_true", help="take real steps")
    parser.add_argument("--device", default="cuda", help="of --measure")
    parser.add_argument("--batch", type=int, help="of --measure; the recipe's by default")
    parser.add_argument("--repetitions", type=int, default=20, help="of --measure")
    parser.add_argument("--bfloat16", action="store_true", help="of --measure: optim.precision=bf16-mixed")
    parser.add_argument("--compile", action="store_true", help="of --measure: optim.compiled=true")
    options = parser.parse_args()
    default = [*sorted((ROOT / "recipes").glob("iclr2026_*.yaml")), ROOT / "recipes" / "arxiv_v1.yaml"]
    paths = options.recipe or [*default, *sorted((ROOT / "recipes" / "ablations").glob("*.yaml"))]
    if not options.measure:
        written = tables(all_costs(paths))
        print(written)
        if options.page is not None:
            text = replaced(options.page.read_text(encoding="utf-8"), "cost", written, str(options.page))
            write_whole(options.page, lambda file: file.write(text.encode()))
        return
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit("--measure: there is no CUDA device here; --device cpu shows that it works, and takes minutes.")
    for path in options.recipe or default[:1]:
        recipe = load_recipe(path)
        precision = "bf16-mixed" if options.bfloat16 else recipe.optim.precision
        optim = replace(recipe.optim, precision=precision, compiled=options.compile or recipe.optim.compiled)
        batch = options.batch or recipe.optim.batch
        print(measure(replace(recipe, optim=optim), torch.device(options.device), batch, options.repetitions))


if __name__ == "__main__":
    main()
