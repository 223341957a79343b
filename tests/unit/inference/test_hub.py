"""Models of the hub, fetched by huggingface_hub from a server that answers as the hub does."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from omni_iml.cli import app
from omni_iml.inference.hub import located
from omni_iml.inference.session import open_session
from omni_iml.types import UnreadableModel
from omni_iml.weights import bundled_path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES: dict[str, dict[str, bytes]] = {
    "us/one": {"README.md": b"card", "model.onnx": b""},  # filled with the bundled model below
    "us/two": {"a.onnx": b"first", "b.onnx": b"second"},
    "us/weights": {"model.safetensors": b"tensors", "old.bin": b"pickle"},
    "us/pickled": {"model.bin": b"pickle"},
}


class Hub(BaseHTTPRequestHandler):
    """The two requests that fetching a file takes."""

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        parts = self.path.split("?")[0].strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            files = FILES.get("/".join(parts[2:4]))
            if files is None or parts[4:] not in ([], ["revision", "v1"]):
                self.send_error(404)
                return
            siblings = [{"rfilename": name} for name in files]
            data = json.dumps({"id": "/".join(parts[2:4]), "sha": COMMIT, "siblings": siblings}).encode()
        else:
            data = FILES["/".join(parts[:2])]["/".join(parts[4:])]
            assert parts[2:4] == ["resolve", COMMIT]
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(autouse=True)
def _hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    FILES["us/one"]["model.onnx"] = bundled_path().read_bytes()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    yield
    server.shutdown()
    server.server_close()


def test_a_model_is_fetched_and_its_hash_shown(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="omni_iml.inference.hub"):
        path = located("hf://us/one@v1")
    assert path.read_bytes() == bundled_path().read_bytes()
    digest = hashlib.sha256(bundled_path().read_bytes()).hexdigest()
    assert caplog.messages == [f"hf://us/one@v1: model.onnx at commit {COMMIT}, sha256 {digest}"]


def test_a_session_and_the_command_take_the_name(tmp_path: Path) -> None:
    assert open_session("hf://us/one").info == open_session().info
    (tmp_path / "x.png").write_bytes(b"no picture")
    command = ["detect", str(tmp_path / "x.png"), "--model", "hf://us/one", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 1, result.stderr  # the picture cannot be read; the model was
    assert "x.png" in result.stderr


def test_the_kind_that_is_wanted_comes_first() -> None:
    assert located("hf://us/weights").read_bytes() == b"tensors"
    assert located("hf://us/two#b.onnx").read_bytes() == b"second"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hf://us", "is no name of a model on the hub"),
        ("hf://us/one@v1@v2", "is no name of a model on the hub"),
        ("hf://us/two", r"holds 2 files \.onnx; name one: hf://us/two#a\.onnx"),
        ("hf://us/pickled", "holds neither an ONNX nor a safetensors file"),
        ("hf://us/pickled#model.bin", "model.bin is neither ONNX nor safetensors"),
        ("hf://us/none", "cannot be fetched"),
        ("hf://us/one@v9", "cannot be fetched"),
    ],
)
def test_what_cannot_be_had(name: str, message: str) -> None:
    with pytest.raises(UnreadableModel, match=message):
        located(name)


def test_a_path_is_a_path() -> None:
    assert located("models/a.onnx") == Path("models/a.onnx")
