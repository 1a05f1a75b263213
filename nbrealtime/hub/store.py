"""What the hub asks of whoever keeps its history: types, and the protocol of a store.

Pure. Everything that is published in one turn of the server's loop reaches the
store as one batch (`Store.publish`), and the answer is a `Commit`: done at once
by a store in memory, later by one that writes to a disk or asks another
machine. The stores themselves stand in `nbrealtime.server.stores`.

The one rule: what a `Commit` says is kept, and what no `Commit` has said yet is
told to nobody. An offset is told only after its batch was confirmed, and a batch
that fails has assigned none.

Every call and every callback is made on one thread, the server's loop. Times
are milliseconds since the epoch and come in as arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

__all__ = ["Commit", "Committed", "Entry", "Page", "Position", "Store", "Stored", "Unavailable"]

T = TypeVar("T")


class Unavailable(Exception):
    """The store could not do it: a batch that fails with this left no trace, neither offsets nor keys.

    ``reason`` is for the log of the server. Those who published hear ``unavailable`` with ``retry``.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Entry(Struct, frozen=True, gc=False):
    """One publish, checked and granted, on its way to the store.

    ``data`` is a payload's JSON; ``timestamp`` the server's time and ``time`` the publisher's own, if
    it gave one, in milliseconds.
    """

    topic: str
    data: bytes
    timestamp: int
    time: int | None
    user_id: str
    user_name: str
    key: str | None
    retain: bool
    message_id: str


class Committed(Struct, frozen=True, gc=False, array_like=True):
    """What became of one `Entry`.

    ``epoch`` and ``offset`` are None on a topic without history. A ``duplicate`` repeats what the
    original of the same key was told: nothing was stored, and nobody gets it again.
    """

    epoch: str | None
    offset: int | None
    message_id: str
    timestamp: int
    duplicate: bool = False


class Stored(Struct, frozen=True, gc=False):
    """One message as it is kept. A retained one has neither epoch nor offset if its topic has no history."""

    topic: str
    epoch: str | None
    offset: int | None
    data: bytes
    timestamp: int
    time: int | None
    user_id: str
    user_name: str
    message_id: str


class Position(Struct, frozen=True, gc=False):
    """The newest confirmed message of a topic; offset 0 if there was none in this epoch."""

    epoch: str
    offset: int


class Page(Struct, frozen=True):
    """A range of a topic's history.

    ``position`` is the topic's newest confirmed message when the page was asked for, ``first`` the
    oldest offset that could have been read then (the one after ``position`` if nothing is kept; with
    ``not_before`` nothing older counts). So from ``after`` on everything can be had exactly if
    ``page.position.epoch`` is the reader's epoch and ``page.first - 1 <= after <= page.position.offset``;
    a reader that finds ``first`` beyond the place it had reached was overtaken by trimming.
    """

    position: Position
    first: int
    items: tuple[Stored, ...]


class Commit(Generic[T]):
    """An answer of the store, here now or later. Whoever makes one calls `resolve` or `fail`, once."""

    __slots__ = ("_callbacks", "_fault", "_value", "done")

    _value: T

    def __init__(self) -> None:
        self.done = False
        self._fault: BaseException | None = None
        self._callbacks: list[Callable[[Commit[T]], object]] = []

    def __repr__(self) -> str:
        state = "waiting" if not self.done else "done" if self._fault is None else f"failed: {self._fault}"
        return f"<Commit {state}>"

    @classmethod
    def of(cls, value: T) -> Commit[T]:
        """Returns one that is done."""
        commit = cls()
        commit._value = value
        commit.done = True
        return commit

    def result(self) -> T:
        """Returns the answer.

        Raises:
            Unavailable: the store could not do it.
            RuntimeError: there is no answer yet.
        """
        if not self.done:
            raise RuntimeError("the store has not answered yet: use then()")
        if self._fault is not None:
            raise self._fault
        return self._value

    def then(self, callback: Callable[[Commit[T]], object]) -> None:
        """Calls ``callback`` with this commit once it is done; at once if it is."""
        if self.done:
            callback(self)
        else:
            self._callbacks.append(callback)

    def resolve(self, value: T) -> None:
        """Gives the answer, and calls whoever waits for it."""
        self._value = value
        self._finish()

    def fail(self, fault: BaseException) -> None:
        """Says that there will be no answer, and why, and calls whoever waits for it."""
        self._fault = fault
        self._finish()

    def _finish(self) -> None:
        if self.done:
            raise RuntimeError("a commit is answered once")
        self.done = True
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(self)


class Store(Protocol):
    """History, positions, retained values and keys of every topic.

    **Order.** Batches are committed, and their commits done, in the order they were given; within a
    batch offsets are assigned in its order. Offsets of an epoch are dense and begin with 1.

    **Epochs.** A topic's epoch and next offset survive trimming and eviction while the topic is held and
    for a day after it last was. An epoch is never given to a topic again once an offset of it was
    lost, so a position of an earlier life of the topic is foreign.

    **Keys.** A key is remembered per (user, topic) for ``key_seconds``, at most ``keys_per_user`` of a
    user; `key_memory` changes whenever a user's keys were lost before their time.

    Everything is bounded: what is kept longest without anything new goes first.
    """

    @property
    def key_seconds(self) -> float:
        """How long a key is remembered."""

    @property
    def keys_per_user(self) -> int:
        """How many keys of one user are remembered."""

    def key_memory(self, user_id: str) -> str:
        """Names the memory of a user's keys: another name means that keys were lost since the last time.

        It is per user, so that one who publishes more than ``keys_per_user`` within ``key_seconds``
        makes nobody else's publishes uncertain.
        """

    def publish(self, batch: Sequence[Entry], now: int) -> Commit[Sequence[Committed]]:
        """Keeps a batch, all or nothing; the answer has one `Committed` for each entry, in its order.

        An entry whose (user, topic, key) was committed within ``key_seconds``, or stands earlier in the
        same batch, is a duplicate. ``retain`` keeps the value for `retained`, with ``null`` it clears it;
        an entry without it leaves the retained value alone. On topics without history entries pass
        through in order, and only their keys and retained values are kept.
        A topic begins with this call, and is in `topics` from then on: a pattern that is subscribed
        before the answer has to find it.

        It fails with `Unavailable`; the batches after it are tried all the same.
        """

    def position(self, topic: str, now: int) -> Position | None:
        """Returns the newest confirmed position, or None if the topic has no history.

        A topic that was never heard of begins here, with a new epoch at offset 0. It never waits: a
        store whose topics live elsewhere mirrors their positions.
        """

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
        """Returns the messages after ``after`` up to ``until`` (included; the newest confirmed if None).

        Arguments:
            topic: one with history.
            epoch: whose offsets are meant; another than the topic's gets no items. None takes any.
            limit: at most so many messages: the oldest, or with ``reverse`` the newest, newest first.
            not_before: milliseconds; nothing older counts as kept.
            max_bytes: of payloads; a page ends before it has more, but has one message at least.

        Raises:
            ValueError: the topic has no history.
        """

    def retained(self, topic: str) -> Commit[Stored | None]:
        """Returns the topic's retained value. It survives trimming and eviction."""

    def topics(self, now: int) -> Mapping[str, Position]:
        """Returns every topic with history and its position, as a view that follows them."""

    def hold(self, topic: str) -> None:
        """Says that the topic has one subscriber more. A topic without history takes no notice."""

    def release(self, topic: str) -> None:
        """Says that a subscriber of `hold` has gone; a topic that none holds is kept for another day."""

    def close(self) -> None:
        """Commits what was published and ends; may wait for a disk. A second time nothing happens."""
