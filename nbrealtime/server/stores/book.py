"""Which topics a store knows: their epochs, who holds them, and when they may be forgotten.

The part that every store has in common. `Topic` is what is known of one, a
store's own kind of it adds where its messages are.

The one rule: topics that begin share the book's generation as their epoch, and
forgetting a topic changes it. So an epoch is known before anything is written,
survives a crash with the one word that it is, and never comes back to a topic
that was forgotten.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Final, Generic, TypeVar

from nbrealtime.hub.store import Position
from nbrealtime.server.stores.history import History, HistoryRules

__all__ = ["DAY", "TOPICS", "Book", "Topic", "fresh_epoch"]

DAY: Final = 24 * 3600 * 1000
# Below the number at which a server refuses new topics (100,000), so that those which somebody only
# published to once make room before that.
TOPICS: Final = 90_000

_SWEEP_EVERY: Final = 1000
_SWEEP_STEP: Final = 32
_LOOKED_AT: Final = 64


def fresh_epoch() -> str:
    """Returns a random epoch."""
    return secrets.token_hex(6)


class Topic:
    """One topic with history. Times are milliseconds; ``offset`` is the newest confirmed one."""

    __slots__ = ("epoch", "history", "holds", "name", "offset", "released", "touched")

    def __init__(self, name: str, epoch: str, history: History, now: int) -> None:
        self.name = name
        self.epoch = epoch
        self.history = history
        self.offset = 0
        self.holds = 0
        self.released: int | None = None
        self.touched = now

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.epoch}+{self.offset})"

    @property
    def position(self) -> Position:
        """The newest confirmed position."""
        return Position(self.epoch, self.offset)

    def held(self, now: int) -> bool:
        """Whether its position must be kept: somebody is subscribed, or was within a day."""
        return self.holds > 0 or (self.released is not None and now - self.released < DAY)


T = TypeVar("T", bound=Topic)


class Book(Generic[T]):
    """Every topic that a store knows, the longest-idle first.

    Arguments:
        rules: which topics have history.
        limit: how many topics are remembered; beyond it the longest-idle that nobody held gives way.
        make: makes a store's own kind of topic, of name, epoch, history and the time.
        on_forget: is told of a topic that was forgotten, after the generation changed.
        generation: the epoch of topics that begin; a random one by default.
    """

    def __init__(
        self,
        rules: HistoryRules,
        *,
        limit: int,
        make: Callable[[str, str, History, int], T],
        on_forget: Callable[[T], None],
        generation: str | None = None,
    ) -> None:
        self.rules = rules
        self.generation = fresh_epoch() if generation is None else generation
        self.topics: OrderedDict[str, T] = OrderedDict()
        self.now = 0
        # Before this time `due` has nothing.
        self.sweep_at = 0
        self._limit = limit
        self._make = make
        self._on_forget = on_forget
        self._round: Iterator[T] = iter(())

    def clock(self, now: int) -> int:
        """Returns the time, which does not go backwards here, whatever the system's clock does."""
        if now > self.now:
            self.now = now
        return self.now

    def find(self, name: str) -> T | None:
        """Returns a topic, a new one if it is not known, or None if it has no history."""
        return self.topics.get(name) or self.begin(name)

    def begin(self, name: str) -> T | None:
        """Returns a new topic, or None if it has no history."""
        history = self.rules.of(name)
        if history is None:
            return None
        if len(self.topics) >= self._limit:
            # Looked for among the longest-idle only: where all of them are held, there is one more.
            oldest = islice(self.topics.values(), _LOOKED_AT)
            idle = next((topic for topic in oldest if not topic.held(self.now)), None)
            if idle is not None:
                self.forget(idle)
        topic = self.topics[name] = self._make(name, self.generation, history, self.now)
        return topic

    def touch(self, topic: T, now: int) -> None:
        """Something new came to the topic."""
        if topic.touched != now:
            topic.touched = now
            self.topics.move_to_end(topic.name)

    def forget(self, topic: T) -> None:
        """Ends this life of a topic; the next one has another epoch."""
        del self.topics[topic.name]
        self.generation = fresh_epoch()
        self._on_forget(topic)

    def hold(self, name: str) -> None:
        """Counts one subscriber more."""
        topic = self.find(name)
        if topic is not None:
            topic.holds += 1

    def release(self, name: str) -> None:
        """Counts one subscriber less."""
        topic = self.topics.get(name)
        if topic is not None and topic.holds:
            topic.holds -= 1
            topic.released = self.now

    def due(self, now: int) -> list[T]:
        """Returns a few topics to look after, in turn; every topic's turn comes about once a second.

        A few at a time: a hundred thousand at once would keep everybody waiting.
        """
        if now < self.sweep_at:
            return []
        step = list(islice(self._round, _SWEEP_STEP))
        if len(step) < _SWEEP_STEP:
            self._round = iter(list(self.topics.values()))
            self.sweep_at = now + _SWEEP_EVERY
        return [topic for topic in step if self.topics.get(topic.name) is topic]

    def positions(self) -> Mapping[str, Position]:
        """Returns every topic's position, as a view."""
        return _Positions(self.topics)


class _Positions(Mapping[str, Position]):
    """The positions of the topics, made when they are looked at."""

    def __init__(self, topics: Mapping[str, Topic]) -> None:
        self._topics = topics

    def __getitem__(self, name: str) -> Position:
        return self._topics[name].position

    def __iter__(self) -> Iterator[str]:
        return iter(self._topics)

    def __len__(self) -> int:
        return len(self._topics)
