"""Bytes in, evidence out: picture files, their limits, and the JPEG trace that goes with the pixels."""

from omni_iml.io.loading import load
from omni_iml.io.pixels import trace_of_pixels

__all__ = ["load", "trace_of_pixels"]
