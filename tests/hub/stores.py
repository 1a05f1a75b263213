"""A store for the hub's tests: simple, answering when it is told to, able to fail, to trim and to forget."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

from nbrealtime.hub.store import Commit, Committed, Entry, Page, Position, Stored, Unavailable

_epochs = count(1)


class _Shelf:
    """One topic."""

    def __init__(self) -> None:
        self.epoch = f"e{next(_epochs)}"
        self.offset = 0
        self.rows: list[Stored] = []


class PatientStore:
    """A store whose answers wait until `answer`, if it ``is_patient``.

    What it does it does at once: so it knows of messages that nobody was told of yet, as a store with a
    thread of its own does. ``log`` has what was committed, by (topic, epoch) and offset, and ``told``
    how far the hub was told. Topics that begin with ``silent`` have no history.
    """

    key_seconds = 300.0
    keys_per_user = 1000

    def __init__(self, *, messages: int = 10_000, is_patient: bool = True) -> None:
        self.log: dict[tuple[str, str], dict[int, bytes]] = {}
        self.told: dict[tuple[str, str], int] = {}
        self.held: dict[str, int] = {}
        self.is_patient = is_patient
        self.fails = False
        self.batches = 0
        self.trims = 0
        self.reading = 0
        self.messages = messages
        self._shelves: dict[str, _Shelf] = {}
        self._keys: dict[tuple[str, str, str], Committed] = {}
        self._retained: dict[str, Stored] = {}
        self._waiting: list[Callable[[], None]] = []

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def key_memory(self, user_id: str) -> str:
        return "m"

    def publish(self, batch: Sequence[Entry], now: int) -> Commit[Sequence[Committed]]:
        assert batch
        self.batches += 1
        commit: Commit[Sequence[Committed]] = Commit()
        if self.fails:
            self.fails = False
            self._later(lambda: commit.fail(Unavailable("no disk")))
            return commit
        results = [self._put(entry) for entry in batch]

        def tell() -> None:
            for entry, result in zip(batch, results, strict=True):
                if result.epoch is not None and result.offset is not None:
                    place = (entry.topic, result.epoch)
                    self.told[place] = max(self.told.get(place, 0), result.offset)
            commit.resolve(results)

        self._later(tell)
        return commit

    def _put(self, entry: Entry) -> Committed:
        key = None if entry.key is None else (entry.user_id, entry.topic, entry.key)
        if key in self._keys:
            first = self._keys[key]
            return Committed(first.epoch, first.offset, first.message_id, first.timestamp, True)
        shelf = self._shelf(entry.topic)
        if shelf is None:
            result = Committed(None, None, entry.message_id, entry.timestamp)
        else:
            shelf.offset += 1
            result = Committed(shelf.epoch, shelf.offset, entry.message_id, entry.timestamp)
            self.log.setdefault((entry.topic, shelf.epoch), {})[shelf.offset] = entry.data
        stored = Stored(
            entry.topic,
            result.epoch,
            result.offset,
            entry.data,
            entry.timestamp,
            entry.time,
            entry.user_id,
            entry.user_name,
            entry.message_id,
        )
        if shelf is not None:
            shelf.rows.append(stored)
            if len(shelf.rows) > self.messages:
                self.trims += 1
                del shelf.rows[: -self.messages]
        if key is not None:
            self._keys[key] = result
        if entry.retain:
            self._retained[entry.topic] = stored
        return result

    def _shelf(self, topic: str) -> _Shelf | None:
        if topic.startswith("silent"):
            return None
        return self._shelves.setdefault(topic, _Shelf())

    def position(self, topic: str, now: int) -> Position | None:
        shelf = self._shelf(topic)
        return None if shelf is None else Position(shelf.epoch, shelf.offset)

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
        shelf = self._shelf(topic)
        assert shelf is not None
        rows = [row for row in shelf.rows if row.offset > after and (until is None or row.offset <= until)]
        if epoch != shelf.epoch:
            rows = []
        if reverse:
            rows.reverse()
        page = Page(Position(shelf.epoch, shelf.offset), self.first(topic), tuple(rows[:limit]))
        commit: Commit[Page] = Commit()
        self.reading += 1

        def tell() -> None:
            self.reading -= 1
            commit.resolve(page)

        self._later(tell)
        return commit

    def retained(self, topic: str) -> Commit[Stored | None]:
        found = self._retained.get(topic)
        commit: Commit[Stored | None] = Commit()
        self._later(lambda: commit.resolve(found))
        return commit

    def topics(self, now: int) -> Mapping[str, Position]:
        return {name: Position(shelf.epoch, shelf.offset) for name, shelf in self._shelves.items()}

    def hold(self, topic: str) -> None:
        self.held[topic] = self.held.get(topic, 0) + 1

    def release(self, topic: str) -> None:
        self.held[topic] -= 1

    def close(self) -> None:
        pass

    # -- what a test does with it

    def answer(self, count: int | None = None) -> None:
        """Gives the oldest answers: all there are, or so many."""
        while self._waiting and count != 0:
            self._waiting.pop(0)()
            count = None if count is None else count - 1

    def trim(self, topic: str, keep: int) -> None:
        """Drops all but the newest messages of a topic."""
        shelf = self._shelves.get(topic)
        if shelf is not None:
            self.trims += 1
            shelf.rows = shelf.rows[len(shelf.rows) - min(keep, len(shelf.rows)) :]

    def forget(self, topic: str) -> None:
        """Begins a topic anew: its epoch is gone."""
        self.trims += 1
        self._shelves.pop(topic, None)

    def first(self, topic: str) -> int:
        """The oldest offset that is kept, or the next one."""
        shelf: Any = self._shelves[topic]
        first: int = shelf.rows[0].offset if shelf.rows else shelf.offset + 1
        return first

    def _later(self, act: Callable[[], None]) -> None:
        if self.is_patient:
            self._waiting.append(act)
        else:
            act()
