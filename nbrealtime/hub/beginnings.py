"""Where a v2 subscription begins: at a position, with the newest few, with the retained value, or now.

The store is asked, which may take its time; nothing else of the hub waits for
it. `nbrealtime.hub.follow` gives the answer, `nbrealtime.hub.replays` then does
the reading.

The one rule: ``recovered`` is said only after the store has shown that
everything after the position is still there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from nbrealtime.hub.grants import Action
from nbrealtime.hub.permission import granted
from nbrealtime.hub.store import Commit, Page, Store, Stored, Unavailable
from nbrealtime.hub.subscription import Subscription
from nbrealtime.wire.v2 import Request, Since

if TYPE_CHECKING:
    from nbrealtime.hub.topic import Topic

__all__ = ["Beginning", "Beginnings", "Start"]

# What a token without the grant of history may still recover.
_RECENT_MS: Final = 5 * 60 * 1000


class Start:
    """Where a subscription begins in one topic."""

    __slots__ = ("cursor", "recovered", "replayed", "topic")

    def __init__(self, topic: Topic, cursor: int, recovered: bool | None = None) -> None:
        self.topic = topic
        self.cursor = cursor
        self.recovered = recovered
        self.replayed = None if recovered is None else topic.offset - cursor


class Beginning:
    """Where one subscription begins, as far as the store has answered.

    ``failed`` if it could not be asked. ``starts`` are by topic; ``retained`` are said before the stream.
    """

    __slots__ = ("asked", "failed", "now", "request", "retained", "starts", "subscription")

    def __init__(self, subscription: Subscription, request: Request, now: int) -> None:
        self.subscription = subscription
        self.request = request
        self.now = now
        # The store may answer before the next question is asked; the beginning itself is the first one.
        self.asked = 1
        self.failed = False
        self.starts: dict[str, Start] = {}
        self.retained: list[Stored] = []


class Beginnings:
    """Finds out where subscriptions begin; ``found`` is called with each, at once or later."""

    def __init__(self, store: Store | None, found: Callable[[Beginning], None]) -> None:
        self._store = store
        self._found = found

    def find(self, subscription: Subscription, request: Request, now: int) -> None:
        """Asks about every topic of a subscription."""
        beginning = Beginning(subscription, request, now)
        for topic in list(subscription.topics.values()):
            self._ask(beginning, topic)
        self._settle(beginning)

    def _ask(self, beginning: Beginning, topic: Topic) -> None:
        """Finds out where it is in one topic."""
        since, store, epoch = beginning.request.since, self._store, topic.epoch
        beginning.starts[topic.name] = Start(topic, topic.offset)
        if since is None or store is None:
            if isinstance(since, Since):
                beginning.starts[topic.name] = Start(topic, topic.offset, recovered=False)
            return
        if since == "last":
            beginning.asked += 1
            store.retained(topic.name).then(lambda commit: self._recall(beginning, commit))
            return
        count = since.count
        if count is not None:
            wanted = max(0, topic.offset - count)
        elif since.topics is not None:
            position = since.topics.get(topic.name)
            wanted = 0 if position is None else position.offset
            epoch = topic.epoch if position is None else position.epoch
        else:
            wanted, epoch = since.offset or 0, since.epoch
        if topic.epoch is None or epoch != topic.epoch or wanted > topic.offset:
            beginning.starts[topic.name] = Start(topic, topic.offset, recovered=False)
        elif wanted == topic.offset:
            beginning.starts[topic.name] = Start(topic, wanted, recovered=True)
        else:
            beginning.asked += 1
            newest = topic.offset
            store.read(topic.name, epoch=epoch, after=wanted, limit=1).then(
                lambda commit: self._probe(beginning, topic, wanted, newest, commit)
            )

    def _recall(self, beginning: Beginning, commit: Commit[Stored | None]) -> None:
        try:
            stored = commit.result()
        except Unavailable:
            beginning.failed = True
        else:
            if stored is not None:
                beginning.retained.append(stored)
        self._settle(beginning)

    def _probe(
        self, beginning: Beginning, topic: Topic, wanted: int, newest: int, commit: Commit[Page]
    ) -> None:
        """The store has shown what there is after the position: everything, or not."""
        try:
            page = commit.result()
        except Unavailable:
            beginning.failed = True
            self._settle(beginning)
            return
        since, session = beginning.request.since, beginning.subscription.session
        if isinstance(since, Since) and since.count is not None:
            start = Start(topic, min(max(wanted, page.first - 1), newest), recovered=True)
        else:
            is_whole = page.position.epoch == topic.epoch and page.first <= wanted + 1 and bool(page.items)
            if is_whole and page.items[0].timestamp < beginning.now - _RECENT_MS:
                is_whole = granted(session, Action.HISTORY, topic.name, None)
            start = Start(topic, wanted if is_whole else newest, recovered=is_whole)
        start.replayed = newest - start.cursor
        beginning.starts[topic.name] = start
        self._settle(beginning)

    def _settle(self, beginning: Beginning) -> None:
        """One question less."""
        beginning.asked -= 1
        if not beginning.asked:
            self._found(beginning)
