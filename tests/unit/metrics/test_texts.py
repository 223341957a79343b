from __future__ import annotations

import pytest
import sacrebleu
from nltk import edit_distance
from rouge_score.rouge_scorer import RougeScorer

from omni_iml.metrics.texts import bleu_signature, corpus_bleu, mrb, ocr_accuracy, overlap, tokens


def test_words_of_two_scripts():
    assert tokens("The total, 128.50 EUR!") == ["the", "total", "128", "50", "eur"]
    assert tokens("边缘Edge不连续2处") == ["边", "缘", "edge", "不", "连", "续", "2", "处"]
    assert tokens("_ ... ") == []


def test_ocr_accuracy_by_hand():
    assert ocr_accuracy("128.50", "128.50") == 1
    assert ocr_accuracy("kitten", "sitting") == pytest.approx(1 - 3 / 7)
    assert ocr_accuracy("", "") == 1
    assert ocr_accuracy("abc", "") == 0
    assert ocr_accuracy("发票金额", "发票全额") == 0.75


def test_ocr_accuracy_follows_rects_on_case_and_width():
    assert ocr_accuracy("ABC１２３", "abc123") == 1
    assert ocr_accuracy("a  b\n", "a b") == 1
    assert ocr_accuracy("1.5", "15") == pytest.approx(1 - 1 / 3)  # symbols are characters


@pytest.mark.parametrize(("one", "other"), [("total 12", "totel 21"), ("发票", "票发x"), ("a", "bbbb"), ("", "x")])
def test_ocr_accuracy_against_nltk(one, other):
    assert ocr_accuracy(one, other) == pytest.approx(1 - edit_distance(one, other) / max(len(one), len(other)))


def test_mrb_by_hand():
    assert mrb("The outline is cut hard", "The outline is cut hard") == pytest.approx(1)
    assert mrb("The outline is cut hard", "Nothing alike") < 0.1
    # Of five words four in order (ROUGE-L 0.8); n-grams 4/5, 3/4, 2/3, 1/2, so BLEU is (1/5)^(1/4).
    assert mrb("the outline is cut hard", "the outline is cut soft") == pytest.approx((0.8 + 0.2**0.25) / 2)
    assert mrb("边缘不连续", "边缘不连续") == pytest.approx(1)
    # Four of the truth's five characters in order: precision 1, recall 4/5. BLEU: 4/4, 2/3, and of the two runs of
    # three and the one of four none, which exponential smoothing counts as 1/2 and 1/4; one shorter: exp(1 - 5/4).
    found = overlap("边缘不连续", "边缘连续")
    assert found.rouge_l == pytest.approx(8 / 9)
    assert found.rouge_2 == pytest.approx(2 * (2 / 3 * 2 / 4) / (2 / 3 + 2 / 4))
    assert found.bleu == pytest.approx(
        2.718281828 ** (-1 / 4) * (1 * 2 / 3 * (1 / 2) / 2 * (1 / 4) / 1) ** 0.25, rel=1e-6
    )


def test_nothing_against_something_and_nothing():
    assert overlap("words", "").mrb == 0
    assert overlap("", "words").mrb == 0
    assert overlap("", "...").mrb == 1


def test_english_agrees_with_the_libraries_alone():
    truth = "The edge of the pasted dog shows a bright halo against the dark lawn"
    given = "A bright halo surrounds the edge of the dog on the lawn"
    found, oracle = overlap(truth, given), RougeScorer(["rouge2", "rougeL"]).score(truth, given)
    assert found.rouge_2 == pytest.approx(oracle["rouge2"].fmeasure)
    assert found.rouge_l == pytest.approx(oracle["rougeL"].fmeasure)
    assert found.bleu == pytest.approx(sacrebleu.sentence_bleu(given, [truth]).score / 100)


def test_rouge_score_alone_would_give_chinese_nothing():
    assert RougeScorer(["rougeL"]).score("边缘不连续", "边缘不连续")["rougeL"].fmeasure == 0
    assert overlap("边缘不连续", "边缘不连续").rouge_l == 1


def test_bleu_of_all_texts_is_not_the_mean_of_each():
    truths, given = ["the outline is cut hard", "a dog runs"], ["the outline is cut hard", "no cat"]
    together = corpus_bleu(truths, given)
    assert together == pytest.approx(sacrebleu.corpus_bleu(given, [truths]).score / 100)
    assert together != pytest.approx(sum(overlap(t, g).bleu for t, g in zip(truths, given, strict=True)) / 2)
    assert corpus_bleu([], []) == 0
    assert corpus_bleu(["边缘不连续"], ["边缘不连续"]) == pytest.approx(1)


def test_the_signature_says_which_bleu():
    assert "sentence" in bleu_signature()
    assert "smooth:exp" in bleu_signature()
