"""Rows on disk: JSONL for people and streams, Parquet for everything else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from omni_iml.annotate.checking import Problem, Report, WrongAnnotations, checked
from omni_iml.annotate.schema import SCHEMA, Annotation, to_json
from omni_iml.io.paths import openable
from omni_iml.io.whole_file import write_whole

if TYPE_CHECKING:
    import pyarrow as pa

_GROUP = 4096
"""Rows that are in memory at a time."""


def read_rows(path: Path, report: Report) -> Iterator[Annotation]:
    """Read a JSONL or Parquet file of rows.

    Args:
        path: ``.jsonl`` or ``.parquet``.
        report: takes what is wrong with a row; the others are given.

    Yields:
        Valid rows, in the file's order.

    Raises:
        WrongAnnotations: the file is neither, or cannot be opened or read.
    """
    match path.suffix.lower():
        case ".jsonl":
            yield from checked(read_objects(path), report)
        case ".parquet":
            yield from checked(_records(path), report)
        case _:
            raise WrongAnnotations(f"{path}: is neither .jsonl nor .parquet; name a file of one of the two.")


def write_rows(rows: Iterable[Annotation], path: Path) -> int:
    """Write rows as JSONL or Parquet, by the suffix; the file is whole or not there.

    Args:
        rows: any number; only some thousands are held in memory.
        path: ``.jsonl`` or ``.parquet``.

    Returns:
        How many rows were written.

    Raises:
        WrongAnnotations: another suffix.
        OSError: the folder cannot be written to.
    """
    count = 0

    def counted() -> Iterator[Annotation]:
        nonlocal count
        for row in rows:
            count += 1
            yield row

    match path.suffix.lower():
        case ".jsonl":
            write_whole(path, lambda out: out.writelines(f"{to_json(row)}\n".encode() for row in counted()))
        case ".parquet":
            write_whole(path, lambda out: _write_parquet(counted(), out))
        case _:
            raise WrongAnnotations(f"{path}: is neither .jsonl nor .parquet; give the output one of the two suffixes.")
    return count


def parquet_schema() -> pa.Schema:
    """The columns of the Parquet file: as the row, artifacts as a list of title and description.

    Reviews and provenance, which most readers pass over, are JSON texts.
    """
    import pyarrow as pa

    text = pa.string()
    artifact = pa.struct([pa.field("title", text, False), pa.field("description", text, False)])
    instance = pa.struct(
        [
            pa.field("tampered_region", text, False),
            pa.field("absolute_position", text, False),
            pa.field("relative_position", text, False),
            pa.field("artifacts", pa.list_(artifact), False),
            pa.field("box", pa.list_(pa.int32())),
        ]
    )
    columns = [
        pa.field("image", text, False),
        pa.field("source", text, False),
        pa.field("domain", text, False),
        pa.field("split", text),
        pa.field("manual", pa.bool_()),
        pa.field("instances", pa.list_(instance), False),
        pa.field("reviews", text),
        pa.field("provenance", text),
    ]
    return pa.schema(columns, metadata={"schema": SCHEMA})


def read_objects(path: Path) -> Iterator[tuple[str, Mapping[str, Any] | Problem]]:
    """Read the objects of a JSONL file, whatever they hold.

    Args:
        path: of the file; empty lines are passed over.

    Yields:
        File and line, and the object, or what is wrong with the line.

    Raises:
        WrongAnnotations: the file cannot be opened or is not UTF-8.
    """
    try:
        with openable(path).open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                place = f"{path}, line {number}"
                try:
                    row = json.loads(line)
                except (ValueError, RecursionError) as error:
                    row = Problem(place, "", f"is not JSON ({error}); write the line again.")
                if not isinstance(row, dict | Problem):
                    row = Problem(place, "", f"is a {type(row).__name__}, not an object; write one object a line.")
                yield place, row
    except (OSError, UnicodeDecodeError) as error:
        raise WrongAnnotations(f"{path}: cannot be read ({error}); check the file.") from error


def _write_parquet(rows: Iterator[Annotation], out: IO[bytes]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = parquet_schema()
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        while group := list(islice(rows, _GROUP)):
            writer.write_table(pa.Table.from_pylist([_record(row) for row in group], schema))


def _record(row: Annotation) -> dict[str, Any]:
    record = row.model_dump(mode="json", by_alias=False, exclude={"schema_name"})
    for instance in record["instances"]:
        titled = instance["artifacts"].items()
        instance["artifacts"] = [{"title": title, "description": description} for title, description in titled]
    whole = row.model_dump(mode="json", include={"reviews", "provenance"})
    for name in ("reviews", "provenance"):
        record[name] = json.dumps(whole[name], ensure_ascii=False) if whole[name] else None
    return record


def _records(path: Path) -> Iterator[tuple[str, Mapping[str, Any] | Problem]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with openable(path).open("rb") as stream:
            file = pq.ParquetFile(stream)
            named = (file.schema_arrow.metadata or {}).get(b"schema", b"").decode("utf-8", "replace")
            if named != SCHEMA:
                raise WrongAnnotations(f"{path}: its schema is {named!r}, not {SCHEMA!r}; convert it again.")
            number = 0
            for batch in file.iter_batches(batch_size=_GROUP):
                for record in batch.to_pylist():
                    number += 1
                    place = f"{path}, row {number}"
                    yield place, _from_record(record, place)
    except (OSError, pa.ArrowException) as error:
        raise WrongAnnotations(f"{path}: is no Parquet file that can be read ({error}); check the file.") from error


def _from_record(record: dict[str, Any], place: str) -> Mapping[str, Any] | Problem:
    try:
        for instance in record.get("instances") or ():
            pairs = [(each["title"], each["description"]) for each in instance["artifacts"]]
            instance["artifacts"] = dict(pairs)
            if len(instance["artifacts"]) != len(pairs):
                return Problem(place, "instances", "has one artifact title twice; join their descriptions.")
        record["reviews"] = json.loads(record.get("reviews") or "[]")
        record["provenance"] = json.loads(record.get("provenance") or "null")
    except (ValueError, TypeError, KeyError) as error:
        return Problem(place, "", f"cannot be understood ({error}); convert the file again.")
    return record
