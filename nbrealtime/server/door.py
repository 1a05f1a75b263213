"""The door: accepts connections as long as there is room in the lobby.

What is not accepted waits in the operating system's queue, where it costs us
nothing. With TLS the handshake is made here, and counts as waiting.

The one rule: nobody behind the door is waited for.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import itertools
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Final

from nbrealtime.server.lobby import Guest, Lobby

__all__ = ["Door"]

_logger = logging.getLogger(__name__)

_EXHAUSTED: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_PAUSE_SECONDS: Final = 1.0
# Who comes in together also speaks together, and a hello with its token costs a third of a millisecond: when hundreds come
# back at once, those who are in already should not wait for a hundred of them.
_TOGETHER: Final = 10


class _Arrival:
    """A connection between the operating system and its protocol."""

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None

    def turn_away(self) -> None:
        if self.task is not None:
            self.task.cancel()


class Door:
    """Accepts on one listening socket.

    Arguments:
        listener: bound, listening, not blocking; it is closed with the door.
        protocol: makes the protocol of one connection; it takes the given guest's place in the lobby.
        lobby: who waits; a full one is waited for.
        tls: None for none.
        handshake_seconds: what TLS may take.
        patience_seconds: who has waited so long is turned away when there is no room.
    """

    def __init__(
        self,
        listener: socket.socket,
        protocol: Callable[[Guest], asyncio.BaseProtocol],
        lobby: Lobby,
        *,
        tls: ssl.SSLContext | None = None,
        handshake_seconds: float = 10.0,
        patience_seconds: float = 1.0,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._protocol = protocol
        self._lobby = lobby
        self._tls = tls
        self._handshake_seconds = handshake_seconds
        self._patience_seconds = patience_seconds
        self._arrivals: set[asyncio.Task[None]] = set()
        self._task = self._loop.create_task(self._accept())

    async def close(self) -> None:
        """Accepts nobody any more."""
        self._task.cancel()
        for task in self._arrivals:
            task.cancel()
        # A reader of the loop's must be gone before the socket is.
        await asyncio.wait([self._task, *self._arrivals])
        self._listener.close()

    async def _accept(self) -> None:
        for count in itertools.count(1):
            if count % _TOGETHER == 0:
                # An accept that need not wait does not let the loop turn.
                await asyncio.sleep(0)
            try:
                connection, _ = await self._loop.sock_accept(self._listener)
            except OSError as fault:
                if fault.errno in _EXHAUSTED:
                    _logger.warning("nobody can be accepted for now: %s", fault)
                    await asyncio.sleep(_PAUSE_SECONDS)
                # Else he went while he waited; the next one may come.
                continue
            try:
                # Only now: nobody has to go while nobody wants to come.
                await self._make_room()
            except asyncio.CancelledError:
                connection.close()
                raise
            arrival = _Arrival()
            self._lobby.enter(arrival, self._loop.time())
            arrival.task = self._loop.create_task(self._let_in(connection, arrival))
            self._arrivals.add(arrival.task)
            arrival.task.add_done_callback(self._arrivals.discard)

    async def _make_room(self) -> None:
        """Waits until somebody may come in, and sees to it that this does not take long."""
        while not self._lobby.room.is_set():
            guest, since = self._lobby.oldest
            remaining = since + self._patience_seconds - self._loop.time()
            if remaining <= 0:
                guest.turn_away()
                self._lobby.leave(guest)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(remaining):
                    await self._lobby.room.wait()

    async def _let_in(self, connection: socket.socket, arrival: _Arrival) -> None:
        try:
            await self._loop.connect_accepted_socket(
                lambda: self._protocol(arrival),
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=None if self._tls is None else self._handshake_seconds,
            )
        except (OSError, TimeoutError) as fault:
            # Somebody spoke no TLS, or went. It is no news, and tells nothing secret.
            _logger.debug("a connection was not made: %s", type(fault).__name__)
            connection.close()
        except asyncio.CancelledError:
            connection.close()
            raise
        finally:
            self._lobby.leave(arrival)
