from __future__ import annotations

import base64
import time
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from chat_server import ChatServer
from omni_iml.mllm import Denied, Overdue, Query, Refused, Temporary, TooFast, Unreachable
from omni_iml.mllm.endpoint import Endpoint
from omni_iml.mllm.opening import Opening, WrongModelName, open_model
from omni_iml.mllm.patience import Patience, ask

KEY = "sk-secret-of-the-test"
PICTURE = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with ChatServer() as running:
        running.says = "A cat."
        yield running


def test_text_and_picture_arrive_and_the_reply_comes_back_with_its_tokens(server: ChatServer) -> None:
    reply = Endpoint("m", base_url=server.url).reply(Query("What is it?", (PICTURE,)))
    assert (reply.text, reply.ending, reply.tokens_in, reply.tokens_out) == ("A cat.", "stop", 1000, 100)
    (body,) = server.requests
    text, image = body["messages"][0]["content"]
    assert text["text"] == "What is it?"
    sent = np.frombuffer(base64.b64decode(image["image_url"]["url"].partition(",")[2]), np.uint8)
    np.testing.assert_array_equal(cv2.imdecode(sent, cv2.IMREAD_COLOR)[..., ::-1], PICTURE)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("429", TooFast), ("500", Temporary), ("401", Denied), ("400", Refused), ("timeout", Overdue),
        ("refusal", Refused), ("filter", Refused),
    ],
)  # fmt: skip
def test_each_failure_has_its_kind_and_hides_the_key(server: ChatServer, fault: str, error: type[Exception]) -> None:
    server.faults.append(fault)
    with pytest.raises(error) as raised:
        Endpoint("m", base_url=server.url, timeout=0.3).reply(Query("?"))
    assert KEY not in str(raised.value)


@pytest.mark.parametrize("what", ["dripping body", "dripping headers"])
def test_an_answer_that_drips_in_is_given_up_in_time(server: ChatServer, what: str) -> None:
    server.faults.append(what)
    begin = time.monotonic()
    with pytest.raises(Overdue, match="took too long"):
        Endpoint("m", base_url=server.url, timeout=0.5).reply(Query("?"))
    assert time.monotonic() - begin < 5
    assert server.left.wait(5)  # the connection is closed, and the service need not go on


PAGE = ("text/html", b"<!doctype html><title>A web interface</title>")


@pytest.mark.parametrize("name", ["m", ""], ids=["chat", "list of models"])
@pytest.mark.parametrize(
    ("instead", "error", "cause"),
    [
        (PAGE, Denied, r"OpenAI protocol; does it end in /v1\?"),
        (("application/json", PAGE[1]), Denied, "OpenAI protocol"),
        (("application/json", b"[]"), Denied, "OpenAI protocol"),
        (("application/json", b"null"), Denied, "OpenAI protocol"),
        (("application/json", b'{"choices": [{"mess'), Temporary, "cut off"),
        (("application/json", b'{"error": {"message": "no %s here"}}' % KEY.encode()), Temporary, r"no \*\*\* here"),
    ],
)
def test_what_is_no_answer_of_the_protocol_has_a_kind_and_a_cause(
    server: ChatServer, name: str, instead: tuple[str, bytes], error: type[Exception], cause: str
) -> None:
    server.instead = instead
    with pytest.raises(error, match=cause) as raised:
        Endpoint(name, base_url=server.url).reply(Query("?"))
    assert KEY not in str(raised.value)


def test_nobody_at_the_address(server: ChatServer) -> None:
    server.close()
    with pytest.raises(Unreachable, match="nobody answers"):
        Endpoint("m", base_url=server.url).reply(Query("?"))


def test_what_was_cut_off_is_told_from_what_repeats(server: ChatServer) -> None:
    server.faults.extend(["truncated", "loop"])
    model = Endpoint("m", base_url=server.url)
    assert [model.reply(Query("?")).ending for _ in range(2)] == ["length", "loop"]


def test_the_one_model_of_a_service_needs_no_name(server: ChatServer) -> None:
    model = open_model(f"endpoint:{server.url}", Opening())
    assert server.requests == []
    model.reply(Query("?"))
    assert model.model == server.requests[0]["model"] == "m"
    server.models = ["a", "b"]
    with pytest.raises(Denied, match=r"2 models \(a, b\)"):
        open_model(f"endpoint:{server.url}", Opening()).reply(Query("?"))


@pytest.mark.parametrize("name", ["endpoint", "endpoint:"])
def test_without_key_and_address_the_way_out_is_one_that_the_name_has(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(Denied, match="set OPENAI_API_KEY, or write endpoint:ADDRESS"):
        open_model(name, Opening())


def test_a_name_of_another_form_is_refused() -> None:
    with pytest.raises(WrongModelName, match="endpoint:ADDRESS"):
        open_model("gpt-4o", Opening())


def test_patience_waits_as_long_as_it_is_asked_to_and_gives_up(server: ChatServer) -> None:
    server.faults.extend(["429", "500", ""])
    waits: list[float] = []
    model = Endpoint("m", base_url=server.url)
    assert ask(model, Query("?"), Patience(3, pause=1.0), waits.append)[1] == 3
    assert waits == [0.2, 2.0]
    server.faults.extend(["500", "500", "refusal"])
    with pytest.raises(Temporary) as raised:
        ask(model, Query("?"), Patience(2, pause=0), waits.append)
    assert raised.value.attempts == 2
    with pytest.raises(Refused) as refused:
        ask(model, Query("?"), Patience(5, pause=0), waits.append)
    assert refused.value.attempts == 1
