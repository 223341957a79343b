from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from omni_iml.explain_training.collating import Collator
from omni_iml.explain_training.samples import Sample
from omni_iml.mllm.asking import Query
from omni_iml.types import OmniError

PICTURE = np.zeros((4, 4, 3), np.uint8)
PAD, END = 0, 1


class Tokenizer:
    """Letters a, b, c... are tokens 11, 12, 13..."""

    pad_token_id, eos_token_id = PAD, END

    def __call__(self, text: str, add_special_tokens: bool) -> dict[str, list[int]]:
        assert not add_special_tokens
        return {"input_ids": [ord(letter) - 86 for letter in text]}


class Processor:
    """A prompt is a 9 for its picture and then its letters; shorter prompts are padded on the left."""

    def __init__(self) -> None:
        self.tokenizer: Any = Tokenizer()

    def apply_chat_template(self, conversations: list[Any], **options: Any) -> dict[str, torch.Tensor]:
        assert options["add_generation_prompt"]
        assert options["processor_kwargs"] == {"padding": True}
        prompts = []
        for (turn,) in conversations:
            image, text = turn["content"]
            assert image["type"] == "image"
            prompts.append([9, *self.tokenizer(text["text"], add_special_tokens=False)["input_ids"]])
        length = max(map(len, prompts))
        holes = [length - len(prompt) for prompt in prompts]
        return {
            "input_ids": torch.tensor([[PAD] * hole + p for hole, p in zip(holes, prompts, strict=True)]),
            "attention_mask": torch.tensor([[0] * hole + [1] * (length - hole) for hole in holes]),
            "mm_token_type_ids": torch.tensor([[0] * hole + [1] + [0] * (length - hole - 1) for hole in holes]),
            "pixel_values": torch.ones(len(prompts), 3, 4, 4),
        }


def sample(asked: str, target: str) -> Sample:
    return Sample(Query(asked, (PICTURE,)), target)


def test_the_answer_follows_the_prompt_and_alone_has_a_loss():
    batch = Collator(Processor(), 100)([sample("abc", "d"), sample("a", "ef")])
    assert batch["input_ids"].tolist() == [[9, 11, 12, 13, 14, END], [9, 11, 15, 16, END, PAD]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 0]]
    assert batch["mm_token_type_ids"].tolist() == [[1, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0]]
    assert batch["labels"].tolist() == [[-100, -100, -100, -100, 14, END], [-100, -100, 15, 16, END, -100]]
    assert batch["pixel_values"].shape == (2, 3, 4, 4)


def test_a_cut_answer_does_not_teach_to_stop():
    batch = Collator(Processor(), 2)([sample("a", "bcd"), sample("a", "b")])
    assert batch["labels"].tolist() == [[-100, -100, 12, 13], [-100, -100, 12, END]]


def test_a_tokenizer_that_cannot_end_an_answer_is_refused():
    processor = Processor()
    processor.tokenizer.eos_token_id = None
    with pytest.raises(OmniError, match="no eos_token"):
        Collator(processor, 10)
