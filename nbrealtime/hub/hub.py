"""The heart: who follows what, and what each of them is told.

A face (the server, a test) opens a `Session` per connection, passes on what it
says with `Hub.receive`, and calls `Hub.flush` when the moment to write has come:
it returns the sessions whose outbox has something new. Nothing here waits,
reads a clock or knows a socket; the time is an argument, in milliseconds.

Collaborators: `commits` gathers what is published and tells it when the store
has confirmed it; `follow` begins and ends subscriptions; `replays` fills
connections with what waits for them; `topics` knows who follows what.

The one rule: a frame is built once, whoever many get it. A payload passes
through unparsed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import UNSET, Raw

from nbrealtime.errors import DecodeError
from nbrealtime.hub.catalog import CATALOG, Catalog
from nbrealtime.hub.commits import Commits, Publish
from nbrealtime.hub.follow import Follow
from nbrealtime.hub.grants import Action, Grants
from nbrealtime.hub.limits import Limits
from nbrealtime.hub.past import Past
from nbrealtime.hub.refusal import Refusal, check_name
from nbrealtime.hub.replays import Replays
from nbrealtime.hub.session import Options, Session, User
from nbrealtime.hub.store import Committed, Entry, Store
from nbrealtime.hub.subscription import Subscription
from nbrealtime.hub.topics import Topics
from nbrealtime.hub.voice import Voice
from nbrealtime.wire import messages as wire
from nbrealtime.wire import replies
from nbrealtime.wire.messages import ErrorCode
from nbrealtime.wire.v2 import Request, decode_requests

__all__ = ["Hub", "Refusal"]

_REMEMBERED_TOPICS: Final = 1024
_CARRYING_MS: Final = 60_000
_CARRYING_TOPICS: Final = 512


class Hub:
    """Subscriptions, presence, history and delivery of one server.

    Arguments:
        frame: makes a message into what travels; called once per message.
        name: begins every ``messageId``, so that those of two servers differ; ASCII.
        limits: what one connection may ask for.
        store: keeps the history; without one no topic has any.
        wake: called when something has come up to be flushed that no call of the face brought.
        on_auth: answers an ``auth``, which only the face can verify, with `regrant` or a refusal.

    It is used by one thread.
    """

    def __init__(
        self,
        frame: Callable[[bytes], bytes],
        *,
        name: str,
        limits: Limits | None = None,
        store: Store | None = None,
        wake: Callable[[], None] | None = None,
        on_auth: Callable[[Session, Request], None] | None = None,
    ) -> None:
        self.limits = Limits() if limits is None else limits
        self.sessions: set[Session] = set()
        self.messages_in = 0
        self.messages_out = 0
        self.store = store
        self._name = name
        self._published = 0
        self._now = 0
        self._flushing = False
        self._wake = wake
        self._on_auth = on_auth
        self._voice = Voice(frame)
        self._journal = self._voice.journal
        self._topics = Topics(store, self.limits, lambda subscription: self._follow.crowded(subscription))
        self._replays = Replays(
            store, self._voice, self._woken, lambda found, code, reason: self._follow.end(found, code, reason)
        )
        self._follow = Follow(store, self._topics, self._voice, self._replays, self.limits)
        self._commits = Commits(store, self._topics, self._voice, self._replays)
        self._past = Past(store, self._topics, self._voice, self.limits, self._woken)
        self._catalog = Catalog(self._topics, self._voice, name)
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

    def open(
        self,
        user: User,
        grants: Grants,
        now: int,
        *,
        face: object = None,
        options: Options | None = None,
        version: int | None = None,
    ) -> Session:
        """Returns a new session.

        With ``options`` it speaks v2, and is welcomed by the face; one of v1 has been greeted.
        """
        self._tick(now)
        if version is None:
            version = 1 if options is None else 2
        session = Session(
            user, grants, face, version=version, options=Options() if options is None else options
        )
        self.sessions.add(session)
        if version == 1:
            self._voice.tell(session, wire.encode_greeting(now))
        return session

    def close(self, session: Session, now: int) -> None:
        """Ends a session; those who stay on its topics are told. A second time nothing happens."""
        if not session.open:
            return
        self._tick(now)
        self._settle(now)
        session.open = False
        self.sessions.discard(session)
        for subscription in list(session.subscriptions.values()):
            self._follow.detach(subscription, now)
        session.subscriptions.clear()
        self._replays.forget(session)
        self._catalog.forget(session)
        self._catalog.change()

    def regrant(self, session: Session, user: User, grants: Grants, now: int) -> None:
        """Takes what a renewed token says of the same user; what it does not allow ends, with code 2003."""
        self._tick(now)
        session.user = user
        session.grants = grants
        self._settle(now)
        self._follow.recheck(session, now)
        self._catalog.change()

    def tell(self, session: Session, payload: bytes) -> None:
        """Says a message of the protocol to one session: a ``welcome``, a ``drain``, an ``error``."""
        self._voice.tell(session, payload)

    # -- what a session says

    def receive(self, session: Session, frame: bytes, now: int) -> None:
        """Does what a text frame asks for; whatever is wrong with it is answered with an ``error``."""
        self._tick(now)
        if not frame.isascii():
            # The decoder passes a payload's strings over. What is no UTF-8 in them would end the
            # connection of every subscriber that holds to the RFC.
            try:
                frame.decode()
            except UnicodeDecodeError:
                self.messages_in += 1
                self._refuse(session, Refusal("not UTF-8", ErrorCode.BAD_REQUEST), now)
                return
        if session.version == 1:
            self.messages_in += 1
            self._receive_v1(session, frame, now)
            return
        for request in decode_requests(frame):
            self.messages_in += 1
            if isinstance(request, DecodeError):
                refusal = Refusal(request.reason, ErrorCode(request.code))
                self._refuse(session, refusal, now, id=request.id, topic=request.topic)
            elif session.open:
                self.act(session, request, now)

    def receive_binary(self, session: Session, now: int) -> None:
        """Answers a binary frame, which this encoding does not have."""
        self._tick(now)
        self.messages_in += 1
        reason = "binary frames are not understood here: send JSON in a text frame"
        self._refuse(session, Refusal(reason, ErrorCode.BAD_REQUEST), now)

    def act(self, session: Session, request: Request, now: int) -> None:
        """Does what one request of v2 asks for."""
        kind = request.type
        refusal: Refusal | None = None
        if kind == "publish":
            refusal = self._publish_v2(session, request, now)
        elif kind == "subscribe":
            self._settle(now)
            if request.topic == CATALOG:
                refusal = self._catalog.subscribe(session, request, self.limits.topics, now)
            else:
                refusal = self._follow.subscribe(session, request, now)
            self._catalog.change()
        elif kind == "unsubscribe":
            self._settle(now)
            refusal = self._follow.unsubscribe(session, request, now)
            if request.topic == CATALOG:
                self._catalog.forget(session)
            self._catalog.change()
        elif kind == "history":
            self._settle(now)
            refusal = self._past.ask(session, request, now)
        elif kind == "ping":
            self._settle(now)
            self._voice.tell(session, replies.encode_pong(timestamp=now, id=request.id))
        elif kind == "auth" and self._on_auth is not None:
            self._on_auth(session, request)
        elif kind != "pong":
            refusal = Refusal(f'"{kind}" is not for now', ErrorCode.BAD_REQUEST)
        if refusal is not None:
            self._refuse(session, refusal, now, id=request.id, topic=request.topic)

    # -- the first dialect

    def _receive_v1(self, session: Session, frame: bytes, now: int) -> None:
        try:
            message = wire.decode_client(frame)
        except DecodeError as fault:
            self._refuse(session, Refusal(fault.reason, ErrorCode(fault.code)), now)
            return
        topic = message.topic
        if message.type == "publish":
            refusal = self._publish_v1(session, topic, message.data, now)
        elif message.type == "subscribe":
            refusal = self.subscribe(session, topic, now)
        elif message.type == "unsubscribe":
            refusal = self.unsubscribe(session, topic, now)
        else:
            self._settle(now)
            self._voice.tell(session, wire.encode_pong(now))
            return
        if refusal is not None:
            self._refuse(session, refusal, now, topic=topic if isinstance(topic, str) else None)

    def subscribe(self, session: Session, topic: object, now: int) -> Refusal | None:
        """Answers with v1's ``subscribed``, then tells every subscriber how many they are now."""
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
        limit = self.limits.topics
        if limit is not None and len(session.subscriptions) >= limit:
            reason = f"a connection may follow {limit} topics: unsubscribe from one first"
            return Refusal(reason, ErrorCode.LIMIT_EXCEEDED)
        if self._topics.full(name, now):
            return self._too_many_topics()
        subject = self._topics.begin(name, now)
        subject.add(session)
        subscription = session.subscriptions[name] = Subscription(session, name)
        subscription.topics[name] = subject
        self._voice.tell(session, wire.encode_subscribed(name, subject.count, now))
        self._follow.announce(subject, now)
        self._catalog.change()
        return None

    def unsubscribe(self, session: Session, topic: object, now: int) -> Refusal | None:
        """Answers with v1's ``unsubscribed``, also if there was nothing to end; those who remain are told."""
        name = check_name(topic)
        if isinstance(name, Refusal):
            return name
        self._settle(now)
        self._voice.tell(session, wire.encode_unsubscribed(name, now))
        subscription = session.subscriptions.get(name)
        if subscription is not None:
            self._follow.detach(subscription, now)
            self._catalog.change()
        return None

    def _publish_v1(self, session: Session, topic: object, data: object, now: int) -> Refusal | None:
        if not isinstance(data, Raw):
            return _without_data(topic)
        name = self._publishable(session, topic)
        if isinstance(name, Refusal):
            return name
        if session.gate is not None and (wait := session.gate(now)):
            return _too_fast(wait)
        return self._add(name, data, now, user=session.user, session=session)

    # -- publishing

    def publish(
        self,
        user: User,
        grants: Grants,
        topic: object,
        data: bytes | Raw,
        now: int,
        *,
        key: str | None = None,
        retain: bool = False,
        time: int | None = None,
        done: Callable[[Committed | Refusal], None] | None = None,
    ) -> Refusal | None:
        """Publishes the JSON in ``data`` on behalf of ``user``, who has no session.

        ``done`` is called with what became of it, when the store has answered; not if it is refused
        here and now.
        """
        self._tick(now)
        name = check_name(topic)
        if isinstance(name, Refusal):
            return name
        if not grants.allows(Action.PUBLISH, name, user.id):
            return Refusal("not allowed to publish", ErrorCode.FORBIDDEN)
        return self._add(name, data, now, user=user, key=key, retain=retain, time=time, done=done)

    def _publish_v2(self, session: Session, request: Request, now: int) -> Refusal | None:
        if not isinstance(request.data, Raw):
            return _without_data(request.topic)
        name = self._publishable(session, request.topic)
        if isinstance(name, Refusal):
            return name
        if session.refused and self._commits.overtakes(session, name, request.key, request.id):
            reason = "an earlier publish to this topic was refused and must come again first"
            return Refusal(reason, ErrorCode.UNAVAILABLE, retry=True)
        if session.gate is not None and (wait := session.gate(now)):
            self._commits.remember(session, name, request.key, request.id)
            return _too_fast(wait)
        return self._add(
            name,
            request.data,
            now,
            user=session.user,
            session=session,
            id=request.id,
            key=request.key,
            retain=request.retain,
            time=request.time,
            ack=request.ack,
            echo=request.echo,
        )

    def _publishable(self, session: Session, topic: object) -> str | Refusal:
        """Returns the name if the session may publish there; remembered, so that a stream pays once."""
        publishable = session.publishable
        if isinstance(topic, str) and topic in publishable:
            return topic
        name = check_name(topic)
        if isinstance(name, Refusal):
            return name
        if not session.grants.allows(Action.PUBLISH, name, session.user.id):
            return Refusal("not allowed to publish", ErrorCode.FORBIDDEN)
        if self._topics.full(name, self._now):
            return self._too_many_topics()
        if len(publishable) >= _REMEMBERED_TOPICS:
            publishable.clear()
        publishable.add(name)
        return name

    def _add(
        self,
        name: str,
        data: bytes | Raw,
        now: int,
        *,
        user: User,
        session: Session | None = None,
        id: int | None = None,  # noqa: A002
        key: str | None = None,
        retain: bool = False,
        time: int | None = None,
        ack: bool = False,
        echo: bool = True,
        done: Callable[[Committed | Refusal], None] | None = None,
    ) -> Refusal | None:
        self._published += 1
        payload = bytes(data)
        entry = Entry(
            name, payload, now, time, user.id, user.name, key, retain, f"{self._name}-{self._published}"
        )
        limit = self.limits.message_bytes
        if limit is not None and len(payload) + 4096 > limit:
            # Measured as it goes out: a little more than came in. A subscriber whose own limit is
            # the same would end its connection over it, and that would be our doing.
            size = _size(entry)
            if size > limit:
                reason = f"the message would have {size:,} bytes, and {limit:,} are allowed"
                return Refusal(reason, ErrorCode.TOO_LARGE)
        self._note(name, now)
        self._commits.add(Publish(entry, session, id=id, ack=ack, echo=echo, done=done))
        return None

    def _too_many_topics(self) -> Refusal:
        reason = f"the server has {self.limits.all_topics:,} topics, and no more are allowed"
        return Refusal(reason, ErrorCode.LIMIT_EXCEEDED)

    def _note(self, name: str, now: int) -> None:
        """Remembers that ``name`` carries data."""
        if len(self._carried) >= _CARRYING_TOPICS and name not in self._carried:
            newest = sorted(self._carried, key=self._carried.__getitem__)[_CARRYING_TOPICS // 2 :]
            self._carried = {kept: self._carried[kept] for kept in newest}
        self._carried[name] = now

    # -- what goes out

    def send(self, session: Session, frame: bytes) -> None:
        """Adds what is framed already to what goes out to one session, ahead of nothing."""
        session.urgent = True
        self._journal.write(session.raw, frame)

    @property
    def pending(self) -> bool:
        """Whether a flush has something to do."""
        return bool(self._journal) or self._commits.pending or self._replays.pending

    @property
    def pending_bytes(self) -> int:
        """How much was said or published and is not handed out, counted once for all who get it."""
        return self._journal.size + self._commits.size

    @property
    def committing(self) -> bool:
        """Whether a batch is with the store, so that what is published meanwhile waits."""
        return self._commits.under_way

    @property
    def due(self) -> float | None:
        """When a flush has something to do that nobody brings, in ms; None for never."""
        dues = [due for due in (self._replays.due, self._catalog.due) if due is not None]
        return min(dues) if dues else None

    def drained(self, session: Session) -> None:
        """A connection took everything that was in its outbox: whatever waits for that can come."""
        self._replays.drained(session)

    def flush(self, now: int | None = None) -> tuple[Session, ...]:
        """Commits what was published and fills the outboxes with everything said; returns whose.

        Whatever the store answers later is said then, and ``wake`` is called.
        """
        if now is None:
            now = self._now
        else:
            self._tick(now)
        self._flushing = True
        try:
            self._settle(now)
            self._catalog.publish(now)
            self._replays.fill(now)
            touched, deliveries = self._journal.post()
        finally:
            self._flushing = False
        self.messages_out += deliveries
        overrun = self._replays.take_overrun()
        if overrun:
            return (*touched, *(session for session in overrun if session not in touched))
        return touched

    def subscribers(self, user: User, grants: Grants) -> dict[str, int]:
        """The topics with subscribers that ``user`` may subscribe to, by name, with how many they have."""
        return {
            name: count
            for name, count in self.all_subscribers().items()
            if grants.allows(Action.SUBSCRIBE, name, user.id)
        }

    def all_subscribers(self) -> dict[str, int]:
        """Every topic with subscribers, by name, with how many it has."""
        return dict(sorted((topic.name, topic.count) for topic in self._topics if topic.count))

    def carrying(self, now: int) -> list[str]:
        """The topics that were published to within the last minute, by name; followed or not."""
        return sorted(name for name, when in self._carried.items() if now - when <= _CARRYING_MS)

    # -- inside

    def _tick(self, now: int) -> None:
        self._now = self._follow.now = now

    def _refuse(
        self,
        session: Session,
        refusal: Refusal,
        now: int,
        *,
        id: int | None = None,  # noqa: A002
        topic: str | None = None,
    ) -> None:
        self._settle(now)
        self._voice.refuse(session, refusal, now, id=id, topic=topic)

    def _settle(self, now: int) -> None:
        """Commits what was published so far: who comes or goes, or is answered, now stands after it."""
        if self._commits.pending:
            self._catalog.change()
            self._commits.commit(now)

    def _woken(self) -> None:
        if self._wake is not None and not self._flushing:
            self._wake()


def _too_fast(wait: float) -> Refusal:
    return Refusal(
        "more messages than the server takes from one connection: wait, and send it again",
        ErrorCode.RATE_LIMITED,
        retry=True,
        retry_after=round(wait, 3),
    )


def _without_data(topic: object) -> Refusal:
    if topic is UNSET or topic is None or topic == "":
        return Refusal("Topic is required", ErrorCode.BAD_REQUEST)
    return Refusal("Data is required", ErrorCode.BAD_REQUEST)


def _size(entry: Entry) -> int:
    """The most that a message has as it goes out to those who follow the topic by its name."""
    first = wire.encode_message(entry.topic, entry.data, entry.timestamp, entry.message_id)
    body = replies.encode_body(
        entry.topic,
        entry.data,
        offset=2**53,
        timestamp=entry.timestamp,
        time=entry.time,
        message_id=entry.message_id,
        user_id=entry.user_id,
        user_name=entry.user_name,
    )
    return max(len(first), len(replies.finish_message(body, subscription=entry.topic)))
