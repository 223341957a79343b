from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from omni_iml.io.whole_file import UnwritableFile, check_writable, make_folder, write_together, write_whole


def test_a_file_is_whole_or_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_whole(path, lambda file: file.write(b"first"))

    def breaks_off(file: IO[bytes]) -> None:
        file.write(b"half of the sec")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(path, breaks_off)
    assert path.read_bytes() == b"first"
    write_whole(path, lambda file: file.write(b"second"))
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"a.json": b"second"}


def refuse(number: int) -> Callable[..., None]:
    """Stands for a call that the system refuses, also where root may do everything."""

    def fail(path: Path, *_arguments: object, **_options: object) -> None:
        raise OSError(number, os.strerror(number), str(path))

    return fail


@pytest.mark.parametrize(
    ("number", "way_out"),
    [
        (errno.ENOSPC, "make room or write to another folder"),
        (errno.EACCES, "change the permissions or write to another folder"),
        (errno.EROFS, "change the permissions or write to another folder"),
        (errno.EIO, "write to another folder"),
    ],
)
def test_a_file_that_cannot_be_written_is_named_by_its_final_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, way_out: str
) -> None:
    path = tmp_path / "a.json"
    monkeypatch.setattr(Path, "open", refuse(number))
    monkeypatch.setattr(Path, "unlink", refuse(errno.EROFS))  # what comes after hides nothing
    with pytest.raises(UnwritableFile) as caught:
        write_whole(path, lambda file: file.write(b"x"))
    assert str(caught.value) == f"{path}: it cannot be written ({os.strerror(number)}); {way_out}."
    assert isinstance(caught.value, OSError)
    assert caught.value.errno == number


def test_a_folder_is_tried_and_left_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "a" / "b"
    make_folder(folder)
    make_folder(folder)
    check_writable(folder)
    assert list(folder.iterdir()) == []
    (folder / "c").write_bytes(b"")
    with pytest.raises(UnwritableFile, match="c: it cannot be written"):
        make_folder(folder / "c")
    monkeypatch.setattr(Path, "open", refuse(errno.EACCES))
    with pytest.raises(UnwritableFile, match=r"b: it cannot be written \(Permission denied\); change the permissions"):
        check_writable(folder)


def test_maps_are_not_left_without_the_file_that_says_what_they_are(tmp_path: Path) -> None:
    def put(data: bytes) -> Callable[[IO[bytes]], object]:
        return lambda file: file.write(data)

    def stopped(_file: IO[bytes]) -> None:
        raise KeyboardInterrupt

    one, last = tmp_path / "mask.png", tmp_path / "json"
    with pytest.raises(KeyboardInterrupt):
        write_together([(one, put(b"first")), (last, stopped)])
    assert list(tmp_path.iterdir()) == []
    write_together([(one, put(b"first")), (last, put(b"{}"))])
    with pytest.raises(KeyboardInterrupt):
        write_together([(one, put(b"second")), (last, stopped)])
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"mask.png": b"second", "json": b"{}"}
