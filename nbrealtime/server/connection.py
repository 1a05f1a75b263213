"""One WebSocket connection: an asyncio protocol around the sans-I/O core of ``websockets``.

It reads frames and hands them to the hub on the spot: no queue, no task, no
switch per message. What goes out waits in the session's outbox until the
service flushes, once per turn of the loop, and leaves as one write.

The one rule: bytes of the outbox are handed to the transport only while it is
writable, so that what waits can be counted, and dropped when the reader is too
slow. Whole frames only, so a goodbye can always follow.

Runs on the server's loop.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final, cast

from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from nbrealtime.hub import Session
from nbrealtime.server.heartbeat import Pulse
from nbrealtime.wire.messages import ErrorCode, encode_error

if TYPE_CHECKING:
    from nbrealtime.server.service import Service

__all__ = ["WebSocketConnection", "milliseconds"]

# Above this the transport says stop, and the rest waits where it can be counted and dropped.
_TRANSPORT_BYTES: Final = 256 * 1024

_GOING_AWAY, _TOKEN_EXPIRED, _SLOW, _HEARTBEAT, _UNFRAMEABLE = 1001, 4005, 4008, 4012, 4501

# The library logs every connection at INFO, with its own logger; ours says what matters.
_quiet = logging.getLogger("nbrealtime.server.websockets")
_quiet.setLevel(logging.ERROR)


def milliseconds() -> int:
    """The wire's time: milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class _Core(ServerProtocol):
    """The library's state machine, with the goodbyes of our protocol."""

    def fail(self, code: CloseCode | int, reason: str = "") -> None:
        """Says in-band what ends the connection, and closes with 4501, where the library closes without a word."""
        if self.state is OPEN and code != CloseCode.ABNORMAL_CLOSURE:
            too_large = code == CloseCode.MESSAGE_TOO_BIG
            if too_large:
                reason = f"a frame is over the limit of {self.max_message_size:,} bytes"
            error = encode_error(
                reason or "a frame cannot be read",
                ErrorCode.TOO_LARGE if too_large else ErrorCode.BAD_REQUEST,
                timestamp=milliseconds(),
                close=_UNFRAMEABLE,
                reconnect=False,
            )
            self.send_text(error)
            code = _UNFRAMEABLE
        super().fail(code, _short(reason))


