"""What an Omni-IML model file says of itself: the JSON behind its metadata key ``omni_iml``."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from omni_iml.types import Grade, ModelInfo, UnreadableModel

METADATA_KEY = "omni_iml"
"""The custom property of the ONNX file under which the JSON lies."""

_Schema = Literal["omni-iml/model/1"]
SCHEMA: str = get_args(_Schema)[0]
"""The one schema of that JSON that this version reads."""

Share = Annotated[float, Field(ge=0, le=1)]


class _Calibration(BaseModel):
    model_config = ConfigDict(allow_inf_nan=False)

    scale: Annotated[float, Field(gt=0)]  # a score that falls as the logit rises would turn every verdict round
    bias: float
    log_tiles: float


class _Metadata(BaseModel):
    # Keys this version does not know are left alone: a later exporter may add some without breaking older readers.
    model_config = ConfigDict(allow_inf_nan=False, extra="ignore")

    schema_: Annotated[_Schema, Field(alias="schema")]
    name: Annotated[str, Field(min_length=1)]
    version: Annotated[str, Field(min_length=1)]
    tile: Annotated[int, Field(ge=32, le=8192, multiple_of=32)]
    tampered_at: Share
    no_trace_below: Share
    calibration: _Calibration
    region_min_area: Share
    region_min_probability: Share
    licence: str
    card: str = ""
    free_size: bool = False
    no_trace_grades: tuple[Grade, ...] = ("good", "limited")

    @model_validator(mode="after")
    def _thresholds_in_order(self) -> _Metadata:
        if self.no_trace_below > self.tampered_at:
            raise ValueError("no_trace_below is above tampered_at")
        return self


def parse_metadata(text: str | None, path: Path, sha256: str) -> ModelInfo:
    """Turn the JSON of a model file into a `ModelInfo`.

    Args:
        text: value of the metadata key `METADATA_KEY`; ``None`` where the file has no such key.
        path: the model file, for messages.
        sha256: hex digest of the model file.

    Returns:
        The checked metadata.

    Raises:
        UnreadableModel: the key is missing, is not JSON, or a field is missing or out of range.
    """
    if text is None:
        raise UnreadableModel(
            f"{path}: the file is no Omni-IML model file (it has no {METADATA_KEY!r} metadata); "
            "make one with `omni-iml export` or leave the bundled model in place."
        )
    try:
        data = _Metadata.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "JSON"
        raise UnreadableModel(
            f"{path}: the model file's metadata is not valid ({place}: {first['msg']}); "
            "export the model with other values."
        ) from error
    return ModelInfo(
        name=data.name,
        version=data.version,
        sha256=sha256,
        tile=data.tile,
        tampered_at=data.tampered_at,
        no_trace_below=data.no_trace_below,
        calibration=data.calibration.model_dump(),
        region_min_area=data.region_min_area,
        region_min_probability=data.region_min_probability,
        licence=data.licence,
        card=data.card,
        free_size=data.free_size,
        no_trace_grades=data.no_trace_grades,
    )


def file_sha256(path: Path) -> str:
    """Hex SHA-256 digest of a model file.

    Args:
        path: the file.

    Returns:
        64 hexadecimal digits.

    Raises:
        UnreadableModel: the file is missing or cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        cause = "there is no such model file" if isinstance(error, FileNotFoundError) else _reason(error)
        raise UnreadableModel(f"{path}: {cause}; name an Omni-IML model file.") from error


def _reason(error: OSError) -> str:
    return f"the model file cannot be read ({error.strerror or error})"
