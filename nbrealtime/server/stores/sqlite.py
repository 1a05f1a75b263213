"""History in a file: what was acknowledged survives the process.

Two threads stand behind it. ``nbrealtime-store`` commits, as
`nbrealtime.server.stores.committer` says; ``nbrealtime-store-reader`` reads
pages on a connection of its own (`nbrealtime.server.stores.reader`), so that a
long replay and a commit do not wait for each other. The store itself belongs to
the server's loop and is answered there through ``post``.

The one rule: the loop decides (epochs, who is held, what is forgotten) and the
threads perform, in the order of one queue. Nothing is confirmed before its
commit has returned.

What is lost with ``synchronous="normal"`` is told by `nbrealtime.server.stores.database`.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final, Literal

import msgspec
import psutil

from nbrealtime import discovery, lifecycle
from nbrealtime.hub.store import Commit, Committed, Entry, Page, Position, Stored, Unavailable
from nbrealtime.server.stores.book import DAY, TOPICS, Book, fresh_epoch
from nbrealtime.server.stores.committer import Batch, Committer
from nbrealtime.server.stores.database import explain, open_database
from nbrealtime.server.stores.history import History, HistoryRules
from nbrealtime.server.stores.keys import KeyMemory
from nbrealtime.server.stores.reader import Query, Reader, read_page, read_retained
from nbrealtime.server.stores.writer import Kept, Writer

__all__ = ["SqliteStore"]

# Payloads that may wait for the disk; beyond it batches fail.
_MOST_WAITING: Final = 64 * 2**20
_CLOSE_SECONDS: Final = 10.0
_FOREVER: Final = 2**62

_open: weakref.WeakSet[SqliteStore] = weakref.WeakSet()
_inherited: list[object] = []


class SqliteStore:
    """A `nbrealtime.hub.store.Store` in a file.

    Arguments:
        path: the file; created if there is none, for this user alone.
        history: which topics keep how much.
        post: runs a function soon on the thread that uses this store.
        now: milliseconds.
        total_bytes: of the file; the longest-idle topics give way first.
        topics: how many topics are remembered; beyond it the longest-idle that nobody held gives way.
        key_seconds, keys_per_user: how long and how many keys are remembered.
        synchronous: ``"full"`` waits for the disk at every commit.
        boot: names this run of the machine; the machine's own name for it by default.

    Raises:
        StoreError: the file cannot be used; it is as it was.
    """

    def __init__(
        self,
        path: Path | str,
        history: HistoryRules | None = None,
        *,
        post: Callable[[Callable[[], None]], object],
        now: int,
        total_bytes: int = 4 * 2**30,
        topics: int = TOPICS,
        key_seconds: float = 300.0,
        keys_per_user: int = 200_000,
        synchronous: Literal["normal", "full"] = "normal",
        boot: str | None = None,
    ) -> None:
        rules = HistoryRules(default=History(messages=100_000, seconds=None)) if history is None else history
        self._post_to_loop = post
        self._most = total_bytes
        self._database = open_database(
            Path(path), full=synchronous == "full", boot=_this_boot() if boot is None else boot
        )
        self._unwritten: dict[Kept, None] = {}
        try:
            self._keys = KeyMemory(
                seconds=key_seconds, per_user=keys_per_user, name=self._database.key_memory
            )
            self._book = Book(
                rules,
                limit=topics,
                make=self._make,
                on_forget=self._drop,
                generation=self._database.generation,
            )
            self._book.clock(now)
            writer = Writer(self._database, self._keys)
            self._load(writer, now)
            self._reader = Reader(self._database.path, self._database.reader(), post=self._post)
        except BaseException as fault:
            self._database.abandon()
            if isinstance(fault, sqlite3.Error | msgspec.MsgspecError):
                raise explain(self._database.path, fault) from fault
            raise
        self._committer = Committer(
            self._database,
            writer,
            post=self._post,
            settle=self._settle,
            most=total_bytes,
            grown=self._evict,
        )
        self._waiting = 0
        self._waiting_bytes = 0
        self._closed = False
        # In the order in which they end: the last connection of a file tidies its log away.
        self._threads = [
            threading.Thread(target=self._reader.run, name="nbrealtime-store-reader", daemon=True),
            threading.Thread(target=self._committer.run, name="nbrealtime-store", daemon=True),
        ]
        _open.add(self)
        for thread in self._threads:
            thread.start()

    def __repr__(self) -> str:
        return f"SqliteStore({str(self._database.path)!r}{', closed' if self._closed else ''})"

    # -- keys

    @property
    def key_seconds(self) -> float:
        """How long a key is remembered."""
        return self._keys.seconds

    @property
    def keys_per_user(self) -> int:
        """How many keys of one user are remembered."""
        return self._keys.per_user

    def key_memory(self, user_id: str) -> str:
        """Names the memory of a user's keys."""
        return self._keys.name_for(user_id)

    # -- publishing

    def publish(self, batch: Sequence[Entry], now: int) -> Commit[Sequence[Committed]]:
        """Sends a batch to the commit thread; what needs no disk and waits for nothing is done at once."""
        book = self._book
        now = book.clock(now)
        known = book.topics
        topics: list[Kept | None] = []
        plain = not self._waiting
        for entry in batch:
            topic = known.get(entry.topic) or book.begin(entry.topic)
            if topic is not None:
                plain = False
                if topic.touched != now:
                    book.touch(topic, now)
            elif plain:
                plain = entry.key is None and not entry.retain
            topics.append(topic)
        if plain:
            return Commit.of([Committed(None, None, entry.message_id, entry.timestamp) for entry in batch])
        job = Batch(batch, topics, now)
        if self._closed:
            job.commit.fail(Unavailable("the store is closed"))
            return job.commit
        # Refused in its turn: an answer may not overtake those that were asked for before.
        job.refused = self._waiting_bytes > _MOST_WAITING
        self._waiting += 1
        self._waiting_bytes += job.size
        self._committer.put(job)
        self._sweep(now)
        return job.commit

    def _settle(self, job: Batch, fault: Unavailable | None) -> None:
        """On the loop: a batch was committed, or was not."""
        self._waiting -= 1
        self._waiting_bytes -= job.size
        if fault is not None:
            job.commit.fail(fault)
            return
        for topic, told in zip(job.topics, job.results, strict=True):
            if topic is not None and not told.duplicate and told.offset is not None:
                if not topic.offset:
                    self._unwritten.pop(topic, None)
                topic.offset = told.offset
        job.commit.resolve(job.results)

    # -- reading

    def position(self, topic: str, now: int) -> Position | None:
        """Returns the newest confirmed position, or None if the topic has no history."""
        self._sweep(self._book.clock(now))
        found = self._book.find(topic)
        return None if found is None else found.position

    def read(
        self,
        topic: str,
        *,
        epoch: str | None,
        after: int,
        limit: int,
        until: int | None = None,
        reverse: bool = False,
        not_before: int | None = None,
        max_bytes: int | None = None,
    ) -> Commit[Page]:
        """Reads a range of a topic's messages on the reading thread."""
        found = self._book.find(topic)
        if found is None:
            raise ValueError(f"{topic} has no history")
        position = found.position
        if not position.offset:
            return Commit.of(Page(position, 1, ()))
        history = found.history
        query = Query(
            topic=topic,
            row=found.row,
            position=position,
            # Another epoch's offsets mean nothing here; what is kept is told all the same.
            after=max(after, -1) if epoch is None or epoch == found.epoch else _FOREVER,
            until=position.offset if until is None else min(until, position.offset),
            limit=max(0, limit),
            reverse=reverse,
            oldest=position.offset - history.messages + 1,
            not_before=max(-1.0, self._book.now - history.milliseconds, not_before or 0),
            bytes=history.size,
            max_bytes=max_bytes,
        )
        return self._reader.ask(partial(read_page, query=query))

    def retained(self, topic: str) -> Commit[Stored | None]:
        """Reads the topic's retained value on the reading thread."""
        return self._reader.ask(partial(read_retained, topic=topic))

    def topics(self, now: int) -> Mapping[str, Position]:
        """Returns every topic with history and its position, as a view."""
        self._book.clock(now)
        return self._book.positions()

    # -- what is kept

    def hold(self, topic: str) -> None:
        """Says that the topic has one subscriber more."""
        self._book.hold(topic)

    def release(self, topic: str) -> None:
        """Says that a subscriber of `hold` has gone."""
        self._book.release(topic)

    def close(self) -> None:
        """Commits what was published, marks the file closed, and ends; at most 10 s."""
        if self._closed:
            return
        self._closed = True
        book = self._book
        for topic in book.topics.values():
            topic.touched = book.now if topic.holds else max(topic.touched, topic.released or 0)
        known = list(book.topics.values())
        self._committer.do(lambda writer: writer.touch(known), book.now, owed=False)
        for end, thread in zip((self._reader.stop, self._committer.stop), self._threads, strict=True):
            end()
            thread.join(_CLOSE_SECONDS)
        _open.discard(self)

    def _load(self, writer: Writer, now: int) -> None:
        """Takes up what the file has. Nobody knows who held what when a file was not closed: everything was."""
        database, book = self._database, self._book
        off: list[int] = []
        for row, name, epoch, newest, oldest, total, gone, touched in writer.load_topics():
            history = book.rules.of(name)
            if history is None:
                # Switched off since. What it has is kept, in case it is switched on again, but what is
                # published until then will be missing.
                off.append(row)
                continue
            topic = book.topics[name] = Kept(name, epoch, history, touched)
            topic.row, topic.offset, topic.newest, topic.oldest = row, newest, newest, oldest
            topic.total, topic.gone = total, gone
            topic.released = now if database.interrupted else touched
        writer.renew(off, fresh_epoch())
        writer.load_keys(now)

    def _make(self, name: str, epoch: str, history: History, now: int) -> Kept:
        topic = Kept(name, epoch, history, now)
        self._unwritten[topic] = None
        return topic

    def _drop(self, topic: Kept) -> None:
        """A topic was forgotten: the file has to forget it, too, before the topic can begin again."""
        self._unwritten.pop(topic, None)
        begun, self._unwritten = list(self._unwritten), {}
        generation, now = self._book.generation, self._book.now
        self._do(lambda writer: writer.forget([topic], begun, generation, now), owed=True)

    def _sweep(self, now: int) -> None:
        """Looks after a few topics that nobody asks about: trims them, and forgets them after their day."""
        for topic in self._book.due(now):
            if topic.oldest <= topic.newest:
                # Readers are told what is too old whether it is still there or not: no need to hurry.
                if topic.history.seconds is not None and now >= topic.look_at:
                    topic.look_at = now + max(1000, int(topic.history.milliseconds) // 8)
                    self._do(partial(Writer.trim_topic, topic=topic, now=now), owed=False)
            elif not topic.held(now) and now - topic.touched >= DAY:
                self._book.forget(topic)

    def _evict(self, used: int) -> None:
        """On the loop: the file is too large, and the longest-idle topics give way."""
        excess = used - (self._most - self._most // 16)
        for topic in list(self._book.topics.values()):
            if excess <= 0:
                return
            size = topic.total - topic.gone
            if size <= 0:
                continue
            excess -= size
            if topic.held(self._book.now):
                self._do(partial(Writer.empty, topic=topic, now=self._book.now), owed=True)
            else:
                self._book.forget(topic)

    def _do(self, run: Callable[[Writer], object], *, owed: bool) -> None:
        if not self._closed:
            self._committer.do(run, self._book.now, owed=owed)

    def _post(self, function: Callable[[], None]) -> None:
        # A loop that has ended has nobody left to tell.
        with contextlib.suppress(RuntimeError):
            self._post_to_loop(function)


def _this_boot() -> str:
    # Where the system has no name for it, its time has to do: one that drifts costs positions, not messages.
    return discovery.boot_id() or f"since {psutil.boot_time():.0f}"


def _forget_all() -> None:
    """In a forked child: the threads are not here, and the connections may not even be closed."""
    for store in list(_open):
        store._closed = True
        store._reader.closed = True
        _inherited.append((store._database, store._reader))
    _open.clear()


lifecycle.after_fork(_forget_all)
