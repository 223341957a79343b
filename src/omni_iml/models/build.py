"""Any network that is trained here, from its configuration: ours, or a peer in its place."""

from __future__ import annotations

from typing import Any

from omni_iml.models.config import OmniConfig
from omni_iml.models.network import OmniIML
from omni_iml.models.peer import Peer, PeerConfig

Network = OmniIML | Peer
NetworkConfig = OmniConfig | PeerConfig


def config_of(values: dict[str, Any]) -> NetworkConfig:
    """The configuration that plain values stand for: a peer's where they name one.

    Raises:
        ValueError: a key that the configuration does not have, or a value of another type.
    """
    return PeerConfig.from_dict(values) if "peer" in values else OmniConfig.from_dict(values)


def build(config: NetworkConfig, *, start: bool = True) -> Network:
    """The network with random weights, or those to start from that a peer's arguments name.

    Args:
        config: which network.
        start: read those files; False where other weights take their place.

    Raises:
        ValueError: an unknown backbone, or a peer that cannot be built here.
    """
    return Peer(config, start=start) if isinstance(config, PeerConfig) else OmniIML(config)
