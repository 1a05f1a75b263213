"""The first dialect: what a v1 client asks for, and its answers.

Its subscriptions are names; it knows no positions, no ids and no options.
Whatever both dialects share is done by the collaborators: `publishing` takes
publishes, `presence` says how many follow, `endings` ends subscriptions.

The one rule: whoever asks again gets the full answer, and nobody else hears it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nbrealtime.errors import DecodeError
from nbrealtime.hub.catalog import Catalog
from nbrealtime.hub.endings import Endings
from nbrealtime.hub.grants import Action
from nbrealtime.hub.limits import Limits
from nbrealtime.hub.permission import check_count
from nbrealtime.hub.presence import Presence
from nbrealtime.hub.publishing import Publishing
from nbrealtime.hub.refusal import Refusal, check_name
from nbrealtime.hub.subscription import Subscription
from nbrealtime.hub.topics import Topics
from nbrealtime.hub.voice import Voice
from nbrealtime.wire import messages as wire
from nbrealtime.wire.messages import ErrorCode

if TYPE_CHECKING:
    from nbrealtime.hub.session import Session

__all__ = ["V1"]


class V1:
    """Does what one frame of v1 asks for.

    Arguments:
        settle: commits what was published so far: what is answered now stands after it.
    """

    def __init__(
        self,
        publishing: Publishing,
        endings: Endings,
        presence: Presence,
        topics: Topics,
        catalog: Catalog,
        voice: Voice,
        limits: Limits,
        settle: Callable[[int], None],
    ) -> None:
        self._publishing = publishing
        self._endings = endings
        self._presence = presence
        self._topics = topics
        self._catalog = catalog
        self._voice = voice
        self._limits = limits
        self._settle = settle

    def receive(self, session: Session, frame: bytes, now: int) -> None:
        """Does it, or says why not."""
        try:
            message = wire.decode_client(frame)
        except DecodeError as fault:
            self._refuse(session, Refusal(fault.reason, ErrorCode(fault.code)), now)
            return
        topic = message.topic
        if message.type == "publish":
            refusal = self._publishing.take_v1(session, topic, message.data, now)
        elif message.type == "subscribe":
            refusal = self._subscribe(session, topic, now)
        elif message.type == "unsubscribe":
            refusal = self._unsubscribe(session, topic, now)
        else:
            self._settle(now)
            self._voice.tell(session, wire.encode_pong(now))
            return
        if refusal is not None:
            self._refuse(session, refusal, now, topic=topic if isinstance(topic, str) else None)

    def _refuse(self, session: Session, refusal: Refusal, now: int, *, topic: str | None = None) -> None:
        self._settle(now)
        self._voice.refuse(session, refusal, now, topic=topic)

    def _subscribe(self, session: Session, topic: object, now: int) -> Refusal | None:
        """Answers with ``subscribed``, then tells every subscriber how many they are now."""
        name = check_name(topic)
        if isinstance(name, Refusal):
            return name
        self._settle(now)
        followed = self._topics.get(name)
        if followed is not None and name in session.subscriptions:
            # Nothing changed, so the others hear nothing; whoever asks again gets the full answer.
            self._voice.tell(session, wire.encode_subscribed(name, followed.count, now))
            self._voice.tell(session, wire.encode_presence(name, followed.count, now))
            return None
        if not session.grants.allows(Action.SUBSCRIBE, name, session.user.id):
            return Refusal("not allowed to subscribe", ErrorCode.FORBIDDEN)
        refusal = check_count(session, self._limits.topics)
        if refusal is None:
            refusal = self._topics.check_room(name, now)
        if refusal is not None:
            return refusal
        subject = self._topics.begin(name, now)
        subject.add(session)
        subscription = session.subscriptions[name] = Subscription(session, name)
        subscription.topics[name] = subject
        self._voice.tell(session, wire.encode_subscribed(name, subject.count, now))
        self._presence.announce(subject, now)
        self._catalog.change()
        return None

    def _unsubscribe(self, session: Session, topic: object, now: int) -> Refusal | None:
        """Answers with ``unsubscribed``, also if there was nothing to end; those who remain are told."""
        name = check_name(topic)
        if isinstance(name, Refusal):
            return name
        self._settle(now)
        self._voice.tell(session, wire.encode_unsubscribed(name, now))
        subscription = session.subscriptions.get(name)
        if subscription is not None:
            self._endings.detach(subscription, now)
            self._catalog.change()
        return None
