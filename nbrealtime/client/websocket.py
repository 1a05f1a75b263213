"""A client's WebSocket on an event loop, dispatched synchronously.

``websockets`` frames and unframes (its sans-I/O protocol); this is the
transport around it. The library's own asyncio face hands out one message per
``await``, a task switch each; here everything that one read brought is handed
on at once, which is what keeps a thousand messages a second from waking the
interpreter a thousand times. Whole text frames, which is nearly all there is,
are passed by the library (``framing.py``); ``handshake.py`` says why there is no socket.

Runs on the client thread. The one rule: ``on_frames`` is called once for every
read, with the text messages that it completed (perhaps none), before
anything is said about the end of the connection.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable
from typing import Final, NamedTuple

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import CONNECTING, OPEN
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from nbrealtime.client.framing import Framer, Splitter
from nbrealtime.client.handshake import dropped, refusal

__all__ = ["Closing", "WebSocket", "open_websocket"]

MAX_MESSAGE_BYTES: Final = 16 * 2**20
"""What a server may send in one message: sixteen times what ours accepts, so that others may allow more."""

WRITE_HIGH: Final = 256 * 1024
_MAX_FRAGMENTS: Final = 10_000
_CLOSE_SECONDS: Final = 2.0


class Closing(NamedTuple):
    """How a connection ended: the server's close code and reason; 1006 if it sent none."""

    code: int
    reason: str


