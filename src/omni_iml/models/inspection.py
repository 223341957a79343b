"""What the network's parts gave on the way: read with forward hooks, so that the forward path stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from omni_iml.models.dynamic_filter import DynamicWeightFilter

Array = NDArray[np.float32]


@dataclass(frozen=True)
class FilterActivations:
    """How one dynamic weight filter mixed its static filters (Figure 8).

    Attributes:
        name: as Figure 6 names it, "DWF_2" for dilation 2; a filter that repeats a dilation has "#2", "#3" after it.
        module: its name in the network, for example "decoder.parallel.0".
        dilation: dilation rate of its 3x3 filters.
        values: A, float32 ``(B, filters)``, 0..1.
    """

    name: str
    module: str
    dilation: int
    values: Array


@dataclass(frozen=True)
class Inspection:
    """Inputs, outputs and values in between of one forward pass.

    A part that the network lacks leaves its fields None; the last two are those of variants.

    Attributes:
        image: uint8 ``(B, 3, H, W)`` RGB.
        coefficients: uint8 ``(B, H, W)``, ``min(|c|, 20)``.
        table: uint8 ``(B, 8, 8)``, ``min(q, 63)``.
        mask_logit: float32 ``(B, 1, H, W)``, as all that follow float32; positive = tampered.
        image_logit: ``(B,)``, image-level classifier; positive = tampered.
        gate_logit: ``(B,)``; at or above 0 the gate chose vision alone. None where nothing is chosen.
        rgb: F_rgb ``(B, C2, H/8, W/8)``, the vision head's features; the gate's first input.
        frequency: F_freq ``(B, Cf, H/8, W/8)``, features of the second modality's head; the gate's second input.
        fused: F_fused ``(B, C2, H/8, W/8)``.
        coarse_rgb_logit: P_rgb ``(B, 1, H/8, W/8)``, logits.
        coarse_fused_logit: P_fused ``(B, 1, H/8, W/8)``, logits.
        e1: E1 ``(B, C1, H/4, W/4)``.
        e2: E2 ``(B, C2, H/8, W/8)``, what the gate chose and the backbone read.
        e3: E3 ``(B, C3, H/16, W/16)``.
        e4: E4 ``(B, C4, H/32, W/32)``.
        e2_attention: F_a ``(B, C2, H/8, W/8)``, what the attention of anomaly enhancement gave for E2.
        e3_attention: F_b ``(B, C3, H/16, W/16)``, likewise for E3.
        e2_enhanced: E2' ``(B, C2, H/8, W/8)``, after anomaly enhancement.
        e3_enhanced: E3' ``(B, C3, H/16, W/16)``, after anomaly enhancement.
        filters: the dynamic weight filters in the order in which the decoder ran them; empty if it has none.
        gate_weights: share of vision ``(B, C2, H/8, W/8)``, 0..1, of a soft gate (C-T8).
        coarse_logit: A's P_co ``(B, 1, H/4, W/4)``, logits.
    """

    image: NDArray[np.uint8]
    coefficients: NDArray[np.uint8]
    table: NDArray[np.uint8]
    mask_logit: Array
    image_logit: Array | None = None
    gate_logit: Array | None = None
    rgb: Array | None = None
    frequency: Array | None = None
    fused: Array | None = None
    coarse_rgb_logit: Array | None = None
    coarse_fused_logit: Array | None = None
    e1: Array | None = None
    e2: Array | None = None
    e3: Array | None = None
    e4: Array | None = None
    e2_attention: Array | None = None
    e3_attention: Array | None = None
    e2_enhanced: Array | None = None
    e3_enhanced: Array | None = None
    filters: tuple[FilterActivations, ...] = ()
    gate_weights: Array | None = None
    coarse_logit: Array | None = None

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Every array that is there, by the name of its field; filter activations as "activations.DWF_2"."""
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "filters"}
        present = {name: value for name, value in own.items() if value is not None}
        return present | {f"activations.{item.name}": item.values for item in self.filters}

    @property
    def absent(self) -> tuple[str, ...]:
        """Fields of the paper's network that this one has no part for."""
        present = {*self.arrays(), *_OF_VARIANTS} | ({"filters"} if self.filters else set())
        return tuple(f.name for f in fields(self) if f.name not in present)


_INPUTS = ("image", "coefficients", "table")
_OF_VARIANTS = ("gate_weights", "coarse_logit")


