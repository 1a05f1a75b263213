"""A store on a bench: its clock is a number, its loop a queue that the test empties."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from nbrealtime.hub.store import Commit, Committed, Entry, Page, Store, Stored
from nbrealtime.server.stores import History, HistoryOptions, HistoryRules, MemoryStore, SqliteStore

SECONDS = 20.0


def entry(
    topic: str = "lab:a",
    data: bytes = b"1",
    *,
    at: int = 1_000_000,
    time: int | None = None,
    user: str = "ada",
    name: str = "Ada",
    key: str | None = None,
    retain: bool = False,
    message_id: str = "m",
) -> Entry:
    """One publish."""
    return Entry(topic, data, at, time, user, name, key, retain, message_id)


class Bench:
    """Drives a store as the hub does, and waits for its answers."""

    def __init__(self, open_it: Callable[[Callable[[Callable[[], None]], None], int], Store]) -> None:
        self.posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.now = 1_000_000
        self._open_it = open_it
        self.store = open_it(self.posted.put, self.now)

    def reopen(self) -> None:
        """Closes the store in good order, and opens it again."""
        self.store.close()
        self.posted = queue.SimpleQueue()
        self.store = self._open_it(self.posted.put, self.now)

    def wait(self, commit: Commit[Any]) -> Any:
        """Lets the loop run until the answer is there."""
        while not commit.done:
            self.posted.get(timeout=SECONDS)()
        return commit.result()

    def publish(self, *entries: Entry) -> Sequence[Committed]:
        return self.wait(self.store.publish(entries, self.now))

    def say(self, topic: str = "lab:a", *values: int | str, **options: Any) -> list[int | None]:
        """Publishes values one after the other, in one batch; returns their offsets."""
        batch = [entry(topic, str(value).encode(), at=self.now, **options) for value in values]
        return [told.offset for told in self.publish(*batch)]

    def page(self, topic: str = "lab:a", after: int = 0, limit: int = 1000, **options: Any) -> Page:
        options.setdefault("epoch", None)
        return self.wait(self.store.read(topic, after=after, limit=limit, **options))

    def values(self, topic: str = "lab:a", after: int = 0, **options: Any) -> list[bytes]:
        return [stored.data for stored in self.page(topic, after, **options).items]

    def retained(self, topic: str = "lab:a") -> Stored | None:
        return self.wait(self.store.retained(topic))

    def epoch(self, topic: str = "lab:a") -> str:
        position = self.store.position(topic, self.now)
        assert position is not None
        return position.epoch

    def settle(self) -> None:
        """Waits until everything asked for so far was done, whatever it was."""
        self.wait(self.store.publish([entry("$settled", retain=True, at=self.now)], self.now))
        while not self.posted.empty():
            self.posted.get()()
        self.wait(self.store.publish([entry("$settled", retain=True, at=self.now)], self.now))


MakeBench = Callable[..., Bench]


@pytest.fixture(params=["memory", "sqlite"])
def kind(request: pytest.FixtureRequest) -> str:
    """Every test that takes it runs against both stores."""
    return str(request.param)


@pytest.fixture
def make_bench(kind: str, tmp_path: Path) -> Iterator[MakeBench]:
    """Makes a bench; ``history`` and the store's own options may be given."""
    benches: list[Bench] = []

    def make(history: HistoryOptions = None, **options: Any) -> Bench:
        def open_it(post: Callable[[Callable[[], None]], None], now: int) -> Store:
            rules = HistoryRules(history, default=History(messages=1000))
            if kind == "memory":
                return MemoryStore(rules, **options)
            return SqliteStore(tmp_path / f"{len(benches)}.db", rules, post=post, now=now, **options)

        bench = Bench(open_it)
        benches.append(bench)
        return bench

    yield make
    for bench in benches:
        bench.store.close()


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    return make_bench()
