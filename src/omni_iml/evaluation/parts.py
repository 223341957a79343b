"""Measurements in parts: each is kept in a file of its own, and several are made beside each other.

What is kept is read, not measured again, so a run that was stopped goes on with what is missing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

from omni_iml.data.processes import end_with_parent
from omni_iml.io.whole_file import write_whole

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Part(Generic[_Result]):
    """One part.

    Attributes:
        name: of its file, without ``.json``.
        kind: dataclass of a result.
        make: measures them; something that can be sent to another process where there are several.
    """

    name: str
    kind: type[_Result]
    make: Callable[[], Iterable[_Result]]


def measured(parts: Sequence[Part[_Result]], folder: Path, processes: int = 1) -> dict[str, list[_Result]]:
    """Measure what is not kept yet, and read all.

    Args:
        parts: in order; those that take longest had better come first.
        folder: of their files.
        processes: how many parts are measured beside each other; 1 measures in this process.

    Returns:
        The results of each part by its name, in the order of the parts.

    Raises:
        Exception: what a part raised; the parts that were done before it are kept.
    """
    missing = [part for part in parts if not _file(part, folder).is_file()]
    if processes == 1 or len(missing) < 2:
        for part in missing:
            _keep(part, folder)
    else:
        with ProcessPoolExecutor(min(processes, len(missing)), get_context("spawn"), end_with_parent) as pool:
            for done in as_completed([pool.submit(_keep, part, folder) for part in missing]):
                if error := done.exception():
                    pool.shutdown(cancel_futures=True)
                    raise error
    return {part.name: _read(part, folder) for part in parts}


def _file(part: Part[Any], folder: Path) -> Path:
    return folder / f"{part.name}.json"


def _keep(part: Part[Any], folder: Path) -> None:
    results = list(part.make())
    folder.mkdir(parents=True, exist_ok=True)
    # Not pydantic's JSON, in which nan becomes null and cannot be read back.
    text = json.dumps([asdict(result) for result in results])
    write_whole(_file(part, folder), lambda out: out.write(text.encode()))


def _read(part: Part[_Result], folder: Path) -> list[_Result]:
    adapter = TypeAdapter(list[part.kind])  # type: ignore[name-defined]
    return list(adapter.validate_python(json.loads(_file(part, folder).read_bytes())))
