"""History in the server's own memory: nothing survives the process, and nothing waits.

Driven by the hub on the server's loop. What a topic keeps is bounded by
`History`, everything together by bytes; `keys` remembers what was published.

The one rule: a publish is an append. Messages are kept as they came in and
become `Stored` when somebody reads them; trimming drops many at once, when a
topic is an eighth over its bounds or when somebody looks, so that what is seen
is exact and what is done is little.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from itertools import islice
from operator import attrgetter
from typing import Final

from nbrealtime.hub.store import Commit, Committed, Entry, Page, Position, Stored
from nbrealtime.server.stores.book import DAY, TOPICS, Book, Topic
from nbrealtime.server.stores.history import MESSAGE_OVERHEAD, History, HistoryRules
from nbrealtime.server.stores.keys import KeyMemory

__all__ = ["MemoryStore"]

_TIMESTAMP: Final = attrgetter("timestamp")


class _Topic(Topic):
    """One topic's messages, oldest first; the newest has ``offset``."""

    __slots__ = ("entries", "many", "much", "size")

    def __init__(self, name: str, epoch: str, history: History, now: int) -> None:
        super().__init__(name, epoch, history, now)
        self.entries: list[Entry] = []
        self.size = 0
        # Beyond these it is trimmed.
        self.many = history.messages + history.messages // 8
        self.much = history.size * 1.125

    @property
    def first(self) -> int:
        """The oldest offset that is kept, or the next one."""
        return self.offset - len(self.entries) + 1

    def trim(self, now: int) -> int:
        """Drops what is beyond the bounds; returns how many bytes that were."""
        entries, size = self.entries, self.size
        count = max(0, len(entries) - self.history.messages)
        for entry in islice(entries, count):
            size -= len(entry.data) + MESSAGE_OVERHEAD
        oldest = now - self.history.milliseconds
        most = self.history.size
        for entry in islice(entries, count, None):
            if entry.timestamp >= oldest and size <= most:
                break
            size -= len(entry.data) + MESSAGE_OVERHEAD
            count += 1
        if not count:
            return 0
        del entries[:count]
        freed = self.size - size
        self.size = size
        return freed

    def empty(self) -> int:
        """Drops every message; returns how many bytes that were."""
        freed = self.size
        self.entries = []
        self.size = 0
        return freed


