"""A store whose answers come when the test lets them, and which may fail or be killed in between.

What it commits it tells the truth (``truth.py``), which holds it against what a store may do.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from nbrealtime.hub.store import Commit, Committed, Entry, Unavailable
from nbrealtime.server.stores import HistoryRules, MemoryStore

from .setting import KEPT, KEPT_SECONDS, KEY_SECONDS, PAGE, QUIET
from .truth import Truth


class LateStore:
    """A store in memory that answers when it is let, as one on a disk does; ``at_once`` is as it is."""

    def __init__(self, truth: Truth, *, at_once: bool, keys: int) -> None:
        rules = HistoryRules({QUIET: 0, "**": {"messages": KEPT, "seconds": KEPT_SECONDS}})
        self.inner = MemoryStore(rules, key_seconds=KEY_SECONDS, keys_per_user=keys)
        self.at_once = at_once
        self._truth = truth
        self._jobs: deque[tuple[Callable[[], Any], Commit[Any]]] = deque()
        self._held: dict[str, int] = {}
        self.failing = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def publish(self, batch: Sequence[Entry], now: int) -> Commit[Any]:
        for entry in batch:
            # Known from now on, as the protocol of a store says.
            self.inner.position(entry.topic, now)

        def run() -> Sequence[Committed]:
            told = self.inner.publish(batch, now).result()
            self._truth.commit(batch, told)
            return told

        return self._do(run, fails=self._fails())

    def read(self, topic: str, *, limit: int, until: int | None = None, **options: Any) -> Commit[Any]:
        # Few at a time, so that things happen between two pages.
        limit = min(limit, PAGE)
        position = self.inner.position(topic, 0)
        assert position is not None
        newest = position.offset if until is None else min(until, position.offset)

        def run() -> Any:
            page = self.inner.read(topic, limit=limit, until=newest, **options).result()
            same = page.position.epoch == position.epoch
            return type(page)(position, page.first, page.items) if same else page

        return self._do(run)

    def retained(self, topic: str) -> Commit[Any]:
        return self._do(lambda: self.inner.retained(topic).result())

    def hold(self, topic: str) -> None:
        self._held[topic] = self._held.get(topic, 0) + 1
        self.inner.hold(topic)

    def release(self, topic: str) -> None:
        self._held[topic] -= 1
        self.inner.release(topic)

    def _fails(self) -> bool:
        self.failing -= self.failing > 0
        return self.failing > 0

    def _do(self, run: Callable[[], Any], *, fails: bool = False) -> Commit[Any]:
        commit: Commit[Any] = Commit()
        if fails:

            def run() -> Any:
                raise Unavailable("the disk is full")

        self._jobs.append((run, commit))
        if self.at_once:
            self.answer()
        return commit

    @property
    def is_busy(self) -> bool:
        return bool(self._jobs)

    def answer(self) -> None:
        """Does the oldest thing that waits, and says so."""
        if not self._jobs:
            return
        run, commit = self._jobs.popleft()
        try:
            value = run()
        except Unavailable as fault:
            commit.fail(fault)
        else:
            commit.resolve(value)

    def survive(self, done: int) -> None:
        """The process was killed: of what waited, the first ``done`` were still done, and told to nobody."""
        for run, _ in list(self._jobs)[:done]:
            with contextlib.suppress(Unavailable):
                run()
        self._jobs.clear()
        for topic, count in self._held.items():
            for _ in range(count):
                self.inner.release(topic)
        self._held.clear()
