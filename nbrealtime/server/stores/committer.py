"""The commit thread of a sqlite store: takes what waits, commits it, answers, trims.

`nbrealtime.server.stores.sqlite` starts the thread and fills its queue from the
loop; `nbrealtime.server.stores.writer` knows the rows.

The one rule: one transaction takes everything that waits, so that under load
there are fewer and larger ones; and if it fails, each batch is tried in one of
its own, so that what fails is as little as possible.
"""

from __future__ import annotations

import logging
import queue
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from nbrealtime.hub.store import Commit, Committed, Entry, Unavailable
from nbrealtime.server.stores.database import Database
from nbrealtime.server.stores.writer import Kept, Writer

__all__ = ["Batch", "Committer"]

# One transaction takes about so many entries: 20 ms of work.
_MOST_ENTRIES: Final = 8192
_TRIM_ROWS: Final = 4096
_LOOK_EVERY: Final = 1000

_logger = logging.getLogger(__name__)


class Batch:
    """A batch on its way through the commit thread, and back with its results.

    A ``refused`` one writes nothing and fails, in its turn.
    """

    __slots__ = ("commit", "entries", "now", "refused", "results", "size", "topics")

    def __init__(self, entries: Sequence[Entry], topics: Sequence[Kept | None], now: int) -> None:
        self.entries = entries
        self.topics = topics
        self.now = now
        self.size = sum(len(entry.data) for entry in entries)
        self.refused = False
        self.commit: Commit[Sequence[Committed]] = Commit()
        self.results: list[Committed] = []

    def run(self, writer: Writer) -> None:
        """Adds itself to the writer's transaction."""
        if not self.refused:
            self.results = writer.append(self.entries, self.topics, self.now)


class _Task:
    """Anything else that the thread does; one that is ``owed`` is tried again until it succeeds."""

    __slots__ = ("now", "owed", "run")

    def __init__(self, run: Callable[[Writer], object], now: int, *, owed: bool) -> None:
        self.run = run
        self.now = now
        self.owed = owed


_Job = Batch | _Task


class Committer:
    """The thread's work and its queue. `put`, `do` and `stop` are called on the loop, `run` is the thread.

    Arguments:
        database, writer: the thread's from now on; it closes the database when it ends.
        post: runs a function soon on the loop.
        settle: told on the loop of a batch that was committed, or with a fault of one that was not.
        most: bytes of the file; ``grown`` is told on the loop how many it has when it has more.
    """

    def __init__(
        self,
        database: Database,
        writer: Writer,
        *,
        post: Callable[[Callable[[], None]], None],
        settle: Callable[[Batch, Unavailable | None], None],
        most: int,
        grown: Callable[[int], None],
    ) -> None:
        self._database = database
        self._writer = writer
        self._post = post
        self._settle = settle
        self._most = most
        self._grown = grown
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._owed: list[_Task] = []
        self._look_at = 0

    def put(self, batch: Batch) -> None:
        """Sends a batch to be committed, after everything that was sent before."""
        self._jobs.put(batch)

    def do(self, run: Callable[[Writer], object], now: int, *, owed: bool) -> None:
        """Sends anything else, in the same order; one that is ``owed`` is done before any later batch."""
        self._jobs.put(_Task(run, now, owed=owed))

    def stop(self) -> None:
        """Ends the thread after what was sent so far."""
        self._jobs.put(None)

    def run(self) -> None:
        """The thread's whole life."""
        ended = False
        while not ended:
            jobs: list[_Job] = []
            entries = 0
            job = self._jobs.get()
            while job is not None:
                jobs.append(job)
                if isinstance(job, Batch):
                    entries += len(job.entries)
                if entries >= _MOST_ENTRIES or self._jobs.empty():
                    break
                job = self._jobs.get()
            ended = job is None
            if jobs:
                self._work(jobs)
                self._tidy(jobs[-1].now, entries)
        if self._owed:
            self._attempt([])
        self._database.close()

    def _work(self, jobs: Sequence[_Job]) -> None:
        """Does all jobs in one transaction, or each in its own if that fails, and answers."""
        fault = self._attempt(jobs)
        for job in jobs:
            answer = self._attempt([job]) if fault is not None and len(jobs) > 1 else fault
            if isinstance(job, Batch):
                if job.refused:
                    answer = Unavailable("too much waits for the disk")
                self._post(partial(self._settle, job, answer))
            elif answer is not None and job.owed:
                self._owed.append(job)

    def _attempt(self, jobs: Sequence[_Job]) -> Unavailable | None:
        """Does what is owed and the jobs in one transaction, or nothing; returns why not."""
        writer = self._writer
        everything = [*self._owed, *jobs]
        try:
            writer.begin()
            for job in everything:
                job.run(writer)
            writer.commit(everything[-1].now)
        except Exception as fault:  # noqa: BLE001 - whoever published hears of it, and the next ones have their turn
            _logger.warning("%s did not take what was published: %s", self._database.path, fault)
            self._roll_back()
            return Unavailable(f"the history could not be written: {fault}")
        self._owed.clear()
        return None

    def _tidy(self, now: int, entries: int) -> None:
        """Trims as much as was added, and now and then looks how large the file is."""
        try:
            self._writer.trim(now, max(_TRIM_ROWS, 2 * entries))
            if now >= self._look_at:
                self._look_at = now + _LOOK_EVERY
                used = self._writer.used_bytes()
                if used > self._most:
                    self._post(partial(self._grown, used))
        except sqlite3.Error as fault:
            # Nobody waits for this. It comes up again after the next commit.
            _logger.warning("%s could not be trimmed: %s", self._database.path, fault)
            self._roll_back()

    def _roll_back(self) -> None:
        try:
            self._writer.roll_back()
        except sqlite3.Error as fault:
            _logger.warning("%s: %s", self._database.path, fault)
