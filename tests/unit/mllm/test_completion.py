from __future__ import annotations

from typing import Any

import pytest

from omni_iml.mllm import Denied, Refused, Temporary
from omni_iml.mllm.completion import FOREIGN, error_of, read_completion, read_models, read_object


def completion(content: Any, **more: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"content": content}, "finish_reason": "stop"}], **more}


@pytest.mark.parametrize("body", [b"<!doctype html><p>Hello", b"[]", b"null", b'"yes"', b"[" * 100_000, b"\xff\xfe"])
def test_what_is_no_object_comes_from_something_else(body: bytes) -> None:
    with pytest.raises(Denied, match=r"does not answer in the OpenAI protocol; does it end in /v1\?"):
        read_object(body)


@pytest.mark.parametrize("body", [b"", b' \n{"choices": [{"mess', b'{"a": \xff}', b'{"a":' * 100_000])
def test_what_was_cut_off_may_come_whole_the_next_time(body: bytes) -> None:
    with pytest.raises(Temporary, match="cut off"):
        read_object(body)


def test_an_error_keeps_its_message() -> None:
    assert error_of({"error": {"message": "no such model"}}) == "no such model"
    assert error_of({"error": "Unexpected endpoint"}) == "Unexpected endpoint"
    assert error_of({"error": {"code": 5}}) == "{'code': 5}"
    assert error_of({"error": None}) == error_of({}) == error_of(completion("A cat.", error="slow")) == ""


@pytest.mark.parametrize(
    "more",
    [
        {"choices": "x"}, {"choices": []}, {"choices": ["x"]}, {"choices": {"0": {}}}, {"choices": None},
        {"choices": [{"message": "x"}]}, {"choices": [{"message": {"content": 7}}]},
        {"choices": [{"message": {"content": [7]}}]}, {"choices": [{}]},
    ],
)  # fmt: skip
def test_an_object_of_another_form_is_no_crash(more: dict[str, Any]) -> None:
    with pytest.raises(Temporary) as raised:
        read_completion({**completion("?"), **more})
    assert str(raised.value) == FOREIGN


def test_parts_of_text_are_joined_and_others_left_out() -> None:
    parts = [
        {"type": "thinking", "thinking": "Hm."},
        {"type": "text", "text": "A "},
        "black ",
        {"text": "cat.\ud800"},
        {"text": 7},
    ]
    assert read_completion(completion(parts)).text == "A black cat.?"
    assert read_completion(completion(None)).text == read_completion(completion([])).text == ""
    with pytest.raises(Refused, match="No cats"):
        read_completion(completion([{"type": "refusal", "refusal": "No cats."}]))


def test_what_the_filter_withheld_needs_no_message() -> None:
    with pytest.raises(Refused, match="filter"):
        read_completion({"choices": [{"finish_reason": "content_filter"}], "usage": []})


@pytest.mark.parametrize("count", ["many", None, -1, float("nan"), float("inf"), [], {}])
def test_an_answer_is_good_without_a_count_of_its_tokens(count: Any) -> None:
    reply = read_completion(completion("A cat.", usage={"prompt_tokens": count, "completion_tokens": 3.0}))
    assert (reply.text, reply.tokens_in, reply.tokens_out) == ("A cat.", 0, 3)


@pytest.mark.parametrize("answer", [{}, {"data": None}, {"data": "ab"}, {"data": ["a"]}, {"data": [{"id": 7}]}])
def test_what_lists_no_models_is_something_else(answer: dict[str, Any]) -> None:
    with pytest.raises(Denied, match="OpenAI protocol"):
        read_models(answer)


def test_models_are_named_so_that_the_name_can_be_sent_back() -> None:
    assert read_models({"data": [{"id": "a"}, {"id": "b\ud800"}]}) == ["a", "b?"]
