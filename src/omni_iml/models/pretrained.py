"""Start from published weights: ImageNet's by timm's name, ADE20k's as UPerNet checkpoints (paper F.1).

The ConvNeXt's tensors are copied one for one; a checkpoint whose ConvNeXt is another is refused. What is not the same
operation stays as it was initialised, and the report says so:

* The public UPerNets normalise each stage's output before the decode head reads it. This network has no such norms (the
  next stage reads the output as it is, here as there), so those tensors have no place.
* The convolution units of the decode head are those of `FeaturePyramid` and of the convolution that reduces F_cat.
  They are loaded only if asked for: the paper speaks of the backbone, and here they read other features, without those
  norms and, at 1/8 and 1/16, after anomaly enhancement.
* Pooled maps pass a batch norm there and none here (it cannot learn from a single cell): it is folded into the
  convolution, which is the same function in evaluation mode.
* Layer norms add 1e-6 to the variance here, as in the ConvNeXt authors' code and transformers. The first versions of
  mmsegmentation's ConvNeXt add 1e-5 between stages.
"""

from __future__ import annotations

import pickle
import re
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from omni_iml.models.published_names import TIMM, Layout, layout_of, our_name
from omni_iml.types import UnreadableModel

_ENCODER = ("vision_head.stem.", "vision_head.stages.", "backbone.stages.")
_STEM = "vision_head.stem.0.weight"
_POOLED_WEIGHT = r"(decoder\.pyramid\.pooling\.project\.\d)\.0\.weight"
_POOLED_PARTS = ("0.weight", "1.weight", "1.bias", "1.running_mean", "1.running_var")
_EPSILON = 1e-5  # of the batch norms in both public decode heads


@dataclass(frozen=True)
class InitReport:
    """What came from a checkpoint and what did not.

    Attributes:
        source: the file, or timm's name.
        layout: whose names it has.
        loaded: our tensors that were filled.
        partial: our stem where it has more input channels than RGB: those of RGB were filled, the rest kept.
        missing: our tensors that keep their initialisation.
        unexpected: the checkpoint's tensors that were not used.
    """

    source: str
    layout: str
    loaded: tuple[str, ...]
    partial: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]

    def summary(self) -> str:
        """Two or three lines for a person."""
        lines = [
            f"{self.source} ({self.layout} names): {len(self.loaded)} tensors loaded ({_parts(self.loaded)}), "
            f"{len(self.missing)} keep their initialisation ({_parts(self.missing)}).",
            f"Not used: {len(self.unexpected)} of the checkpoint's ({_parts(self.unexpected)}).",
        ]
        if self.partial:
            lines.append(f"Only the RGB channels of {', '.join(self.partial)} were loaded; the others keep theirs.")
        return "\n".join(lines)


