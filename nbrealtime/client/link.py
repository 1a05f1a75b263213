"""A handle on a shared connection: what the rest of the package holds.

Links are given out by ``pool.py``; each has its own subscriptions and listeners,
and the connection ends with its last link. Every method may be called from any
thread and returns at once, but `Link.publish` (which may wait for room),
`Link.wait_connected` and `Link.flush`.

The one rule: a closed link does nothing more, and says so
(`ConnectionClosed`); closing twice, or closing a subscription of a closed
link, is harmless.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from time import time_ns
from types import TracebackType
from typing import Final, Literal, Self, Unpack, overload

import msgspec

from nbrealtime.client import portal
from nbrealtime.client.connection import Connection
from nbrealtime.client.notices import Listener
from nbrealtime.client.publishoptions import QUEUE_BYTES, OnFull, PublishOptions
from nbrealtime.client.receipt import HistoryRequest, Receipt
from nbrealtime.client.routes import Route
from nbrealtime.client.session import Options, Publish
from nbrealtime.client.session.requests import HistoryQuestion
from nbrealtime.client.session.wanted import SinceLike
from nbrealtime.client.sink import Sink
from nbrealtime.client.status import LinkState, Status
from nbrealtime.client.subscription import Subscription
from nbrealtime.client.target import Target
from nbrealtime.errors import ConnectionClosed, MessageTooLarge
from nbrealtime.wire.messages import publish_overhead
from nbrealtime.wire.topics import check_pattern, check_topic
from nbrealtime.wire.v2 import Policy, Position

__all__ = ["MESSAGE_BYTES", "Link"]

MESSAGE_BYTES: Final = 2**20
"""The largest message: what a server accepts unless it was told otherwise."""

# What the v2 envelope has more than v1's: the time, retain and echo; the id, ack and key. At most.
_V2_BYTES: Final = 60
_ACK_BYTES: Final = 100


class Link:
    """See the module. ``name`` is what reports call it; made by `nbrealtime.client.open_link`.

    ``queue_bytes`` and ``on_full`` bound what waits offline for an acknowledgement: a publish beyond
    raises `PublishTimeout` at once (``"error"``) or after 5 s (``"block"``), or the oldest receipts fail
    (``"drop_oldest"``).
    """

    def __init__(
        self,
        connection: Connection,
        release: Callable[[Connection], bool],
        *,
        name: str | None = None,
        queue_bytes: int = QUEUE_BYTES,
        on_full: OnFull = "error",
    ) -> None:
        self.name = name
        self.queue_bytes = queue_bytes
        self.on_full: OnFull = on_full
        self._connection = connection
        self._release = release
        self._listeners: list[Listener] = []
        self._subscriptions: set[Subscription] = set()
        self._is_closed = False

    @property
    def status(self) -> Status:
        """How the connection is now; ``closed`` once this link is."""
        status = self._connection.status
        if status.state is not LinkState.CLOSED and self.is_closed:
            return msgspec.structs.replace(status, state=LinkState.CLOSED)
        return status

    @property
    def is_closed(self) -> bool:
        """Whether it does nothing more: it was closed, or its connection ended."""
        return self._is_closed or self._connection.is_ended

    @property
    def url(self) -> str:
        """The address, without a token."""
        return self._connection.status.url

    @property
    def target(self) -> Target:
        """Where it leads, and with which token; for who speaks HTTP to the same server."""
        return self._connection.target

    def listen(self, callback: Callable[[Status], None]) -> Callable[[], None]:
        """Calls ``callback(status)`` on the client thread, now and when the status changes.

        Returns how to stop that.
        """
        return self._add(Listener(callback, None))

    def on_report(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Calls ``callback(text)`` on the client thread with what a user should be told once.

        Such as "37 messages to lab:temp dropped while offline". Returns how to stop that.
        """
        return self._add(Listener(None, callback))

    def subscribe(
        self,
        topic: str,
        sink: Sink,
        *,
        since: SinceLike = None,
        policy: Policy | None = None,
        max_rate: float | None = None,
    ) -> Subscription:
        """Has ``sink`` told about ``topic`` (a name or a pattern), now and after every reconnection.

        What follows needs a server that speaks v2, and is passed over by others:

        ``since``: where the stream begins: after a `Position`, with the newest ``Since(count=n)``
        messages, with the retained value (``"last"``), for a pattern after a mapping of topics to
        positions; by default with what comes next. ``policy``: what happens to a slow reader:
        ``"disconnect"`` (and recover; the default), ``"drop_oldest"`` or ``"conflate"``. ``max_rate``:
        at most so many messages/s. Where sinks of one connection want the same topic differently, all
        get what the least frugal of them asked for.

        Raises `InvalidTopic`, `ConnectionClosed`.
        """
        route = Route(check_pattern(topic), sink, options=Options(policy, max_rate), since=since)
        self._check_open()
        subscription = Subscription(self._connection, route, self._subscriptions.discard)
        self._subscriptions.add(subscription)
        self._connection.inbox.post(lambda: self._connection.add_route(route))
        return subscription

    @overload
    def publish(
        self,
        topic: str,
        data: bytes,
        *,
        ack: Literal[False] = False,
        **options: Unpack[PublishOptions],
    ) -> None: ...

    @overload
    def publish(
        self,
        topic: str,
        data: bytes,
        *,
        ack: Literal[True],
        **options: Unpack[PublishOptions],
    ) -> Receipt: ...

    @overload
    def publish(
        self,
        topic: str,
        data: bytes,
        *,
        ack: bool,
        **options: Unpack[PublishOptions],
    ) -> Receipt | None: ...

    def publish(
        self,
        topic: str,
        data: bytes,
        *,
        ack: bool = False,
        time: float | None = None,
        retain: bool = False,
        echo: bool = True,
        on_full: OnFull | None = None,
    ) -> Receipt | None:
        """Sends ``data`` (JSON) to everybody who is subscribed to ``topic``.

        Returns when the message stands in order behind those before it. While 8 MiB wait to be sent or
        acknowledged it waits for room, at most 5 s; on the client thread not at all. After a connection was
        lost it never waits: the newest hundred are kept.

        With ``ack`` it returns a `Receipt`, and the message arrives exactly once or the receipt fails and
        says so: it is kept, also beyond the hundred, and repeated under a key of its own. Those that wait
        for their acknowledgement while offline may have ``queue_bytes`` together; beyond that the
        ``on_full``, by default the link's, decides. A server that speaks v1 only acknowledges nothing, and the receipt fails.

        ``time`` is when it happened, in seconds since the epoch: by default now, by this machine's clock.
        ``retain`` keeps it for who comes later (``null`` clears that); ``echo=False`` leaves this
        connection out. v1 servers know none of the three.

        Raises `InvalidTopic`, `MessageTooLarge`, `PublishTimeout`, `ConnectionClosed`; then nothing was
        queued.
        """
        connection = self._connection
        size = publish_overhead(check_topic(topic)) + len(data)
        limit = MESSAGE_BYTES
        if connection.version == 2:
            size += _V2_BYTES + (_ACK_BYTES if ack else 0)
            limit = connection.message_bytes or 2**62
        if size > limit:
            raise MessageTooLarge(size, limit)
        self._check_open()
        full = self.on_full if on_full is None else on_full
        receipt = None
        if ack:
            bound = None if full == "drop_oldest" else self.queue_bytes
            self._enter(topic, size, bound=bound, waits_offline=full == "block")
            receipt = Receipt(topic)
        elif not connection.gate.admit(size):
            self._enter(topic, size)
        milliseconds = time_ns() // 1_000_000 if time is None else round(time * 1000)
        connection.inbox.post(
            Publish(topic, data, size, receipt=receipt, time=milliseconds, retain=retain, echo=echo)
        )
        if ack and full == "drop_oldest":
            bound = self.queue_bytes
            connection.inbox.post(lambda: connection.make_room(bound))
        return receipt

    def history(
        self, topic: str, *, since: Position | None = None, limit: int = 100, reverse: bool = False
    ) -> HistoryRequest:
        """Asks what ``topic`` has kept after ``since`` (from the oldest without one), at most ``limit`` ≤ 1,000.

        With ``reverse`` the newest come first. Wait for the request, then read its ``page``. It fails with
        `Refused` (``unrecoverable`` for a position of another epoch, ``unknown_type`` by a v1 server) or
        `ConnectionClosed`; while there is no connection it waits for one.

        Raises `InvalidTopic`, `ConnectionClosed`.
        """
        request = HistoryRequest(check_topic(topic))
        self._check_open()
        question = HistoryQuestion(topic, request, since=since, limit=limit, reverse=reverse)
        self._connection.inbox.post(lambda: self._connection.ask(question))
        return request

    def reconnect(self) -> None:
        """Tries now, if there is no connection. Raises `ConnectionClosed`."""
        self._check_open()
        self._connection.inbox.post(self._connection.reconnect)

    def wait_connected(self, timeout: float | None = None) -> bool:
        """Waits until connected; ``False`` after ``timeout`` seconds, or when it is closed instead."""
        self._connection.wait(lambda: self.status.state in (LinkState.CONNECTED, LinkState.CLOSED), timeout)
        return self.status.state is LinkState.CONNECTED

    def flush(self, timeout: float | None = None) -> bool:
        """Waits until everything published before is on its way; ``False`` after ``timeout`` seconds."""
        connection = self._connection

        def is_through() -> bool:
            return connection.is_ended or not (connection.status.queued or connection.gate.pending_bytes)

        connection.wait(is_through, timeout)
        return connection.status.queued == 0 and connection.gate.pending_bytes == 0

    def close(self) -> None:
        """Gives the handle back; the last one closes the socket, after everything published was written."""
        if self._is_closed:
            return
        self._is_closed = True
        connection = self._connection
        if connection.pid != os.getpid():
            return
        for subscription in tuple(self._subscriptions):
            subscription.close()
        # With the last one the connection itself ends, and tells the listeners.
        if not self._release(connection) and not connection.is_ended:
            connection.inbox.post(self._leave)

    def _leave(self) -> None:
        """The listeners of this handle hear that it is closed, and then nothing more."""
        for listener in self._listeners:
            self._connection.remove_listener(listener)
            if listener.on_status is not None:
                listener.on_status(self.status)
        self._listeners.clear()

    def _add(self, listener: Listener) -> Callable[[], None]:
        self._check_open()
        connection = self._connection
        self._listeners.append(listener)
        connection.inbox.post(lambda: connection.add_listener(listener))
        return lambda: (
            None
            if connection.is_ended
            else connection.inbox.post(lambda: connection.remove_listener(listener))
        )

    def _enter(self, topic: str, size: int, *, bound: int | None = None, waits_offline: bool = True) -> None:
        """Waits for room, and looks whether this was closed meanwhile."""
        gate = self._connection.gate
        gate.enter(topic, size, may_wait=not portal.on_thread(), bound=bound, waits_offline=waits_offline)
        try:
            self._check_open()
        except ConnectionClosed:
            gate.leave(size)
            raise

    def _check_open(self) -> None:
        if self._is_closed or self._connection.is_ended:
            raise ConnectionClosed(self._connection.status.url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        status = self.status
        return f"Link({status.url!r}, {status.state})"
