from __future__ import annotations

from pathlib import Path
from typing import IO

import pytest

from omni_iml.io.whole_file import write_whole


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
