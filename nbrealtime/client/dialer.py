"""Where the server is now, and how to get a socket there.

``target.py`` finds the place, ``websocket.py`` is the socket. Runs on the
client thread. The one rule: what may block (a user's function that fetches a
token, discovery) runs on a thread of its own, and everything has an end.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Final

from nbrealtime.client import portal
from nbrealtime.client.target import Place, Target
from nbrealtime.client.websocket import WebSocket, open_websocket
from nbrealtime.errors import ConnectionFailed
from nbrealtime.wire.v2 import SUBPROTOCOL

__all__ = ["Dialer", "explain"]

_HANDSHAKE_SECONDS: Final = 10.0
_RESOLVE_SECONDS: Final = 60.0


class Dialer:
    """One target's. ``place`` is where the last attempt went."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.place = Place(target.url, None, None)

    async def resolve(self) -> Place:
        """Finds out where the server is, with which token. Raises what `Target.resolve` does."""
        if not self._target.may_block:
            return self._target.resolve()
        try:
            async with asyncio.timeout(_RESOLVE_SECONDS):
                return await portal.blocking(self._target.resolve)
        except TimeoutError as fault:
            # Said here: whoever explains a TimeoutError takes it for the handshake's.
            reason = f"its address and token were not known within {_RESOLVE_SECONDS:g} s"
            raise ConnectionFailed(self._target.url, reason) from fault

    async def find(self) -> Place:
        """Finds out where the next attempt goes."""
        self.place = await self.resolve()
        return self.place

    async def open(
        self,
        *,
        offers_v2: bool,
        on_frames: Callable[[list[bytes]], None],
        on_writable: Callable[[], None],
        on_socket: Callable[[WebSocket], None],
    ) -> WebSocket:
        """Opens a socket at ``place``; see `open_websocket`. Raises what that raises, ``TimeoutError``."""
        place = self.place
        async with asyncio.timeout(_HANDSHAKE_SECONDS):
            return await open_websocket(
                # With the subprotocol the token is said in the hello: an address is logged by many hands.
                place.url if offers_v2 else place.full_url,
                on_frames=on_frames,
                on_writable=on_writable,
                on_socket=on_socket,
                subprotocol=SUBPROTOCOL if offers_v2 else None,
            )


def explain(fault: Exception) -> str:
    """Returns why an attempt failed, for people."""
    if isinstance(fault, ConnectionRefusedError):
        return "nothing listens there: is the server running?"
    if isinstance(fault, TimeoutError):
        return f"no answer within {_HANDSHAKE_SECONDS:g} s"
    if isinstance(fault, socket.gaierror):
        return "the host's name is not known"
    if isinstance(fault, ssl.SSLError):
        return f"no secure connection: {fault.reason or fault}"
    if isinstance(fault, OSError) and fault.strerror:
        return fault.strerror
    return str(fault)
