"""What a user orders, made ready: sources found and cut, settings checked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast, get_args

from pydantic import TypeAdapter, ValidationError

from omni_iml.data.sources import DOMAINS, Domain, Split
from omni_iml.data.synthesis.config import SynthesisConfig
from omni_iml.data.synthesis.folder import Order
from omni_iml.data.tile_cache import SMALLEST, build_cache


def prepare(
    source_dir: Path,
    tiles: Path,
    *,
    domain: Sequence[str] | None = None,
    split: str = "all",
    size: int = 512,
    seed: int = 0,
    count: int = 100,
    overrides: Sequence[str] = (),
) -> Order:
    """Cut the tiles and check the settings.

    Args:
        source_dir: a folder that holds ``source/<domain>/<set>/``, or any folder of pictures and PDF documents.
        tiles: folder of the tile cache; one of the same sources is used as it is.
        domain: domains to draw from, alike; those that have pictures, by the shares of `SynthesisConfig`, if None.
            Of a plain folder, the one that its pictures belong to.
        split: "train", "validation", "test" or "all".
        size: largest side of the pictures in pixels.
        seed: of all pictures.
        count: how many.
        overrides: ``key=value`` settings of `SynthesisConfig`, the value in JSON or a plain number.

    Returns:
        The order, for `write_folder`.

    Raises:
        ValueError: an unknown domain, split or setting, or a plain folder without its domain.
        FileNotFoundError: there is no picture to use.
    """
    wanted = list(domain or [])
    if split not in ("all", *get_args(Split)):
        raise ValueError(f"split {split!r}: is unknown; say {', '.join(get_args(Split))} or all.")
    plain = plain_domain(source_dir, wanted)
    _config(DOMAINS, wanted, size, overrides)  # a wrong setting is named before thousands of pictures are cut
    pool = build_cache(source_dir, tiles, domain=plain)
    if not pool.entries:
        raise FileNotFoundError(
            f"{source_dir}: no picture there can be read and has {SMALLEST} pixels or more a side; add larger ones."
        )
    chosen = None if split == "all" else cast(Split, split)
    have = pool.select(chosen)
    config = _config([d for d in DOMAINS if have[d]], wanted, size, overrides)
    return Order(tiles, chosen, config, seed, count)


def plain_domain(source_dir: Path, wanted: Sequence[str]) -> Domain | None:
    """The domain of a plain folder of pictures; None for a folder that holds ``source/<domain>/<set>/``.

    Args:
        source_dir: the folder.
        wanted: domains that the user named.

    Raises:
        ValueError: an unknown domain, or none or several for a plain folder.
        FileNotFoundError: there is no such folder.
    """
    if unknown := sorted(set(wanted) - set(DOMAINS)):
        raise ValueError(f"domain {', '.join(unknown)}: is unknown; the domains are {', '.join(DOMAINS)}.")
    if not source_dir.is_dir():
        raise FileNotFoundError(f"{source_dir}: is no folder; name one that holds authentic pictures.")
    if (source_dir / "source").is_dir():
        return None
    if len(wanted) != 1:
        raise ValueError(
            f"{source_dir}: has no folder source/<domain>/<set>/, so its pictures are of one domain; "
            f"name it with --domain, one of {', '.join(DOMAINS)}."
        )
    return cast(Domain, wanted[0])


def _config(have: Sequence[Domain], wanted: list[str], size: int, overrides: Sequence[str]) -> SynthesisConfig:
    """The settings, for a pool that has pictures of some domains."""
    values: dict[str, Any] = {**asdict(SynthesisConfig()), "size": size}
    values["domains"] = (
        dict.fromkeys(wanted, 1.0) if wanted else {d: s for d, s in values["domains"].items() if d in have}
    )
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals or key not in values:
            raise ValueError(f"--set {override}: is no setting; say KEY=VALUE, KEY one of {', '.join(values)}.")
        values[key] = _value(override, value)
    try:
        return TypeAdapter(SynthesisConfig).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{place}: {first['msg']}; docs/synthesis.md lists the settings.") from error


def _value(override: str, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"--set {override}: the value is no number or JSON list; compare area=[0.01,0.4].") from error
