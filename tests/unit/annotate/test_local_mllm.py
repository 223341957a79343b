from __future__ import annotations

import json
import threading

import numpy as np
import pytest

from omni_iml.annotate.annotator import Question, Subject
from omni_iml.annotate.answers import Finding, Findings, spelt
from omni_iml.annotate.exporting import export, status
from omni_iml.annotate.local_mllm import LocalMllm
from omni_iml.annotate.running import Run
from omni_iml.annotate.spending import tokens_of
from omni_iml.mllm import NoAnswer, Reply, Unusable

PIXELS = np.zeros((8, 9, 3), np.uint8)
QUESTION = Question(
    "describe", "What gives it away?", (PIXELS, PIXELS + 1), Findings, Subject("a.png", PIXELS, (), (), "face")
)
FINDINGS = {"findings": [{"title": "Edge artifacts", "description": "A hard edge."}]}


class Scripted:
    """A model whose replies are given by the form that is spelt out to it."""

    backend = "local"
    model = "tiny"

    def __init__(self, replies):
        self.replies, self.queries, self.lock = replies, [], threading.Lock()

    def reply(self, query):
        with self.lock:
            self.queries.append(query)
        if isinstance(self.replies, Reply):
            return self.replies
        form = json.loads(query.text.rpartition("\n")[2])["title"]
        found = self.replies[form]
        if isinstance(found, Exception):
            raise found
        return Reply(f"```json\n{json.dumps(found)}\n```", "stop", 100, 20)


GOOD = {
    "Recognition": {"content": "A red car", "relative_position": "Left of the tree"},
    "Findings": FINDINGS,
}


def test_the_form_is_spelt_out_and_pictures_and_tokens_go_through():
    model = Scripted(GOOD)
    answer = LocalMllm(model).ask(QUESTION)
    assert answer.form == Findings(findings=[Finding(title="Edge artifacts", description="A hard edge.")])
    assert (answer.tokens_in, answer.tokens_out) == (100, 20)
    (query,) = model.queries
    assert query.text == f"What gives it away?\n\n{spelt(Findings)}"
    assert query.images is QUESTION.images
    assert (LocalMllm(model).name, LocalMllm(model).model) == ("local", "tiny")


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply("I see nothing.", "stop", 7, 3), "not in the form"),
        (Reply('{"findings": [', "length", 7, 3), "raise --max-tokens"),
        (Reply("a a a a", "loop", 7, 3), "repeats itself"),
        (Reply("", "time", 7, 3), "raise --timeout"),
    ],
)
def test_what_is_no_answer_is_named_and_its_tokens_counted(reply, said):
    with pytest.raises(Unusable, match=said) as caught:
        LocalMllm(Scripted(reply)).ask(QUESTION)
    assert (caught.value.tokens_in, caught.value.tokens_out) == (7, 3)


def go(work, model):
    Run(work, LocalMllm(model)).go()
    return status(work.queue)


def test_the_chain_is_written_by_a_local_model(make_job, make_work):
    work = make_work(make_job(), make_job("b.png"), spell_form=True, unusable_attempts=1)
    found = go(work, Scripted(GOOD))
    assert (found.finished, found.calls) == (2, {"answered": 6})
    assert (found.tokens_in, found.tokens_out, found.cost) == (600, 120, 0.0)
    assert [row.instances[0].tampered_region for row in export(work.queue)] == ["A red car"] * 2


def test_nonsense_is_asked_once_and_lack_of_memory_too_and_the_rest_is_finished(make_job, make_work):
    text = make_job("text.png", domain="document")
    model = Scripted(GOOD | {"Recognition": {"content": 3}})
    found = go(make_work(make_job(), text, unusable_attempts=1), model)
    assert (found.finished, found.calls) == (1, {"answered": 2, "unusable": 1})
    ((name, instance, step, error),) = found.failures
    assert (name, instance, step) == ("a.png", 0, "recognise")
    assert "not in the form" in error

    model = Scripted(GOOD | {"Recognition": NoAnswer("the memory does not suffice")})
    found = go(make_work(make_job(), text, folder="other"), model)
    assert (found.finished, found.calls) == (1, {"answered": 2, "noanswer": 1})
    assert found.failures[0][3] == "the memory does not suffice"


@pytest.mark.parametrize("spell_form", [False, True])
def test_the_form_counts_in_what_is_set_aside(make_job, make_work, spell_form):
    work = make_work(make_job(), spell_form=spell_form)
    go(work, Scripted(GOOD | {"Recognition": NoAnswer("none")}))
    work.queue.retry()
    row = work.queue.claim("me")
    asked = work.question(row)
    call = work.reserve(row, asked)
    ((tokens,),) = work.queue.read("SELECT tokens_in FROM calls WHERE id = ?", call)
    assert tokens == tokens_of(asked.query(spell_form=spell_form), work.settings.max_side)
    assert (tokens > tokens_of(asked.query(), work.settings.max_side) + 50) is spell_form