def initialise(network: nn.Module, source: str, *, decoder: bool = False) -> InitReport:
    """Fill the encoder, and on request what fits of the decoder, from published weights.

    Args:
        network: an `OmniIML`; changed in place, or not at all.
        source: a checkpoint file, whatever its suffix: safetensors, or what `torch.save` wrote; "timm" for timm's
            default weights of the backbone; "timm:NAME" for those called NAME. The latter two are downloaded by timm.
        decoder: take the pyramid and the convolution that reduces F_cat from UPerNet's decode head too.

    Returns:
        What was filled.

    Raises:
        UnreadableModel: a file that is missing, damaged, of an unknown layout or of another ConvNeXt, or that holds
            more than tensors; weights that timm does not know or cannot fetch.
    """
    kind, _, name = source.partition(":")
    if kind == "timm":
        tensors, layout = _download(source, name or str(network.config.backbone)), TIMM  # type: ignore[union-attr]
    else:
        tensors = read_tensors(Path(source).expanduser())
        found = layout_of(tensors)
        if found is None:
            raise UnreadableModel(
                f"{source}: its names ({next(iter(tensors))}, ...) are not those of a ConvNeXt of timm, mmsegmentation "
                "or Hugging Face, nor are any of the paper's authors known; weights of this program go to --resume."
            )
        layout = found
    return _fill(network, source, layout, tensors, decoder)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint file, by the file's own names. No code of the file is run.

    Raises:
        UnreadableModel: missing, damaged, without tensors, or with Python objects in it.
    """
    try:
        # torch warns of old and odd pickles: the reader of one sentence need not know.
        with path.open("rb") as file, warnings.catch_warnings(action="ignore"):
            # A safetensors file is a length of eight bytes, then JSON; suffixes lie.
            plain = file.read(9)[8:] == b"{"
            file.seek(0)
            content = load_file(path) if plain else torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, SafetensorError) as error:
        raise UnreadableModel(f"{path}: cannot be read ({error}); give a checkpoint file that is whole.") from error
    except pickle.UnpicklingError as error:
        # torch's own message tells how to run the file's code: not something to pass on.
        culprit = re.search(r"GLOBAL (\S+)", str(error))
        reason = f"it asks for {culprit[1]}" if culprit else "it is damaged or no checkpoint"
        raise UnreadableModel(
            f"{path}: is not read because {reason}, and Python objects of a file are never run; "
            "give a checkpoint that holds tensors alone."
        ) from error
    except Exception as error:  # torch has no common error for files that are cut short or twisted
        raise UnreadableModel(
            f"{path}: torch cannot read it ({type(error).__name__}); give a checkpoint file that is whole."
        ) from error
    for wrapper in ("state_dict", "model", "network"):
        if isinstance(content, dict) and isinstance(content.get(wrapper), dict):
            content = content[wrapper]
    items = content.items() if isinstance(content, dict) else ()
    tensors = {str(name).removeprefix("module."): value for name, value in items if _is_plain(value)}
    if not tensors:
        raise UnreadableModel(f"{path}: holds no named tensors; give a checkpoint of a ConvNeXt.")
    return tensors


def _is_plain(value: object) -> bool:
    """Whether it is an ordinary tensor with its values: not a sparse, quantized or empty (meta) one."""
    return (
        isinstance(value, Tensor)
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and not value.is_quantized
    )


def _download(source: str, name: str) -> dict[str, Tensor]:
    if not timm.is_model(name):
        raise UnreadableModel(f"{source}: timm knows no model {name!r}; see timm.list_pretrained('convnext*').")
    try:
        return timm.create_model(name, pretrained=True).state_dict()
    except Exception as error:  # whatever hub, network, cache and timm have to say
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise UnreadableModel(
            f"{source}: timm could not get the weights ({reason}); go online, or give them as a file."
        ) from error


@dataclass(frozen=True)
class _Given:
    """A tensor on offer, and the names in the file of what it was made from."""

    value: Tensor
    names: tuple[str, ...]


def _fill(network: nn.Module, source: str, layout: Layout, tensors: dict[str, Tensor], decoder: bool) -> InitReport:
    own = network.state_dict()
    given = _with_pooling_folded({our_name(name, layout): _Given(value, (name,)) for name, value in tensors.items()})
    filled: dict[str, Tensor] = {}
    for name, target in own.items():
        encoder = name.startswith(_ENCODER)
        if not encoder and not (decoder and name.startswith("decoder.")):
            continue
        fitted = _fitted(name, given[name].value, target) if name in given else None
        if fitted is not None:
            filled[name] = fitted
        elif encoder:
            there = f"is {tuple(given[name].value.shape)}" if name in given else "is absent"
            raise UnreadableModel(
                f"{source}: its ConvNeXt is not the recipe's ({name}, here {tuple(target.shape)}, {there}); "
                "set model.backbone to the one that it was trained with."
            )
    # A convolution without its norm, or the norm alone, would be half a unit: all of it or nothing.
    halves = {_unit(name) for name in own if name not in filled}
    filled = {name: value for name, value in filled.items() if name.startswith(_ENCODER) or _unit(name) not in halves}
    if broken := [name for name, value in filled.items() if not value.isfinite().all()]:
        raise UnreadableModel(f"{source}: {broken[0]} holds values that are not finite; give an undamaged checkpoint.")
    network.load_state_dict({**own, **filled})
    used = {name for ours in filled for name in given[ours].names}
    return InitReport(
        source=source,
        layout=layout.name,
        loaded=tuple(filled),
        partial=tuple(name for name in filled if name == _STEM and given[name].value.shape != own[name].shape),
        missing=tuple(name for name in own if name not in filled),
        unexpected=tuple(name for name in tensors if name not in used),
    )


def _unit(name: str) -> str:
    return name.rsplit(".", 2)[0]


def _fitted(name: str, value: Tensor, target: Tensor) -> Tensor | None:
    """``value`` in the target's shape and type; None if it is another operation's."""
    if value.shape != target.shape:
        if name == _STEM and value.ndim == 4 and value[:, :1].shape == target[:, :1].shape and value.shape[1] == 3:
            return torch.cat([value.to(target.dtype), target[:, 3:]], 1)  # RGB comes first at the stem
        # A linear layer over channels and a convolution of 1x1 are one operation: (O, I) and (O, I, 1, 1).
        if ".mlp.fc" not in name or value.squeeze().shape != target.squeeze().shape:
            return None
    return value.to(target.dtype).reshape(target.shape)


def _with_pooling_folded(given: dict[str, _Given]) -> dict[str, _Given]:
    """Convolution (no bias) and batch norm of each pooled map as one convolution with a bias."""
    folded = dict(given)
    for unit in {match[1] for name in given if (match := re.fullmatch(_POOLED_WEIGHT, name))}:
        names = [f"{unit}.{part}" for part in _POOLED_PARTS]
        if not all(name in given for name in names):
            continue
        weight, scale, shift, mean, variance = (given[name].value.float() for name in names)
        if weight.ndim != 4 or any(x.shape != weight.shape[:1] for x in (scale, shift, mean, variance)):
            continue
        scale = scale / (variance + _EPSILON).sqrt()  # (O,)
        sources = tuple(n for name, offer in given.items() if name.startswith(f"{unit}.") for n in offer.names)
        folded[f"{unit}.0.weight"] = _Given(weight * scale[:, None, None, None], sources)
        folded[f"{unit}.0.bias"] = _Given(shift - mean * scale, sources)
    return folded


def _parts(names: tuple[str, ...]) -> str:
    """How many of the names begin with which word: "backbone 136, vision_head 44"; "none"."""
    counts = Counter(name.partition(".")[0] for name in names)
    return ", ".join(f"{part} {count}" for part, count in counts.items()) or "none"
