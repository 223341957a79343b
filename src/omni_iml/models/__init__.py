"""The localisation network, one file for each part of the paper's Figure 2."""

from omni_iml.models.config import PRESETS, OmniConfig
from omni_iml.models.network import OmniIML, OmniOutput, count_parameters
from omni_iml.models.variants import VARIANTS, preset

__all__ = ["PRESETS", "VARIANTS", "OmniConfig", "OmniIML", "OmniOutput", "count_parameters", "preset"]
