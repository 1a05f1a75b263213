"""The session itself: one connection across its sockets, whatever dialect they speak. Pure.

Collaborators: the other modules of this package, which it holds together. Each
of its parts (`Session.subscriptions`, `outbox`, `heartbeat`, `renewal`, …) keeps
what is its own; here is in which order they learn what happened.

Decisions, beyond the protocol:

- 1001 is a restart. Only 1000 and 4500–4999 end for good.
- ``drain`` names when to be back: until then the connection is used as long as
  the server keeps it.

The one rule: every decision is taken here or below, and nothing is done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from nbrealtime.client.session import v2
from nbrealtime.client.session.backoff import Backoff
from nbrealtime.client.session.ending import Ending
from nbrealtime.client.session.events import Event
from nbrealtime.client.session.heartbeat import Heartbeat
from nbrealtime.client.session.negotiation import Memory, Negotiation
from nbrealtime.client.session.outbox import Outbox
from nbrealtime.client.session.renewal import Renewal
from nbrealtime.client.session.reports import Reports
from nbrealtime.client.session.requests import HistoryQuestion, Questions
from nbrealtime.client.session.subscriptions import Subscriptions
from nbrealtime.client.session.v1 import V1
from nbrealtime.client.session.v2 import V2
from nbrealtime.client.session.wanted import Options, SinceLike
from nbrealtime.client.status import LinkState
from nbrealtime.errors import ConnectionClosed, DecodeError
from nbrealtime.wire.replies import Reply, decode_replies
from nbrealtime.wire.v2 import BATCH_BYTES, encode_batches

__all__ = ["Session"]

_PLAIN: Final = Options()


class Session:
    """See the package. The caller says what happens, then writes `take` and keeps `deadline`.

    What `receive` returns is handed on before anything else is said to the session: positions count
    it as delivered. ``random`` is uniform in [0, 1); ``client`` is this client's unique name;
    ``memory`` is what is known about the dialects of addresses.
    """

    def __init__(
        self, *, random: Callable[[], float], client: str = "", memory: Memory | None = None
    ) -> None:
        self._client = client
        self._negotiation = Negotiation(Memory() if memory is None else memory)
        self._dialect: V1 | V2 | None = None
        self.version: int | None = None
        """The dialect that is spoken, None while there is no connection."""
        self.message_bytes: int | None = None
        """The largest message that the server takes, None while it has not said."""
        self.outbox = Outbox(client)
        self.publish = self.outbox.add
        """Queues a publish."""
        self.subscriptions = Subscriptions(self.outbox)
        self.heartbeat = Heartbeat()
        self.renewal = Renewal()
        self.ending = Ending(self.renewal, random)
        self.reports = Reports(self.outbox)
        self.state = LinkState.DISCONNECTED
        self.error: str | None = None
        self.user: str | None = None
        self._backoff = Backoff(random)
        self._questions = Questions(self.outbox)
        self._hello: list[bytes] = []
        self._was_connected = False

    # -- what the user wants --------------------------------------------------------------------------

    @property
    def attempts(self) -> int:
        """How many attempts in a row have failed; 0 while connected."""
        return 0 if self.state is LinkState.CONNECTED else self._backoff.failures

    @property
    def retry_at(self) -> float | None:
        """When the next attempt is due; None while there is one, or a connection, or it is over."""
        return self._backoff.due

    def subscribe(self, topic: str, options: Options = _PLAIN, since: SinceLike = None) -> None:
        """Wants a topic or pattern, as `Subscriptions.add` says."""
        if self.state is not LinkState.CLOSED:
            self.subscriptions.add(topic, options, since)

    def unsubscribe(self, topic: str) -> None:
        """Wants it no more."""
        self.subscriptions.remove(topic)

    def ask(self, question: HistoryQuestion) -> None:
        """Asks about a topic's history, now or as soon as there is a connection."""
        if self.state is LinkState.CLOSED:
            question.answer.fail(ConnectionClosed(""))
        else:
            self._questions.ask(question)

    def reconnect(self, now: float) -> None:
        """Asks for the next attempt now instead of later; the row of failures begins anew."""
        self._backoff.hurry(now)

    def close(self, reason: str | None = None) -> list[Event]:
        """Ends for good; ``reason`` if it was not the user's wish."""
        self.state = LinkState.CLOSED
        self.error = reason
        self._backoff.clear()
        self.outbox.give_up()
        self._speak(None)
        self.subscriptions.lose()
        self._questions.give_up()
        return self.take_reports()

    # -- what happens to the connection ---------------------------------------------------------------

    def connecting(self) -> None:
        """An attempt begins."""
        self._backoff.clear()
        self.state = LinkState.RECONNECTING if self._was_connected else LinkState.CONNECTING

    def attempt(self, url: str, token: str | None) -> bool:
        """It goes to ``url``; returns whether to offer v2, with ``token`` in the hello alone.

        It ends for good instead if the token is one that the server has called expired.
        """
        if not self.renewal.use(token):
            self.reports.keep_all(self.close("the token has expired, and there is no other"))
        return self._negotiation.attempt(url)

    @property
    def falls_back(self) -> bool:
        """Whether the next attempt goes where the last one went, at once, without the offer."""
        return self._negotiation.falls_back

    def opened(self, now: float, token: str | None) -> list[Event]:
        """The server accepted the socket. If v2 was offered, `receive` hears what comes of that."""
        if not self._negotiation.offers:
            return self.connected(now)
        self._negotiation.hello(now)
        self._hello = [v2.encode_hello(self._client, token)]
        return []

    def connected(self, now: float) -> list[Event]:
        """The server speaks v1."""
        self._negotiation.settle(1)
        self._start(V1(self), now, None)
        return self.take_reports()

    def _welcome(self, welcome: Reply, now: float, wall: float) -> list[Event]:
        self._negotiation.settle(2)
        limits = welcome.limits
        self.outbox.acknowledged.welcome(welcome.key_memory, limits.get("keySeconds"), limits.get("keys"))
        self.renewal.begin(welcome.expires, now, wall)
        if welcome.user is not None:
            self.user = welcome.user.name or welcome.user.id
        if self.outbox.is_offline:
            self.outbox.expire(now, connected=True)
        self._start(V2(self, welcome), now, welcome.ping_interval)
        return self.take_reports()

    def _start(self, dialect: V1 | V2, now: float, interval: float | None) -> None:
        self._speak(dialect)
        self._hello = []
        self.state = LinkState.CONNECTED
        self.error = None
        self.subscriptions.begin(dialect)
        self._was_connected = True
        self._backoff.connected(now)
        self.heartbeat.begin(now, interval)
        self._questions.begin(dialect)

    def _speak(self, dialect: V1 | V2 | None) -> None:
        """What is asked with every message is laid down here, where alone it changes."""
        self._dialect = dialect
        self.version = None if dialect is None else dialect.version
        self.message_bytes = dialect.message_bytes if isinstance(dialect, V2) else None

    def failed(
        self,
        now: float,
        reason: str,
        *,
        refused: bool = False,
        status: int | None = None,
        dropped: bool = False,
    ) -> None:
        """There is no connection after all.

        ``refused``: the server answered, and did not want us. It will not change its mind within a
        second, and must not be asked as if it were out of reach. ``status`` is the HTTP status of such an
        answer; ``dropped``: it was reached, and ended the connection without a message.
        """
        self._hello = []
        if self._negotiation.failed(self._backoff.failures, status=status, dropped=dropped):
            self._backoff.at(now)
            return
        self._retry(now, reason, refused=refused)

    def _retry(self, now: float, reason: str, *, refused: bool = False) -> None:
        self._backoff.fail(now, refused=refused)
        # Who waits for the first connection learns at once why there is none. Later the state says
        # "reconnecting", and an error of every second attempt would be noise.
        if refused or not self._was_connected or self._backoff.is_exhausted:
            self.error = reason

    def lost(self, now: float, code: int, reason: str) -> list[Event]:
        """The connection ended, with a close code (1006 if there was none); decides what comes next."""
        if self.state is LinkState.CLOSED:
            return []
        end = self.ending.take(code, reason)
        self.heartbeat.end()
        self.renewal.end()
        self.subscriptions.lose()
        self.reports.forget()
        self._questions.lose()
        spoke = self._dialect is not None
        self._speak(None)
        if not spoke:
            if end.again or not end.announced:
                self.failed(now, end.reason, dropped=not end.announced)
                return self.take_reports()
            return self.close(end.reason)
        if not end.again:
            return self.close(end.reason)
        self.outbox.go_offline(now)
        self._backoff.ended(now)
        self.state = LinkState.RECONNECTING
        self._retry(now, end.reason)
        if end.back_at is not None:
            self._backoff.at(max(now, end.back_at))
        return self.take_reports()

    # -- what is said ---------------------------------------------------------------------------------

    def take(self, limit_bytes: int, now: float = 0.0) -> list[bytes]:
        """Removes and returns what to write now; nothing but the hello unless connected."""
        dialect = self._dialect
        if dialect is None:
            hello, self._hello = self._hello, []
            return hello
        frames = self.outbox.take(limit_bytes, dialect.publish, now)
        if not dialect.batches or len(frames) < 2:
            return frames
        limit = self.message_bytes
        return encode_batches(frames, BATCH_BYTES if limit is None else min(BATCH_BYTES, limit))

    @property
    def has_to_say(self) -> bool:
        """Whether `take` would return something."""
        return bool(self._hello) or (self._dialect is not None and bool(self.outbox.line))

    def take_reports(self) -> list[Event]:
        """Removes and returns what the user should be told."""
        return self.reports.take(drops=self.state in (LinkState.CONNECTED, LinkState.CLOSED))

    # -- what is heard --------------------------------------------------------------------------------

    def receive(self, frame: bytes | bytearray, now: float, wall: float) -> list[Event]:
        """Reads a text frame; ``wall`` is the time of day, for a message that does not bring its own."""
        if self._dialect is not None:
            return self._dialect.read(bytes(frame), now, wall)
        if not self._negotiation.offers:
            return []
        return self._negotiate(bytes(frame), now, wall)

    def _negotiate(self, frame: bytes, now: float, wall: float) -> list[Event]:
        try:
            replies = decode_replies(frame)
        except DecodeError as fault:
            return self.reports.tell(f"the server sent something that is no message: {fault.reason}")
        for reply in replies:
            kind = reply.type
            dialect = self._negotiation.heard(
                kind, reply.data, now, greeting=kind == "message" and reply.topic is None
            )
            if dialect == 2:
                return self._welcome(reply, now, wall)
            said = reply.data if isinstance(reply.data, dict) else {}
            if kind == "error" and self.ending.hear(said, now):
                return []
            if dialect == 1:
                return self.connected(now)
            if kind == "error":
                self.ending.refuse(said, now)
        return []

    # -- the clocks -----------------------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        """When `tick` wants to be called; ``None`` if nothing is due."""
        if self.state is LinkState.CLOSED:
            return None
        if self._dialect is None:
            ends = (self._negotiation.deadline, self.ending.deadline, self.outbox.expires)
        else:
            ends = (self.renewal.due, self.ending.deadline, self.outbox.acknowledged.deadline)
        first = None if self._dialect is None else self.heartbeat.deadline
        for end in ends:
            if end is not None and (first is None or end < first):
                first = end
        return first

    def tick(self, now: float, late: float = 0.0) -> str | None:
        """Sends a ping if one is due; returns why the connection must be given up, or ``None``.

        ``late``: by how much the caller missed the deadline. A computation that held the interpreter
        for a minute silenced us, not the server: it gets that minute on top.
        """
        if self.state is LinkState.CLOSED:
            return None
        if self.ending.is_overdue(now):
            return "the server announced the end of the connection"
        if self._dialect is None:
            if self.outbox.expires is not None and now >= self.outbox.expires:
                self.outbox.expire(now)
                self.reports.keep_all(self.take_reports())
            return self._tick_hello(now)
        self.heartbeat.late(late)
        self.outbox.release(now)
        self.renewal.tick(now)
        if self.ending.is_replaced(now):
            return "the server is being replaced"
        if self.heartbeat.is_silent(now):
            return f"the server has not answered for {self.heartbeat.silence:g} s"
        if self.heartbeat.is_due(now):
            # Behind megabytes of publishes it would measure those, and come too late for the server.
            self.outbox.add_control(self._dialect.ping(), urgent=True)
        return None

    def _tick_hello(self, now: float) -> str | None:
        until = self._negotiation.deadline
        if until is None or now < until:
            return None
        if self._negotiation.expired() == 1:
            self.reports.keep_all(self.connected(now))
            return None
        return "the server does not answer"

    @property
    def is_answered(self) -> bool:
        """Whether the server has read everything up to the last ping, and confirmed what it has to."""
        return self.heartbeat.is_answered and not self.outbox.acknowledged

    def ask_alive(self, now: float) -> None:
        """Sends a ping behind everything that waits: its answer says that the server has read all of it."""
        if self._dialect is not None:
            self.heartbeat.ask(now)
            self.outbox.add_control(self._dialect.ping())

    def renew(self, token: str, now: float) -> None:
        """A token was fetched, as `renewal` wanted: goes on with it."""
        self.renewal.wanted = False
        if isinstance(self._dialect, V2) and self.renewal.use(token):
            self.outbox.add_control(self._dialect.renew(token), urgent=True)

    def renewal_failed(self, now: float, reason: str) -> list[Event]:
        """No token could be fetched. The connection goes on until the old one has expired."""
        self.renewal.fail(now)
        return self.reports.tell(reason)