class MemoryStore:
    """A `nbrealtime.hub.store.Store` whose every answer is there at once.

    Arguments:
        history: which topics keep how much.
        total_bytes: of all histories together; the longest-idle topics give way first. Retained values
            have a bound of the same size of their own, and there too the oldest give way.
        topics: how many topics are remembered; beyond it the longest-idle that nobody held gives way.
        key_seconds, keys_per_user: how long and how many keys are remembered.
    """

    def __init__(
        self,
        history: HistoryRules | None = None,
        *,
        total_bytes: int = 256 * 2**20,
        topics: int = TOPICS,
        key_seconds: float = 300.0,
        keys_per_user: int = 200_000,
    ) -> None:
        rules = HistoryRules() if history is None else history
        self._keys = KeyMemory(seconds=key_seconds, per_user=keys_per_user)
        self._book = Book(rules, limit=topics, make=_Topic, on_forget=self._drop)
        self._most = total_bytes
        self._size = 0
        self._retained: OrderedDict[str, Stored] = OrderedDict()
        self._retained_size = 0

    def __repr__(self) -> str:
        return f"MemoryStore({len(self._book.topics)} topics, {self._size} bytes)"

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
        """Keeps a batch; the answer is there at once."""
        book, keys = self._book, self._keys
        now = book.clock(now)
        topics = book.topics
        results: list[Committed] = []
        tell = results.append
        name: str | None = None
        topic: _Topic | None = None
        for entry in batch:
            key = entry.key
            if key is not None:
                user, pair = keys.of(entry.user_id, now), (entry.topic, key)
                original = keys.find(user, pair, now)
                if original is not None:
                    tell(_again(original))
                    continue
            if entry.topic != name:
                # Most batches have a few long runs: a topic is looked for before its own, and trimmed after it.
                if topic is not None:
                    self._bound(topic, now)
                name = entry.topic
                topic = topics.get(name) or book.begin(name)
                if topic is not None and topic.touched != now:
                    book.touch(topic, now)
            if topic is None:
                committed = Committed(None, None, entry.message_id, entry.timestamp)
            else:
                topic.offset = offset = topic.offset + 1
                topic.entries.append(entry)
                size = len(entry.data) + MESSAGE_OVERHEAD
                topic.size += size
                self._size += size
                committed = Committed(topic.epoch, offset, entry.message_id, entry.timestamp)
            tell(committed)
            if key is not None:
                keys.remember(entry.user_id, user, pair, committed, now)
            if entry.retain:
                self._retain(entry, committed)
        if topic is not None:
            self._bound(topic, now)
        if self._size > self._most:
            self._evict(now)
        if now >= book.sweep_at:
            self._sweep(now)
        return Commit.of(results)

    def _bound(self, topic: _Topic, now: int) -> None:
        if len(topic.entries) > topic.many or topic.size > topic.much:
            self._size -= topic.trim(now)

    def _retain(self, entry: Entry, committed: Committed) -> None:
        previous = self._retained.pop(entry.topic, None)
        if previous is not None:
            self._retained_size -= len(previous.data) + MESSAGE_OVERHEAD
        if entry.data.strip() == b"null":
            return
        self._retained[entry.topic] = _stored(entry, committed.epoch, committed.offset)
        self._retained_size += len(entry.data) + MESSAGE_OVERHEAD
        while self._retained_size > self._most:
            _, oldest = self._retained.popitem(last=False)
            self._retained_size -= len(oldest.data) + MESSAGE_OVERHEAD

    # -- reading

    def position(self, topic: str, now: int) -> Position | None:
        """Returns the newest position, or None if the topic has no history."""
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
        """Returns a range of a topic's messages; the answer is there at once."""
        found = self._book.find(topic)
        if found is None:
            raise ValueError(f"{topic} has no history")
        self._size -= found.trim(self._book.now)
        entries, base = found.entries, found.first
        start = 0 if not_before is None else bisect_left(entries, not_before, key=_TIMESTAMP)
        page = Page(found.position, base + start, ())
        if epoch is not None and epoch != found.epoch:
            return Commit.of(page)
        start = max(start, after + 1 - base)
        stop = len(entries) if until is None else min(until + 1 - base, len(entries))
        if stop <= start or limit <= 0:
            return Commit.of(page)
        places = range(stop - 1, start - 1, -1) if reverse else range(start, stop)
        items: list[Stored] = []
        size = 0
        for place in places[:limit]:
            entry = entries[place]
            size += len(entry.data)
            if max_bytes is not None and items and size > max_bytes:
                break
            items.append(_stored(entry, found.epoch, base + place))
        return Commit.of(Page(page.position, page.first, tuple(items)))

    def retained(self, topic: str) -> Commit[Stored | None]:
        """Returns the topic's retained value."""
        return Commit.of(self._retained.get(topic))

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
        """Ends; there is nothing to wait for."""

    def _drop(self, topic: _Topic) -> None:
        self._size -= topic.empty()

    def _evict(self, now: int) -> None:
        """Drops the histories of the longest-idle topics, until there is some room for what comes next."""
        enough = self._most - self._most // 16
        for topic in list(self._book.topics.values()):
            if self._size <= enough:
                return
            if not topic.entries:
                continue
            if topic.held(now):
                self._drop(topic)
            else:
                self._book.forget(topic)

    def _sweep(self, now: int) -> None:
        """Looks after a few topics that nobody asks about: trims them, and forgets them after their day."""
        for topic in self._book.due(now):
            self._size -= topic.trim(now)
            if not topic.entries and not topic.held(now) and now - topic.touched >= DAY:
                self._book.forget(topic)
        self._keys.sweep(now)


def _again(original: Committed) -> Committed:
    return Committed(original.epoch, original.offset, original.message_id, original.timestamp, True)


def _stored(entry: Entry, epoch: str | None, offset: int | None) -> Stored:
    return Stored(
        entry.topic,
        epoch,
        offset,
        entry.data,
        entry.timestamp,
        entry.time,
        entry.user_id,
        entry.user_name,
        entry.message_id,
    )
