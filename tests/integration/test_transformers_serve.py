"""The endpoint back end against a server of somebody else: `transformers serve` with a tiny random model."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from typer.testing import CliRunner

from omni_iml.cli import app
from tiny_mllms import build

EXAMPLES = Path(__file__).parents[2] / "examples"
TRUTH = EXAMPLES.parent / "examples-truth"
SECONDS = 200  # until it serves; 7 on an idle machine

pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    for name in ("transformers", "fastapi", "uvicorn"):
        pytest.importorskip(name)
    folder = build("qwen2_5_vl", tmp_path_factory.mktemp("served"), ["What is in the picture?"])
    log = folder.with_suffix(".log")
    port = free_port()
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", str(folder)]
    command += ["--device", "cpu", "--host", "127.0.0.1", "--port", str(port)]
    offline = {**os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    with log.open("wb") as said, subprocess.Popen(command, env=offline, stdout=said, stderr=said) as server:
        try:
            _wait(f"http://127.0.0.1:{port}/health", server, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.kill()


def _wait(health: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            with urlopen(health, timeout=1):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"transformers serve does not serve: {log.read_text('utf-8', 'replace')[-2000:]}")


def test_its_answer_comes_back_raw_beside_what_was_measured(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    names = [str(EXAMPLES / name) for name in ("meadow.jpg", "letter.jpg")]
    options = ["--masks", str(TRUTH), "--no-ocr", "--json", "--mllm", f"endpoint:{address}", "--max-tokens", "24"]
    result = CliRunner().invoke(app, ["explain", *names, *options])
    assert result.exit_code == 1, result.output  # the weights are random, so the model gives no usable answer
    meadow, letter = (json.loads(line) for line in result.stdout.splitlines())
    for each in (meadow, letter):
        said = each["interpretation"]
        assert (said["status"], said["explanation"], said["valid"]) == ("unreadable", [], False)
        assert "no region could be read in what the model said" in said["cause"]
        assert said["raw"]
        assert said["tokens_in"] > 100  # the picture's among them
        assert 0 < said["tokens_out"] <= 24
        assert said["attempts"] == 1
    assert result.stderr.count("unreadable: no region could be read") == 2
    # The measured part is as it is without a model.
    assert "copy_move" in meadow["regions"][0]["findings"]
    assert letter["regions"] == []
