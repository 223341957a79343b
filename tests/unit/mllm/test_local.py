from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from omni_iml.mllm import NoAnswer, Query
from omni_iml.mllm.opening import Opening, open_model
from tiny_mllms import build

pytest.importorskip("transformers")
PICTURE = np.random.default_rng(0).integers(0, 255, (60, 120, 3), np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("qwen2_5_vl", tmp_path_factory.mktemp("tiny"), ["What is in the picture?"])


def test_a_local_model_answers_the_same_every_time_and_counts_its_tokens(folder: Path) -> None:
    model = open_model(f"local:{folder}", Opening(max_tokens=12))
    first, second = (model.reply(Query("What?", (PICTURE,))) for _ in range(2))
    assert first == second
    assert first.tokens_in > 8  # 4 x 2 tokens of the picture among them
    assert 0 < first.tokens_out <= 12
    assert (model.backend, model.model) == ("local", str(folder))
    larger = model.reply(Query("What?", (np.tile(PICTURE, (2, 2, 1)),)))
    assert larger.tokens_in > first.tokens_in
    small = open_model(f"local:{folder}", Opening(max_tokens=12, max_side=120))
    assert small.reply(Query("What?", (np.tile(PICTURE, (2, 2, 1)),))).tokens_in == first.tokens_in


@pytest.mark.parametrize("bits", [8, 4])
def test_a_quantized_model_is_smaller_and_answers(folder: Path, bits: Literal[4, 8]) -> None:
    pytest.importorskip("bitsandbytes")
    whole, small = (open_model(f"local:{folder}", Opening(max_tokens=12, bits=kept)) for kept in (None, bits))
    assert small._model.get_memory_footprint() < whole._model.get_memory_footprint()
    reply = small.reply(Query("What?", (PICTURE,)))
    assert 0 < reply.tokens_out <= 12
    assert reply == small.reply(Query("What?", (PICTURE,)))


def always_says(model, token: int) -> None:
    """Make a model say one token for ever."""
    import torch

    def forward(hidden: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros(*hidden.shape[:-1], model._model.config.text_config.vocab_size)
        logits[..., token] = 1.0
        return logits

    model._model.lm_head.forward = forward


def test_a_model_that_repeats_itself_is_stopped_and_one_that_goes_on_cut_off(folder: Path) -> None:
    model = open_model(f"local:{folder}", Opening(max_tokens=400))
    always_says(model, 40)
    looped = model.reply(Query("What?", (PICTURE,)))
    assert looped.ending == "loop"
    assert looped.tokens_out < 100
    short = open_model(f"local:{folder}", Opening(max_tokens=10))
    always_says(short, 40)
    assert (short.reply(Query("What?")).ending, short.reply(Query("What?")).tokens_out) == ("length", 10)
    always_says(short, short._model.generation_config.eos_token_id)
    assert (short.reply(Query("What?")).ending, short.reply(Query("What?")).text) == ("stop", "")


def test_an_answer_that_takes_too_long_is_kept_as_far_as_it_came(folder: Path) -> None:
    reply = open_model(f"local:{folder}", Opening(max_tokens=400, timeout=0.0)).reply(Query("What?"))
    assert (reply.ending, reply.tokens_out) == ("time", 1)


def test_a_question_that_the_model_cannot_take_is_no_answer(folder: Path) -> None:
    model = open_model(f"local:{folder}", Opening(max_tokens=4))
    model._processor.chat_template = "{{ raise_exception('one picture at most') }}"
    with pytest.raises(NoAnswer, match=r"cannot take the question.*one picture at most"):
        model.reply(Query("What?", (PICTURE,)))


def test_what_is_no_model_is_named(tmp_path: Path, folder: Path) -> None:
    from omni_iml.mllm.local import UnreadableMllm

    with pytest.raises(UnreadableMllm, match="no such folder"):
        open_model(f"local:{tmp_path / 'nowhere'}", Opening())
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UnreadableMllm, match="cannot be opened as a multimodal model"):
        open_model(f"local:{tmp_path}", Opening())
    with pytest.raises(UnreadableMllm, match="cannot be opened"):
        open_model(f"local:{folder}", Opening(adapter=str(tmp_path)))


def test_a_model_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    from omni_iml.mllm.local import UnreadableMllm

    build("qwen2_5_vl", tmp_path, ["What?"])
    (tmp_path / "chat_template.jinja").unlink()
    with pytest.raises(UnreadableMllm, match="no chat template"):
        open_model(f"local:{tmp_path}", Opening())
