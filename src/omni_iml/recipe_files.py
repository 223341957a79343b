"""Recipes as files: YAML that may stand on another recipe, with values overridden from the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

Values = dict[str, Any]


def read_values(
    path: Path,
    overrides: Sequence[str] = (),
    *,
    example: str = "recipes/bundled_scratch.yaml",
    normalise: Callable[[Values], None] = lambda values: None,
) -> Values:
    """Read a recipe's plain values.

    Args:
        path: YAML file. With ``base``, another recipe's file relative to this one, it holds only what is changed there;
            a value of null takes a key away.
        overrides: ``section.key=value`` pairs, the value in YAML.
        example: a recipe that errors point to.
        normalise: brings values that have several spellings into one, in place, before they are laid over others.

    Returns:
        The values, without ``base``.

    Raises:
        ValueError: a file holds no recipe, or an override is none.
    """
    values = _read(path, (), example, normalise)
    for override in overrides:
        _override(values, override)
        normalise(values)
    return values


def merged(values: Values, changes: Values, *, drop: bool = False) -> Values:
    """Values with others laid over them, section by section.

    Args:
        values: what stands below.
        changes: what is laid over it.
        drop: a change of None takes the key away instead of standing for a value.

    Returns:
        New values.
    """
    result = dict(values)
    for key, change in changes.items():
        inner = values.get(key)
        if drop and change is None:
            result.pop(key, None)
        elif isinstance(inner, dict) and isinstance(change, dict):
            result[key] = merged(inner, change, drop=drop)
        else:
            result[key] = change
    return result


def one_line(message: object) -> str:
    """A library's message on one line."""
    return " ".join(str(message).split())


def _read(path: Path, seen: tuple[Path, ...], example: str, normalise: Callable[[Values], None]) -> Values:
    """A recipe's values, laid over those of its base."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(
            f"{path}: cannot be read as a recipe ({one_line(error)}); give a YAML file like {example}."
        ) from error
    if not isinstance(values, dict):
        raise ValueError(f"{path}: holds no recipe; give a YAML file like {example}.")
    base = values.pop("base", None)
    normalise(values)
    if base is None:
        return values
    if path.resolve() in seen:
        raise ValueError(f"{path}: base: leads back to the recipe itself; name another one.")
    return merged(_read(path.parent / str(base), (*seen, path.resolve()), example, normalise), values, drop=True)


def _override(values: Values, override: str) -> None:
    key, separator, text = override.partition("=")
    *sections, last = key.split(".")
    if not separator or not all((*sections, last)):
        raise ValueError(f"--set {override}: is not of the form section.key=value; write it so.")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"--set {override}: the value is not YAML ({one_line(error)}); quote it.") from error
    for section in sections:
        inner = values.setdefault(section, {})
        if not isinstance(inner, dict):
            raise ValueError(f"--set {override}: {section!r} is not a section; write section.key=value.")
        values = inner
    values[last] = value
