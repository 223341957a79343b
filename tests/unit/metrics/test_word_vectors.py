from __future__ import annotations

import math

import pytest

from omni_iml.metrics.word_vectors import UnreadableVectors, counted_words, file_vectors


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_mean_vectors_by_hand(tmp_path):
    path = write(tmp_path / "small.vec", "4 2\nedge 1 0\nhalo 0 1\nunused 9 9\n边 1 1\n")
    cosine = file_vectors(path, ["edge halo", "edge 边", "strange"])
    assert "small.vec, 2 dimensions, 3 of 4 words known" in cosine.name
    assert cosine.of("edge", "halo") == 0
    assert cosine.of("edge halo", "halo, edge") == pytest.approx(1)
    assert cosine.of("edge", "edge halo") == pytest.approx(1 / math.sqrt(2))
    assert cosine.of("边", "edge halo") == pytest.approx(1)
    assert cosine.of("edge", "strange") == 0
    assert math.isnan(cosine.of("strange", "edge"))


def test_a_file_without_a_first_line_of_sizes(tmp_path):
    assert file_vectors(write(tmp_path / "a.vec", "Edge 1 0\nedge 0 1\n"), ["edge"]).of("edge", "EDGE") == 1


def test_counts_by_hand():
    cosine = counted_words()
    assert "no trained vectors" in cosine.name
    assert cosine.of("a a b", "a b b") == pytest.approx(4 / 5)
    assert cosine.of("a", "b") == 0
    assert cosine.of("a", "") == 0
    assert math.isnan(cosine.of("", "a"))


@pytest.mark.parametrize("text", ["edge 1 0\nhalo 1\n", "edge 1 x\n", "halo\nedge\n", "2 2\nedge 1 inf\n"])
def test_what_is_no_vector_is_named(tmp_path, text):
    with pytest.raises(UnreadableVectors, match="line"):
        file_vectors(write(tmp_path / "bad.vec", text), ["edge halo"])


def test_files_that_hold_none(tmp_path):
    with pytest.raises(UnreadableVectors, match="holds no vectors"):
        file_vectors(write(tmp_path / "empty.vec", ""), ["edge"])
    with pytest.raises(UnreadableVectors, match="cannot be read"):
        file_vectors(tmp_path / "missing.vec", ["edge"])
