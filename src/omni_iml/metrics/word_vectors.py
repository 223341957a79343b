"""Cosine of two texts, and the vectors that it is taken of, which always go by name (C-T11).

The paper gives "the cosine similarity of the paragraph vectors" and cites word2vec; it does not say which vectors. Here
a text's vector is the mean of its words' vectors, and the words' vectors come from a file that the user names. Without
a file, words can be counted instead: that is a cosine too, but another figure, and its name says so.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from omni_iml.metrics.texts import tokens
from omni_iml.types import OmniError

COUNTS: Final = "counts"
"""Name of the vectors that are made of nothing but how often each word of the two texts occurs."""


class UnreadableVectors(OmniError):  # noqa: N818 - twin of UnreadableImage
    """A file that holds no word vectors."""


@dataclass(frozen=True)
class Cosine:
    """A cosine and the vectors it is taken of.

    Attributes:
        name: of the vectors, for reports.
        of: truth and given text to -1..1; nan where the truth has no word with a vector, 0 where only the given text
            has none.
    """

    name: str
    of: Callable[[str, str], float]


def counted_words() -> Cosine:
    """The cosine of word counts, which needs no file."""
    return Cosine("word counts (no trained vectors)", _of_counts)


def file_vectors(path: Path, texts: Iterable[str]) -> Cosine:
    """The cosine of mean word vectors from a text file as word2vec and fastText write it.

    Args:
        path: a ``.vec`` file: perhaps a line with two numbers, then a word and its numbers on each line.
        texts: all that will be compared: only their words are kept, so that a file of gigabytes needs little memory.

    Returns:
        The cosine; its name holds the file's, the vectors' length and how many of the texts' words have one.

    Raises:
        UnreadableVectors: the file cannot be opened, or a line does not hold as many numbers as the first.
    """
    wanted = {token for text in texts for token in tokens(text)}
    vectors = _read(path, wanted)
    length = len(next(iter(vectors.values()))) if vectors else 0
    name = f"{path.name}, {length} dimensions, {len(vectors)} of {len(wanted)} words known, mean over words"

    def of(truth: str, given: str) -> float:
        return _cosine(_mean(truth, vectors), _mean(given, vectors))

    return Cosine(name, of)


def _read(path: Path, wanted: set[str]) -> Mapping[str, NDArray[np.float32]]:
    vectors: dict[str, NDArray[np.float32]] = {}
    length = 0
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, 1):
                word, _, rest = line.rstrip().partition(" ")
                if number == 1 and word.isdigit() and rest.strip().isdigit():
                    length = int(rest)
                    continue
                length = length or len(rest.split())
                word = word.lower()
                if word in wanted and word not in vectors:  # the more frequent spelling comes first in such files
                    vectors[word] = _numbers(rest, length, f"{path}, line {number}")
    except OSError as error:
        raise UnreadableVectors(f"{path}: cannot be read ({error.strerror}); name a .vec file.") from error
    if not length:
        raise UnreadableVectors(f"{path}: holds no vectors; name a text file with a word and its numbers on each line.")
    return vectors


def _numbers(rest: str, length: int, place: str) -> NDArray[np.float32]:
    try:
        vector = np.array(rest.split(), np.float32)
    except ValueError:
        vector = np.zeros(0, np.float32)
    if len(vector) != length or not length or not np.isfinite(vector).all():
        raise UnreadableVectors(
            f"{place}: is not a word and {length} numbers; name a text file of word vectors (.vec, not .bin)."
        )
    return vector


def _mean(text: str, vectors: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32] | None:
    known = [vectors[token] for token in tokens(text) if token in vectors]
    return np.mean(known, axis=0) if known else None


def _cosine(truth: NDArray[np.float32] | None, given: NDArray[np.float32] | None) -> float:
    if truth is None:
        return math.nan
    if given is None:
        return 0.0
    norm = float(np.linalg.norm(truth) * np.linalg.norm(given))
    return float(truth @ given) / norm if norm else 0.0


def _of_counts(truth: str, given: str) -> float:
    ours, theirs = Counter(tokens(truth)), Counter(tokens(given))
    if not ours:
        return math.nan
    product = sum(count * theirs[token] for token, count in ours.items())
    norm = math.hypot(*ours.values()) * math.hypot(*theirs.values())
    return product / norm if norm else 0.0
