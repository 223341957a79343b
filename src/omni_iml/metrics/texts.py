"""How well one text agrees with another: OCR accuracy, ROUGE, BLEU, and the mean of two of them; English and Chinese.

rouge-score and sacreBLEU count; what is decided here is how a text becomes words. Chinese, Japanese kana and Han
characters stand for themselves, everything else is split at what is neither letter nor digit and taken in lower case:
rouge-score's own tokeniser keeps nothing of a Chinese text and gives it 0. BLEU is sacreBLEU's, with its tokeniser
"zh" where the reference has such characters and "13a" otherwise.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_TOKEN = re.compile(rf"{_WIDE.pattern}|(?:(?!{_WIDE.pattern})[^\W_])+")


@dataclass(frozen=True)
class Overlap:
    """How much of its words a text shares with a reference, each 0..1.

    Attributes:
        rouge_2: F-measure of pairs of neighbouring words.
        rouge_l: F-measure of the longest common subsequence.
        bleu: of this one text as a sentence, up to four words, smoothed exponentially (sacreBLEU's default).
    """

    rouge_2: float
    rouge_l: float
    bleu: float

    @property
    def mrb(self) -> float:
        """Mean of ROUGE-L and BLEU, the paper's MRB (C-T6)."""
        return (self.rouge_l + self.bleu) / 2


def tokens(text: str) -> list[str]:
    """A text as words.

    Args:
        text: any.

    Returns:
        Words in lower case; wide characters one by one.
    """
    return _TOKEN.findall(text.lower())


def ocr_accuracy(truth: str, given: str) -> float:
    """One minus the normalised edit distance, as ReCTS has it (Zhang et al. 2019): 1 - D / max(both lengths).

    As there, case and full or half width do not matter; runs of white space count as one blank. Simplified and
    traditional characters are different characters.

    Args:
        truth: the text that is there.
        given: the text as read.

    Returns:
        0..1; 1 where both are empty.

    Raises:
        ModuleNotFoundError: rapidfuzz is not installed (extra ``eval`` or ``annotate``).
    """
    from rapidfuzz.distance import Levenshtein

    return float(Levenshtein.normalized_similarity(_read(truth), _read(given)))


def overlap(truth: str, given: str) -> Overlap:
    """ROUGE-2, ROUGE-L and BLEU of one text.

    Args:
        truth: the reference.
        given: the text to score.

    Returns:
        All 0 where one of the two has no word, unless neither has: then all 1.

    Raises:
        ModuleNotFoundError: rouge-score or sacreBLEU is not installed (extra ``eval`` or ``annotate``).
    """
    ours, theirs = tokens(truth), tokens(given)
    if not ours or not theirs:
        same = float(not ours and not theirs)
        return Overlap(same, same, same)
    rouge, bleu = _scorers()
    found = rouge.score(truth, given)
    sentence = bleu[_bleu_tokenizer(truth)].sentence_score(given, [truth]).score / 100
    # sacreBLEU's geometric mean of ones is 1 + 2e-16.
    return Overlap(found["rouge2"].fmeasure, found["rougeL"].fmeasure, min(1.0, float(sentence)))


def mrb(truth: str, given: str) -> float:
    """Mean of ROUGE-L (F-measure) and sentence BLEU.

    Args:
        truth: the reference.
        given: the text to score.

    Returns:
        0..1.

    Raises:
        ModuleNotFoundError: see `overlap`.
    """
    return overlap(truth, given).mrb


def corpus_bleu(truths: Sequence[str], given: Sequence[str]) -> float:
    """BLEU of all texts together: their n-grams are counted in one, and nothing is smoothed but a count of zero.

    Args:
        truths: a reference each.
        given: the texts to score, in the same order.

    Returns:
        0..1; 0 without texts.

    Raises:
        ModuleNotFoundError: see `overlap`.
    """
    if not truths:
        return 0.0
    from sacrebleu.metrics.bleu import BLEU

    tokenizer = "zh" if any(map(_WIDE.search, truths)) else "13a"
    return min(1.0, float(BLEU(tokenize=tokenizer).corpus_score(list(given), [list(truths)]).score) / 100)


def bleu_signature() -> str:
    """Which BLEU this is, in sacreBLEU's own short form but for the tokeniser, which follows the reference."""
    import sacrebleu

    return f"sentence, nrefs:1|case:mixed|eff:yes|tok:13a or zh|smooth:exp|version:{sacrebleu.__version__}"


class _Tokenizer:
    def tokenize(self, text: str) -> list[str]:
        return tokens(text)


@cache
def _scorers() -> tuple[Any, dict[str, Any]]:
    from rouge_score.rouge_scorer import RougeScorer
    from sacrebleu.metrics.bleu import BLEU

    rouge = RougeScorer(["rouge2", "rougeL"], tokenizer=_Tokenizer())
    return rouge, {name: BLEU(effective_order=True, tokenize=name) for name in ("13a", "zh")}


def _bleu_tokenizer(truth: str) -> str:
    return "zh" if _WIDE.search(truth) else "13a"


def _read(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
