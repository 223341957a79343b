import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rows import annotation, instance

from omni_iml.annotate import Provenance, WrongAnnotations, read_rows, write_rows

ROWS = [
    annotation(),
    annotation(
        image="b/ü.png",
        domain="document",
        split="test",
        manual=True,
        instances=[instance(Artifacts={}), instance(box=[1, 2, 3, 4], **{"Relative Position": ""})],
        reviews=[
            {"instance": 1, "reviewer": "kim", "decision": "corrected", "quality": 4, "correction": instance()},
            {"instance": 0, "reviewer": "kim", "decision": "accepted"},
        ],
        provenance=Provenance(annotator="openai", model="m", method="chain", prompts={"describe": "0" * 64}, removed=2),
    ),
]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.parquet"])
def test_rows_come_back(tmp_path, name):
    assert write_rows(iter(ROWS), tmp_path / name) == 2
    assert list(read_rows(tmp_path / name, pytest.fail)) == ROWS
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_other_parquet_readers_see_plain_columns(tmp_path):
    write_rows(ROWS, tmp_path / "rows.parquet")
    table = pq.read_table(tmp_path / "rows.parquet").to_pylist()
    assert table[0]["instances"][0]["artifacts"] == [
        {"title": "Edge artifacts", "description": "The outline is cut with a hard edge."}
    ]
    assert (table[1]["split"], table[1]["manual"], table[1]["instances"][1]["box"]) == ("test", True, [1, 2, 3, 4])


def test_wrong_lines_are_named(tmp_path):
    path = tmp_path / "rows.jsonl"
    write_rows(ROWS, path)
    lines = path.read_text(encoding="utf-8").splitlines()
    broken = json.loads(lines[0])
    broken["instances"][0]["Artifacts"]["Edge artifacts"] = ""
    path.write_text("\n".join([lines[0], "{", "[]", "", json.dumps(broken), lines[1]]), encoding="utf-8")
    problems = []
    assert list(read_rows(path, problems.append)) == ROWS
    assert [problem.place.rpartition(", ")[2] for problem in problems] == ["line 2", "line 3", "line 5"]
    assert problems[2].field == "instances[0].Artifacts.Edge artifacts"


def test_wrong_files_are_refused(tmp_path):
    with pytest.raises(WrongAnnotations, match="neither"):
        write_rows(ROWS, tmp_path / "rows.csv")
    with pytest.raises(WrongAnnotations, match="neither"):
        list(read_rows(tmp_path / "rows.csv", print))
    with pytest.raises(WrongAnnotations, match="cannot be read"):
        list(read_rows(tmp_path / "none.jsonl", print))
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(WrongAnnotations, match="no Parquet file"):
        list(read_rows(tmp_path / "a.parquet", print))
    pq.write_table(pa.table({"a": [1]}), tmp_path / "b.parquet")
    with pytest.raises(WrongAnnotations, match="its schema is ''"):
        list(read_rows(tmp_path / "b.parquet", print))


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "rows.parquet"
    write_rows(ROWS, path)
    before = path.read_bytes()

    def failing():
        yield ROWS[0]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_rows(failing(), path)
    assert path.read_bytes() == before


def test_an_artifact_title_twice_in_a_parquet_file_is_named(tmp_path):
    path = tmp_path / "rows.parquet"
    write_rows(ROWS[:1], path)
    table = pq.read_table(path)
    records = table.to_pylist()
    records[0]["instances"][0]["artifacts"] *= 2
    pq.write_table(pa.Table.from_pylist(records, table.schema), path)
    problems = []
    assert list(read_rows(path, problems.append)) == []
    assert "twice" in str(problems[0])
