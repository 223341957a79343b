"""Tokens and money: what a question will cost at most, and what was spent."""

from __future__ import annotations

import math
from dataclasses import dataclass

from omni_iml.mllm import Query

_CHARACTERS_A_TOKEN = 3
"""English has about four, Chinese fewer; too many tokens in an estimate are the safe side."""


@dataclass(frozen=True)
class Prices:
    """What a million tokens cost, in any one currency; this package knows no prices.

    Attributes:
        tokens_in: a million tokens of questions.
        tokens_out: a million tokens of answers.
    """

    tokens_in: float = 0.0
    tokens_out: float = 0.0

    def cost(self, tokens_in: int, tokens_out: int) -> float:
        """What so many tokens cost.

        Args:
            tokens_in: of questions.
            tokens_out: of answers.

        Returns:
            In the prices' currency.
        """
        return (tokens_in * self.tokens_in + tokens_out * self.tokens_out) / 1e6


def tokens_of(query: Query, max_side: int) -> int:
    """Estimate the tokens of a query.

    Pictures are counted as OpenAI documents for GPT-4o at high detail: fitted into 2048 x 2048, the shorter side
    reduced to 768, then 170 tokens for each 512 x 512 tile and 85 more. Other models count otherwise.

    Args:
        query: what will be asked.
        max_side: to which pictures are reduced first.

    Returns:
        Tokens, rather too many than too few.
    """
    tokens = math.ceil(len(query.text) / _CHARACTERS_A_TOKEN)
    for image in query.images:
        height, width = image.shape[:2]
        fit = min(1.0, max_side / max(height, width), 2048 / max(height, width))
        fit *= min(1.0, 768 / (fit * min(height, width)))
        tiles = math.ceil(height * fit / 512 - 1e-9) * math.ceil(width * fit / 512 - 1e-9)
        tokens += 85 + 170 * tiles
    return tokens
