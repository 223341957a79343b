"""Cosine of two texts by a sentence encoder that transformers opens, such as MiniLM (extra mllm).

A text's vector is the mean over its tokens' last hidden states, as most models of sentence-transformers pool. This file
needs torch.
"""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer

from omni_iml.metrics.word_vectors import Cosine, UnreadableVectors
from omni_iml.text import plain

_HUB = "hf://"
_LONGEST = 256
"""Tokens of a piece: what MiniLM was trained on."""


def sentence_vectors(where: str) -> Cosine:
    """Open an encoder; no code that comes with it is run, and pickled weights are not read.

    Args:
        where: a folder, or ``hf://owner/name@revision``, "main" being the revision if none is named.

    Returns:
        The cosine; its name holds the encoder's and the vectors' length. Longer texts are read in pieces of 256 tokens,
        or fewer where the encoder takes fewer, and the mean is over all of them.

    Raises:
        UnreadableVectors: there is no such encoder, or it cannot be opened.
    """
    folder, _, revision = where.removeprefix(_HUB).partition("@") if where.startswith(_HUB) else (where, "", "")
    options = {"revision": revision or "main"} if where.startswith(_HUB) else {"local_files_only": True}
    if not where.startswith(_HUB) and not Path(folder).is_dir():
        raise UnreadableVectors(f"{where}: there is no such folder of an encoder; name one.")
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, **options)
        model = AutoModel.from_pretrained(folder, trust_remote_code=False, use_safetensors=True, **options).eval()
        longest = min(_LONGEST, tokenizer.model_max_length, model.config.max_position_embeddings)
    except (OSError, ValueError, KeyError, RuntimeError, AttributeError) as error:
        cause = plain(str(error))
        raise UnreadableVectors(f"{where}: cannot be opened as an encoder ({cause}); name another.") from error

    @lru_cache(maxsize=4096)
    @torch.inference_mode()
    def vector(text: str) -> torch.Tensor:
        pieces = tokenizer(
            text, truncation=True, max_length=longest, return_overflowing_tokens=True, padding=True, return_tensors="pt"
        )
        pieces.pop("overflow_to_sample_mapping", None)
        states = model(**pieces).last_hidden_state  # (pieces, tokens, width)
        weights = pieces["attention_mask"][..., None].to(states.dtype)
        mean: torch.Tensor = (states * weights).sum((0, 1)) / weights.sum()
        return mean

    def of(truth: str, given: str) -> float:
        if not truth.strip():
            return math.nan
        return float(torch.cosine_similarity(vector(truth), vector(given), dim=0)) if given.strip() else 0.0

    width = model.config.hidden_size
    return Cosine(f"{where}, {width} dimensions, mean over tokens, in pieces of {longest}", of)
