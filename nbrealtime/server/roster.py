"""Who is connected: counted from the socket on, named and watched over from the session on.

The service and the operator ask it; connections enter and leave by themselves.

The one rule: a connection whose session has ended is not watched any more, but
stays on the roster until its socket is closed, since it may still be saying
goodbye.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from nbrealtime.server.heartbeat import Heartbeat
from nbrealtime.server.hello import Goodbye
from nbrealtime.wire.messages import ErrorCode

if TYPE_CHECKING:
    from nbrealtime.server.connection import WebSocketConnection

__all__ = ["Roster"]

_REMOVED = 4503


class Roster:
    """The WebSocket connections of one server; ``heart`` judges those that have a session."""

    def __init__(self, loop: asyncio.AbstractEventLoop, heart: Heartbeat) -> None:
        self.heart = heart
        self._loop = loop
        self._open: set[WebSocketConnection] = set()
        self._watched: set[WebSocketConnection] = set()
        self._named = 0
        self._empty = asyncio.Event()
        self._beat: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._open)

    # -- coming and going

    def enter(self, connection: WebSocketConnection) -> None:
        """Somebody's socket is open."""
        self._open.add(connection)
        self._empty.clear()

    def watch(self, connection: WebSocketConnection, *, spoken: bool) -> None:
        """Somebody has a session: he gets a name, and a pulse."""
        self._watched.add(connection)
        if not connection.name:
            self._named += 1
            connection.name = f"c{self._named}"
        now = self._loop.time()
        if self._beat is None:
            self.heart.rest(now)
            self._beat = self._loop.call_later(self.heart.period, self._tick)
        connection.pulse = self.heart.start(now, spoken=spoken)

    def retire(self, connection: WebSocketConnection) -> None:
        """Somebody's session ended; he may still be saying goodbye."""
        self._watched.discard(connection)

    def leave(self, connection: WebSocketConnection) -> None:
        """Somebody's socket is closed."""
        self._open.discard(connection)
        if not self._open:
            self._empty.set()

    async def emptied(self) -> None:
        """Waits until every socket is closed."""
        if self._open:
            await self._empty.wait()

    def close(self) -> None:
        """Watches nobody any more."""
        if self._beat is not None:
            self._beat.cancel()

    def _tick(self) -> None:
        if not self._watched:
            self._beat = None
            return
        when = self.heart.tick(self._loop.time(), list(self._watched))
        self._beat = self._loop.call_at(when, self._tick)

    # -- who is there

    def everybody(self) -> list[WebSocketConnection]:
        """Every connection whose socket is open, as a list of its own."""
        return list(self._open)

    def sessions(self) -> list[WebSocketConnection]:
        """Every connection that has a session, as a list of its own."""
        return list(self._watched)

    def describe(self) -> list[dict[str, Any]]:
        """Who has a session, in the order they came."""
        return [connection.describe() for connection in sorted(self._watched, key=_number)]

    def kick(self, who: str) -> int:
        """Removes a connection, or every connection of a user; returns how many."""
        found = [
            connection
            for connection in self.sessions()
            if connection.name == who
            or (connection.session is not None and connection.session.user.id == who)
        ]
        for connection in found:
            connection.part(Goodbye(_REMOVED, ErrorCode.REMOVED, "removed by the operator"))
        return len(found)


def _number(connection: WebSocketConnection) -> int:
    return int(connection.name[1:])
