"""Workers that go through a queue: several threads, any number of processes, until nothing is left or money is."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from omni_iml.annotate.annotator import Annotator, Question
from omni_iml.annotate.jobs import Job
from omni_iml.annotate.living import Worker
from omni_iml.annotate.prompts import Prompt
from omni_iml.annotate.queue import Queue, Row
from omni_iml.annotate.reading import Reader
from omni_iml.annotate.scene import MAX_INSTANCES, Scene, read_scene
from omni_iml.annotate.schema import TEXT_DOMAINS
from omni_iml.annotate.spending import Prices, tokens_of
from omni_iml.annotate.steps import FIRST, Method, Outcome, outcome, prompts_of, question, read_text, split
from omni_iml.mllm import Denied, NoAnswer, Temporary, TooFast, Unreachable, Unusable
from omni_iml.types import MAX_PIXELS, OmniError

LONGEST_PAUSE = 600.0
"""Seconds that a run waits for a service; where it asks for more, the run ends, and the next one goes on."""

_IDLE = 0.05
"""Seconds between looks at the queue while others' rows run."""


@dataclass(frozen=True)
class Settings:
    """How a run goes about it.

    Attributes:
        concurrency: questions in flight at a time, in this process.
        attempts: of one question, where the service fails; where it only asks to wait, ten times as many.
        pause: seconds before the second attempt; doubled for each after it, and at most a minute.
        per_minute: questions a minute in this process; None for no limit.
        budget: what all runs in the folder together may spend; None for no limit.
        prices: for the budget and the report.
        max_tokens: longest answer, for the budget.
        max_side: longest side of a picture that is sent, for the budget.
        spell_form: prompts are sent with the form of the answer, for the budget.
        unusable_attempts: of one question, where the answer is not usable; 1 for a model that would only repeat it.
        max_instances: pictures with more regions are refused.
        max_pixels: larger pictures are refused.
    """

    concurrency: int = 4
    attempts: int = 5
    pause: float = 1.0
    per_minute: float | None = None
    budget: float | None = None
    prices: Prices = field(default_factory=Prices)
    max_tokens: int = 1500
    max_side: int = 1536
    spell_form: bool = False
    unusable_attempts: int = 2
    max_instances: int = MAX_INSTANCES
    max_pixels: int = MAX_PIXELS

    def attempts_at(self, error: NoAnswer) -> int:
        """How often a question is asked that fails so.

        Args:
            error: the failure.
        """
        if isinstance(error, Temporary):
            return self.attempts
        return self.unusable_attempts if isinstance(error, Unusable) else 1


class Pace:
    """When the next question may be asked: all threads keep to what the service told one of them.

    Args:
        per_minute: questions a minute; None for no limit.
    """

    def __init__(self, per_minute: float | None) -> None:
        self._gap = 60 / per_minute if per_minute else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self, stop: threading.Event) -> None:
        """Wait for one's turn, or for the stop."""
        with self._lock:
            turn = max(self._next, time.monotonic())
            self._next = turn + self._gap
        stop.wait(max(0.0, turn - time.monotonic()))

    def hold(self, seconds: float) -> None:
        """Let nobody ask for a while."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)


class Work:
    """A work directory with all that a step needs.

    Args:
        queue: of the directory.
        method: the chain, or one query a picture.
        prompts: by name.
        reader: makes the OCR engine when a text picture comes.
        settings: how to go about it.
    """

    def __init__(
        self,
        queue: Queue,
        method: Method,
        prompts: Mapping[str, Prompt],
        reader: Callable[[], Reader],
        settings: Settings,
    ) -> None:
        self.queue, self.method, self.prompts, self.settings = queue, method, prompts, settings
        self._make_reader = reader
        self._reader: Reader | None = None
        self._reading = threading.Lock()
        self._scene = lru_cache(maxsize=2 + settings.concurrency)(self._read_scene)

    def reader(self) -> Reader:
        """The OCR engine, made once."""
        with self._reading:
            if self._reader is None:
                self._reader = self._make_reader()
            return self._reader

    def scene(self, row: Row) -> Scene:
        """The row's picture and mask.

        Raises:
            OmniError: they cannot be read, or do not fit.
        """
        return self._scene(row.job["picture"], row.job["mask"])

    def without_asking(self, row: Row) -> Outcome | None:
        """Do a step that needs no annotator.

        Args:
            row: from the queue.

        Returns:
            What came of it; None if the step must be asked.
        """
        domain = row.job["domain"]
        if row.step == FIRST:
            reader = self.reader() if domain in TEXT_DOMAINS and self.method == "chain" else None
            return split(self.scene(row), domain, self.method, fragments=row.job["fragments"], reader=reader)
        if row.step == "recognise" and domain in TEXT_DOMAINS:
            return read_text(self.queue, row, self.scene(row), self.reader())
        return None

    def question(self, row: Row) -> Question:
        """What is asked at the row's step."""
        return question(self.queue, row, self.scene(row), self.prompts)

    def reserve(self, row: Row, asked: Question) -> int | None:
        """Set aside what a question costs at most; None if the budget does not allow it."""
        settings = self.settings
        tokens = tokens_of(asked.query(spell_form=settings.spell_form), settings.max_side)
        cost = settings.prices.cost(tokens, settings.max_tokens)
        return self.queue.reserve(row, tokens, settings.max_tokens, cost, settings.budget)

    def settle(self, call: int, kind: str, tokens_in: int, tokens_out: int) -> None:
        """Replace what was set aside by what was used."""
        self.queue.settle(call, kind, tokens_in, tokens_out, self.settings.prices.cost(tokens_in, tokens_out))

    def _read_scene(self, picture: str, mask: str) -> Scene:
        limits = self.settings
        return read_scene(Path(picture), Path(mask), max_instances=limits.max_instances, max_pixels=limits.max_pixels)


