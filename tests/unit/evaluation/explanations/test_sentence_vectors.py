from __future__ import annotations

import math

import pytest

from omni_iml.metrics.word_vectors import UnreadableVectors

pytest.importorskip("torch")
pytest.importorskip("transformers")
import torch
import transformers

from omni_iml.evaluation.explanations.sentence_vectors import sentence_vectors

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "edge", "has", "a", "halo", "hat"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny random BERT, which is what MiniLM is."""
    where = tmp_path_factory.mktemp("encoder")
    (where / "vocab.txt").write_text("\n".join(WORDS), "utf-8")
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=12, initializer_range=0.5,
    )  # fmt: skip
    transformers.BertModel(config).save_pretrained(where)
    transformers.BertTokenizerFast(vocab=str(where / "vocab.txt"), model_max_length=12).save_pretrained(where)
    return where


def by_hand(folder, *numbers):
    """The mean of one piece's hidden states; 2 and 3 begin and end it."""
    model = transformers.BertModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        return model(torch.tensor([[2, *numbers, 3]])).last_hidden_state[0].mean(0)


def test_a_text_is_the_mean_of_its_tokens(folder):
    cosine = sentence_vectors(str(folder))
    expected = torch.cosine_similarity(by_hand(folder, 5, 6), by_hand(folder, 8, 10), dim=0)
    assert cosine.of("the edge", "a hat") == pytest.approx(float(expected), abs=1e-5)
    assert cosine.of("the edge", "The EDGE") == pytest.approx(1, abs=1e-5)
    assert abs(cosine.of("the edge", "a hat")) < 0.999
    assert cosine.of("the edge", " ") == 0
    assert math.isnan(cosine.of("", "a hat"))
    assert cosine.name == f"{folder}, 16 dimensions, mean over tokens, in pieces of 12"


def test_what_is_longer_than_a_piece_counts_to_its_end(folder):
    cosine = sentence_vectors(str(folder))
    long = "the edge has a halo the edge has a halo"
    assert cosine.of(f"{long} the edge", f"{long} hat hat") < 1 - 1e-6
    first, rest = by_hand(folder, *[5, 6, 7, 8, 9] * 2), by_hand(folder, 10)
    expected = torch.cosine_similarity((12 * first + 3 * rest) / 15, by_hand(folder, 10), dim=0)
    assert cosine.of(f"{long} hat", "hat") == pytest.approx(float(expected), abs=1e-5)


def test_what_is_no_encoder_is_named(tmp_path):
    with pytest.raises(UnreadableVectors, match="no such folder"):
        sentence_vectors(str(tmp_path / "nowhere"))
    with pytest.raises(UnreadableVectors, match="cannot be opened as an encoder"):
        sentence_vectors(str(tmp_path))
