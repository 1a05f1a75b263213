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
from types import TracebackType
from typing import Final, Self

import msgspec

from nbrealtime.client import portal
from nbrealtime.client.connection import Connection
from nbrealtime.client.notices import Listener
from nbrealtime.client.routes import Route
from nbrealtime.client.sink import Sink
from nbrealtime.client.status import LinkState, Status
from nbrealtime.client.target import Target
from nbrealtime.errors import ConnectionClosed, MessageTooLarge
from nbrealtime.wire.messages import encode_publish
from nbrealtime.wire.topics import check_pattern, check_topic

__all__ = ["MESSAGE_BYTES", "Link", "Subscription"]

MESSAGE_BYTES: Final = 2**20
"""The largest message: what a server accepts unless it was told otherwise."""


class Subscription:
    """A sink's subscription; ends with `close` or with its link."""

    def __init__(self, connection: Connection, route: Route, forget: Callable[[Subscription], None]) -> None:
        self._connection = connection
        self._route = route
        self._forget = forget

    @property
    def topic(self) -> str:
        """The name or pattern."""
        return self._route.topic

    def close(self) -> None:
        """Unsubscribes. The sink is told nothing more, at most what it is being told at this moment."""
        if self._route.open:
            self._route.open = False
            self._forget(self)
            if not self._connection.is_ended:
                route = self._route
                self._connection.post(lambda: self._connection.remove_route(route))

    def __repr__(self) -> str:
        return f"Subscription({self.topic!r}, {'open' if self._route.open else 'closed'})"


class Link:
    """See the module. ``name`` is what reports call it; made by `nbrealtime.client.open_link`."""

    def __init__(
        self, connection: Connection, release: Callable[[Connection], bool], *, name: str | None = None
    ) -> None:
        self.name = name
        self._connection = connection
        self._release = release
        self._listeners: list[Listener] = []
        self._subscriptions: set[Subscription] = set()
        self._is_closed = False

    @property
    def status(self) -> Status:
        """How the connection is now; ``closed`` once this link is."""
        status = self._connection.status
        if status.state is not LinkState.CLOSED and (self._is_closed or self._connection.is_ended):
            return msgspec.structs.replace(status, state=LinkState.CLOSED)
        return status

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

    def subscribe(self, topic: str, sink: Sink) -> Subscription:
        """Has ``sink`` told about ``topic`` (a name or a pattern), now and after every reconnection.

        Raises `InvalidTopic`, `ConnectionClosed`.
        """
        route = Route(check_pattern(topic), sink)
        self._check_open()
        subscription = Subscription(self._connection, route, self._subscriptions.discard)
        self._subscriptions.add(subscription)
        self._connection.post(lambda: self._connection.add_route(route))
        return subscription

    def publish(self, topic: str, data: bytes) -> None:
        """Sends ``data`` (JSON) to everybody who is subscribed to ``topic``.

        Returns when the message stands in order behind those before it. While 8 MiB wait to be sent it
        waits for room, at most 5 s; on the client thread not at all. After a connection was lost it
        never waits: the newest hundred are kept.

        Raises `InvalidTopic`, `MessageTooLarge`, `PublishTimeout`, `ConnectionClosed`; then nothing was
        queued.
        """
        frame = encode_publish(check_topic(topic), data)
        size = len(frame)
        if size > MESSAGE_BYTES:
            raise MessageTooLarge(size, MESSAGE_BYTES)
        connection = self._connection
        self._check_open()
        connection.gate.enter(topic, size, may_wait=not portal.on_thread())
        self._check_open()
        connection.post((topic, frame))

    def reconnect(self) -> None:
        """Tries now, if there is no connection. Raises `ConnectionClosed`."""
        self._check_open()
        self._connection.post(self._connection.reconnect)

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
            connection.post(self._leave)

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
        connection.post(lambda: connection.add_listener(listener))
        return lambda: (
            None if connection.is_ended else connection.post(lambda: connection.remove_listener(listener))
        )

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
