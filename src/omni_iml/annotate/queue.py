"""The state of a work directory: SQLite, one row an instance and step, every change one transaction.

A row waits, runs, and is done or failed. Who runs a row is written on it; the rows of a worker that is heard of no more
wait again. A row's answer and the rows that follow from it are written together, so that a process may be killed at any
time.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omni_iml.annotate.living import lives
from omni_iml.types import OmniError

FILE = "annotate.sqlite"
WHOLE = -1
"""Instance of a step that is about the picture as a whole."""

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS pictures (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, source TEXT NOT NULL, job TEXT NOT NULL, UNIQUE (source, name));
CREATE TABLE IF NOT EXISTS steps (
    id INTEGER PRIMARY KEY, picture INTEGER NOT NULL, instance INTEGER NOT NULL, step TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'waiting', owner TEXT, attempts INTEGER NOT NULL DEFAULT 0,
    question TEXT, answer TEXT, error TEXT, UNIQUE (picture, instance, step));
CREATE INDEX IF NOT EXISTS steps_by_status ON steps (status, picture);
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY, step INTEGER NOT NULL, outcome TEXT NOT NULL,
    tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL, cost REAL NOT NULL);
CREATE TABLE IF NOT EXISTS batches (id TEXT PRIMARY KEY, remote TEXT, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS reviews (
    picture INTEGER NOT NULL, instance INTEGER NOT NULL, reviewer TEXT NOT NULL, decision TEXT NOT NULL,
    quality INTEGER, correction TEXT, PRIMARY KEY (picture, instance, reviewer));
"""


class WrongWork(OmniError):  # noqa: N818 - named for what is wrong
    """A work directory that cannot be used as asked."""


@dataclass(frozen=True)
class Row:
    """One step of one instance.

    Attributes:
        id: of the row.
        picture: id of the picture.
        instance: index of the instance, or `WHOLE`.
        step: its name.
        attempts: how often it was tried without an answer.
        job: the picture, as it was entered.
    """

    id: int
    picture: int
    instance: int
    step: str
    attempts: int
    job: dict[str, Any]


