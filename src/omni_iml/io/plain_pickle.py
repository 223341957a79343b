"""Pickles from outside, read as plain data: nothing of theirs is run."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np


def _to_bytes(text: str, _: str = "latin1") -> bytes:
    """What protocols 0 to 2 have for bytes; no other codec is run."""
    return text.encode("latin1")


_ALLOWED = {
    ("_codecs", "encode"): _to_bytes,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("collections", "OrderedDict"): dict,
    # Under its name before NumPy 2 and after it.
    **{(f"numpy.{core}.multiarray", name): None for core in ("core", "_core") for name in ("_reconstruct", "scalar")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): None for core in ("core", "_core")},
}


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return _ALLOWED[module, name] or super().find_class(module.replace("numpy.core", "numpy._core"), name)


def load_plain(path: Path) -> Any:
    """The content of a pickle file of numbers, texts, lists, dictionaries and NumPy arrays.

    Raises:
        FileNotFoundError: it is not there.
        ValueError: it holds anything else, or cannot be read.
    """
    try:
        return _Plain(io.BytesIO(path.read_bytes())).load()
    except FileNotFoundError:
        raise
    except Exception as error:  # a damaged pickle raises whatever its numbers make it stumble over
        raise ValueError(f"{path}: cannot be read as plain data ({error}); fetch it again.") from error
