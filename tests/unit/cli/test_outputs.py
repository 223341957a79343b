"""What a run may write in its output folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from omni_iml.cli.failures import WrongUsage
from omni_iml.cli.outputs import Outputs, TakenName
from omni_iml.cli.own_files import DETECTION, EXPLANATION
from omni_iml.io.find import Found
from omni_iml.types import OmniError, UnreadableImage

OURS = '{"schema": "omni-iml/detection/1"}'


def found(*paths: Path) -> list[Found]:
    for path in paths:
        path.write_bytes(b"x")
    return [Found(path, Path(path.name)) for path in paths]


def test_results_have_their_files_to_themselves(tmp_path: Path) -> None:
    outputs = Outputs(tmp_path / "o" / "p", DETECTION, found(tmp_path / "a.zip", tmp_path / "a.zip.p001"))
    outputs.claim("a.zip.p001", "a.zip.p001")
    with pytest.raises(UnreadableImage, match="its results would overwrite those of another picture"):
        outputs.claim("a.zip.p001", "a.zip.p001")
    assert list((tmp_path / "o" / "p").iterdir()) == []


def test_earlier_results_may_be_replaced_and_those_of_others_not(tmp_path: Path) -> None:
    items = found(tmp_path / "a.jpg", tmp_path / "b.jpg", tmp_path / "c.pdf")
    for name, text in (("a.jpg.json", OURS), ("b.jpg.json", "{}"), ("c.pdf.json", "{}"), ("c.pdf.p001.json", "{}")):
        (tmp_path / name).write_text(text)
    outputs = Outputs(tmp_path, DETECTION, items)
    assert [outputs.blocked(item) is None for item in items] == [True, False, True]
    outputs.claim("a.jpg", "a.jpg")
    for name in ("b.jpg", "c.pdf.p001"):
        with pytest.raises(UnreadableImage, match=rf"{name}\.json, which is no result of ours; name another --out"):
            outputs.claim(name, name)
    assert Outputs(tmp_path, EXPLANATION, items).blocked(items[1]) is None


def test_files_of_the_run_are_not_replaced_by_whatever_name(tmp_path: Path) -> None:
    items = found(tmp_path / "a.jpg", tmp_path / "mask.png")
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "a.jpg.json").write_text(OURS)  # the mask counts as ours, and is read in this run
    os.link(tmp_path / "mask.png", tmp_path / "o" / "a.jpg.mask.png")
    with pytest.raises(WrongUsage, match=r"a.jpg.mask.png: the results of .*a.jpg would replace it; name another"):
        Outputs(tmp_path / "o", DETECTION, items)


def test_a_page_does_not_replace_a_file_of_the_run(tmp_path: Path) -> None:
    items = found(tmp_path / "c.pdf", tmp_path / "c.pdf.p001.mask.png")
    (tmp_path / "c.pdf.p001.json").write_text(OURS)
    outputs = Outputs(tmp_path, DETECTION, items)
    with pytest.raises(UnreadableImage, match=r"would replace .*c.pdf.p001.mask.png, a file of this run"):
        outputs.claim("c.pdf.p001", "c.pdf.p001")


def test_earlier_results_of_what_cannot_be_read_go(tmp_path: Path) -> None:
    items = found(tmp_path / "c.pdf", tmp_path / "c.pdf.p004.mask.png")
    for page in ("p001", "p002", "p003", "p004"):
        (tmp_path / f"c.pdf.{page}.json").write_text(OURS)
    outputs = Outputs(tmp_path, DETECTION, items)

    def pages() -> list[str]:
        return sorted(path.name.split(".")[2] for path in tmp_path.glob("*.json"))

    path = str(items[0].path)
    outputs.claim(f"{path}.p001", "c.pdf.p001")
    outputs.discard(items[0], TakenName(path, "its name is taken", "go"))
    outputs.discard(items[0], OmniError("the mask is bad."))
    outputs.discard(items[0], UnreadableImage("another", "bad", "go"))
    assert pages() == ["p001", "p002", "p003", "p004"]
    outputs.discard(items[0], UnreadableImage(f"{path}.p003", "bad", "go"))
    assert pages() == ["p001", "p002", "p004"]
    # The rest of the file: not what this run wrote already, and not what it reads.
    outputs.discard(items[0], UnreadableImage(path, "bad", "go"))
    assert pages() == ["p001", "p004"]


def test_maps_that_a_new_result_does_not_have_go(tmp_path: Path) -> None:
    outputs = Outputs(tmp_path, EXPLANATION, found(tmp_path / "a.jpg"))
    kept, former = tmp_path / "a.jpg.explanation.json", tmp_path / "a.jpg.explanation.png"
    for path in (kept, former):
        path.write_bytes(b"x")
    outputs.saved("a.jpg", [kept, former])
    assert former.exists()
    outputs.saved("a.jpg", [kept])
    assert kept.exists()
    assert not former.exists()
