import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from chat_server import ChatServer
from omni_iml.annotate.exporting import export, status
from omni_iml.annotate.living import Worker
from omni_iml.annotate.openai_chat import OpenAIChat
from omni_iml.annotate.queue import Queue, WrongWork
from omni_iml.annotate.running import Run
from omni_iml.annotate.spending import Prices
from omni_iml.mllm import Denied

TWO = ((10, 10, 30, 30), (90, 50, 115, 80))


def go(work, server, **options):
    run = Run(work, OpenAIChat("m", base_url=server.url, **options))
    run.go()
    return run


def test_the_three_steps_come_in_order_with_one_instance_a_query(server, make_job, make_work):
    work = make_work(make_job(boxes=TWO), concurrency=1)
    go(work, server)
    assert server.steps() == ["Recognition", "Recognition", "Findings", "Findings", "Findings", "Findings"]
    texts = [body["messages"][0]["content"][0]["text"] for body in server.requests]
    assert ["top left" in text for text in texts] == [True, False] * 3
    assert all(len(body["messages"][0]["content"]) == 3 for body in server.requests)  # the prompt, A and B
    (row,) = export(work.queue)
    assert [each.absolute_position for each in row.instances] == ["Top left", "Bottom right"]
    assert [each.box for each in row.instances] == [(10, 10, 30, 30), (90, 50, 115, 80)]
    # What still hedges and what is new is gone, what was rewritten is kept.
    assert [list(each.artifacts) for each in row.instances] == [["Edge artifacts"]] * 2
    assert row.provenance.removed == 2
    assert row.provenance.prompts.keys() >= {"recognise", "describe_natural", "examine_natural"}
    # Step 2 is shown step 1's content, step 3 is shown step 2's findings.
    assert row.instances[0].tampered_region in texts[2]
    assert "2. Texture anomaly: The texture might be smoother." in texts[4]


def test_text_is_read_here_and_only_described_there(server, make_job, make_work):
    work = make_work(make_job(domain="document"), concurrency=1)
    go(work, server)
    assert server.steps() == ["Findings", "Findings"]
    text = server.requests[0]["messages"][0]["content"][0]["text"]
    assert 'The tampered text reads "18.30", and is located at the top left of the images A and B' in text
    (row,) = export(work.queue)
    assert (row.instances[0].tampered_region, row.instances[0].relative_position) == ("18.30", "Total 18.30")


def test_fragments_are_grouped_first_and_the_model_gives_the_position(server, make_job, make_work):
    boxes = (*TWO, (60, 10, 80, 30))
    work = make_work(make_job(boxes=boxes, fragments=True), concurrency=1)
    go(work, server)
    assert server.steps() == ["Grouping", "Placing", "Recognition", *["Findings"] * 4]
    (row,) = export(work.queue)
    first, second = row.instances
    assert (first.tampered_region, first.absolute_position, first.box) == ("A torn poster", "Center", (10, 10, 115, 80))
    assert second.box == (60, 10, 80, 30)  # the region that the model left out is an object of its own


def test_the_baseline_asks_once_for_everything(server, make_job, make_work):
    work = make_work(make_job(boxes=TWO), make_job("b.png", domain="face"), method="single", concurrency=1)
    go(work, server)
    assert server.steps() == ["Single", "Single"]
    rows = list(export(work.queue))
    assert [row.provenance.method for row in rows] == ["single", "single"]
    assert rows[0].instances[0].artifacts.keys() == {"Edge artifacts", "Texture anomaly"}


def test_faults_that_pass_are_waited_out(server, make_job, make_work):
    server.faults.extend(["429", "500", "timeout", "truncated", "nonsense", "", ""])
    work = make_work(make_job(), concurrency=1)
    began = time.monotonic()
    go(work, server, timeout=0.3)
    assert time.monotonic() - began > 0.2  # retry-after was kept to
    state = status(work.queue)
    assert (state.finished, len(state.failures)) == (0, 1)  # two unusable answers to one question are enough
    assert "not in the form" in state.failures[0][3]
    assert state.calls == {"temporary": 1, "overdue": 1, "toofast": 1, "unusable": 2}
    assert work.queue.retry() == 1
    go(work, server)
    assert status(work.queue).finished == 1


