"""The localisation network, one file for each part of the paper's Figure 2."""

from omni_iml.models.config import PRESETS, OmniConfig
from omni_iml.models.network import OmniIML, OmniOutput, count_parameters

__all__ = ["PRESETS", "OmniConfig", "OmniIML", "OmniOutput", "count_parameters"]
