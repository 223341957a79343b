import json
import pickle
import time

import pytest
from rows import annotation, instance

from omni_iml.annotate import WrongAnnotations, read_published, read_rows, report, statistics, write_rows
from omni_iml.annotate.source_sets import source_set, split_in_name


def published(folder, name, content):
    path = folder / name
    path.write_bytes(json.dumps(content).encode() if name.endswith(".json") else pickle.dumps(content))
    return path


@pytest.mark.parametrize("name", ["MIML.pkl", "MIML.json"])
def test_a_published_file_becomes_rows(tmp_path, name):
    path = published(tmp_path, name, {"a.jpg": [instance()], "b.jpg": instance(), "c.jpg": json.dumps([instance()])})
    problems = []
    rows = list(read_published(path, problems.append))
    assert problems == []
    assert [row.image for row in rows] == ["a.jpg", "b.jpg", "c.jpg"]
    assert rows[0] == annotation(split="train", manual=True)
    assert rows[1].instances == rows[2].instances == rows[0].instances


def test_wrong_entries_are_named_and_the_rest_read(tmp_path):
    content = {"a.jpg": [instance()], "b.jpg": "not json", "c.jpg": 3, 7: [instance()], "d.jpg": [instance(), 5]}
    problems = []
    rows = list(read_published(published(tmp_path, "OSTF_test.pkl", content), problems.append))
    assert [row.image for row in rows] == ["a.jpg"]
    assert rows[0].split == "test"
    places = [str(problem).partition("OSTF_test.pkl, ")[2] for problem in problems]
    assert places[0].startswith("entry 2 ('b.jpg'): its annotation is no JSON")
    assert places[1].startswith("entry 3 ('c.jpg'): instances: ")
    assert places[2].startswith("entry 4 (7): image: ")
    assert places[3].startswith("entry 5 ('d.jpg'): instances[1]: ")


def test_what_is_no_published_file_is_refused(tmp_path):
    for name, content, cause in (
        ("a.json", [1], "holds a list"),
        ("b.txt", {}, "is none of"),
        ("c.json", {}, "is no source set"),
    ):
        given = {"domain": "face"} if name != "c.json" else {}
        path = published(tmp_path, name, content)
        with pytest.raises(WrongAnnotations, match=cause):
            list(read_published(path, print, **given))
    (tmp_path / "d.json").write_text("{")
    with pytest.raises(WrongAnnotations, match="is no readable JSON file"):
        list(read_published(tmp_path / "d.json", print, domain="face"))


def test_an_own_set_needs_its_domain(tmp_path):
    path = published(tmp_path, "mine.json", {"a.png": [instance()]})
    (row,) = read_published(path, pytest.fail, domain="face", split="test", manual=False)
    assert (row.source, row.domain, row.split, row.manual) == ("mine", "face", "test", False)


@pytest.mark.parametrize(
    ("name", "known", "split"),
    [
        ("DocTamper_train", "DocTamper", "train"),
        ("imd2020", "IMD20", None),
        ("CASIAv2", "CASIAv2", None),
        ("casia1", "CASIA1", None),
        ("Tampered-IC13_test", "Tampered-IC13", "test"),
        ("restricted", None, None),
    ],
)
def test_source_sets_are_known_by_name(name, known, split):
    found = source_set(name)
    assert (found.name if found else None) == known
    assert split_in_name(name) == split


def test_ten_thousand_rows_convert_validate_and_report_in_time(tmp_path):
    artifacts = {f"Title {n}": "The outline is cut with a hard edge, and its noise differs. " * 6 for n in range(5)}
    content = {f"{n}.jpg": [instance(Artifacts=artifacts)] * (1 + n % 3) for n in range(10_000)}
    path = published(tmp_path, "OpenForensics_train.pkl", content)
    began = time.perf_counter()
    out = tmp_path / "rows.parquet"
    assert write_rows(read_published(path, pytest.fail), out) == 10_000
    text = report(statistics(read_rows(out, pytest.fail)))
    assert time.perf_counter() - began < 20
    assert "| face | 10,000 | 60,689 | -50,689 | 2.000 | 2.078 |" in text
