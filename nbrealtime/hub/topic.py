"""One topic and who follows it, by its name and by patterns."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbrealtime.hub.session import Session
    from nbrealtime.hub.subscription import Subscription

__all__ = ["Audience", "Topic"]

Sessions = tuple["Session", ...]


class Audience:
    """Who gets a message that is published now, by what they get: the same tuples until somebody comes or goes.

    ``variants`` are the v2 subscriptions that get it at once, by the name or pattern that it is
    delivered for: those who take one message a frame, and those who take arrays. ``slow`` are visited one by one.
    """

    __slots__ = ("_without", "slow", "v1", "variants")

    def __init__(self, topic: Topic) -> None:
        self.v1: Sessions = tuple(session for session in topic.followers if session.version == 1)
        fast: dict[str, tuple[list[Session], list[Session]]] = {}
        slow: list[Subscription] = []
        for subscription in topic.subscriptions():
            if subscription.fast:
                pair = fast.setdefault(subscription.name, ([], []))
                pair[subscription.session.batch].append(subscription.session)
            else:
                slow.append(subscription)
        self.variants: list[tuple[str, Sessions, Sessions]] = [
            (name, tuple(single), tuple(batched)) for name, (single, batched) in fast.items()
        ]
        self.slow = tuple(slow)
        self._without: dict[tuple[int, Session], Sessions] = {}

    def without(self, sessions: Sessions, session: Session) -> Sessions:
        """Returns ``sessions`` but one: again the same tuple for the same question."""
        key = (id(sessions), session)
        found = self._without.get(key)
        if found is None:
            found = tuple(one for one in sessions if one is not session)
            self._without[key] = found
        return found


class Topic:
    """A name, its newest position as far as it was told, and its subscribers, each of them once.

    ``epoch`` is None without history.
    """

    __slots__ = ("_audience", "_users", "epoch", "followers", "name", "offset", "patterns", "version")

    def __init__(self, name: str, epoch: str | None = None, offset: int = 0) -> None:
        self.name = name
        self.epoch = epoch
        self.offset = offset
        self.version = 0
        self.followers: dict[Session, Subscription | None] = {}
        self.patterns: dict[Subscription, None] = {}
        self._users: Counter[str] = Counter()
        self._audience: Audience | None = None

    def __repr__(self) -> str:
        return f"Topic({self.name!r}, {self.count} subscribers)"

    @property
    def count(self) -> int:
        """How many connections are subscribed by name: the ``presenceCount``."""
        return len(self.followers)

    @property
    def user_count(self) -> int:
        """How many users are behind them."""
        return len(self._users)

    @property
    def audience(self) -> Audience:
        """Those who get a message that is published now."""
        if self._audience is None:
            self._audience = Audience(self)
        return self._audience

    @property
    def recipients(self) -> Sessions:
        """Those of v1: the same tuple until somebody comes or goes."""
        return self.audience.v1

    def subscriptions(self) -> list[Subscription]:
        """Those of v2, by name and by patterns."""
        named = [found for found in self.followers.values() if found is not None]
        return named + list(self.patterns)

    def add(self, session: Session, subscription: Subscription | None = None) -> bool:
        """Follows by name, in v2 with a ``subscription``; returns whether the session was not there yet."""
        known = session in self.followers
        if not known:
            self._users[session.user.id] += 1
        elif self.followers[session] is subscription:
            return False
        self.followers[session] = subscription
        self._audience = None
        return not known

    def remove(self, session: Session) -> bool:
        """Returns whether the session was there."""
        if session not in self.followers:
            return False
        del self.followers[session]
        self._users[session.user.id] -= 1
        if not self._users[session.user.id]:
            del self._users[session.user.id]
        self._audience = None
        return True

    def change(self) -> None:
        """A subscription became fast or slow."""
        self._audience = None