class WebSocketConnection(asyncio.Protocol):
    """A connection from the request that asks for the upgrade to its end."""

    def __init__(self, service: Service) -> None:
        self.pulse: Pulse
        self._service = service
        self._hub = service.hub
        self._core = _Core(max_size=service.config.limits.message_bytes, logger=_quiet)
        self._transport: asyncio.Transport
        self._session: Session | None = None
        self._ended = False
        self._paused = False
        self._reading = True
        self._choked = False
        self._postponed: list[bytes] = []
        self._fragments: list[bytes] = []
        self._fragmented: Opcode | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._abort: asyncio.TimerHandle | None = None
        self._waiting_at_ping = 0
        limit = service.config.limits.outbox_bytes
        # Whoever does not read what is sent to him is not read either, until he does: so a client
        # that publishes to itself is slowed down by TCP, not disconnected.
        self._high = None if limit is None else limit // 4

    # -- asyncio's callbacks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(_TRANSPORT_BYTES)

    def data_received(self, data: bytes) -> None:
        if self._postponed or self._service.busy:
            self._postpone(data)
        else:
            self._process(data)

    def eof_received(self) -> None:
        # Nothing is put off here: the end is only read by who reads.
        self._core.receive_eof()
        self._after_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._catch_up(anyway=True)
        self._finish()
        if self._abort is not None:
            self._abort.cancel()
        self._service.forget(self)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self.drain()

    # -- reading

    def _process(self, data: bytes) -> None:
        """Does what came in."""
        core = self._core
        core.receive_data(data)
        now = milliseconds()
        for event in core.events_received():
            if isinstance(event, Frame):
                self._frame(event, now)
            elif isinstance(event, Request):
                self._open(event)
        self._after_reading()

    def _postpone(self, data: bytes) -> None:
        """Puts off what came in until a turn of the loop has room for it, and reads no more meanwhile.

        After the interpreter was held, a quarter of a megabyte may wait on every connection. Done in
        one turn, it would overflow the outbox of a subscriber who reads as fast as anybody can, since
        sockets are only written to between the turns.
        """
        self._postponed.append(data)
        if len(self._postponed) == 1:
            self._adjust_reading()
            self._service.loop.call_soon(self._catch_up)

    def _catch_up(self, *, anyway: bool = False) -> None:
        """Does what was put off, if this turn has room for it, or ``anyway``."""
        if not self._postponed:
            return
        if self._service.busy and not anyway:
            self._service.loop.call_soon(self._catch_up)
            return
        data = b"".join(self._postponed)
        self._postponed.clear()
        self._process(data)
        self._adjust_reading()

    def _open(self, request: Request) -> None:
        """Answers the request: an upgrade, or why not."""
        admitted = self._service.admit(request)
        if isinstance(admitted, Response):
            self._core.send_response(admitted)
            return
        response = self._core.accept(request)
        self._core.send_response(response)
        if response.status_code != 101:
            return
        for part in self._core.data_to_send():
            self._transport.write(part)
        self.pulse, self._session = self._service.welcome(self, admitted)
        if admitted.expires is not None:
            self._expire_at(admitted.expires)

    def _frame(self, frame: Frame, now: int) -> None:
        session = self._session
        if session is None or self._ended:
            return
        opcode = frame.opcode
        if opcode is Opcode.TEXT and frame.fin:
            self._hub.receive(session, bytes(frame.data), now)
        elif opcode is Opcode.PONG:
            self.pulse.answered = True
        elif opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            self._fragment(session, frame, now)

    def _fragment(self, session: Session, frame: Frame, now: int) -> None:
        """Collects a message that comes in several frames; the core bounds their sum."""
        if frame.opcode is not Opcode.CONT:
            self._fragmented = frame.opcode
        if frame.data and self._fragmented is Opcode.TEXT:
            self._fragments.append(bytes(frame.data))
        if not frame.fin:
            return
        fragments, self._fragments = self._fragments, []
        opcode, self._fragmented = self._fragmented, None
        if opcode is Opcode.TEXT:
            self._hub.receive(session, b"".join(fragments), now)
        else:
            self._hub.receive_binary(session, now)

    def _after_reading(self) -> None:
        """Sends what the core has to say, in its place among what the hub has to say."""
        if self._core.state is OPEN and self._session is not None and not self._ended:
            for part in self._core.data_to_send():
                # Pongs wait and are counted like everything else: nobody can make us hoard them.
                self._hub.send(self._session, part)
        elif not self._ended:
            self._finish()
        else:
            self._write_core()
        self._service.schedule_flush()

    # -- writing

    def drain(self) -> None:
        """Writes what waits in the outbox, as far as the transport takes it; ends who is too slow."""
        session = self._session
        if session is None or self._ended:
            return
        outbox = session.outbox
        transport = self._transport
        # What came up since the last turn is one part and goes out in one write; a backlog goes in
        # portions, so that what the transport does not take at once remains ours to count and to drop.
        while outbox.size and not self._paused and not transport.is_closing():
            transport.write(outbox.take(_TRANSPORT_BYTES))
        if self._paused or self._choked:
            self._weigh(session)

    def _weigh(self, session: Session) -> None:
        """Compares what waits with the limits."""
        limit = self._service.config.limits.outbox_bytes
        if limit is None or self._high is None:
            return
        waiting = self._waiting()
        if waiting > limit:
            self.end(
                _SLOW,
                f"more than {limit:,} bytes were waiting to be read",
                ErrorCode.SLOW_CONSUMER,
                reconnect=True,
            )
        elif waiting > self._high:
            self._choked = True
        elif waiting <= self._high // 2:
            self._choked = False
        self._adjust_reading()

    def _waiting(self) -> int:
        queued = 0 if self._session is None else self._session.outbox.size
        return queued + self._transport.get_write_buffer_size()

    def _adjust_reading(self) -> None:
        """Reads unless something stands against it."""
        wanted = not self._choked and not self._postponed
        if wanted is self._reading or self._transport.is_closing():
            return
        self._reading = wanted
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def _write_core(self) -> None:
        """Writes what the core wants to send: frames, and the end of the stream as an empty part."""
        transport = self._transport
        for part in self._core.data_to_send():
            if transport.is_closing():
                return
            if part:
                transport.write(part)
            elif transport.can_write_eof():
                transport.write_eof()

    # -- the heartbeat's questions

    def ping(self) -> None:
        """Sends a ping ahead of what waits in the outbox, between two whole frames."""
        if self._ended or self._transport.is_closing():
            return
        self._waiting_at_ping = self._waiting()
        self._core.send_ping(b"")
        self._write_core()

    def excused(self) -> bool:
        """A connection that is not read because it reads slowly is alive as long as it reads at all."""
        if not self._choked:
            return False
        before, self._waiting_at_ping = self._waiting_at_ping, self._waiting()
        return self._waiting_at_ping < before

    def give_up(self) -> None:
        """Ends a connection that missed a ping."""
        if not self._choked:
            self.end(_HEARTBEAT, "no answer to a ping", ErrorCode.HEARTBEAT, reconnect=True)
        else:
            self.end(_SLOW, "nothing was read for too long", ErrorCode.SLOW_CONSUMER, reconnect=True)

    # -- the end

    def _expire_at(self, expires: float) -> None:
        """Ends the connection when its token does. In steps: a machine may sleep, and clocks are set."""
        remaining = expires - time.time()
        if remaining <= 0:
            self.end(_TOKEN_EXPIRED, "the token has expired", ErrorCode.TOKEN_EXPIRED, reconnect=True)
            return
        loop = self._service.loop
        self._expiry = loop.call_later(min(remaining, 60.0), self._expire_at, expires)

    def go_away(self) -> None:
        """Says goodbye: the server shuts down."""
        if self._session is None:
            self._transport.abort()
        else:
            self.end(_GOING_AWAY, "the server is shutting down")

    @property
    def ended(self) -> bool:
        """Whether it left the hub; the goodbyes may still be on their way."""
        return self._ended

    def abort(self) -> None:
        """Ends the connection without a word."""
        self._transport.abort()

    def end(self, close: int, reason: str, code: ErrorCode | None = None, *, reconnect: bool = False) -> None:
        """Closes with ``close``; with a ``code`` it is said in-band first. What waits is sent if it can be."""
        if self._ended or self._session is None:
            return
        self._service.flush()
        if self._paused:
            # It would stand in the way of the goodbye, which may just get through.
            self._session.outbox.clear()
        if self._core.state is OPEN:
            if code is not None:
                self._core.send_text(
                    encode_error(reason, code, timestamp=milliseconds(), close=close, reconnect=reconnect)
                )
            self._core.send_close(close, _short(reason))
        self._finish()

    def _finish(self) -> None:
        """Leaves the hub, sends what is left, and waits for the other end's goodbye, but not for ever."""
        if self._ended:
            return
        session = self._session
        if session is not None:
            self._service.flush()
            while session.outbox.size and not self._paused and not self._transport.is_closing():
                self._transport.write(session.outbox.take(_TRANSPORT_BYTES))
            session.outbox.close()
            session.outbox.clear()
        if self.ended:
            # The flush found it too slow, and was here before us.
            return
        self._ended = True
        if session is not None:
            self._hub.close(session, milliseconds())
            self._service.retire(self)
        if self._expiry is not None:
            self._expiry.cancel()
        self._write_core()
        if not self._transport.is_closing():
            # The answer to our close frame has to be read.
            self._choked = False
            self._adjust_reading()
            self._abort = self._service.loop.call_later(
                self._service.config.close_seconds, self._transport.abort
            )
        self._service.schedule_flush()


def _short(reason: str) -> str:
    """A close frame has room for 123 bytes."""
    return reason.encode()[:120].decode(errors="ignore")