def enter(work: Work, jobs: Iterable[Job], *, annotator: str, model: str) -> int:
    """Enter pictures into a work directory; those that are there already stay as they are.

    Args:
        work: the directory.
        jobs: the pictures.
        annotator: name of what answers.
        model: its model.

    Returns:
        How many are new.

    Raises:
        WrongWork: the directory was begun with another annotator, model, method or other prompts.
    """
    hashes = {name: prompt.sha256 for name, prompt in work.prompts.items()}
    work.queue.describe(
        {
            "annotator": annotator,
            "model": model,
            "method": work.method,
            "prompts": json.dumps({name: hashes[name] for name in prompts_of(work.method)}),
        }
    )
    new = 0
    for job in jobs:
        about = {
            "picture": str(job.picture),
            "mask": str(job.mask),
            "domain": job.domain,
            "split": job.split,
            "manual": job.manual,
            "fragments": job.fragments,
        }
        new += work.queue.add_picture(job.name, job.source, about, FIRST)
    return new


class Run:
    """One process's share of the work.

    Args:
        work: what is to be done.
        annotator: who answers.

    Attributes:
        stopped: why the run ended before the work did; "" if it did not.
    """

    def __init__(self, work: Work, annotator: Annotator) -> None:
        self.work, self.annotator = work, annotator
        self.stopped = ""
        self._stop = threading.Event()
        self._unreachable = threading.Event()
        self._pace = Pace(work.settings.per_minute)

    def go(self) -> None:
        """Work until nothing waits or runs, the budget is spent, or the service turns all away or asks to wait long."""
        queue = self.work.queue
        with Worker(queue.folder) as worker:
            try:
                with ThreadPoolExecutor(self.work.settings.concurrency) as threads:
                    shares = [threads.submit(self._share, worker.name) for _ in range(self.work.settings.concurrency)]
                    try:
                        for share in shares:
                            share.result()
                    except BaseException:
                        self._stop.set()
                        raise
            finally:
                queue.give_back(worker.name, own=True)

    def _share(self, owner: str) -> None:
        queue = self.work.queue
        while not self._stop.is_set():
            row = queue.claim(owner)
            if row is None:
                if not queue.unfinished():
                    return
                self._stop.wait(_IDLE)
                continue
            try:
                self._do(row)
            except OmniError as error:
                queue.failed(row, str(error))
            except BaseException:
                self._stop.set()  # the other threads would wait for this row for ever
                raise

    def _do(self, row: Row) -> None:
        queue, work = self.work.queue, self.work
        if (local := work.without_asking(row)) is not None:
            queue.done(row, local.answer, local.following)
            return
        asked = work.question(row)
        tries: Counter[str] = Counter()
        while not self._stop.is_set():
            self._pace.wait(self._stop)
            if self._stop.is_set():
                break
            call = work.reserve(row, asked)
            if call is None:
                self._end(f"the budget of {work.settings.budget:g} does not allow another question")
                break
            try:
                result = self._ask(row, asked, call)
                queue.done(row, result.answer, result.following, asked.sha256)
                return
            except NoAnswer as error:
                if isinstance(error, Denied):
                    self._end(str(error))
                    break
                if isinstance(error, TooFast):
                    if error.wait is not None and error.wait > LONGEST_PAUSE:
                        self._end(f"the service asks for a pause of {error.wait:.0f} s; run it again after that")
                        break
                    tries["waits"] += 1
                    self._pace.hold(error.wait if error.wait is not None else self._backoff(tries["waits"]))
                    if tries["waits"] < 10 * work.settings.attempts:
                        continue
                    raise
                kind = "temporary" if isinstance(error, Temporary) else "answer"
                tries[kind] += 1
                if tries[kind] >= self._attempts(error):
                    if isinstance(error, Unreachable):
                        self._unreachable.set()
                    raise
                self._stop.wait(self._backoff(tries[kind]))
        queue.put_back(row, tried=False)

    def _ask(self, row: Row, asked: Question, call: int) -> Outcome:
        try:
            answer = self.annotator.ask(asked)
        except NoAnswer as error:
            self.work.settle(call, type(error).__name__.lower(), error.tokens_in, error.tokens_out)
            raise
        self._unreachable.clear()
        try:
            result = outcome(self.work.queue, row, self.work.scene(row), answer.form)
        except NoAnswer as error:
            self.work.settle(call, type(error).__name__.lower(), answer.tokens_in, answer.tokens_out)
            raise
        self.work.settle(call, "answered", answer.tokens_in, answer.tokens_out)
        return result

    def _attempts(self, error: NoAnswer) -> int:
        """How often a question is asked that fails so; while nobody answers at all, each is tried once."""
        if isinstance(error, Unreachable) and self._unreachable.is_set():
            return 1
        return self.work.settings.attempts_at(error)

    def _backoff(self, attempt: int) -> float:
        return min(60.0, self.work.settings.pause * 2.0 ** min(attempt - 1, 10))

    def _end(self, cause: str) -> None:
        self.stopped = cause
        self._stop.set()
