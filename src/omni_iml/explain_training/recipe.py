"""Recipes of the interpretation module's fine-tuning, read from YAML. The defaults are those of C F.2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt, TypeAdapter, ValidationError

from omni_iml.annotate.schema import Domain, Split
from omni_iml.explain.reference import MAX_SIDE, Axis
from omni_iml.recipe_files import one_line, read_values

EXAMPLE = "recipes/explain/qwen2.5_vl_3b_reference.yaml"


@dataclass(frozen=True)
class SetConfig:
    """Annotations with their pictures and predicted masks; relative paths lie below the folder of the data.

    Attributes:
        annotations: rows (``.jsonl``, ``.parquet``) or a published file (``.pkl``, ``.json``).
        pictures: folder of the pictures.
        masks: folder that ``omni-iml detect PICTURES --out MASKS`` wrote; only the mode "reference" needs it.
        domain: of a published file's pictures, where its name is no known source set.
        split: rows of this split are taken, and those that say none.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    annotations: str
    pictures: str
    masks: str | None = None
    domain: Domain | None = None
    split: Split = "train"


@dataclass(frozen=True)
class QueryConfig:
    """What the model is shown and asked; the same is to be given to `omni-iml explain` afterwards.

    Attributes:
        mode: "reference" (the paper's method) or "plain" (fine-tuned without it), the two fine-tuned modes of C-T6.
        axis: along which picture and reference are joined.
        max_side: longest side of the picture, in pixels; the reference comes beside it.
        max_tokens: longest target; a longer one is cut, without a token that ends it.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    mode: Literal["reference", "plain"] = "reference"
    axis: Axis = "longest"
    max_side: PositiveInt = MAX_SIDE
    max_tokens: PositiveInt = 2048


@dataclass(frozen=True)
class LoraSettings:
    """The adapter.

    Attributes:
        rank: of its matrices (64 in F.2).
        alpha: its output is scaled by alpha / rank.
        dropout: on its input.
        targets: expression over the whole name of a layer; the default takes every projection of the language model and
            leaves the vision tower alone.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    rank: PositiveInt = 64
    alpha: PositiveInt = 64
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    targets: str = r".*language_model.*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"


@dataclass(frozen=True)
class TuningConfig:
    """Optimiser and schedule: AdamW, the learning rate falling to 0 in a straight line.

    Attributes:
        batch: samples a step, of all processes together.
        accumulate: parts that a process's share of the batch is computed in, one after the other, to save memory.
        steps: of the whole schedule.
        lr: learning rate at the beginning.
        weight_decay: of AdamW.
        clip: largest gradient norm; 0 for none.
        dtype: of the weights and the arithmetic; the adapter's own weights are float32 always.
        checkpointing: compute activations again on the way back instead of keeping them.
        save_every: steps between two saved states.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    batch: PositiveInt = 16
    accumulate: PositiveInt = 1
    steps: PositiveInt = 60_000
    lr: PositiveFloat = 1e-4
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    clip: Annotated[float, Field(ge=0)] = 1.0
    dtype: Literal["bfloat16", "float32"] = "bfloat16"
    checkpointing: bool = True
    save_every: PositiveInt = 1000


@dataclass(frozen=True)
class ExplainRecipe:
    """A fine-tuning.

    Attributes:
        name: of what it makes.
        model: a model's folder, or ``hf://owner/name@revision``.
        sets: the data, by a name of one's own.
        seed: of the adapter's weights, the order of the samples, and what takes the place of an unreadable one.
        query: what is asked.
        lora: the adapter.
        optim: optimiser and schedule.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: str
    model: str
    sets: Annotated[dict[str, SetConfig], Field(min_length=1)]
    seed: NonNegativeInt = 1
    query: QueryConfig = field(default_factory=QueryConfig)
    lora: LoraSettings = field(default_factory=LoraSettings)
    optim: TuningConfig = field(default_factory=TuningConfig)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as written beside an adapter."""
        return asdict(self)


def load_explain_recipe(path: Path, overrides: Sequence[str] = ()) -> ExplainRecipe:
    """Read a recipe.

    Args:
        path: YAML file, which may stand on another one (``base``).
        overrides: ``section.key=value`` pairs, the value in YAML.

    Returns:
        The recipe.

    Raises:
        ValueError: not a recipe; the message names file, key and what is allowed.
    """
    values = read_values(path, overrides, example=EXAMPLE)
    try:
        recipe = TypeAdapter(ExplainRecipe).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{path}: {place}: {one_line(first['msg'])}; compare {EXAMPLE}.") from error
    for name, one in recipe.sets.items():
        if recipe.query.mode == "reference" and one.masks is None:
            raise ValueError(
                f"{path}: sets.{name}.masks: is missing, and the mode is reference; name the folder of predicted masks."
            )
    return recipe
