"""Tampering synthesis: authentic pixels in, tampered picture with its exact mask and JPEG history out."""

from omni_iml.data.synthesis.config import SynthesisConfig
from omni_iml.data.synthesis.engine import Engine
from omni_iml.data.synthesis.forgery import AUTHENTIC, Forgery
from omni_iml.data.synthesis.sample import Sample

__all__ = ["AUTHENTIC", "Engine", "Forgery", "Sample", "SynthesisConfig"]
