"""The heart: who follows what, and what each of them is told.

A face (the server, a test) opens a `Session` per connection, passes on what it
says with `Hub.receive`, and calls `Hub.flush` when the moment to write has come:
it returns the sessions whose outbox has something new. Nothing here waits,
reads a clock or knows a socket; the time is an argument, in milliseconds.

Collaborators: `v1` and `v2` do what a frame of their dialect asks for;
`publishing` takes what is published, `commits` gathers it and tells it when the
store has confirmed it; `follow` begins subscriptions and `endings` ends them;
`replays` fills connections with what waits for them; `topics` knows who follows
what.

The one rule: a frame is built once, whoever many get it. A payload passes
through unparsed.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Raw

from nbrealtime.hub.catalog import Catalog
from nbrealtime.hub.commits import Commits
from nbrealtime.hub.endings import Endings
from nbrealtime.hub.follow import Follow
from nbrealtime.hub.grants import Action, Grants
from nbrealtime.hub.limits import Limits
from nbrealtime.hub.past import Past
from nbrealtime.hub.presence import Presence
from nbrealtime.hub.publishing import Publishing
from nbrealtime.hub.refusal import Refusal
from nbrealtime.hub.replays import Replays
from nbrealtime.hub.session import Options, Session, User
from nbrealtime.hub.store import Committed, Store
from nbrealtime.hub.topics import Topics
from nbrealtime.hub.v1 import V1
from nbrealtime.hub.v2 import V2
from nbrealtime.hub.voice import Voice
from nbrealtime.wire import messages as wire
from nbrealtime.wire.messages import ErrorCode
from nbrealtime.wire.v2 import Request

__all__ = ["Hub", "Refusal"]


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
        self._flushing = False
        self._wake = wake
        limits, settle = self.limits, self._settle
        voice = self._voice = Voice(frame)
        self._journal = voice.journal
        topics = self._topics = Topics(store, limits, lambda found: self._endings.crowded(found))
        replays = self._replays = Replays(
            store, voice, self._woken, lambda found, code, reason: self._endings.end(found, code, reason)
        )
        presence = Presence(voice)
        endings = self._endings = Endings(topics, voice, presence, limits)
        follow = Follow(store, topics, voice, presence, endings, replays, limits)
        self._commits = Commits(store, topics, voice, replays)
        publishing = self._publishing = Publishing(name, topics, self._commits, limits)
        catalog = self._catalog = Catalog(topics, voice, name)
        past = Past(store, topics, voice, limits, self._woken)
        self._v1 = V1(publishing, endings, presence, topics, catalog, voice, limits, settle)
        self._v2 = V2(publishing, follow, endings, catalog, past, voice, limits, settle, on_auth)

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
        self._endings.now = now
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
        self._endings.now = now
        self._settle(now)
        session.open = False
        self.sessions.discard(session)
        for subscription in list(session.subscriptions.values()):
            self._endings.detach(subscription, now)
        session.subscriptions.clear()
        self._replays.forget(session)
        self._catalog.forget(session)
        self._catalog.change()

    def regrant(self, session: Session, user: User, grants: Grants, now: int) -> None:
        """Takes what a renewed token says of the same user; what it does not allow ends, with code 2003."""
        self._endings.now = now
        session.user = user
        session.grants = grants
        self._settle(now)
        self._endings.recheck(session, now)
        self._catalog.change()

    def tell(self, session: Session, payload: bytes) -> None:
        """Says a message of the protocol to one session: a ``welcome``, a ``drain``, an ``error``."""
        self._voice.tell(session, payload)

    # -- what a session says

    def receive(self, session: Session, frame: bytes, now: int) -> None:
        """Does what a text frame asks for; whatever is wrong with it is answered with an ``error``."""
        self._endings.now = now
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
            self._v1.receive(session, frame, now)
            return
        count = self._v2.receive(session, frame, now)
        self.messages_in += count

    def receive_binary(self, session: Session, now: int) -> None:
        """Answers a binary frame, which this encoding does not have."""
        self._endings.now = now
        self.messages_in += 1
        reason = "binary frames are not understood here: send JSON in a text frame"
        self._refuse(session, Refusal(reason, ErrorCode.BAD_REQUEST), now)

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
        self._endings.now = now
        return self._publishing.take(
            user, grants, topic, data, now, key=key, retain=retain, time=time, done=done
        )

    # -- what goes out

    def send(self, session: Session, frame: bytes) -> None:
        """Adds what is framed already to what goes out to one session, ahead of nothing."""
        session.urgent = True
        self._journal.write(session.raw, frame)

    @property
    def pending(self) -> bool:
        """Whether a flush has something to do."""
        return self._journal.size > 0 or self._commits.pending or self._replays.pending

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
        replays, catalog = self._replays.due, self._catalog.due
        if replays is None or catalog is None:
            return catalog if replays is None else replays
        return min(replays, catalog)

    def drained(self, session: Session) -> None:
        """A connection took everything that was in its outbox: whatever waits for that can come."""
        self._replays.drained(session)

    def flush(self, now: int | None = None) -> tuple[Session, ...]:
        """Commits what was published and fills the outboxes with everything said; returns whose.

        Whatever the store answers later is said then, and ``wake`` is called.
        """
        if now is None:
            now = self._endings.now
        else:
            self._endings.now = now
        self._flushing = True
        try:
            self._settle(now)
            self._catalog.publish(now)
            self._replays.fill(now)
            touched, deliveries = self._journal.post()
        finally:
            self._flushing = False
        self.messages_out += deliveries
        if self._replays.overrun:
            overrun = self._replays.take_overrun()
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
        return self._publishing.carrying.names(now)

    # -- inside

    def _refuse(self, session: Session, refusal: Refusal, now: int) -> None:
        self._settle(now)
        self._voice.refuse(session, refusal, now)

    def _settle(self, now: int) -> None:
        """Commits what was published so far: who comes or goes, or is answered, now stands after it."""
        if self._commits.commit(now):
            self._catalog.change()

    def _woken(self) -> None:
        if self._wake is not None and not self._flushing:
            self._wake()
