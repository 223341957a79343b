"""What can be measured in a picture without a network: maps of where it differs from itself."""

from omni_iml.evidence.double_quantization import double_quantization
from omni_iml.evidence.error_level import error_level
from omni_iml.evidence.noise_level import noise_level

__all__ = ["double_quantization", "error_level", "noise_level"]