class Recorder:
    """Takes notes while the network it hangs on runs; see `recording`."""

    def __init__(self) -> None:
        self._values: dict[str, NDArray[Any]] = {}
        self._filters: list[tuple[str, int, Array]] = []

    def clear(self) -> None:
        """Forget the last forward pass."""
        self._values.clear()
        self._filters.clear()

    def note(self, name: str, value: Any) -> None:
        """Keep a copy of a tensor: later layers may write over it. What is no tensor is left out."""
        if isinstance(value, Tensor):
            kept = value.detach() if value.dtype == torch.uint8 else value.detach().float()
            self._values[name] = kept.cpu().numpy().copy()

    def note_filter(self, module: str, dilation: int, activations: Tensor) -> None:
        """Keep a copy of one dynamic weight filter's activations ``(B, filters)``."""
        self._filters.append((module, dilation, activations.detach().float().cpu().numpy().copy()))

    def inspection(self) -> Inspection:
        """What the last forward pass left.

        Raises:
            RuntimeError: the network has not run to its end since the recording began.
        """
        if "mask_logit" not in self._values:
            raise RuntimeError("there is nothing to inspect yet: run the network inside the recording first.")
        filters: list[FilterActivations] = []
        times: dict[int, int] = {}
        for module, dilation, values in self._filters:
            times[dilation] = times.get(dilation, 0) + 1
            name = f"DWF_{dilation}" + (f"#{times[dilation]}" if times[dilation] > 1 else "")
            filters.append(FilterActivations(name, module, dilation, values))
        return Inspection(**self._values, filters=tuple(filters))


@contextmanager
def recording(network: nn.Module) -> Iterator[Recorder]:
    """Watch a network's parts while it runs, from one thread at a time.

    Args:
        network: an `OmniIML`, whole or with parts left out or replaced.

    Yields:
        The recorder; `Recorder.inspection` gives the values of the last forward pass. The hooks are taken off at the
        end, whatever happens.
    """
    recorder = Recorder()
    handles = [network.register_forward_pre_hook(lambda module, inputs: recorder.clear())]

    def watch(path: str, hook: Callable[[nn.Module, tuple, Any], None]) -> None:
        part: Any = network
        for name in path.split("."):
            part = getattr(part, name, None)
        if isinstance(part, nn.Module):
            handles.append(part.register_forward_hook(hook))

    def names(*keys: str) -> Callable[[nn.Module, tuple, Any], None]:
        def hook(module: nn.Module, inputs: tuple, output: Any) -> None:
            for key, value in zip(keys, output if isinstance(output, tuple) else (output,), strict=False):
                recorder.note(key, value)

        return hook

    def gate(module: nn.Module, inputs: tuple, output: Any) -> None:
        recorder.note("coarse_rgb_logit", output.coarse_rgb)
        recorder.note("coarse_fused_logit", output.coarse_fused)
        # Variants that choose nothing still give a logit; what a classifier decided is another field.
        recorder.note("gate_logit", output.decision)

    def backbone(module: nn.Module, inputs: tuple, output: Any) -> None:
        recorder.note("e2", inputs[0])
        names("e3", "e4")(module, inputs, output)

    def enhancement(module: nn.Module, inputs: tuple, output: Any) -> None:
        enhanced, attention = output
        if not attention:
            return  # a stand-in that hands its input on
        names("e2_enhanced", "e3_enhanced")(module, inputs, tuple(enhanced))
        names("e2_attention", "e3_attention")(module, inputs, tuple(attention))

    def dynamic(path: str) -> Callable[[nn.Module, tuple, Any], None]:
        def hook(module: nn.Module, inputs: tuple, output: Any) -> None:
            assert isinstance(module, DynamicWeightFilter)
            # The filter itself says what A is, from the same inputs once more: two averages and one small product.
            recorder.note_filter(path, module.depthwise.dilation[0], module.activations(*inputs))

        return hook

    def whole(module: nn.Module, inputs: tuple, named: dict[str, Any], output: Any) -> None:
        given = {**dict(zip(_INPUTS, inputs, strict=False)), **named}
        for key in _INPUTS:
            recorder.note(key, given[key])
        recorder.note("coarse_logit", output.coarse)
        recorder.note("mask_logit", output.mask)

    try:
        watch("vision_head", names("e1", "rgb"))
        watch("frequency_head", names("frequency"))
        watch("gate.fuse", names("fused"))
        watch("gate.weights", names("gate_weights"))
        watch("gate", gate)
        watch("backbone", backbone)
        watch("anomaly_enhancement", enhancement)
        for path, module in network.named_modules():
            if isinstance(module, DynamicWeightFilter):
                watch(path, dynamic(path))
        watch("classifier", names("image_logit"))
        handles.append(network.register_forward_hook(whole, with_kwargs=True))
        yield recorder
    finally:
        for handle in handles:
            handle.remove()


def inspect_tiles(network: nn.Module, image: Any, coefficients: Any, table: Any) -> Inspection:
    """Run the network on a batch of tiles and keep what its parts gave.

    Args:
        network: in evaluation mode.
        image: uint8 ``(B, 3, H, W)`` RGB, array or tensor; H and W multiples of 32.
        coefficients: uint8 ``(B, H, W)``, ``min(|c|, 20)``.
        table: uint8 ``(B, 8, 8)``, ``min(q, 63)``.

    Returns:
        The values, on the CPU.

    Raises:
        ValueError: the network is in training mode, or the sides do not suit it.
    """
    if network.training:
        raise ValueError("the network is in training mode, where its values depend on the batch: call eval() first.")
    device = next(network.parameters()).device
    inputs = [torch.as_tensor(value).to(device) for value in (image, coefficients, table)]
    with recording(network) as recorder, torch.inference_mode():
        network(*inputs)
    return recorder.inspection()