class WebSocket(asyncio.Protocol):
    """One connection, from the TCP connection to its end.

    ``opened`` is done when the server has accepted (or holds `HandshakeRefused`); ``closed`` when the
    TCP connection is gone. ``on_writable`` is called when a transport that was full has room again.
    """

    def __init__(
        self,
        url: str,
        on_frames: Callable[[list[bytes]], None],
        on_writable: Callable[[], None],
        *,
        subprotocol: str | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._on_frames = on_frames
        self._on_writable = on_writable
        # No extensions: compression halves the throughput of small messages and doubles their cost.
        self._protocol = ClientProtocol(
            parse_uri(url),
            subprotocols=None if subprotocol is None else [Subprotocol(subprotocol)],
            max_size=MAX_MESSAGE_BYTES,
        )
        self._splitter = Splitter(MAX_MESSAGE_BYTES)
        self._framer = Framer()
        self._transport: asyncio.Transport | None = None
        self._fragments: list[bytes] = []
        self._fragmented: Opcode | None = None
        self._announced: Closing | None = None
        self._killer: asyncio.TimerHandle | None = None
        self._is_answered = False
        self.fileno = -1
        self.writable = True
        self.opened: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[Closing] = loop.create_future()

    # -- for the connection ---------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether frames can be written."""
        return self._protocol.state is OPEN and self._transport is not None

    def send(self, frames: list[bytes]) -> None:
        """Writes text frames, all in one write."""
        transport = self._transport
        if transport is not None and self._protocol.state is OPEN:
            # What the library may have to say yet are pongs: the goodbye would have been its last word.
            transport.write(b"".join(map(self._framer.frame_text, frames)))

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Says goodbye after everything that was written; a server that does not answer is left after 2 s."""
        if self.is_open:
            self._protocol.send_close(code, reason)
            self._flush()
            self._abort_after(_CLOSE_SECONDS)
        else:
            self.abort()

    def leave(self, code: int, reason: str = "") -> None:
        """Says goodbye, and waits for nobody: for a server that may be gone."""
        if self.is_open:
            self._protocol.send_close(code, reason)
            self._flush()
            self._abort_after(_CLOSE_SECONDS)
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Ends at once, and without a word."""
        if self._transport is not None:
            self._transport.abort()

    def forget(self) -> None:
        """In a forked child: lets go of the parent's socket.

        Its number stays taken: the socket's Python object, collected later, would close a stranger's.
        """
        if self.fileno >= 0:
            nothing = os.open(os.devnull, os.O_RDWR)
            os.dup2(nothing, self.fileno)
            os.close(nothing)

    # -- asyncio.Protocol -----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - told to mypy
        transport.set_write_buffer_limits(high=WRITE_HIGH)
        self._transport = transport
        self.fileno = transport.get_extra_info("socket").fileno()
        self._protocol.send_request(self._protocol.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._is_answered = True
        frames: list[bytes] = []
        is_plain = True
        state = self._protocol.state
        if state is CONNECTING:
            is_plain = False
            data = self._shake_hands(data, frames)
        for piece, start in self._splitter.split(data):
            # A text frame between fragments or after a goodbye is for the library to judge.
            if start and self._fragmented is None and state is OPEN:
                frames.append(piece[start:])
            else:
                is_plain = False
                self._hand_over(piece, frames)
                state = self._protocol.state
        self._on_frames(frames)
        if not is_plain:
            self._answer_back()

    def eof_received(self) -> None:
        frames: list[bytes] = []
        self._hand_over(self._splitter.take_begun(), frames)
        self._protocol.receive_eof()
        self._dispatch(frames)
        self._on_frames(frames)
        self._answer_back()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._killer is not None:
            self._killer.cancel()
        self._transport = None
        self.writable = True
        if not self.opened.done():
            self.opened.set_exception(dropped(is_answered=self._is_answered))
            self.opened.exception()  # nobody may be waiting any more; that is no fault to log
        if not self.closed.done():
            # The close code of our own failure (a frame beyond the limits, say) tells more than none.
            close = self._protocol.close_sent if self._protocol.close_rcvd is None else None
            fallback = Closing(1006, close.reason if close is not None else "")
            self.closed.set_result(self._announced or fallback)

    def pause_writing(self) -> None:
        self.writable = False

    def resume_writing(self) -> None:
        self.writable = True
        self._on_writable()

    # -- details --------------------------------------------------------------------------------------

    def _shake_hands(self, data: bytes, frames: list[bytes]) -> bytes:
        """The library hears the answer to the handshake; returns what came behind it of frames."""
        cut = self._splitter.cut_head(data)
        self._hand_over(data[:cut], frames)
        if self._protocol.state is OPEN:
            return data[cut:]
        # A refusal's body, or the library has heard enough.
        self._hand_over(data[cut:], frames)
        return b""

    def _hand_over(self, data: bytes, frames: list[bytes]) -> None:
        """The library hears what is not plain."""
        if data:
            self._protocol.receive_data(data)
            self._dispatch(frames)

    def _dispatch(self, frames: list[bytes]) -> None:
        """Does what the library made of what it heard; text messages go to the end of ``frames``."""
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                if event.opcode is Opcode.TEXT and event.fin:
                    frames.append(bytes(event.data))
                elif event.opcode is Opcode.CLOSE:
                    close = self._protocol.close_rcvd
                    if close is not None:
                        self._announced = Closing(int(close.code), close.reason)
                else:
                    self._assemble(event, frames)
            elif isinstance(event, Response):
                self._settle()

    def _answer_back(self) -> None:
        """Writes what the library has to say to what it heard."""
        self._flush()
        if self._protocol.close_expected():
            self._abort_after(_CLOSE_SECONDS)

    def _assemble(self, frame: Frame, frames: list[bytes]) -> None:
        """Puts a message in fragments together. Binary messages have no meaning here and are left out."""
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY) and not frame.fin:
            self._fragmented = frame.opcode
            self._fragments = [bytes(frame.data)]
        elif frame.opcode is Opcode.CONT and self._fragmented is not None:
            # The library bounds their bytes, which does not bound empty ones.
            if len(self._fragments) >= _MAX_FRAGMENTS:
                self._protocol.fail(1009, "too many fragments")
                return
            self._fragments.append(bytes(frame.data))
            if frame.fin:
                if self._fragmented is Opcode.TEXT:
                    frames.append(b"".join(self._fragments))
                self._fragments, self._fragmented = [], None

    def _settle(self) -> None:
        """Says what came of the handshake."""
        fault = self._protocol.handshake_exc
        if self.opened.done():
            return
        if fault is None:
            self.opened.set_result(None)
        else:
            self.opened.set_exception(refusal(fault, is_answered=self._is_answered))

    def _flush(self) -> None:
        # The library ends the list with an empty chunk where the connection is to be ended.
        chunks = self._protocol.data_to_send()
        transport = self._transport
        if not chunks or transport is None:
            return
        finished = chunks[-1] == b""
        data = b"".join(chunks)
        if data:
            transport.write(data)
        if finished:
            if self._protocol.handshake_exc is not None:
                self._settle()
            transport.close()

    def _abort_after(self, seconds: float) -> None:
        if self._killer is None:
            self._killer = self._loop.call_later(seconds, self.abort)


async def open_websocket(
    url: str,
    *,
    on_frames: Callable[[list[bytes]], None],
    on_writable: Callable[[], None],
    on_socket: Callable[[WebSocket], None],
    subprotocol: str | None = None,
) -> WebSocket:
    """Opens a WebSocket at ``url`` (``ws://`` or ``wss://``), offering a subprotocol perhaps.

    ``on_socket`` is told of the socket before the handshake. Cancelling it, also by a timeout, leaves
    no connection behind. Raises ``OSError`` or `HandshakeRefused`.
    """
    uri = parse_uri(url)
    socket = WebSocket(url, on_frames, on_writable, subprotocol=subprotocol)
    context = ssl.create_default_context() if uri.secure else None
    loop = asyncio.get_running_loop()
    await loop.create_connection(lambda: socket, uri.host, uri.port, ssl=context)
    on_socket(socket)
    try:
        await socket.opened
    except BaseException:
        socket.abort()
        raise
    return socket
