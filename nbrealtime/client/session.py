"""One connection's conversation with a server, in the v1 dialect: what to say, and what was heard. Pure.

The session knows which topics are wanted, what waits to be sent, whether the
server still answers, and when to try again. It does no I/O: the time is an
argument (seconds, monotonic), randomness is passed in, frames and events are
results. ``connection.py`` performs what it decides, on the client thread.

The one rule: the session outlives its sockets. What belongs to one socket is
forgotten in `lost`, what belongs to the user only by the user's word.

Decisions, beyond the protocol's v1:

- A greeting, a message on a topic that nobody wants any more, and a frame that
  is no message are no data and no reason to end.
- A server need not echo a publish to its publisher. Nothing here waits for the
  echo or makes one up: a message is what a server handed on. One made here
  would have no id and no place among the others, and could not be told from
  an echo that is merely late, so that the publisher would see it twice.
- Subscriptions are sent again before the publishes that waited, so that a
  server that does echo shows them to their publisher too.
- 1001 is a restart. Only 1000 and 4500–4999 end for good, and an ``error`` that
  says ``close`` and ``reconnect`` beforehand decides over any code, since
  proxies lose those.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final

import msgspec

from nbrealtime.client.backoff import PATIENCE, SLOW_SECONDS, delay_after
from nbrealtime.client.message import Message
from nbrealtime.client.outbox import Outbox
from nbrealtime.client.status import LinkState
from nbrealtime.errors import DecodeError
from nbrealtime.wire import messages as wire
from nbrealtime.wire.topics import Pattern, is_pattern

__all__ = ["Event", "Presence", "RefusedTopic", "Report", "Session", "Subscribed"]

PING_SECONDS: Final = 25.0
SILENCE_SECONDS: Final = 1.5 * PING_SECONDS
STABLE_SECONDS: Final = 10.0
_LATE_SECONDS: Final = 2.0
_CLOSING_SECONDS: Final = 5.0
_REMEMBERED: Final = 1024


class Subscribed(msgspec.Struct, frozen=True):
    """The server confirmed a subscription; ``count`` connections have the topic now."""

    topic: str
    count: int


class Presence(msgspec.Struct, frozen=True):
    """``count`` connections are subscribed to the topic now."""

    topic: str
    count: int


class RefusedTopic(msgspec.Struct, frozen=True):
    """The server refused a subscription."""

    topic: str
    code: str
    reason: str


class Report(msgspec.Struct, frozen=True):
    """A sentence for the user."""

    text: str


Event = Message | Subscribed | Presence | RefusedTopic | Report


class Session:
    """See the module. The caller says what happens, then writes `take` and keeps `deadline`.

    ``random`` is uniform in [0, 1).
    """

    def __init__(self, *, random: Callable[[], float]) -> None:
        self._random = random
        self.outbox = Outbox()
        self.state = LinkState.DISCONNECTED
        self.error: str | None = None
        self.latency: float | None = None
        self.retry_at: float | None = None
        # Topics in the order of their first subscription; the count is the newest the server told on
        # this connection, None while it has not confirmed.
        self._topics: dict[str, int | None] = {}
        self._patterns: dict[str, Pattern] = {}
        self._routes: dict[str, tuple[str, ...]] = {}
        self._seen_ids: deque[str] = deque(maxlen=_REMEMBERED)
        self._failures = 0
        self._was_connected = False
        self._connected_at = 0.0
        self._heard_at = 0.0
        self._ping_at = 0.0
        self._pings: deque[float] = deque(maxlen=16)  # when those were sent that are not answered
        self._close_by: float | None = None
        self._verdict: tuple[bool, str] | None = None
        self._told: set[str] = set()

    # -- what the user wants --------------------------------------------------------------------------

    @property
    def topics(self) -> tuple[str, ...]:
        """What is subscribed, in the order of subscribing."""
        return tuple(self._topics)

    @property
    def attempts(self) -> int:
        """How many attempts in a row have failed; 0 while connected."""
        return 0 if self.state is LinkState.CONNECTED else self._failures

    def count(self, topic: str) -> int | None:
        """How many connections have the topic; ``None`` while the subscription is not confirmed."""
        return self._topics.get(topic)

    def subscribe(self, topic: str) -> None:
        """Wants a topic or pattern; a second time is the same subscription."""
        if topic not in self._topics and self.state is not LinkState.CLOSED:
            if is_pattern(topic):
                self._patterns[topic] = Pattern(topic)
            self._topics[topic] = None
            self._routes.clear()
            # Before the first connection too: then a publish said before this stays before it.
            if self._keeps_order():
                self.outbox.add_control(wire.encode_subscribe(topic))

    def unsubscribe(self, topic: str) -> None:
        """Wants it no more."""
        if topic in self._topics:
            del self._topics[topic]
            self._patterns.pop(topic, None)
            self._routes.clear()
            if self._keeps_order():
                self.outbox.add_control(wire.encode_unsubscribe(topic))

    def publish(self, topic: str, frame: bytes) -> None:
        """Queues a publish; ``frame`` is the whole encoded message."""
        if self.state is not LinkState.CLOSED:
            self.outbox.add(topic, frame)

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
        return self._drop_reports()

    # -- what happens to the connection ---------------------------------------------------------------

    def connecting(self) -> None:
        """An attempt begins."""
        self.retry_at = None
        self.state = LinkState.RECONNECTING if self._was_connected else LinkState.CONNECTING

    def connected(self, now: float) -> list[Event]:
        """The server accepted the connection."""
        first = [wire.encode_subscribe(topic) for topic in self._topics] if self._was_connected else []
        self.state = LinkState.CONNECTED
        self.error = None
        self._was_connected = True
        self._connected_at = self._heard_at = now
        self._ping_at = now  # at once: the latency is known from the beginning
        self._pings.clear()
        self.outbox.go_online(first)
        return self._drop_reports()

    def failed(self, now: float, reason: str, *, refused: bool = False) -> None:
        """There is no connection after all.

        ``refused``: the server answered, and did not want us. It will not change its mind within a
        second, and must not be asked as if it were out of reach.
        """
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
        again, why = self._verdict or (_may_reconnect(code), _closing(code, reason))
        self._verdict = self._close_by = None
        self._pings.clear()
        self.latency = None
        for topic in self._topics:
            self._topics[topic] = None
        self._told.clear()
        self._seen_ids.clear()
        if not again:
            return self.close(why)
        self.outbox.go_offline()
        if now - self._connected_at >= STABLE_SECONDS:
            self._failures = 0
        # A server that accepts and drops at once is failing too: only a connection that lasted begins
        # the row of failures anew.
        self.state = LinkState.RECONNECTING
        self.failed(now, why)
        return []

    # -- what is said ---------------------------------------------------------------------------------

    def take(self, limit_bytes: int) -> list[bytes]:
        """Removes and returns what to write now; nothing unless connected."""
        return self.outbox.take(limit_bytes) if self.state is LinkState.CONNECTED else []

    # -- what is heard --------------------------------------------------------------------------------

    def heard(self, now: float) -> None:
        """Something arrived, whatever it was: the server lives."""
        self._heard_at = now

    def receive(self, frame: bytes | bytearray, now: float, wall: float) -> Event | None:
        """Reads a text frame; ``wall`` is the time of day, for a message that does not bring its own."""
        try:
            said = wire.decode_server(bytes(frame))
        except DecodeError as fault:
            return self._tell(f"the server sent something that is no message: {fault.reason}")
        kind, topic = said.type, said.topic
        if kind == "message":
            if topic is None:
                return None  # the greeting
            routes = self.routes(topic)
            if not routes or (len(routes) > 1 and self._is_repeated(said.message_id)):
                return None
            timestamp = said.timestamp
            return Message(topic, said.data, wall if timestamp is None else timestamp / 1000, said.message_id)
        if kind == "pong":
            if self._pings:
                self.latency = max(now - self._pings.popleft(), 0.0)
            return None
        if kind == "error":
            return self._read_error(topic, said.data, now)
        if topic is not None and topic in self._topics:
            if kind == "subscribed":
                self._topics[topic] = count = _presence_count(said.data)
                return Subscribed(topic, count)
            if kind == "presence":
                count = _presence_count(said.data)
                if self._topics[topic] is not None:
                    self._topics[topic] = count
                return Presence(topic, count)
        return None

    def routes(self, topic: str) -> tuple[str, ...]:
        """The subscriptions, names and patterns, that a message on ``topic`` is for."""
        routes = self._routes.get(topic)
        if routes is None:
            found = [topic] if topic in self._topics else []
            found += [text for text, pattern in self._patterns.items() if pattern.matches(topic)]
            routes = tuple(found)
            if len(self._routes) >= _REMEMBERED:
                self._routes.clear()
            self._routes[topic] = routes
        return routes

    # -- whether the server still answers -------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        """When `tick` wants to be called; ``None`` unless connected."""
        if self.state is not LinkState.CONNECTED:
            return None
        ends = [self._ping_at, self._heard_at + SILENCE_SECONDS]
        if self._close_by is not None:
            ends.append(self._close_by)
        return min(ends)

    def tick(self, now: float, late: float = 0.0) -> str | None:
        """Sends a ping if one is due; returns why the connection must be given up, or ``None``.

        ``late``: by how much the caller missed the deadline. A computation that held the interpreter
        for a minute silenced us, not the server: it gets that minute on top.
        """
        if self.state is not LinkState.CONNECTED:
            return None
        if late > _LATE_SECONDS:
            self._heard_at += late
        if self._close_by is not None and now >= self._close_by:
            return "the server announced the end of the connection"
        if now >= self._heard_at + SILENCE_SECONDS:
            return f"the server has not answered for {SILENCE_SECONDS:g} s"
        if now >= self._ping_at:
            self._ping_at = now + PING_SECONDS
            self._pings.append(now)
            # Behind megabytes of publishes it would measure those, and come too late for the server.
            self.outbox.add_control(wire.encode_ping(), urgent=True)
        return None

    @property
    def is_answered(self) -> bool:
        """Whether the server has read everything up to the last ping."""
        return not self._pings

    def ask(self, now: float) -> None:
        """Sends a ping behind everything that waits: its answer says that the server has read all of it."""
        self._pings.append(now)
        self.outbox.add_control(wire.encode_ping())

    # -- details --------------------------------------------------------------------------------------

    def _keeps_order(self) -> bool:
        return self.state is LinkState.CONNECTED or not self._was_connected

    def _is_repeated(self, message_id: str | None) -> bool:
        """Whether a message that several subscriptions match came for another of them already.

        v1 does not say which subscription a message is for, so that the first copy goes to all.
        """
        if message_id is None:
            return False
        if message_id in self._seen_ids:
            return True
        self._seen_ids.append(message_id)
        return False

    def _read_error(self, topic: str | None, data: Any, now: float) -> Event | None:
        said = data if isinstance(data, dict) else {}
        reason = str(said.get("error") or "the server reported an error without a reason")
        code = str(said.get("code") or "")
        close = said.get("close")
        if isinstance(close, int) and not isinstance(close, bool):
            again = said.get("reconnect")
            self._verdict = (again if isinstance(again, bool) else _may_reconnect(close), reason)
            self._close_by = now + _CLOSING_SECONDS
            return None
        if topic is not None and topic in self._topics and self._topics[topic] is None:
            # The first answer about a topic that is not confirmed is the answer to `subscribe`.
            return RefusedTopic(topic, code, reason)
        return self._tell(f"{topic}: {reason}" if topic else reason)

    def _tell(self, text: str) -> Report | None:
        """A report, once for each connection: a loop of refused publishes is one sentence."""
        if text in self._told or len(self._told) >= 100:
            return None
        self._told.add(text)
        return Report(text)

    def _drop_reports(self) -> list[Event]:
        return [
            Report(f"{count:,} message{'s' * (count != 1)} to {topic} dropped while offline")
            for topic, count in self.outbox.take_drops().items()
        ]


def _may_reconnect(code: int) -> bool:
    return code != 1000 and not 4500 <= code <= 4999


def _closing(code: int, reason: str) -> str:
    if reason:
        return reason
    return _CLOSINGS.get(code, f"the server closed the connection (code {code})")


_CLOSINGS: Final = {
    1000: "the server ended the connection",
    1001: "the server is shutting down",
    1005: "the server ended the connection",
    1006: "the connection was lost",
    1009: "a message was too large for the other side",
    1011: "the server has an internal error",
    4001: "the server is being replaced",
    4005: "the token has expired",
    4008: "this client read too slowly",
    4012: "the server heard nothing from this client",
    4013: "this client sent too much",
    4500: "the server did not accept the token",
    4501: "this client sent a frame that the server does not accept",
    4503: "the operator removed this connection",
    4504: "there are too many connections",
    4507: "the server does not accept connections from here",
}


def _presence_count(data: Any) -> int:
    count = data.get("presenceCount") if isinstance(data, dict) else None
    return count if isinstance(count, int) and count >= 0 else 0
