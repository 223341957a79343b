"""The table of counts on disk: a journal while it grows, a Parquet file when it is done.

The journal has one line a picture, written and flushed to the disk before the next picture is begun, so a run that is
killed loses at most the picture that it was at. A line that was cut short is dropped when the run goes on. The first
line says what run it is; another run does not go on with it.
"""

from __future__ import annotations

import base64
import json
import math
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from omni_iml.evaluation.counting import Row
from omni_iml.io.whole_file import write_whole
from omni_iml.metrics.curves import BINS
from omni_iml.types import OmniError

_PLAIN = tuple(f.name for f in fields(Row) if f.name not in ("counts", "tampered", "authentic"))
_COUNTS = ("TP", "FP", "FN", "TN")


class Journal:
    """A growing table of rows and of what could not be scored.

    Args:
        path: of the file; its folder exists.
        run: says what run this is, JSON values.
        resume: go on with the file that is there.

    Attributes:
        rows: all rows so far, in the order of their lines.
        problems: what could not be scored so far: "data", "key", "view", "kind" and "message".

    Raises:
        OmniError: there is a journal already and `resume` is False, or it is of another run.
    """

    def __init__(self, path: Path, run: Mapping[str, Any], *, resume: bool) -> None:
        self.rows: list[Row] = []
        self.problems: list[dict[str, str]] = []
        header = json.dumps({"run": run}, sort_keys=True)
        if path.exists() and path.stat().st_size:
            if not resume:
                raise OmniError(f"{path}: holds an evaluation already; go on with --resume, or name another folder.")
            self._read(path, header)
            self._stream: IO[bytes] = path.open("ab")
        else:
            self._stream = path.open("wb")
            self._write(header)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._stream.close()

    @property
    def done(self) -> set[tuple[str, str, str]]:
        """Data set, key and view of all pictures that need not be looked at again."""
        return {(row.data, row.key, row.view) for row in self.rows} | {
            (problem["data"], problem["key"], problem["view"]) for problem in self.problems if problem["kind"] != "gray"
        }

    def add(self, row: Row) -> None:
        """Keep a row; when this returns, it is on the disk."""
        self._write(json.dumps({"row": _packed(row)}))
        self.rows.append(row)

    def refuse(self, data: str, key: str, view: str, kind: str, message: str) -> None:
        """Keep what is wrong with a picture, likewise."""
        problem = {"data": data, "key": key, "view": view, "kind": kind, "message": message}
        self._write(json.dumps({"problem": problem}))
        self.problems.append(problem)

    def _write(self, line: str) -> None:
        self._stream.write(line.encode() + b"\n")
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def _read(self, path: Path, header: str) -> None:
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            with path.open("r+b") as stream:
                stream.truncate(whole)
        first, *lines = data[:whole].decode().splitlines() or [""]
        if first != header:
            raise OmniError(
                f"{path}: belongs to an evaluation with other settings or another model; name another folder."
            )
        for line in lines:
            entry = json.loads(line)
            if "row" in entry:
                self.rows.append(_unpacked(entry["row"]))
            else:
                self.problems.append(entry["problem"])


def _packed(row: Row) -> dict[str, Any]:
    values = {name: _number(getattr(row, name)) for name in _PLAIN}
    histograms = {name: _zipped(getattr(row, name)) for name in ("tampered", "authentic")}
    return {**values, "counts": {name: list(four) for name, four in row.counts.items()}, **histograms}


def _unpacked(values: Mapping[str, Any]) -> Row:
    fields_of: dict[str, Any] = {name: math.nan if values[name] is None else values[name] for name in _PLAIN}
    fields_of["counts"] = {name: tuple(four) for name, four in values["counts"].items()}
    fields_of |= {name: _unzipped(values[name]) for name in ("tampered", "authentic")}
    return Row(**fields_of)


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _zipped(histogram: NDArray[np.int64]) -> str:
    return base64.b64encode(zlib.compress(histogram.astype("<u4").tobytes(), 1)).decode()


def _unzipped(text: str) -> NDArray[np.int64]:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), "<u4").astype(np.int64)


def write_parquet(path: Path, rows: Sequence[Row], about: Mapping[str, Any]) -> None:
    """Write the table; one row a picture and view, its counts as columns such as "above half, map > 0.5: TP".

    Args:
        path: of the file.
        rows: that were counted alike.
        about: JSON values kept in the file's metadata under "omni-iml".

    Raises:
        ValueError: no row.
        ImportError: pyarrow is not installed; the extra ``omni-iml[eval]`` brings it.
    """
    import pyarrow
    import pyarrow.parquet

    if not rows:
        raise ValueError("a table needs one row at least; nothing was scored.")
    columns: dict[str, Any] = {name: [_number(getattr(row, name)) for row in rows] for name in _PLAIN}
    for counting in rows[0].counts:
        for index, column in enumerate(_COUNTS):
            columns[f"{counting}: {column}"] = [row.counts[counting][index] for row in rows]
    kind = pyarrow.list_(pyarrow.int32(), BINS)
    for name in ("tampered", "authentic"):
        flat = np.concatenate([getattr(row, name) for row in rows]).astype(np.int32)
        columns[name] = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(flat), type=kind)
    table = pyarrow.table(columns).replace_schema_metadata({"omni-iml": json.dumps(about)})
    write_whole(path, lambda out: pyarrow.parquet.write_table(table, out, compression="zstd"))


def read_parquet(path: Path) -> list[Row]:
    """Read a table that `write_parquet` wrote.

    Raises:
        OmniError: the file is missing or is no such table.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path)
        return list(_rows(table.column_names, table.to_pylist()))
    except (OSError, KeyError, TypeError, pyarrow.ArrowException) as error:
        raise OmniError(
            f"{path}: is no table of counts ({error}); name a counts.parquet of omni-iml evaluate."
        ) from error


def _rows(names: Iterable[str], records: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    suffix = f": {_COUNTS[0]}"
    countings = [name.removesuffix(suffix) for name in names if name.endswith(suffix)]
    for record in records:
        fields_of: dict[str, Any] = {name: math.nan if record[name] is None else record[name] for name in _PLAIN}
        fields_of["counts"] = {name: tuple(record[f"{name}: {column}"] for column in _COUNTS) for name in countings}
        fields_of |= {name: np.array(record[name], np.int64) for name in ("tampered", "authentic")}
        yield Row(**fields_of)
