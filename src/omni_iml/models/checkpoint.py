"""Weights on disk: safetensors with the configuration in the metadata. No pickles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from omni_iml.models.build import Network, build, config_of
from omni_iml.models.network import OmniIML
from omni_iml.types import UnreadableModel

HALF_ABOVE = 256
"""Tensors with more elements than this are stored as float16 where a small file is wanted."""
DETECTOR = "detection."
"""Where the names of the training-only detector's weights begin."""


def save_weights(
    network: Network,
    path: Path,
    extra: dict[str, Any] | None = None,
    *,
    half: bool = False,
    tensors: Mapping[str, Tensor] | None = None,
) -> None:
    """Write weights and configuration, to a temporary name first.

    Args:
        network: what to save.
        path: ends in ``.safetensors``.
        extra: JSON-able facts to keep with the weights (recipe, samples seen, scores).
        half: a small file: large tensors as float16, as in the model file, norms and biases as they are, and without
            the detector, which a recipe may not even train.
        tensors: the network's state where it is not whole in this process.

    Raises:
        ValueError: ``half``, and a value that float16 cannot hold; the tensor is named.
    """
    kept = {
        name: (value.half() if half and value.is_floating_point() and value.numel() > HALF_ABOVE else value)
        .detach()
        .cpu()
        .contiguous()
        for name, value in (network.state_dict() if tensors is None else tensors).items()
        if not (half and name.startswith(DETECTOR))
    }
    if lost := [name for name, value in kept.items() if value.dtype == torch.half and not value.isfinite().all()]:
        raise ValueError(f"{path}: {lost[0]} holds values that float16 cannot; save it in float32.")
    metadata = {"omni_iml": json.dumps({"config": network.config.to_dict(), "extra": extra or {}})}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    try:
        temporary.touch()
        mode = temporary.stat().st_mode
        save_file(kept, temporary, metadata)
        temporary.chmod(mode)  # safetensors writes files that only their owner may read
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_metadata(path: Path) -> dict[str, Any]:
    """What a weights file says of itself.

    Returns:
        "config", of `OmniConfig.to_dict` or `PeerConfig.to_dict`, and "extra", the facts given to `save_weights`.

    Raises:
        UnreadableModel: missing, damaged, or not one of ours.
    """
    try:
        with safe_open(path, "pt") as file:
            text = (file.metadata() or {}).get("omni_iml")
    except (OSError, SafetensorError) as error:
        raise UnreadableModel(
            f"{path}: cannot be read as safetensors ({error}); give a file that training wrote."
        ) from error
    try:
        facts = json.loads(text or "null")
    except json.JSONDecodeError:
        facts = None
    if not isinstance(facts, dict) or not all(isinstance(facts.get(key), dict) for key in ("config", "extra")):
        raise UnreadableModel(f"{path}: has no Omni-IML configuration in it; give a file that training wrote.")
    return facts


def names_in(path: Path) -> list[str]:
    """Names of the tensors in a weights file.

    Raises:
        UnreadableModel: as `read_metadata`.
    """
    read_metadata(path)
    with safe_open(path, "pt") as file:
        return list(file.keys())


def load_any_network(path: Path) -> tuple[Network, dict[str, Any]]:
    """The network with its weights, in evaluation mode and float32, and the extra facts.

    Raises:
        UnreadableModel: as `read_metadata`, weights that do not fit the configuration, or a peer without IMDL-BenCo.
    """
    metadata = read_metadata(path)
    try:
        network = build(config_of(metadata["config"]), start=False)
    except ValueError as error:
        reason = " ".join(str(error).split())  # pydantic writes several lines
        if "peer" in metadata["config"]:
            raise UnreadableModel(f"{path}: {reason}") from error
        raise UnreadableModel(
            f"{path}: its configuration is not one that this version knows ({reason}); use the version that wrote it."
        ) from error
    load_into(network, path)
    return network.eval(), metadata["extra"]


def load_network(path: Path) -> tuple[OmniIML, dict[str, Any]]:
    """Like `load_any_network`, but of our own network only.

    Raises:
        UnreadableModel: as there, or a peer.
    """
    network, extra = load_any_network(path)
    return ours(network, path), extra


def ours(network: Network, path: Path) -> OmniIML:
    """The network that was read from ``path``, if it is no peer.

    Raises:
        UnreadableModel: it is one.
    """
    if isinstance(network, OmniIML):
        return network
    raise UnreadableModel(
        f"{path}: is the peer {network.config.peer}, which can be trained, run and scored (--runtime torch), but "
        "neither exported nor inspected; give weights of Omni-IML."
    )


def load_into(network: Network, path: Path, *, without: str = "") -> None:
    """Fill ``network`` with the weights of ``path``; every key must fit.

    Args:
        network: changed in place.
        path: what `save_weights` wrote.
        without: beginning of the names of a part that the file need not have, as it need not have the detector; such
            a part keeps its weights.

    Raises:
        UnreadableModel: a missing, unexpected or misshapen tensor, named.
    """
    read_metadata(path)
    with safe_open(path, "pt") as file:
        fill(network, {name: file.get_tensor(name) for name in file.keys()}, path, without)  # noqa: SIM118


def fill(network: Network, tensors: Mapping[str, Tensor], path: Path, without: str = "") -> None:
    """Fill ``network`` with tensors that were read from ``path``; see `load_into`.

    Raises:
        UnreadableModel: a missing, unexpected or misshapen tensor, named.
    """
    own = network.state_dict()
    for part in (DETECTOR, without):
        if part and not any(name.startswith(part) for name in tensors):
            own = {name: value for name, value in own.items() if not name.startswith(part)}
    wrong = sorted(own.keys() ^ tensors.keys()) or [n for n in own if own[n].shape != tensors[n].shape]
    if wrong:
        raise UnreadableModel(f"{path}: does not fit this network (first difference: {wrong[0]}); use its own recipe.")
    filled = {n: t.to(own[n].dtype) if t.is_floating_point() else t for n, t in tensors.items()}
    network.load_state_dict(filled, strict=False)  # all that must be there is
