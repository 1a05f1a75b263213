"""A socket's two ends without a network: a transport that remembers, and the websockets library as the server.

The rule here: *everything happens within the call*, so a test says which bytes come in one read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from nbrealtime.client.websocket import WebSocket

from .clock import now, run

__all__ = ["Transport", "Wire", "goodbye", "on_a_loop", "text"]


class Transport(asyncio.Transport):
    """Remembers what was written, one entry for each write, and how it ended."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.ends: list[tuple[str, float]] = []

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high = high

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        assert name == "socket"
        return self

    def fileno(self) -> int:
        return 1_000_000

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def close(self) -> None:
        self.ends.append(("close", round(now(), 3)))

    def abort(self) -> None:
        self.ends.append(("abort", round(now(), 3)))


class Wire:
    """A socket, what it says, and a server at the other end that says what it is told to."""

    def __init__(self, url: str = "ws://x/ws", *, subprotocol: str | None = None) -> None:
        self.reads: list[list[bytes]] = []
        self.writable: list[bool] = []
        self.socket = WebSocket(url, self._read, self._room, subprotocol=subprotocol)
        self.transport = Transport()
        self.server = ServerProtocol(max_size=None)
        self.socket.connection_made(self.transport)
        self.request = self.heard()[0]

    def _read(self, frames: list[bytes]) -> None:
        assert not self.socket.closed.done(), "its end was told before what came first"
        self.reads.append(frames)

    def _room(self) -> None:
        self.writable.append(self.socket.writable)

    def heard(self) -> list[Any]:
        """What came to the server since the last time."""
        written, self.transport.written = b"".join(self.transport.written), []
        self.server.receive_data(written)
        return self.server.events_received()

    def accepted(self) -> bytes:
        assert isinstance(self.request, Request)
        self.server.send_response(self.server.accept(self.request))
        return b"".join(self.server.data_to_send())

    def accept(self) -> Wire:
        self.socket.data_received(self.accepted())
        self.reads.clear()
        return self

    def say(self, *frames: Frame) -> None:
        """All in one read."""
        self.socket.data_received(b"".join(frame.serialize(mask=False) for frame in frames))


def text(data: bytes, opcode: Opcode = Opcode.TEXT, *, fin: bool = True) -> Frame:
    return Frame(opcode, data, fin)


def goodbye(code: int, reason: str = "") -> Frame:
    return Frame(Opcode.CLOSE, Close(code, reason).serialize())


def on_a_loop(check: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Makes a test of what has to run on a loop."""

    def test() -> None:
        run(check())

    test.__name__, test.__doc__ = check.__name__, check.__doc__
    return test
