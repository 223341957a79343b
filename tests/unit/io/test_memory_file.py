from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from io_pictures import encode, picture

from omni_iml.io import memory_file
from omni_iml.io.jpeg import read_trace
from omni_iml.types import UnreadableImage

WAYS = ("_in_memory", "_unlinked", "_named")


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def descriptors() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def only(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `readable_path` use one of its ways."""
    if way != "_in_memory":
        monkeypatch.delattr(os, "memfd_create", raising=False)
    if way == "_named":
        monkeypatch.setattr(memory_file, "_unlinked", _no_path)


class _no_path:  # noqa: N801 - stands in for a context manager function
    def __init__(self, data: bytes) -> None: ...

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


@pytest.mark.parametrize("way", WAYS)
def test_every_way_gives_the_bytes_and_leaves_nothing(
    way: str, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(way, monkeypatch)
    before = descriptors()
    content = bytes(range(256)) * 4000
    with memory_file.readable_path(content) as path:
        assert Path(path).read_bytes() == content
        assert len(list(temporary.iterdir())) == (1 if way == "_named" else 0)
    assert not list(temporary.iterdir())
    assert descriptors() == before


@pytest.mark.parametrize("way", WAYS)
def test_coefficients_are_the_same_every_way_and_errors_leave_nothing(
    way: str, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encode(picture())
    expected = read_trace(data).coefficients
    only(way, monkeypatch)
    before = descriptors()
    assert (read_trace(data).coefficients == expected).all()
    start, end = data.index(b"\xff\xc4"), data.index(b"\xff\xda")
    with pytest.raises(UnreadableImage):
        read_trace(data[:start] + data[end:])
    assert not list(temporary.iterdir())
    assert descriptors() == before


def test_stale_named_files_are_swept_and_fresh_ones_left(temporary: Path) -> None:
    stale, fresh, foreign = (temporary / name for name in ("omni-iml-a.jpg", "omni-iml-b.jpg", "other.jpg"))
    for path in (stale, fresh, foreign):
        path.write_bytes(b"x")
    past = time.time() - 2 * memory_file.STALE_SECONDS
    os.utime(stale, (past, past))
    os.utime(foreign, (past, past))
    with memory_file._named(b"content"):
        pass
    assert sorted(path.name for path in temporary.iterdir()) == ["omni-iml-b.jpg", "other.jpg"]


@pytest.mark.skipif(os.name != "posix", reason="no kill -9 here; named files are swept instead")
@pytest.mark.parametrize("hide", ["", "del os.memfd_create\n"])
def test_nothing_stays_after_kill_9(hide: str, tmp_path: Path) -> None:
    if hide and not hasattr(os, "memfd_create"):
        pytest.skip("the plain run has covered it")
    script = (
        f"import os, signal\n{hide}from omni_iml.io.memory_file import readable_path\n"
        "with readable_path(b'x' * 1000) as path:\n"
        "    assert open(path, 'rb').read() == b'x' * 1000\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    run = subprocess.run([sys.executable, "-c", script], env={**os.environ, "TMPDIR": str(tmp_path)}, check=False)
    assert run.returncode == -signal.SIGKILL
    assert not list(tmp_path.iterdir())


def test_forbidden_memory_file_falls_back(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError("not permitted")

    create: Callable[..., int] = refuse
    monkeypatch.setattr(os, "memfd_create", create, raising=False)
    with memory_file.readable_path(b"content") as path:
        assert Path(path).read_bytes() == b"content"
