"""The localisation network, one file for each part of the paper's Figure 2."""

from omni_iml.models.build import Network, NetworkConfig, build
from omni_iml.models.config import PRESETS, OmniConfig
from omni_iml.models.network import OmniIML, OmniOutput, count_parameters
from omni_iml.models.peer import Peer, PeerConfig
from omni_iml.models.variants import VARIANTS, preset

__all__ = [
    "PRESETS",
    "VARIANTS",
    "Network",
    "NetworkConfig",
    "OmniConfig",
    "OmniIML",
    "OmniOutput",
    "Peer",
    "PeerConfig",
    "build",
    "count_parameters",
    "preset",
]
