"""``omni-iml models``: what the bundled model is."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from omni_iml.cli.failures import Debug, emit, exit_codes


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
    debug: Debug = False,
) -> None:
    """Show the bundled model: name, version, hash, path, size, terms and card."""
    with exit_codes(debug):
        from omni_iml.inference.session import open_session
        from omni_iml.report.wording import LIMITS
        from omni_iml.weights import bundled_path

        path = bundled_path()
        info = open_session(path).info
        facts = {
            "name": info.name,
            "version": info.version,
            "sha256": info.sha256,
            "path": str(path),
            "bytes": path.stat().st_size,
            "tile": info.tile,
            "free_size": info.free_size,
            "tampered_at": info.tampered_at,
            "no_trace_below": info.no_trace_below,
            "licence": info.licence,
            "limits": LIMITS,
            "card": info.card,
        }
        if as_json:
            emit(json.dumps(facts))
            return
        for key, value in facts.items():
            if key != "card":
                emit(f"{key:<15} {value}")
        emit(f"\n{info.card.strip() or 'The model file carries no card.'}")
