"""``$sys/topics``: what topics there are, for each who asks those that he may subscribe to.

The hub itself publishes there, to every session something else. Whoever
subscribes gets the list at once, and again when it changed, at most once a
second and more rarely the longer it is.

The one rule: it shows nobody a name that his grants do not reach.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from nbrealtime.hub.grants import Action
from nbrealtime.hub.permission import check_count
from nbrealtime.hub.refusal import Refusal
from nbrealtime.hub.subscription import Subscription
from nbrealtime.hub.topics import Topics
from nbrealtime.hub.voice import Voice
from nbrealtime.wire import replies
from nbrealtime.wire.v2 import Request

if TYPE_CHECKING:
    from nbrealtime.hub.session import Session

__all__ = ["CATALOG", "Catalog", "Line"]

CATALOG: Final = "$sys/topics"

_INTERVAL_MS: Final = 1000
# A list of a hundred thousand takes a while to make.
_TOPICS_PER_MS: Final = 10
MOST_LINES: Final = 5000


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One topic of the list; ``epoch`` and ``offset`` only with history."""

    topic: str
    subscribers: int
    epoch: str | None = None
    offset: int | None = None


class _List(msgspec.Struct, rename="camel"):
    topics: list[Line]
    total_topics: int


class Catalog:
    """Who follows the list of topics, and what they were told last."""

    def __init__(self, topics: Topics, voice: Voice, name: str) -> None:
        self._topics = topics
        self._voice = voice
        self._name = name
        self._told: dict[Session, bytes] = {}
        self._count = 0
        self._next = 0
        self._changed = False

    @property
    def due(self) -> int | None:
        """When there may be something to tell, in ms."""
        return self._next if self._changed and self._told else None

    def change(self) -> None:
        """Something may be different now."""
        self._changed = True

    def subscribe(self, session: Session, request: Request, limit: int | None, now: int) -> Refusal | None:
        """Answers with ``subscribed`` and the list."""
        subscription = session.subscriptions.get(CATALOG)
        if subscription is None:
            refusal = check_count(session, limit)
            if refusal is not None:
                return refusal
            session.subscriptions[CATALOG] = Subscription(session, CATALOG)
            self._told[session] = b""
        self._voice.tell(
            session,
            replies.encode_subscribed(CATALOG, id=request.id, timestamp=now, count=len(self._told)),
        )
        self._tell(session, self._list(session, now), now)
        return None

    def forget(self, session: Session) -> None:
        """A session follows it no more."""
        self._told.pop(session, None)

    def publish(self, now: int) -> None:
        """Tells those whose list changed, if it is time."""
        if not self._changed or now < self._next or not self._told:
            return
        self._changed = False
        self._next = now + _INTERVAL_MS + (len(self._topics.known(now)) + len(self._topics)) // _TOPICS_PER_MS
        for session, told in list(self._told.items()):
            if CATALOG not in session.subscriptions:
                del self._told[session]
                continue
            listed = self._list(session, now)
            if listed != told:
                self._tell(session, listed, now)

    def _tell(self, session: Session, listed: bytes, now: int) -> None:
        self._told[session] = listed
        self._count += 1
        self._voice.give(
            session,
            b'{"type":"message","topic":"%b","data":%b,"timestamp":%d,"messageId":"%b-list-%d","subscription":"%b"}'
            % (CATALOG.encode(), listed, now, self._name.encode(), self._count, CATALOG.encode()),
        )

    def _list(self, session: Session, now: int) -> bytes:
        allows, user = session.grants.allows, session.user.id
        known = self._topics.known(now)
        every = set(known)
        every.update(topic.name for topic in self._topics if topic.count)
        names = sorted(name for name in every if allows(Action.SUBSCRIBE, name, user))
        lines = []
        for name in names[:MOST_LINES]:
            followed, position = self._topics.get(name), known.get(name)
            count = 0 if followed is None else followed.count
            if followed is not None and followed.epoch is not None:
                # As far as it was told.
                lines.append(Line(name, count, followed.epoch, followed.offset))
            elif position is not None:
                lines.append(Line(name, count, position.epoch, position.offset))
            else:
                lines.append(Line(name, count))
        return msgspec.json.encode(_List(lines, len(names)))
