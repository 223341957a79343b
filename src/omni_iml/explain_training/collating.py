"""Samples as one batch of tensors: the prompt, the answer after it, and a loss on the answer alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from omni_iml.explain_training.samples import Sample
from omni_iml.mllm.local import conversation
from omni_iml.types import OmniError

IGNORED = -100
"""Label of a token that has no loss, as transformers has it."""


class Collator:
    """Makes batches for any processor of transformers that has a chat template.

    The prompt is what `mllm.local` sends, token by token; the answer is tokenized apart and appended, so that no
    token ever spans the seam, as none does when the model answers.

    Args:
        processor: of the model.
        max_tokens: longest answer; a longer one is cut, without a token that ends it.

    Raises:
        OmniError: the processor's tokenizer has no token that ends an answer.
    """

    def __init__(self, processor: Any, max_tokens: int) -> None:
        self._processor, self._max_tokens = processor, max_tokens
        if processor.tokenizer.eos_token_id is None:
            raise OmniError("the model's tokenizer has no eos_token, so no answer could end; set one in its folder.")

    def __call__(self, samples: Sequence[Sample]) -> dict[str, Any]:
        """Make a batch.

        Args:
            samples: at least one.

        Returns:
            What the model's forward takes: ``input_ids``, ``attention_mask``, ``labels`` and what else its processor
            gives for each token, int64 ``(B, T)``, padded on the right; the pictures as the processor gives them.
        """
        batch = dict(
            self._processor.apply_chat_template(
                [conversation(one.query.text, [Image.fromarray(each) for each in one.query.images]) for one in samples],
                add_generation_prompt=True,
                tokenize=True,
                return_dict=True,
                return_tensors="pt",
                processor_kwargs={"padding": True},
            )
        )
        shape, asked = batch["input_ids"].shape, batch["attention_mask"].bool()
        answers = [self._answer(one.target) for one in samples]
        pad = self._processor.tokenizer.pad_token_id or 0
        extra = {"input_ids": answers, "attention_mask": [torch.ones_like(one) for one in answers]}
        none = [torch.zeros_like(one) for one in answers]
        for name, value in list(batch.items()):
            if isinstance(value, Tensor) and value.shape == shape:
                prompts = [row[here] for row, here in zip(value, asked, strict=True)]
                batch[name] = _joined(prompts, extra.get(name, none), pad if name == "input_ids" else 0)
        silent = [torch.full((int(here.sum()),), IGNORED) for here in asked]
        return batch | {"labels": _joined(silent, answers, IGNORED)}

    def _answer(self, text: str) -> Tensor:
        tokenizer = self._processor.tokenizer
        tokens = [*tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
        return torch.tensor(tokens[: self._max_tokens])


def _joined(prompts: Sequence[Tensor], answers: Sequence[Tensor], padding: int) -> Tensor:
    """Each prompt with its answer, int64 ``(B, T)``, padded on the right."""
    rows = [torch.cat([first, second.to(first.dtype)]) for first, second in zip(prompts, answers, strict=True)]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=padding)
