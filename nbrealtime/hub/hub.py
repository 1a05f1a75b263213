"""The heart: who follows what, and what each of them is told.

A face (the server, a test) opens a `Session` per connection, passes on what it
says with `Hub.receive`, and calls `Hub.flush` when the moment to write has come:
it returns the sessions whose outbox has something new. Nothing here waits,
reads a clock or knows a socket; the time is an argument, in milliseconds.

The one rule: a frame is built once, whoever many get it. A payload passes
through unparsed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from msgspec import UNSET, Raw

from nbrealtime.errors import DecodeError, InvalidTopic
from nbrealtime.hub.grants import Action, Grants
from nbrealtime.hub.journal import Journal
from nbrealtime.hub.limits import Limits
from nbrealtime.hub.session import Session, User
from nbrealtime.hub.topic import Topic
from nbrealtime.wire import messages as wire
from nbrealtime.wire.messages import ErrorCode
from nbrealtime.wire.topics import check_pattern, check_topic, is_pattern

__all__ = ["Hub", "Refusal"]

_REMEMBERED_TOPICS: Final = 1024
_CARRYING_MS: Final = 60_000
_CARRYING_TOPICS: Final = 512


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something was not done: a sentence for a person, a code for a program."""

    reason: str
    code: ErrorCode


class Hub:
    """Subscriptions, presence and delivery of one server.

    Arguments:
        frame: makes a message into what travels; called once per message.
        name: begins every ``messageId``, so that those of two servers differ; ASCII.
        limits: what one connection may ask for.

    It is used by one thread.
    """

    def __init__(self, frame: Callable[[bytes], bytes], *, name: str, limits: Limits | None = None) -> None:
        self.limits = Limits() if limits is None else limits
        self.sessions: set[Session] = set()
        self.messages_in = 0
        self.messages_out = 0
        self._frame = frame
        self._name = name
        self._published = 0
        self._topics: dict[str, Topic] = {}
        self._journal = Journal()
        # When each topic was last published to, whoever follows it; the oldest are forgotten.
        self._carried: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"Hub({len(self.sessions)} sessions, {len(self._topics)} topics)"

    # -- sessions

    @property
    def full(self) -> bool:
        """Whether no further session may be opened."""
        limit = self.limits.connections
        return limit is not None and len(self.sessions) >= limit

    def open(self, user: User, grants: Grants, now: int, *, face: object = None) -> Session:
        """Returns a new session, which has been greeted."""
        session = Session(user, grants, face)
        self.sessions.add(session)
        self._tell(session, wire.encode_greeting(now))
        return session

    def close(self, session: Session, now: int) -> None:
        """Ends a session; those who stay on its topics are told. A second time nothing happens."""
        if not session.open:
            return
        session.open = False
        self.sessions.discard(session)
        for topic in session.subscriptions.values():
            topic.remove(session)
            self._announce(topic, now)
        session.subscriptions.clear()

    # -- what a session says

    def receive(self, session: Session, frame: bytes, now: int) -> None:
        """Does what a text frame asks for; whatever is wrong with it is answered with an ``error``."""
        self.messages_in += 1
        try:
            if not frame.isascii():
                # The decoder passes a payload's strings over. What is no UTF-8 in them would end the
                # connection of every subscriber that holds to the RFC.
                frame.decode()
            message = wire.decode_client(frame)
        except UnicodeDecodeError:
            reason = "not UTF-8"
            self._tell(session, wire.encode_error(reason, ErrorCode.BAD_REQUEST, timestamp=now))
            return
        except DecodeError as fault:
            self._tell(session, wire.encode_error(fault.reason, fault.code, timestamp=now))
            return
        topic = message.topic
        if message.type == "publish":
            refusal = self._publish_from(session, topic, message.data, now)
        elif message.type == "subscribe":
            refusal = self.subscribe(session, topic, now)
        elif message.type == "unsubscribe":
            refusal = self.unsubscribe(session, topic, now)
        else:
            self._tell(session, wire.encode_pong(now))
            return
        if refusal is not None:
            named = topic if isinstance(topic, str) else None
            self._tell(session, wire.encode_error(refusal.reason, refusal.code, timestamp=now, topic=named))

    def receive_binary(self, session: Session, now: int) -> None:
        """Answers a binary frame, which this dialect does not have."""
        self.messages_in += 1
        reason = "binary frames are not understood here: send JSON in a text frame"
        self._tell(session, wire.encode_error(reason, ErrorCode.BAD_REQUEST, timestamp=now))

    def subscribe(self, session: Session, topic: object, now: int) -> Refusal | None:
        """Answers with ``subscribed``, then tells every subscriber how many they are now."""
        name = _check_name(topic)
        if isinstance(name, Refusal):
            return name
        subscriptions = session.subscriptions
        followed = subscriptions.get(name)
        if followed is not None:
            # Nothing changed, so the others hear nothing; whoever asks again gets the full answer.
            self._tell(session, wire.encode_subscribed(name, followed.count, now))
            self._tell(session, wire.encode_presence(name, followed.count, now))
            return None
        if not session.grants.allows(Action.SUBSCRIBE, name, session.user.id):
            return Refusal("not allowed to subscribe", ErrorCode.FORBIDDEN)
        limit = self.limits.topics
        if limit is not None and len(subscriptions) >= limit:
            reason = f"a connection may follow {limit} topics: unsubscribe from one first"
            return Refusal(reason, ErrorCode.LIMIT_EXCEEDED)
        subject = self._topics.get(name)
        if subject is None:
            subject = self._topics[name] = Topic(name)
        subject.add(session)
        subscriptions[name] = subject
        self._tell(session, wire.encode_subscribed(name, subject.count, now))
        self._announce(subject, now)
        return None

    def unsubscribe(self, session: Session, topic: object, now: int) -> Refusal | None:
        """Answers with ``unsubscribed``, also if there was nothing to end; those who remain are told."""
        name = _check_name(topic)
        if isinstance(name, Refusal):
            return name
        subject = session.subscriptions.pop(name, None)
        self._tell(session, wire.encode_unsubscribed(name, now))
        if subject is not None:
            subject.remove(session)
            self._announce(subject, now)
        return None

    # -- messages

    def publish(
        self, user: User, grants: Grants, topic: object, data: bytes | Raw, now: int
    ) -> Refusal | None:
        """Sends the JSON in ``data`` to every subscriber of ``topic``, on behalf of ``user``."""
        name = _check_name(topic)
        if isinstance(name, Refusal):
            return name
        if not grants.allows(Action.PUBLISH, name, user.id):
            return Refusal("not allowed to publish", ErrorCode.FORBIDDEN)
        return self._deliver(name, data, now)

    def _publish_from(self, session: Session, topic: object, data: object, now: int) -> Refusal | None:
        if not isinstance(data, Raw):
            if topic is UNSET or topic is None or topic == "":
                return _check_name(topic)  # type: ignore[return-value]  # without a topic it is a refusal
            return Refusal("Data is required", ErrorCode.BAD_REQUEST)
        publishable = session.publishable
        if isinstance(topic, str) and topic in publishable:
            return self._deliver(topic, data, now)
        refusal = self.publish(session.user, session.grants, topic, data, now)
        if refusal is None and isinstance(topic, str):
            if len(publishable) >= _REMEMBERED_TOPICS:
                publishable.clear()
            publishable.add(topic)
        return refusal

    def _deliver(self, name: str, data: bytes | Raw, now: int) -> Refusal | None:
        self._published += 1
        subject = self._topics.get(name)
        if subject is None and self._fits(data):
            self._note(name, now)
            return None
        message = wire.encode_message(name, data, now, f"{self._name}-{self._published}")
        limit = self.limits.message_bytes
        if limit is not None and len(message) > limit:
            # Measured as it goes out: a little more than came in. A subscriber whose own limit is
            # the same would end its connection over it, and that would be our doing.
            reason = f"the message would have {len(message):,} bytes, and {limit:,} are allowed"
            return Refusal(reason, ErrorCode.TOO_LARGE)
        self._note(name, now)
        if subject is not None:
            self._journal.write(subject.recipients, self._frame(message))
        return None

    def _note(self, name: str, now: int) -> None:
        """Remembers that ``name`` carries data."""
        if len(self._carried) >= _CARRYING_TOPICS and name not in self._carried:
            newest = sorted(self._carried, key=self._carried.__getitem__)[_CARRYING_TOPICS // 2 :]
            self._carried = {kept: self._carried[kept] for kept in newest}
        self._carried[name] = now

    def _fits(self, data: bytes | Raw) -> bool:
        """Whether a message is small enough for certain, so that nobody has to build it."""
        limit = self.limits.message_bytes
        return limit is None or len(memoryview(data)) + 2048 <= limit

    # -- what goes out

    def send(self, session: Session, frame: bytes) -> None:
        """Adds what is framed already to what goes out to one session."""
        self._journal.write(session.alone, frame)

    @property
    def pending(self) -> bool:
        """Whether a flush has something to do."""
        return bool(self._journal)

    @property
    def pending_bytes(self) -> int:
        """How much a flush has to hand out, counted once for all who get it."""
        return self._journal.size

    def flush(self) -> tuple[Session, ...]:
        """Fills the outboxes with everything said since the last time; returns whose."""
        touched, deliveries = self._journal.post()
        self.messages_out += deliveries
        return touched

    def subscribers(self, user: User, grants: Grants) -> dict[str, int]:
        """The topics with subscribers that ``user`` may subscribe to, by name, with how many they have."""
        return {
            name: self._topics[name].count
            for name in sorted(self._topics)
            if grants.allows(Action.SUBSCRIBE, name, user.id)
        }

    def all_subscribers(self) -> dict[str, int]:
        """Every topic with subscribers, by name, with how many it has."""
        return {name: self._topics[name].count for name in sorted(self._topics)}

    def carrying(self, now: int) -> list[str]:
        """The topics that were published to within the last minute, by name; followed or not."""
        return sorted(name for name, when in self._carried.items() if now - when <= _CARRYING_MS)

    def _tell(self, session: Session, message: bytes) -> None:
        self._journal.write(session.alone, self._frame(message))

    def _announce(self, topic: Topic, now: int) -> None:
        """Tells every subscriber how many they are; a topic without any is forgotten."""
        if topic.count:
            presence = wire.encode_presence(topic.name, topic.count, now)
            self._journal.write(topic.recipients, self._frame(presence))
        else:
            self._topics.pop(topic.name, None)


def _check_name(topic: object) -> str | Refusal:
    """Returns a topic's name, or says why it is none."""
    if topic is UNSET or topic is None or topic == "":
        return Refusal("Topic is required", ErrorCode.BAD_REQUEST)
    if isinstance(topic, str) and is_pattern(topic):
        try:
            check_pattern(topic)
        except InvalidTopic as fault:
            return Refusal(str(fault), ErrorCode.BAD_REQUEST)
        reason = "patterns are not served here: name one topic, without *"
        return Refusal(reason, ErrorCode.BAD_REQUEST)
    try:
        return check_topic(topic)
    except InvalidTopic as fault:
        return Refusal(str(fault), ErrorCode.BAD_REQUEST)
