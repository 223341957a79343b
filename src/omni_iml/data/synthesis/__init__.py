"""Tampering synthesis: authentic pixels in, tampered picture with its exact mask and JPEG history out."""

from omni_iml.data.synthesis.engine import Engine, SynthesisConfig
from omni_iml.data.synthesis.sample import Sample

__all__ = ["Engine", "Sample", "SynthesisConfig"]