@pytest.mark.parametrize(("fault", "said"), [("refusal", "declined"), ("filter", "filter"), ("400", "bad picture")])
def test_a_refused_question_is_named_and_the_rest_finished(server, make_job, make_work, fault, said):
    server.faults.append(fault)
    work = make_work(make_job(), make_job("b.png"), concurrency=1)
    go(work, server)
    state = status(work.queue)
    assert [(name, step) for name, _, step, _ in state.failures] == [("a.png", "recognise")]
    assert said in state.failures[0][3]
    assert [row.image for row in export(work.queue)] == ["b.png"]


def test_a_server_that_is_gone_for_good(server, make_job, make_work):
    work = make_work(make_job(), make_job("b.png", domain="document"), make_job("c.png", boxes=()), attempts=3)
    server.close()
    began = time.monotonic()
    go(work, server)
    assert time.monotonic() - began < 20
    state = status(work.queue)
    assert sorted((name, step) for name, _, step, _ in state.failures) == [
        ("a.png", "recognise"),
        ("b.png", "describe"),
        ("c.png", "split"),
    ]
    assert "nobody answers" in state.failures[0][3]


def test_a_long_pause_ends_the_run_and_the_next_one_goes_on(server, make_job, make_work):
    """Nobody wants a program that sleeps for hours without a word; the work stays as it is."""
    server.faults.extend(["", "429 for hours"])
    jobs = [make_job(boxes=TWO), make_job("b.png", boxes=TWO)]
    started = time.monotonic()
    run = go(make_work(*jobs, concurrency=2), server)
    assert time.monotonic() - started < 60
    assert "a pause of 7200 s" in run.stopped
    work = make_work(*jobs)
    assert status(work.queue).failures == []
    assert go(work, server).stopped == ""
    assert len(list(export(work.queue))) == 2


def test_the_key_is_in_no_file_and_no_error(server, make_job, make_work, tmp_path):
    server.faults.extend(["500"] * 10)
    work = make_work(make_job(), make_job("b.png"), concurrency=1, attempts=2)
    go(work, server)
    failures = status(work.queue).failures
    assert "broken (Bearer ***)" in failures[0][3]
    server.faults.clear()
    server.faults.append("401")
    work.queue.retry()
    run = go(work, server)
    assert "401" in run.stopped
    assert "sk-secret" not in run.stopped
    assert server.keys == {"Bearer sk-secret-of-the-test"}
    list(export(work.queue))
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or b"sk-secret" not in file.read_bytes()


def test_the_form_can_be_spelt_out_for_servers_that_pass_over_it(server, make_job, make_work):
    work = make_work(make_job(), concurrency=1)
    go(work, server, spell_form=True)
    assert '"relative_position"' in server.requests[0]["messages"][0]["content"][0]["text"]
    assert status(work.queue).finished == 1


def test_no_key_and_no_address(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(Denied, match="OPENAI_API_KEY"):
        OpenAIChat("m")


def test_the_budget_stops_cleanly_and_more_of_it_goes_on(server, make_job, make_work):
    jobs = [make_job(f"{number}.png") for number in range(4)]
    prices = Prices(10.0, 100.0)  # a question costs 0.02, and is taken to cost up to 0.16 or so
    work = make_work(*jobs, concurrency=2, prices=prices, budget=0.25)
    run = go(work, server)
    assert "budget" in run.stopped
    state = status(work.queue)
    assert state.cost <= 0.25
    assert 1 <= len(server.requests) < 12
    assert not state.failures
    assert go(make_work(*jobs, prices=prices, budget=9.0), server).stopped == ""
    state = status(work.queue)
    assert (state.finished, len(server.requests)) == (4, 12)
    assert state.cost == pytest.approx(12 * 0.02)
    assert (state.tokens_in, state.tokens_out) == (12_000, 1_200)


def test_bad_input_is_named_and_the_rest_finished(server, make_job, make_work):
    import cv2

    good = make_job()
    other = make_job("size.png")
    cv2.imwrite(str(other.mask), np.full((50, 50), 255, np.uint8))
    broken = make_job("broken.png")
    broken.picture.write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    many = make_job("many.png")
    dots = np.zeros((96, 120), np.uint8)
    dots[::4, ::4] = dots[1::4, ::4] = 255
    cv2.imwrite(str(many.mask), dots)
    gone = make_job("gone.png")
    gone.mask.unlink()
    work = make_work(other, make_job("empty.png", boxes=()), broken, many, gone, good)
    go(work, server)
    failures = {name: error for name, _, _, error in status(work.queue).failures}
    assert failures.keys() == {"size.png", "empty.png", "broken.png", "many.png", "gone.png"}
    assert "is 50 x 50, but size.png is 120 x 96" in failures["size.png"]
    assert "marks no pixel" in failures["empty.png"]
    assert "has 720 separate regions, more than 100" in failures["many.png"]
    assert [row.image for row in export(work.queue)] == ["a.png"]


def test_several_workers_share_the_work(server, make_job, make_work):
    server.delay = 0.02
    jobs = [make_job(f"{number}.png") for number in range(6)]
    works = [make_work(*jobs, concurrency=2) for _ in range(2)]  # connections of their own, as processes have
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda work: go(work, server), works))
    assert status(works[0].queue).finished == 6
    assert len(server.requests) == len(set(server.answered)) == 18


