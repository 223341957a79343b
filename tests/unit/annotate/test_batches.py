import json

import pytest

from omni_iml.annotate.batches import BatchRun
from omni_iml.annotate.exporting import export, status
from omni_iml.annotate.openai_chat import OpenAIChat
from omni_iml.annotate.running import Run
from omni_iml.annotate.spending import Prices

TWO = ((10, 10, 30, 30), (90, 50, 115, 80))


def go(work, server, **options):
    run = BatchRun(work, OpenAIChat("m", base_url=server.url), poll=0.01, **options)
    run.go()
    return run


def dumped(work):
    return [row.model_dump() for row in export(work.queue)]


def test_a_batch_a_step_gives_what_plain_calls_give(server, make_job, make_work):
    jobs = [make_job(boxes=TWO), make_job("b.png", domain="document")]
    plain = make_work(*jobs, folder="plain")
    Run(plain, OpenAIChat("m", base_url=server.url)).go()
    asked = len(server.requests)
    work = make_work(*jobs, prices=Prices(1.0, 1.0))
    go(work, server)
    assert dumped(work) == dumped(plain)
    assert len(server.requests) == 2 * asked
    assert len(server.batches) == 3  # as many as a chain has steps
    assert status(work.queue).cost == pytest.approx(asked * 1100 / 1e6)


def test_lines_that_failed_are_asked_again_or_named(server, make_job, make_work):
    server.faults.extend(["500", "400", "truncated", "refusal"])
    jobs = [make_job(f"{number}.png") for number in range(5)]
    work = make_work(*jobs)
    go(work, server)
    state = status(work.queue)
    assert [(name, error.split("(")[0].strip()) for name, _, _, error in state.failures] == [
        ("1.png", "the batch ended without an answer"),
        ("3.png", "the model declined"),
    ]
    assert state.finished == 3


@pytest.mark.parametrize("lost", ["the id", "nothing"])
def test_a_run_that_was_killed_finds_its_batch_again(server, make_job, make_work, monkeypatch, lost):
    jobs = [make_job(boxes=TWO)]
    work = make_work(*jobs)

    class Killed(BaseException):
        pass

    with monkeypatch.context() as patch:
        # The process dies when the batch is on its way, before or after its id is written down.
        def die(*_):
            raise Killed

        patch.setattr(BatchRun, "_remember" if lost == "the id" else "_collect", die)
        with pytest.raises(Killed):
            go(work, server)
    assert len(server.batches) == 1
    go(make_work(*jobs), server)
    assert len(server.batches) == 3
    assert len({json.dumps(body) for body in server.requests}) == len(server.requests) == 6
    assert status(work.queue).finished == 1


def test_a_batch_that_was_never_sent_is_sent(server, make_job, make_work, monkeypatch):
    work = make_work(make_job())
    chat = OpenAIChat("m", base_url=server.url)
    monkeypatch.setattr(chat, "body", lambda question: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        BatchRun(work, chat, poll=0.01).go()
    assert server.batches == {}
    go(work, server)
    assert status(work.queue).finished == 1


def test_the_budget_keeps_a_batch_small(server, make_job, make_work):
    jobs = [make_job(f"{number}.png") for number in range(4)]
    work = make_work(*jobs, prices=Prices(10.0, 100.0), budget=0.25)
    run = go(work, server)
    assert "budget" in run.stopped
    assert 0 < status(work.queue).cost <= 0.25
    assert 0 < len(server.requests) < 12
