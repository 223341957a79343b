from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from chat_server import ChatServer
from omni_iml.explain import Asking, Interpretation, Interpreter, explain, save
from omni_iml.explain.files import explanation_schema
from omni_iml.explain.interpreting import query_of
from omni_iml.explain.queries import MODES, query_prompt, query_text
from omni_iml.mllm.endpoint import Endpoint
from omni_iml.mllm.patience import Patience

PICTURE = np.random.default_rng(0).integers(0, 255, (200, 300, 3), np.uint8)
SAID = [
    {
        "Tampered Region": "A red hat",
        "Absolute Position": "Top left of the image",
        "Relative Position": "On the man",
        "Artifacts": {"Edge Artifacts": "Cut hard."},
    }
]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-of-the-test")
    with ChatServer() as running:
        running.says = json.dumps(SAID)
        yield running


def interpreter(server: ChatServer, timeout: float = 5.0, **asking: Any) -> Interpreter:
    patience = Patience(2, pause=0.01)
    return Interpreter(Endpoint("m", base_url=server.url, timeout=timeout), Asking(patience=patience, **asking))


def mask_with(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    mask = np.zeros(PICTURE.shape[:2], bool)
    for x0, y0, x1, y1 in boxes:
        mask[y0:y1, x0:x1] = True
    return mask


def test_the_queries_are_the_papers() -> None:
    text = query_text("reference", "face")
    assert text.startswith("The left half of the input image is a tampered face image. The right half of the input")
    assert text.endswith("Always assume that you are observing only the left half of the input image")
    upright = query_text("reference", "scene_text", ("top", "bottom"))
    assert "top half of the input image is a tampered scene text image. The bottom half" in upright
    assert "left" not in upright
    assert "right" not in upright
    assert "is a tampered image. The right" in query_text("reference", None)
    assert query_text("plain", "face").startswith("The input image is a tampered image. Please find")
    assert "OCR of the tampered text" in query_text("zero_shot", "document")
    assert len({query_prompt(mode).sha256 for mode in MODES}) == 3


def test_only_the_reference_query_shows_the_mask() -> None:
    mask = mask_with((10, 10, 60, 60))
    shown = query_of(PICTURE, mask, "natural", Asking())
    assert shown.images[0].shape == (200, 600, 3)
    for mode in ("plain", "zero_shot"):
        (image,) = query_of(PICTURE, mask, "natural", Asking(mode=mode)).images
        np.testing.assert_array_equal(image, PICTURE)
    assert query_of(PICTURE, mask, None, Asking(spell_form=True)).text.endswith("answer with an empty list.")


def test_an_explanation_holds_both_what_was_measured_and_what_was_said(server: ChatServer, tmp_path: Path) -> None:
    found = explain(PICTURE, mask_with((10, 10, 60, 60)), interpreter=interpreter(server), domain="natural")
    assert len(found.regions) == 1
    assert found.regions[0].measurements
    written = json.loads(save(found, tmp_path, "a.png")["json"].read_text(encoding="utf-8"))
    jsonschema.validate(written, explanation_schema())
    said = written["interpretation"]
    assert said["explanation"] == SAID
    assert (said["status"], said["valid"], said["tokens_in"], said["attempts"]) == ("answered", True, 1000, 1)
    assert json.loads(said["raw"]) == SAID


def test_a_model_is_asked_about_an_empty_mask_too(server: ChatServer) -> None:
    found = explain(PICTURE, mask_with(), interpreter=interpreter(server))
    assert found.regions == ()
    assert found.interpretation is not None
    assert [one.published() for one in found.interpretation.answer.regions] == SAID
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("fault", "says", "status", "cause"),
    [
        ("", "Lovely weather.", "unreadable", "no region could be read"),
        ("", "", "unreadable", "the model said nothing"),
        ("", "I'm sorry, but I can't help with that.", "refused", "the model declined"),
        ("refusal", "", "refused", "I cannot help"),
        ("timeout", "", "timed out", "took too long"),
        ("500", "", "failed", "answered 500"),
        ("loop", "", "unreadable", "repeated itself without end"),
        ("truncated", "{ {", "unreadable", "cut off; allow more tokens"),
    ],
)
def test_a_model_that_fails_leaves_the_measured_part_and_says_why(
    server: ChatServer, tmp_path: Path, fault: str, says: str, status: str, cause: str
) -> None:
    server.faults.extend([fault, fault])
    server.says = says
    found = explain(PICTURE, mask_with((10, 10, 60, 60)), interpreter=interpreter(server, timeout=0.3))
    assert found.regions[0].measurements
    said = found.interpretation
    assert said is not None
    assert said.status == status
    assert cause in said.cause
    assert said.answer.regions == ()
    written = json.loads(save(found, tmp_path, "a.png")["json"].read_text(encoding="utf-8"))
    jsonschema.validate(written, explanation_schema())
    assert written["interpretation"]["raw"] == said.raw
    assert said.raw.startswith(says[:1])


@pytest.mark.parametrize(
    ("body", "cause", "asked"),
    [
        (b"<!doctype html>", "does it end in /v1?", 1),
        (b'{"choices": "x"}', "does it end in /v1?", 2),
        (b'{"choices": [', "cut off", 2),
        (b'{"error": {"message": "out of memory"}}', "out of memory", 2),
    ],
)
def test_what_is_no_answer_leaves_the_measured_part_too(
    server: ChatServer, body: bytes, cause: str, asked: int
) -> None:
    server.instead = "application/json", body
    found = explain(PICTURE, mask_with((10, 10, 60, 60)), interpreter=interpreter(server))
    assert found.regions[0].measurements
    assert found.interpretation is not None
    assert found.interpretation.status == "failed"
    assert cause in found.interpretation.cause
    assert len(server.requests) == asked


def test_what_came_before_a_loop_is_read_and_all_of_it_kept(server: ChatServer) -> None:
    server.faults.append("loop")
    said = interpreter(server).interpret(PICTURE, mask_with())
    assert (said.status, len(said.answer.regions)) == ("answered", 1)
    assert "left out" in said.cause
    assert said.raw.endswith("and so on, ")


def test_a_key_that_is_wrong_is_tried_once(server: ChatServer) -> None:
    server.faults.append("401")
    asked = interpreter(server)
    statuses = [asked.interpret(PICTURE, mask_with()).status for _ in range(3)]
    assert statuses == ["failed"] * 3
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "boxes", [[(150, 100, 155, 101)], [(6 * n, 100, 6 * n + 3, 140) for n in range(50)]], ids=["five pixels", "fifty"]
)
def test_tiny_and_many_regions(server: ChatServer, boxes: list[tuple[int, int, int, int]]) -> None:
    server.says = json.dumps([{**SAID[0], "Tampered Region": f"Digit {n}"} for n in range(len(boxes))])
    found = explain(PICTURE, mask_with(*boxes), interpreter=interpreter(server))
    said = found.interpretation
    assert isinstance(said, Interpretation)
    assert len(found.regions) == len(said.answer.regions) == len(boxes)
    assert said.answer.valid
