"""The session itself: one connection across its sockets, whatever dialect they speak. Pure.

Collaborators: the other modules of this package, which it holds together.

Decisions, beyond the protocol:

- Subscriptions are sent again before the publishes that waited, so that a
  server that echoes shows them to their publisher too.
- 1001 is a restart. Only 1000 and 4500–4999 end for good, and an ``error`` that
  says ``close`` and ``reconnect`` beforehand decides over any code, since
  proxies lose those.
- ``drain`` names when to be back: until then the connection is used as long as
  the server keeps it.

The one rule: every decision is taken here or below, and nothing is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from nbrealtime.client.session import v2
from nbrealtime.client.session.acknowledged import Publish
from nbrealtime.client.session.backoff import PATIENCE, SLOW_SECONDS, delay_after
from nbrealtime.client.session.closings import describe, may_reconnect
from nbrealtime.client.session.events import Event, Report
from nbrealtime.client.session.heartbeat import Heartbeat
from nbrealtime.client.session.negotiation import Memory, Negotiation
from nbrealtime.client.session.outbox import Outbox
from nbrealtime.client.session.renewal import Renewal
from nbrealtime.client.session.requests import HistoryQuestion
from nbrealtime.client.session.v1 import V1
from nbrealtime.client.session.v2 import V2
from nbrealtime.client.session.wanted import Options, SinceLike, Wanted
from nbrealtime.client.status import LinkState
from nbrealtime.errors import ConnectionClosed, DecodeError
from nbrealtime.wire.replies import Reply, decode_replies
from nbrealtime.wire.v2 import BATCH_BYTES, encode_batches

__all__ = ["STABLE_SECONDS", "Session"]

STABLE_SECONDS: Final = 10.0
_CLOSING_SECONDS: Final = 5.0
_REMEMBERED: Final = 1024
_TOKEN_EXPIRED: Final = 4005
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
        self._random = random
        self._client = client
        self._negotiation = Negotiation(Memory() if memory is None else memory)
        self._dialect: V1 | V2 | None = None
        self.outbox = Outbox(client)
        self.heartbeat = Heartbeat()
        self.renewal = Renewal()
        self.state = LinkState.DISCONNECTED
        self.error: str | None = None
        self.user: str | None = None
        self.retry_at: float | None = None
        # In the order of their first subscription.
        self._wanted: dict[str, Wanted] = {}
        self._routes: dict[str, tuple[str, ...]] = {}
        self._questions: list[HistoryQuestion] = []  # those that wait for a connection
        self._hello: list[bytes] = []
        self._reports: list[Event] = []
        self._failures = 0
        self._was_connected = False
        self._connected_at = 0.0
        self._close_by: float | None = None
        self._back_at: float | None = None
        self._verdict: tuple[bool, str] | None = None
        self._told: set[str] = set()

    # -- what the user wants --------------------------------------------------------------------------

    @property
    def topics(self) -> tuple[str, ...]:
        """What is subscribed, in the order of subscribing."""
        return tuple(self._wanted)

    @property
    def attempts(self) -> int:
        """How many attempts in a row have failed; 0 while connected."""
        return 0 if self.state is LinkState.CONNECTED else self._failures

    @property
    def latency(self) -> float | None:
        """The newest round trip in seconds."""
        return self.heartbeat.latency

    @property
    def version(self) -> int | None:
        """The dialect that is spoken, None while there is no connection."""
        return None if self._dialect is None else self._dialect.version

    @property
    def message_bytes(self) -> int | None:
        """The largest message that the server takes, None while it has not said."""
        return self._dialect.message_bytes if isinstance(self._dialect, V2) else None

    def wanted(self, name: str | None) -> Wanted | None:
        """What is subscribed under a name or pattern."""
        return None if name is None else self._wanted.get(name)

    def count(self, topic: str) -> int | None:
        """How many connections have the topic; ``None`` while the subscription is not confirmed."""
        wanted = self._wanted.get(topic)
        return None if wanted is None else wanted.count

    def subscribe(self, topic: str, options: Options = _PLAIN, since: SinceLike = None) -> None:
        """Wants a topic or pattern; a second time is the same subscription, with these options.

        With ``since`` a second time, the stream begins there again.
        """
        if self.state is LinkState.CLOSED:
            return
        wanted = self._wanted.get(topic)
        if wanted is None:
            wanted = self._wanted[topic] = Wanted(topic, options, since)
            self._routes.clear()
            # Before the first connection too: then a publish said before this stays before it.
            if self._dialect is not None:
                self.outbox.add_control(self._dialect.subscribe(wanted))
            elif not self._was_connected:
                self.outbox.add_mark(topic)
            return
        changed = options != wanted.options
        wanted.options = options
        if since is not None:
            wanted.since = since
        if self._dialect is not None and (changed or since is not None):
            frame = self._dialect.change(wanted, rewind=since is not None)
            if frame is not None:
                self.outbox.add_control(frame)

    def unsubscribe(self, topic: str) -> None:
        """Wants it no more."""
        if self._wanted.pop(topic, None) is not None:
            self._routes.clear()
            if self._dialect is not None:
                self.outbox.add_control(self._dialect.unsubscribe(topic))

    def publish(self, publish: Publish) -> None:
        """Queues a publish."""
        if self.state is not LinkState.CLOSED:
            self.outbox.add(publish)
        elif publish.receipt is not None:
            publish.receipt.fail(ConnectionClosed(""))

    def ask(self, question: HistoryQuestion) -> None:
        """Asks about a topic's history, now or as soon as there is a connection."""
        if self.state is LinkState.CLOSED:
            question.answer.fail(ConnectionClosed(""))
        elif self._dialect is None:
            self._questions.append(question)
        else:
            frame = self._dialect.ask(question)
            if frame is not None:
                self.outbox.add_control(frame)

    def reconnect(self, now: float) -> None:
        """Asks for the next attempt now instead of later; the row of failures begins anew."""
        if self.retry_at is not None:
            self.retry_at = now
            self._failures = 0

    def close(self, reason: str | None = None) -> list[Event]:
        """Ends for good; ``reason`` if it was not the user's wish."""
        self.state = LinkState.CLOSED
        self.error = reason
        self.retry_at = None
        self.outbox.give_up()
        if isinstance(self._dialect, V2):
            self._questions += self._dialect.lose()
        self._dialect = None
        questions, self._questions = self._questions, []
        for question in questions:
            question.answer.fail(ConnectionClosed(""))
        return self.take_reports()

    # -- what happens to the connection ---------------------------------------------------------------

    def connecting(self) -> None:
        """An attempt begins."""
        self.retry_at = None
        self.state = LinkState.RECONNECTING if self._was_connected else LinkState.CONNECTING

    def attempt(self, url: str, token: str | None) -> bool:
        """It goes to ``url``; returns whether to offer v2, with ``token`` in the hello alone.

        It ends for good instead if the token is one that the server has called expired.
        """
        if not self.renewal.use(token):
            self._reports = self.close("the token has expired, and there is no other")
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
        self._dialect = dialect
        self._hello = []
        self.state = LinkState.CONNECTED
        self.error = None
        if self._was_connected:
            self.outbox.go_online([dialect.subscribe(wanted) for wanted in self._wanted.values()])
        else:
            self.outbox.begin(
                lambda name: dialect.subscribe(wanted) if (wanted := self.wanted(name)) else None
            )
        self._was_connected = True
        self._connected_at = now
        self.heartbeat.begin(now, interval)
        questions, self._questions = self._questions, []
        for question in questions:
            self.ask(question)

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
        if self._negotiation.failed(self._failures, status=status, dropped=dropped):
            self.retry_at = now
            return
        self._retry(now, reason, refused=refused)

    def _retry(self, now: float, reason: str, *, refused: bool = False) -> None:
        self._failures += 1
        # Who waits for the first connection learns at once why there is none. Later the state says
        # "reconnecting", and an error of every second attempt would be noise.
        if refused or not self._was_connected or self._failures >= PATIENCE:
            self.error = reason
        delay = SLOW_SECONDS if refused else delay_after(self._failures, self._random)
        self.retry_at = now + delay

    def lost(self, now: float, code: int, reason: str) -> list[Event]:
        """The connection ended, with a close code (1006 if there was none); decides what comes next."""
        if self.state is LinkState.CLOSED:
            return []
        again, why = self._verdict or (may_reconnect(code), describe(code, reason))
        said = self._verdict is not None
        self._verdict = self._close_by = None
        back_at, self._back_at = self._back_at, None
        self.heartbeat.end()
        self.renewal.end()
        for wanted in self._wanted.values():
            wanted.lose()
        self._told.clear()
        if isinstance(self._dialect, V2):
            self._questions += self._dialect.lose()
        spoke, self._dialect = self._dialect is not None, None
        if not spoke:
            if again or not said:
                self.failed(now, why, dropped=not said)
                return self.take_reports()
            return self.close(why)
        if not again:
            return self.close(why)
        self.outbox.go_offline(now)
        if now - self._connected_at >= STABLE_SECONDS:
            self._failures = 0
        # A server that accepts and drops at once is failing too: only a connection that lasted begins
        # the row of failures anew.
        self.state = LinkState.RECONNECTING
        self._retry(now, why)
        if back_at is not None:
            self.retry_at = max(now, back_at)
        return self.take_reports()

    # -- what is said ---------------------------------------------------------------------------------

    def take(self, limit_bytes: int, now: float = 0.0) -> list[bytes]:
        """Removes and returns what to write now; nothing but the hello unless connected."""
        dialect = self._dialect
        if dialect is None:
            hello, self._hello = self._hello, []
            return hello
        frames = self.outbox.take(limit_bytes, lambda publish: dialect.publish(publish, now))
        if not dialect.batches or len(frames) < 2:
            return frames
        limit = self.message_bytes
        return encode_batches(frames, BATCH_BYTES if limit is None else min(BATCH_BYTES, limit))

    @property
    def has_to_say(self) -> bool:
        """Whether `take` would return something."""
        return bool(self._hello) or (self._dialect is not None and bool(self.outbox))

    def report(self, text: str) -> None:
        """Keeps a sentence for the user."""
        self._reports += self.tell(text)

    def take_reports(self) -> list[Event]:
        """Removes and returns what the user should be told."""
        reports, self._reports = self._reports, []
        if self.state in (LinkState.CONNECTED, LinkState.CLOSED):
            # Once there is an end to them: a sentence for every dropped message would be a flood.
            for topic, count in self.outbox.take_drops().items():
                reports.append(Report(f"{_messages(count)} to {topic} dropped while offline"))
        for topic, count in self.outbox.take_doubts().items():
            reports.append(Report(f"{_messages(count)} to {topic} may or may not have arrived"))
        return reports

    # -- what is heard --------------------------------------------------------------------------------

    def heard(self, now: float) -> None:
        """Something arrived, whatever it was: the server lives."""
        self.heartbeat.heard(now)

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
            return self.tell(f"the server sent something that is no message: {fault.reason}")
        for reply in replies:
            kind = reply.type
            dialect = self._negotiation.heard(
                kind, reply.data, now, greeting=kind == "message" and reply.topic is None
            )
            if dialect == 2:
                return self._welcome(reply, now, wall)
            said = reply.data if isinstance(reply.data, dict) else {}
            if kind == "error" and self.hear_verdict(said, now):
                return []
            if dialect == 1:
                return self.connected(now)
            if kind == "error":
                # It knows hello, and does not want this one. If it does not hang up, we do.
                self._verdict = (True, _refusal(said))
                self._close_by = now
        return []

    def routes(self, topic: str) -> tuple[str, ...]:
        """The subscriptions, names and patterns, that a message on ``topic`` is for, where it does not say."""
        routes = self._routes.get(topic)
        if routes is None:
            routes = tuple(
                name
                for name, wanted in self._wanted.items()
                if name == topic or (wanted.pattern is not None and wanted.pattern.matches(topic))
            )
            if len(self._routes) >= _REMEMBERED:
                self._routes.clear()
            self._routes[topic] = routes
        return routes

    def hear_verdict(self, said: dict[str, Any], now: float) -> bool:
        """Whether an error announces the end of the connection; then it decides what comes after."""
        close = said.get("close")
        if not isinstance(close, int) or isinstance(close, bool):
            return False
        again = said.get("reconnect")
        again = again if isinstance(again, bool) else may_reconnect(close)
        if close == _TOKEN_EXPIRED or said.get("code") == "token_expired":
            # Only another token can help.
            self.renewal.expired()
            again = self.renewal.possible
        self._verdict = (again, _refusal(said))
        self._close_by = now + _CLOSING_SECONDS
        return True

    def drain(self, delay: Iterable[float], now: float) -> None:
        """The server is about to stop, and wants its clients back spread over a time (from, to; in ms)."""
        low, high = delay
        self._back_at = now + (low + (high - low) * self._random()) / 1000

    # -- the clocks -----------------------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        """When `tick` wants to be called; ``None`` if nothing is due."""
        if self.state is LinkState.CLOSED:
            return None
        if self._dialect is None:
            ends = [self._negotiation.deadline, self._close_by, self.outbox.expires]
        else:
            ends = [
                self.heartbeat.deadline,
                self._close_by,
                self._back_at,
                self.renewal.due,
                self.outbox.acknowledged.deadline,
            ]
        return min((end for end in ends if end is not None), default=None)

    def tick(self, now: float, late: float = 0.0) -> str | None:
        """Sends a ping if one is due; returns why the connection must be given up, or ``None``.

        ``late``: by how much the caller missed the deadline. A computation that held the interpreter
        for a minute silenced us, not the server: it gets that minute on top.
        """
        if self.state is LinkState.CLOSED:
            return None
        if self._close_by is not None and now >= self._close_by:
            return "the server announced the end of the connection"
        if self._dialect is None:
            if self.outbox.expires is not None and now >= self.outbox.expires:
                self.outbox.expire(now)
                self._reports = self.take_reports()
            return self._tick_hello(now)
        self.heartbeat.late(late)
        self.outbox.release(now)
        self.renewal.tick(now)
        if self._back_at is not None and now >= self._back_at:
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
            self._reports = self.connected(now)
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
        return self.tell(reason)

    # -- details --------------------------------------------------------------------------------------

    def tell(self, text: str) -> list[Event]:
        """A report, once for each connection: a loop of refused publishes is one sentence."""
        if text in self._told or len(self._told) >= 100:
            return []
        self._told.add(text)
        return [Report(text)]


def _refusal(said: dict[str, Any]) -> str:
    reason = str(said.get("error") or "the server ended the connection without a reason")
    return f"token refused: {reason}" if said.get("code") == "unauthorized" else reason


def _messages(count: int) -> str:
    return f"{count:,} message{'s' * (count != 1)}"