def test_what_a_dead_worker_had_claimed_is_taken_over(server, make_job, make_work):
    work = make_work(make_job())
    with Worker(work.queue.folder) as slow:
        assert work.queue.claim(slow.name).step == "split"
        assert work.queue.claim("another") is None  # the slow one is still at work
    go(work, server)
    assert status(work.queue).finished == 1
    assert list((work.queue.folder / "workers").iterdir()) == []


def test_a_work_directory_keeps_to_what_it_was_begun_with(server, make_job, make_work, tmp_path):
    make_work(make_job())
    with pytest.raises(WrongWork, match="was begun with method chain, not single"):
        make_work(make_job(), method="single")
    with pytest.raises(WrongWork, match="no work directory"):
        Queue(tmp_path / "nowhere")


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from conftest import FakeReader
from omni_iml.annotate.openai_chat import OpenAIChat
from omni_iml.annotate.prompts import load_prompts
from omni_iml.annotate.queue import Queue
from omni_iml.annotate.running import Run, Settings, Work
settings = Settings(pause=0.01, concurrency=2)
work = Work(Queue(Path(sys.argv[2])), "chain", load_prompts(), FakeReader, settings)
Run(work, OpenAIChat("m", base_url=sys.argv[3])).go()
"""


def go_process(work, server):
    here = str(Path(__file__).parent)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}  # the tests' own modules too
    return subprocess.Popen([sys.executable, "-c", SCRIPT, here, str(work.queue.folder), server.url], env=environment)


@pytest.mark.slow
def test_killed_at_twenty_random_points_the_result_is_the_same_and_nothing_answered_is_asked_twice(
    make_job, make_work, monkeypatch
):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-of-the-test")
    domains = ("natural", "document", "face")
    jobs = [make_job(f"{n}.png", boxes=TWO, domain=domains[n % 3], fragments=n % 2 == 0) for n in range(40)]
    random = np.random.default_rng(5)
    with ChatServer(delay=0.05) as server:
        whole = make_work(*jobs, folder="whole", concurrency=8)
        go(whole, server)
    with ChatServer(delay=0.05) as server:
        work = make_work(*jobs, folder="killed")
        known: set[str] = set()
        kills = 0
        while kills < 20:
            process = go_process(work, server)
            deadline = time.monotonic() + 60
            before = len(server.answered)
            while len(server.answered) == before and time.monotonic() < deadline and process.poll() is None:
                time.sleep(0.01)
            time.sleep(random.uniform(0, 0.3))
            if process.poll() is not None:
                break
            process.kill()
            process.wait()
            kills += 1
            recorded = {q for (q,) in work.queue.read("SELECT question FROM steps WHERE question IS NOT NULL")}
            assert known <= recorded
            known = recorded
            mark = len(server.answered)
        assert kills == 20
        go_process(work, server).wait(120)
        asked_again = [key for key in server.answered[mark:] if key in known]
        assert asked_again == []
        # A question that was on its way when the process died is the only one that can be asked again.
        assert len(server.answered) - len(set(server.answered)) <= 2 * kills
    assert [json.loads(r.model_dump_json()) for r in export(work.queue)] == [
        json.loads(r.model_dump_json()) for r in export(whole.queue)
    ]
