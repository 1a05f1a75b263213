"""The topics that somebody follows, and the patterns that new ones are held against.

Shared by the parts of the hub. A topic that nobody follows is known to the
store alone.

The one rule: a topic's position is what was told of it. It is asked from the
store once, when the first one follows, and moved on with every batch that was
confirmed; so what a store has committed and not yet said stays unsaid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from nbrealtime.hub.limits import Limits
from nbrealtime.hub.refusal import Refusal
from nbrealtime.hub.store import Position, Store
from nbrealtime.hub.topic import Topic
from nbrealtime.wire.messages import ErrorCode
from nbrealtime.wire.topics import Pattern

if TYPE_CHECKING:
    from nbrealtime.hub.subscription import Subscription

__all__ = ["Topics"]

_REMEMBERED: Final = 10_000


class Topics:
    """What is followed, by names and by ``patterns``.

    ``crowded`` is called with a pattern's subscription that matches too much.
    """

    def __init__(self, store: Store | None, limits: Limits, crowded: Callable[[Subscription], None]) -> None:
        self._store = store
        self._limits = limits
        self._crowded = crowded
        self._topics: dict[str, Topic] = {}
        self.patterns: dict[Pattern, dict[Subscription, None]] = {}
        # Names that no pattern matches, so that publishing there does not ask again every time.
        self._unmatched: set[str] = set()

    def __len__(self) -> int:
        return len(self._topics)

    def __iter__(self) -> Iterator[Topic]:
        return iter(self._topics.values())

    def get(self, name: str) -> Topic | None:
        """The topic, if anybody follows it."""
        return self._topics.get(name)

    def known(self, now: int) -> Mapping[str, Position]:
        """Every topic with history."""
        return {} if self._store is None else self._store.topics(now)

    def check_room(self, name: str, now: int) -> Refusal | None:
        """Refuses ``name`` if it is new and there are as many topics as there may be."""
        limit = self._limits.all_topics
        if limit is None or name in self._topics:
            return None
        if len(self._topics) < limit:
            known = self.known(now)
            if len(known) < limit or name in known:
                return None
        return Refusal(f"the server has {limit:,} topics, and no more are allowed", ErrorCode.LIMIT_EXCEEDED)

    def begin(self, name: str, now: int) -> Topic:
        """Returns the topic, which is followed from now on, by the patterns that match it among others."""
        topic = self._topics.get(name)
        if topic is not None:
            return topic
        position = None if self._store is None else self._store.position(name, now)
        topic = Topic(name) if position is None else Topic(name, position.epoch, position.offset)
        self._topics[name] = topic
        if self._store is not None:
            self._store.hold(name)
        for pattern, subscriptions in list(self.patterns.items()):
            if pattern.matches(name):
                for subscription in list(subscriptions):
                    self._match(topic, subscription)
        if self._topics.get(name) is not topic:
            # The only ones that matched it had too many topics, and took it with them.
            self._topics[name] = topic
            if self._store is not None:
                self._store.hold(name)
        return topic

    def expect(self, name: str, now: int) -> None:
        """Something is about to be published: a topic that only patterns match begins before it."""
        if not self.patterns or name in self._topics or name in self._unmatched:
            return
        if any(pattern.matches(name) for pattern in self.patterns):
            self.tidy(self.begin(name, now))
            return
        if len(self._unmatched) >= _REMEMBERED:
            self._unmatched.clear()
        self._unmatched.add(name)

    def tidy(self, topic: Topic) -> None:
        """Forgets a topic that nobody follows any more."""
        if topic.followers or topic.patterns or self._topics.get(topic.name) is not topic:
            return
        del self._topics[topic.name]
        if self._store is not None:
            self._store.release(topic.name)

    # -- patterns

    def matching(self, pattern: Pattern, now: int) -> list[str]:
        """Every topic that a pattern matches: those with history, and those that somebody follows."""
        known = self.known(now)
        names = [name for name in known if pattern.matches(name)]
        names += [name for name in self._topics if name not in known and pattern.matches(name)]
        return names

    def add_pattern(self, subscription: Subscription, names: list[str], now: int) -> None:
        """Follows by pattern: the topics of ``names`` now, and whatever else matches later."""
        pattern = subscription.pattern
        if pattern is None:
            raise ValueError(f"{subscription!r} is of a name")
        self._unmatched.clear()
        for name in names:
            self._match(self.begin(name, now), subscription, is_new=False)
        self.patterns.setdefault(pattern, {})[subscription] = None

    def remove_pattern(self, subscription: Subscription) -> None:
        """The opposite of `add_pattern`."""
        pattern = subscription.pattern
        if pattern is not None:
            subscriptions = self.patterns.get(pattern)
            if subscriptions is not None:
                subscriptions.pop(subscription, None)
                if not subscriptions:
                    del self.patterns[pattern]
        for topic in subscription.topics.values():
            topic.patterns.pop(subscription, None)
            topic.change()
            self.tidy(topic)
        subscription.topics.clear()

    def _match(self, topic: Topic, subscription: Subscription, *, is_new: bool = True) -> None:
        limit = self._limits.pattern_topics
        if is_new and limit is not None and len(subscription.topics) >= limit:
            self._crowded(subscription)
            return
        subscription.topics[topic.name] = topic
        topic.patterns[subscription] = None
        topic.change()
