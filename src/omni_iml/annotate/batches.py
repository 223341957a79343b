"""The batch API: all questions that can be asked now go in one file, and come back within a day at a lower price."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from omni_iml.annotate.annotator import Question
from omni_iml.annotate.living import Worker
from omni_iml.annotate.openai_chat import OpenAIChat, read_answer
from omni_iml.annotate.queue import Row
from omni_iml.annotate.running import Work
from omni_iml.annotate.steps import outcome
from omni_iml.mllm import Denied, NoAnswer, Temporary, TooFast, Unusable
from omni_iml.types import OmniError

_ENDED = ("completed", "failed", "expired", "cancelled")
_MARK = "omni_iml_batch"


@dataclass(frozen=True, eq=False)
class _Asked:
    row: Row
    question: Question
    call: int


class BatchRun:
    """One process's share of the work, through batches; one such process a work directory.

    A batch's mark is written down before it is sent, and sent with it, so that a run that was killed finds its batch
    again and asks nothing twice.

    Args:
        work: what is to be done.
        annotator: the service.
        size: questions in a batch at most; OpenAI takes 50,000 and 200 MB.
        poll: seconds between looks at a batch.

    Attributes:
        stopped: why the run ended before the work did; "" if it did not.
    """

    def __init__(self, work: Work, annotator: OpenAIChat, *, size: int = 500, poll: float = 30.0) -> None:
        self.work, self.annotator = work, annotator
        self._size, self._poll = size, poll
        self.stopped = ""
        self._sleep = threading.Event()

    def go(self) -> None:
        """Work until nothing is left, or the budget is spent.

        Raises:
            NoAnswer: the service cannot be reached, or refuses the batch.
        """
        import openai

        try:
            with Worker(self.work.queue.folder) as worker:
                for (batch,) in self.work.queue.read("SELECT id FROM batches WHERE state = 'open'"):
                    self._collect(batch)
                while not self.stopped and (asked := self._gather(worker.name)):
                    self._collect(self._send(asked))
        except openai.APIError as error:
            raise self.annotator.endpoint.no_answer(error) from None

    def _gather(self, owner: str) -> list[_Asked]:
        """Do what needs no question, and gather what does."""
        queue, work = self.work.queue, self.work
        gathered: list[_Asked] = []
        try:
            while len(gathered) < self._size and (row := queue.claim(owner)) is not None:
                try:
                    if (local := work.without_asking(row)) is not None:
                        queue.done(row, local.answer, local.following)
                        continue
                    question = work.question(row)
                except OmniError as error:
                    queue.failed(row, str(error))
                    continue
                call = work.reserve(row, question)
                if call is None:
                    queue.put_back(row, tried=False)
                    if not gathered:
                        self.stopped = f"the budget of {work.settings.budget:g} does not allow another question"
                    break
                gathered.append(_Asked(row, question, call))
        except BaseException:
            queue.give_back(owner, own=True)
            raise
        return gathered

    def _send(self, asked: list[_Asked]) -> str:
        batch = uuid4().hex
        with self.work.queue.write() as db:
            db.execute("INSERT INTO batches VALUES (?, NULL, 'open')", (batch,))
            # Rows of a batch belong to it, whether this process lives or not.
            db.executemany(
                "UPDATE steps SET status = 'batched', owner = ?, question = ? WHERE id = ?",
                [(f"{batch} {each.call}", each.question.sha256, each.row.id) for each in asked],
            )
        lines = [
            {
                "custom_id": str(each.row.id),
                "method": "POST",
                "url": "/v1/chat/completions",
                "body": self.annotator.body(each.question),
            }
            for each in asked
        ]
        text = "\n".join(json.dumps(line) for line in lines) + "\n"
        client = self.annotator.endpoint.client
        file = client.files.create(file=(f"{batch}.jsonl", io.BytesIO(text.encode())), purpose="batch")
        remote = client.batches.create(
            input_file_id=file.id,
            endpoint="/v1/chat/completions",
            completion_window="24h",
            metadata={_MARK: batch},
        )
        self._remember(batch, remote.id)
        return batch

    def _collect(self, batch: str) -> None:
        """Wait for a batch and keep its answers; rows without one wait again."""
        queue, client = self.work.queue, self.annotator.endpoint.client
        remote = queue.read("SELECT remote FROM batches WHERE id = ?", batch)[0][0]
        if remote is None:  # killed between sending and remembering, or before sending
            found = [each for each in client.batches.list() if (each.metadata or {}).get(_MARK) == batch]
            remote = found[0].id if found else None
        results: dict[str, Mapping[str, Any]] = {}
        if remote is not None:
            self._remember(batch, remote)
            while (state := client.batches.retrieve(remote)).status not in _ENDED:
                self._sleep.wait(self._poll)
            for file in (state.output_file_id, state.error_file_id):
                for line in client.files.content(file).text.splitlines() if file else ():
                    result = json.loads(line)
                    results[result["custom_id"]] = result
        rows = queue.read(
            "SELECT s.id, s.picture, s.instance, s.step, s.attempts, p.job, s.owner FROM steps s "
            "JOIN pictures p ON p.id = s.picture WHERE s.status = 'batched' AND s.owner LIKE ? ORDER BY s.id",
            f"{batch} %",
        )
        for number, picture, instance, step, attempts, job, owner in rows:
            row = Row(number, picture, instance, step, attempts, json.loads(job))
            self._keep(row, int(owner.split()[1]), results.get(str(number)), sent=remote is not None)
        with queue.write() as db:
            db.execute("UPDATE batches SET state = 'closed' WHERE id = ?", (batch,))

    def _keep(self, row: Row, call: int, result: Mapping[str, Any] | None, *, sent: bool) -> None:
        work, queue = self.work, self.work.queue
        tokens = (0, 0)
        try:
            question = work.question(row)
            answer = self._read(result, question)
            tokens = answer.tokens_in, answer.tokens_out
            reached = outcome(queue, row, work.scene(row), answer.form)
            work.settle(call, "answered", *tokens)
            queue.done(row, reached.answer, reached.following, question.sha256)
        except NoAnswer as error:
            work.settle(
                call, type(error).__name__.lower(), max(tokens[0], error.tokens_in), max(tokens[1], error.tokens_out)
            )
            again = isinstance(error, Temporary | TooFast | Unusable)
            if again and row.attempts + 1 < (2 if isinstance(error, Unusable) else work.settings.attempts):
                queue.put_back(row, tried=sent)
            else:
                queue.failed(row, str(error))
        except OmniError as error:  # the picture has gone since
            work.settle(call, "lost", *tokens)
            queue.failed(row, str(error))

    def _read(self, result: Mapping[str, Any] | None, question: Question) -> Any:
        response = (result or {}).get("response") or {}
        status, body = response.get("status_code"), response.get("body") or {}
        if status == 200:
            return read_answer(body, question)
        cause = f"the batch ended without an answer ({status or 'none'})"
        if status is None or status == 429 or status >= 500:
            raise Temporary(cause)
        raise Denied(cause)

    def _remember(self, batch: str, remote: str) -> None:
        with self.work.queue.write() as db:
            db.execute("UPDATE batches SET remote = ? WHERE id = ?", (remote, batch))