class Queue:
    """The queue of one work directory; safe to use from several threads and processes.

    Args:
        folder: the work directory; made if ``create``.
        create: make it if it is not there.

    Raises:
        WrongWork: there is no such work directory, or its file is no queue.
    """

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        self.folder = folder
        self._local = threading.local()
        if create:
            folder.mkdir(parents=True, exist_ok=True)
        elif not (folder / FILE).is_file():
            raise WrongWork(f"{folder}: is no work directory of omni-iml annotate; name the --work folder of a run.")
        try:
            self._connection().executescript(_TABLES)
        except sqlite3.DatabaseError as error:
            raise WrongWork(f"{folder / FILE}: cannot be used ({error}); name another work directory.") from error

    # What there is to do

    def describe(self, facts: dict[str, str]) -> None:
        """Write down what the work directory is for, and refuse to change it later.

        Args:
            facts: name to value.

        Raises:
            WrongWork: an earlier run wrote something else.
        """
        with self.write() as db:
            for key, value in facts.items():
                db.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (key, value))
                known = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()[0]
                if known != value:
                    raise WrongWork(
                        f"{self.folder}: was begun with {key} {known}, not {value}; keep that, or take a new folder."
                    )

    def facts(self) -> dict[str, str]:
        """What `describe` wrote down."""
        return dict(self._connection().execute("SELECT key, value FROM meta").fetchall())

    def add_picture(self, name: str, source: str, job: dict[str, Any], first: str) -> bool:
        """Enter a picture, unless it is there.

        Args:
            name: of the picture in its source set.
            source: the source set.
            job: what a worker must know of it.
            first: its first step.

        Returns:
            Whether it is new.
        """
        with self.write() as db:
            cursor = db.execute(
                "INSERT OR IGNORE INTO pictures (name, source, job) VALUES (?, ?, ?)", (name, source, json.dumps(job))
            )
            if cursor.rowcount:
                self._insert(db, cursor.lastrowid or 0, [(WHOLE, first)])
            return bool(cursor.rowcount)

    def claim(self, owner: str) -> Row | None:
        """Take the next waiting row; earlier pictures first, so that pictures are finished one by one.

        Args:
            owner: name of a living worker.

        Returns:
            The row, or None if none waits.
        """
        self.give_back(owner)
        with self.write() as db:
            found = db.execute(
                "SELECT s.id, s.picture, s.instance, s.step, s.attempts, p.job FROM steps s JOIN pictures p "
                "ON p.id = s.picture WHERE s.status = 'waiting' ORDER BY s.picture, s.id LIMIT 1"
            ).fetchone()
            if found is None:
                return None
            db.execute("UPDATE steps SET status = 'running', owner = ? WHERE id = ?", (owner, found[0]))
            number, picture, instance, step, attempts, job = found
            return Row(number, picture, instance, step, attempts, json.loads(job))

    def unfinished(self) -> bool:
        """Whether a row waits or runs; what is in a batch does neither."""
        query = "SELECT 1 FROM steps WHERE status IN ('waiting', 'running') LIMIT 1"
        return self._connection().execute(query).fetchone() is not None

    def answer_of(self, picture: int, instance: int, step: str) -> Any:
        """The answer of a step that is done.

        Args:
            picture: its id.
            instance: its index, or `WHOLE`.
            step: name.

        Returns:
            The answer as JSON; None if there is none.
        """
        found = self._connection().execute(
            "SELECT answer FROM steps WHERE picture = ? AND instance = ? AND step = ? AND status = 'done'",
            (picture, instance, step),
        )
        row = found.fetchone()
        return json.loads(row[0]) if row else None

    # What came of it

    def done(self, row: Row, answer: Any, following: Sequence[tuple[int, str]], question: str | None = None) -> None:
        """Keep an answer and enter what follows from it.

        Args:
            row: from `claim`.
            answer: JSON-able.
            following: instance and step of the rows that it makes possible.
            question: digest of what was asked, if anything was.
        """
        with self.write() as db:
            db.execute(
                "UPDATE steps SET status = 'done', owner = NULL, error = NULL, answer = ?, question = ? WHERE id = ?",
                (json.dumps(answer, ensure_ascii=False), question, row.id),
            )
            self._insert(db, row.picture, following)

    def failed(self, row: Row, error: str) -> None:
        """Keep a row's failure; nothing follows from it until `retry`.

        Args:
            row: from `claim`.
            error: one sentence.
        """
        with self.write() as db:
            db.execute("UPDATE steps SET status = 'failed', owner = NULL, error = ? WHERE id = ?", (error, row.id))

    def put_back(self, row: Row, *, tried: bool) -> None:
        """Let a row wait again.

        Args:
            row: from `claim`.
            tried: count it as an attempt.
        """
        with self.write() as db:
            db.execute(
                "UPDATE steps SET status = 'waiting', owner = NULL, attempts = attempts + ? WHERE id = ?",
                (int(tried), row.id),
            )

    def retry(self) -> int:
        """Let all failed rows wait again.

        Returns:
            How many there were.
        """
        with self.write() as db:
            query = "UPDATE steps SET status = 'waiting', attempts = 0, error = NULL WHERE status = 'failed'"
            return db.execute(query).rowcount

    def give_back(self, owner: str, *, own: bool = False) -> None:
        """Let the rows of dead workers wait again.

        Args:
            owner: who asks.
            own: its own rows too, since it ends.
        """
        running = self.read("SELECT DISTINCT owner FROM steps WHERE status = 'running'")
        others = [name for (name,) in running if name != owner]
        dead = [name for name in others if not lives(self.folder, name)] + ([owner] if own else [])
        if dead:
            with self.write() as db:
                query = "UPDATE steps SET status = 'waiting', owner = NULL WHERE status = 'running' AND owner = ?"
                db.executemany(query, [(name,) for name in dead])

    # Money

    def reserve(self, row: Row, tokens_in: int, tokens_out: int, cost: float, budget: float | None) -> int | None:
        """Set money aside for a question before it is asked; it counts as spent if nobody comes back to `settle`.

        Args:
            row: what is asked.
            tokens_in: estimate.
            tokens_out: at most.
            cost: of both.
            budget: what all runs in this folder together may spend; None for no limit.

        Returns:
            An id for `settle`; None if the budget does not allow it.
        """
        with self.write() as db:
            spent = db.execute("SELECT COALESCE(SUM(cost), 0) FROM calls").fetchone()[0]
            if budget is not None and spent + cost > budget:
                return None
            query = "INSERT INTO calls (step, outcome, tokens_in, tokens_out, cost) VALUES (?, 'asked', ?, ?, ?)"
            return db.execute(query, (row.id, tokens_in, tokens_out, cost)).lastrowid

    def settle(self, call: int, outcome: str, tokens_in: int, tokens_out: int, cost: float) -> None:
        """Replace an estimate by what it was.

        Args:
            call: from `reserve`.
            outcome: "answered", or what went wrong.
            tokens_in: used.
            tokens_out: used.
            cost: of both.
        """
        with self.write() as db:
            db.execute(
                "UPDATE calls SET outcome = ?, tokens_in = ?, tokens_out = ?, cost = ? WHERE id = ?",
                (outcome, tokens_in, tokens_out, cost, call),
            )

    # For modules that have tables of their own: batches, reviews, export

    def read(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of a SELECT."""
        return self._connection().execute(query, values).fetchall()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction that no other process writes in: committed at its end, rolled back if it raises."""
        db = self._connection()
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")

    def _connection(self) -> sqlite3.Connection:
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = sqlite3.connect(self.folder / FILE, timeout=60, isolation_level=None)
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")  # an answer may have cost money
            self._local.db = db
        return db

    @staticmethod
    def _insert(db: sqlite3.Connection, picture: int, following: Sequence[tuple[int, str]]) -> None:
        db.executemany(
            "INSERT OR IGNORE INTO steps (picture, instance, step) VALUES (?, ?, ?)",
            [(picture, instance, step) for instance, step in following],
        )
