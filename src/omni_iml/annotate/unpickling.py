"""Pickles from outside, without the power to run anything: plain containers, strings and numbers, or a refusal."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import IO, Any

from omni_iml.annotate.checking import WrongAnnotations
from omni_iml.io.paths import openable
from omni_iml.text import plain

_PLAIN: dict[tuple[str, str], Any] = {
    # Lists, tuples, dicts, strings and numbers have opcodes of their own; these are named in older protocols.
    ("builtins", "set"): set,
    ("builtins", "frozenset"): frozenset,
    ("collections", "OrderedDict"): OrderedDict,
}


class RefusedClass(pickle.UnpicklingError):
    """A pickle names a class or function that is no plain container."""


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str, /) -> Any:
        """Give a plain container.

        Raises:
            RefusedClass: anything else is asked for.
        """
        if (module, name) not in _PLAIN:
            raise RefusedClass(f"{plain(module)}.{plain(name)}")
        return _PLAIN[module, name]

    def persistent_load(self, pid: Any, /) -> Any:
        """Refuse, always.

        Raises:
            RefusedClass: always.
        """
        raise RefusedClass("a persistent reference")


def load_plain(stream: IO[bytes]) -> Any:
    """Unpickle plain data.

    Args:
        stream: the pickle.

    Returns:
        Dicts, lists, tuples, sets, strings, bytes, numbers, booleans and None.

    Raises:
        RefusedClass: it names anything else; nothing of it was run.
        pickle.UnpicklingError: it is no pickle, or damaged.
    """
    try:
        return _PlainUnpickler(stream).load()
    except pickle.UnpicklingError:
        raise
    except Exception as error:  # a damaged pickle raises whatever its opcodes stumble over
        raise pickle.UnpicklingError(f"{type(error).__name__}: {error}") from error


def read_plain_pickle(path: Path) -> Any:
    """Unpickle a file of plain data.

    Args:
        path: the file.

    Returns:
        As `load_plain`.

    Raises:
        WrongAnnotations: it cannot be opened, is no pickle, or names a class; the class is named.
    """
    try:
        with openable(path).open("rb") as stream:
            return load_plain(stream)
    except RefusedClass as error:
        raise WrongAnnotations(
            f"{path}: the pickle asks for {error}, and only plain containers, strings and numbers are let in; "
            "do not trust this file, or ask for it as JSON."
        ) from None
    except (OSError, pickle.UnpicklingError) as error:
        cause = plain(str(error))
        raise WrongAnnotations(f"{path}: is no readable pickle ({cause}); check the file.") from error
