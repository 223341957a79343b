"""Pictures, masks and work directories for the tests of this folder."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from chat_server import ChatServer
from omni_iml.annotate.jobs import Job
from omni_iml.annotate.prompts import load_prompts
from omni_iml.annotate.queue import Queue
from omni_iml.annotate.reading import Line
from omni_iml.annotate.running import Settings, Work, enter


class FakeReader:
    """OCR whose page says one thing."""

    def lines(self, pixels: Any) -> list[Line]:
        height, width = pixels.shape[:2]
        return [Line("Total 18.30", (0, 0, width, height // 2)), Line("Thank you", (0, height // 2, width, height))]

    def text(self, pixels: Any) -> str:
        return "18.30"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-of-the-test")
    with ChatServer() as running:
        yield running


@pytest.fixture
def make_job(tmp_path: Path) -> Callable[..., Job]:
    """Writes a picture and its mask, and gives the job."""

    def make(name: str = "a.png", boxes: Any = ((10, 10, 30, 30),), domain: Any = "natural", **changes: Any) -> Job:
        picture, mask = tmp_path / "in" / name, tmp_path / "masks" / name
        picture.parent.mkdir(exist_ok=True)
        mask.parent.mkdir(exist_ok=True)
        seed = zlib.crc32(name.encode())
        cv2.imwrite(str(picture), np.random.default_rng(seed).integers(0, 255, (96, 120, 3), np.uint8))
        drawn = np.zeros((96, 120), np.uint8)
        for x0, y0, x1, y1 in boxes:
            drawn[y0:y1, x0:x1] = 255
        cv2.imwrite(str(mask), drawn)
        facts = {"source": "mine", "split": None, "manual": None, "fragments": False, **changes}
        return Job(name=name, picture=picture, mask=mask, domain=domain, **facts)

    return make


@pytest.fixture
def make_work(tmp_path: Path) -> Callable[..., Work]:
    """A work directory with jobs entered."""

    def make(*jobs: Job, method: Any = "chain", folder: str = "work", **settings: Any) -> Work:
        queue = Queue(tmp_path / folder, create=True)
        work = Work(queue, method, load_prompts(), FakeReader, Settings(pause=0.01, **settings))
        enter(work, jobs, annotator="openai", model="m")
        return work

    return make
