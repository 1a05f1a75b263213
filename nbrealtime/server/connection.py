"""One WebSocket connection: an asyncio protocol around the sans-I/O core of ``websockets``.

It reads frames and hands them to the hub on the spot: no queue, no task, no
switch per message. What goes out waits in the session's outbox until the
service flushes, once per turn of the loop, and leaves as one write. A v2
connection says hello first; `nbrealtime.server.hello` decides about it.

The one rule: bytes of the outbox are handed to the transport only while it is
writable, so that what waits can be counted, and dropped when the reader is too
slow. Whole frames only, so a goodbye can always follow.

Runs on the server's loop.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from nbrealtime.errors import InvalidToken, UnknownKey
from nbrealtime.hub import Session
from nbrealtime.server.clock import milliseconds
from nbrealtime.server.deadline import Deadline
from nbrealtime.server.heartbeat import Pulse
from nbrealtime.server.hello import (
    Goodbye,
    choose_subprotocol,
    goodbye_for,
    identify,
    options_of,
    read_hello,
    welcome,
)
from nbrealtime.server.rate import Allowance
from nbrealtime.server.tokens import Claims
from nbrealtime.wire import replies
from nbrealtime.wire.messages import ErrorCode, encode_error
from nbrealtime.wire.v2 import SUBPROTOCOL
from nbrealtime.wire.v2 import Request as ClientRequest

if TYPE_CHECKING:
    from nbrealtime.server.service import Service

__all__ = ["WebSocketConnection"]

# Above this the transport says stop, and the rest waits where it can be counted and dropped.
_TRANSPORT_BYTES: Final = 256 * 1024

_GOING_AWAY, _TOKEN_EXPIRED, _SLOW, _HEARTBEAT, _RATE = 1001, 4005, 4008, 4012, 4013
_BAD_TOKEN, _UNFRAMEABLE, _TOO_MANY = 4500, 4501, 4504

# The library logs every connection at INFO, with its own logger; ours says what matters.
_quiet = logging.getLogger("nbrealtime.server.websockets")
_quiet.setLevel(logging.ERROR)


class _Core(ServerProtocol):
    """The library's state machine, with the goodbyes of our protocol."""

    def select_subprotocol(self, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
        """Takes v2 if it is offered; whoever offers only others speaks v1, as without any."""
        chosen = choose_subprotocol(list(subprotocols))
        return None if chosen is None else Subprotocol(chosen)

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
        config = service.config
        self.name = ""
        self.opened = time.time()
        self.pulse = Pulse(service.loop.time(), None)
        self._service = service
        self._hub = service.hub
        self._core = _Core(
            max_size=config.limits.message_bytes, subprotocols=[Subprotocol(SUBPROTOCOL)], logger=_quiet
        )
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
        self._abort: Deadline | None = None
        # Before there is a session: what the request's credentials said, how much came in, and what
        # waits while a token's key is looked for.
        self._asked = self._answered = False
        self._claims: Claims | None = None
        self._early_bytes = 0
        self._held: deque[Frame] = deque()
        self._checking: asyncio.Task[None] | None = None
        self._hello_due: Deadline | None = None
        # Whether nothing was said on a v1 connection yet: it may still say hello.
        self._fresh = False
        self._renewing: asyncio.Task[None] | None = None
        self._allowance = None if config.rate is None else Allowance(config.rate, service.loop.time())
        self._throttle: asyncio.TimerHandle | None = None
        # When data was last written, for who asked not to be woken too often.
        self._flushed = 0.0
        self._flush_timer: asyncio.TimerHandle | None = None
        self._waiting_at_ping = 0
        limit = config.limits.outbox_bytes
        # Whoever does not read what is sent to him is not read either, until he does: so a client
        # that publishes to itself is slowed down by TCP, not disconnected.
        self._high = None if limit is None else limit // 4

    # -- asyncio's callbacks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(_TRANSPORT_BYTES)

    def data_received(self, data: bytes) -> None:
        self.pulse.heard = self._service.loop.time()
        if self._session is None:
            self._receive_early(data)
        elif self._postponed or self._service.flusher.busy:
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
        for task in (self._checking, self._renewing):
            if task is not None:
                task.cancel()
        if self._abort is not None:
            self._abort.cancel()
        self._service.roster.leave(self)

    def pause_writing(self) -> None:
        self._paused = True
        if self._session is not None:
            self._session.blocked = True

    def resume_writing(self) -> None:
        self._paused = False
        if self._session is not None:
            self._session.blocked = False
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
        self._after_reading()
        if self._allowance is not None and not self._ended:
            self._slow_down(self._allowance)

    def _postpone(self, data: bytes) -> None:
        """Puts off what came in until a turn of the loop has room for it, and reads no more meanwhile.

        After the interpreter was held, a quarter of a megabyte may wait on every connection. Done in
        one turn, it would overflow the outbox of a subscriber who reads as fast as anybody can, since
        sockets are only written to between the turns.
        """
        self._postponed.append(data)
        if len(self._postponed) == 1:
            self._adjust_reading()
            self._service.flusher.later(self._catch_up)

    def _catch_up(self, *, anyway: bool = False) -> None:
        """Does what was put off, if this turn has room for it, or ``anyway``."""
        if not self._postponed:
            return
        if self._service.flusher.busy and not anyway:
            self._service.flusher.later(self._catch_up)
            return
        data = b"".join(self._postponed)
        self._postponed.clear()
        self._process(data)
        self._adjust_reading()

    # -- before there is a session

    def _receive_early(self, data: bytes) -> None:
        """Does what comes in before it is known who speaks; more than a little ends the connection."""
        if self._ended or not self._asked:
            self._process_early(data)
            return
        room = self._service.config.waiting_bytes - self._early_bytes
        now, rest = data[:room], data[room:]
        self._early_bytes += len(now)
        self._process_early(now)
        if not rest:
            return
        if self._session is not None:
            self.data_received(rest)
        else:
            limit = self._service.config.waiting_bytes
            reason = f"more than {limit:,} bytes before a welcome"
            self.part(Goodbye(_UNFRAMEABLE, ErrorCode.TOO_LARGE, reason))
            if not self._answered:
                self._transport.abort()

    def _process_early(self, data: bytes) -> None:
        self._core.receive_data(data)
        for event in self._core.events_received():
            if isinstance(event, Request):
                self._asked = True
                self._open(event)
            elif isinstance(event, Frame):
                # The little that may come in bounds this, too.
                self._held.append(event)
        self._go_on()

    def _go_on(self) -> None:
        """Does what was held, unless a key is being looked for."""
        while self._held and self._checking is None:
            self._frame(self._held.popleft(), milliseconds())
        self._after_reading()

    def _open(self, request: Request, *, again: bool = False) -> None:
        """Answers the request: an upgrade, or why not."""
        try:
            admitted = self._service.admissions.admit(request, final=again)
        except UnknownKey:
            self._look_for_keys(lambda: self._open(request, again=True))
            return
        self._answered = True
        if isinstance(admitted, Response):
            self._core.send_response(admitted)
            return
        response = self._core.accept(request)
        self._core.send_response(response)
        if response.status_code != 101:
            return
        for part in self._core.data_to_send():
            self._transport.write(part)
        if admitted.goodbye is not None:
            self.part(admitted.goodbye)
        elif admitted.spoken:
            self._await_hello(admitted.claims)
        elif admitted.claims is not None:
            self._fresh = True
            self._enter(admitted.claims, None)

    def _await_hello(self, claims: Claims | None) -> None:
        """Waits for hello; without good credentials in the lobby, where there is not room for everybody."""
        self._claims = claims
        if claims is None:
            self._service.lobby.enter(self, self._service.loop.time())
        self._hello_due = Deadline(self._service, self._service.config.hello_seconds, self._miss_hello)

    def _miss_hello(self) -> None:
        seconds = self._service.config.hello_seconds
        reason = f"hello did not come within {seconds:g} s"
        self.part(Goodbye(_BAD_TOKEN, ErrorCode.UNAUTHORIZED, reason))

    def turn_away(self) -> None:
        """Leaves the lobby: others want to come in."""
        reason = "too many connections wait, and this one said no hello"
        self.part(Goodbye(_TOO_MANY, ErrorCode.LIMIT_EXCEEDED, reason, reconnect=True))

    def _hear_hello(self, frame: bytes) -> None:
        try:
            hello = read_hello(frame)
        except Goodbye as goodbye:
            self.part(goodbye)
            return
        self._greet(hello)

    def _greet(self, hello: ClientRequest, *, again: bool = False) -> None:
        """Answers hello: with welcome, or a refusal."""
        if self._ended:
            return
        try:
            claims = identify(hello, self._verify, self._claims)
        except InvalidToken as fault:
            if isinstance(fault, UnknownKey) and not again:
                self._look_for_keys(lambda: self._greet(hello, again=True))
            else:
                self.part(goodbye_for(fault, hello.id))
            return
        goodbye = self._service.admissions.too_many(hello.id) if self._session is None else None
        if goodbye is not None:
            self.part(goodbye)
            return
        self._enter(claims, hello)

    def _verify(self, token: str) -> Claims:
        return self._service.authority.verify(token, time.time())

    def _look_for_keys(self, then: Callable[[], None]) -> None:
        """Does ``then`` once the keys were looked for; until then nothing is read."""

        async def look() -> None:
            await self._service.authority.fetch()
            self._checking = None
            if not self._ended and not self._transport.is_closing():
                then()
                self._go_on()
            self._adjust_reading()

        self._checking = self._service.loop.create_task(look())
        self._adjust_reading()

    def _enter(self, claims: Claims, hello: ClientRequest | None) -> None:
        """Opens the hub's session: with ``hello`` a v2 one, which is welcomed."""
        service = self._service
        service.lobby.leave(self)
        if self._hello_due is not None:
            self._hello_due.cancel()
        before, left = self._session, b""
        if before is not None:
            # It was greeted as v1, and says hello all the same.
            service.flusher.flush()
            left = before.outbox.take() if before.outbox.size else b""
            self._hub.close(before, milliseconds())
        options = None if hello is None else options_of(hello)
        session = self._session = service.welcome(self, claims, options)
        if left:
            session.outbox.put(left)
        self._claims = claims
        if self._allowance is not None:
            session.gate = self._take
        if hello is not None:
            answer = welcome(
                hello,
                claims,
                connection=self.name,
                ping_interval=service.config.ping_interval,
                key_memory=service.key_memory(claims.user),
                limits=service.limits(),
            )
            self._hub.tell(session, answer)
        self._expire_with(claims)

    # -- while there is one

    def _frame(self, frame: Frame, now: int) -> None:
        if self._ended:
            return
        opcode = frame.opcode
        if opcode is Opcode.TEXT and frame.fin:
            self._text(bytes(frame.data), now)
        elif opcode is Opcode.PONG:
            self.pulse.answered = True
        elif opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            self._fragment(frame, now)

    def _text(self, message: bytes, now: int) -> None:
        session = self._session
        if session is None:
            self._hear_hello(message)
            return
        if self._fresh:
            self._fresh = False
            if b"hello" in message.lower():
                try:
                    hello = read_hello(message)
                except Goodbye:
                    pass  # something else, or nothing that can be read: the hub answers as to everybody
                else:
                    self._greet(hello)
                    return
        self._hub.receive(session, message, now)

    def renew(self, request: ClientRequest, *, again: bool = False) -> None:
        """Answers ``auth``: a new token for the same user."""
        session = self._session
        if session is None or self._ended:
            return
        now = milliseconds()
        try:
            if request.token is None:
                raise InvalidToken("a token is needed", ErrorCode.BAD_REQUEST)
            claims = self._verify(request.token)
        except InvalidToken as fault:
            if isinstance(fault, UnknownKey) and not again:
                self._renew_later(request)
                return
            retry = fault.code == ErrorCode.UNAVAILABLE
            answer = replies.encode_error(fault.reason, fault.code, timestamp=now, id=request.id, retry=retry)
        else:
            if claims.user.id != session.user.id:
                reason = "the token is another user's: connect anew with it"
                answer = replies.encode_error(reason, ErrorCode.FORBIDDEN, timestamp=now, id=request.id)
            else:
                self._claims = claims
                self._hub.regrant(session, claims.user, claims.grants, now)
                self._expire_with(claims)
                answer = replies.encode_authenticated(id=request.id, expires=claims.expires_ms)
        self._hub.tell(session, answer)
        self._service.flusher.schedule()

    def _renew_later(self, request: ClientRequest) -> None:
        async def look() -> None:
            await self._service.authority.fetch()
            self.renew(request, again=True)

        if self._renewing is not None:
            self._renewing.cancel()
        self._renewing = self._service.loop.create_task(look())

    def _take(self, now: int) -> float:
        """The hub's question before a publish: 0, or after how many seconds it may come again."""
        allowance = self._allowance
        return 0.0 if allowance is None else allowance.take(self._service.loop.time())

    def _slow_down(self, allowance: Allowance) -> None:
        """Reads no more for as long as the rate says; ends who does not listen."""
        now = self._service.loop.time()
        if allowance.overdrawn(now):
            reason = f"more than {allowance.rate:g} messages a second, in spite of refusals"
            self.part(Goodbye(_RATE, ErrorCode.RATE_LIMITED, reason, reconnect=True, retry_after=1.0))
            return
        pause = allowance.pause(now)
        if pause > 0 and self._throttle is None:
            self._throttle = self._service.loop.call_later(pause, self._speed_up)
            self._adjust_reading()

    def _speed_up(self) -> None:
        self._throttle = None
        # It could not be heard meanwhile.
        self.pulse.heard = self._service.loop.time()
        self.pulse.answered = True
        self._adjust_reading()

    def _fragment(self, frame: Frame, now: int) -> None:
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
            self._text(b"".join(fragments), now)
        elif self._session is not None:
            self._fresh = False
            self._hub.receive_binary(self._session, now)
        else:
            reason = "hello is JSON in a text frame"
            self.part(Goodbye(_BAD_TOKEN, ErrorCode.BAD_REQUEST, reason))

    def _after_reading(self) -> None:
        """Sends what the core has to say, in its place among what the hub has to say."""
        if self._core.state is OPEN and self._session is not None and not self._ended:
            for part in self._core.data_to_send():
                # Pongs wait and are counted like everything else: nobody can make us hoard them.
                self._hub.send(self._session, part)
        elif self._session is None and not self._ended and self._early:
            # Nothing of the hub's could be overtaken.
            self._write_core()
        elif not self._ended:
            self._finish()
        else:
            self._write_core()
        self._service.flusher.schedule()

    @property
    def _early(self) -> bool:
        """Whether it is still to be seen who this is."""
        return self._checking is not None or (self._answered and self._core.state is OPEN)

    # -- writing

    def drain(self) -> None:
        """Writes what waits in the outbox, as far as the transport takes it; ends who is too slow."""
        session = self._session
        if session is None or self._ended:
            return
        if session.overrun:
            self._end_slow()
            return
        outbox = session.outbox
        if session.options.flush_ms and outbox.size and self._hold_back(session):
            return
        transport = self._transport
        # What came up since the last turn is one part and goes out in one write; a backlog goes in
        # portions, so that what the transport does not take at once remains ours to count and to drop.
        while outbox.size and not self._paused and not transport.is_closing():
            transport.write(outbox.take(_TRANSPORT_BYTES))
        if self._paused or self._choked:
            self._weigh(session)
        if session.hungry and not self._paused and not outbox.size:
            self._hub.drained(session)
            self._service.flusher.schedule()

    def _hold_back(self, session: Session) -> bool:
        """Whether what waits is data that the client does not want so soon. What is not data takes it along."""
        loop = self._service.loop
        now = loop.time()
        due = self._flushed + session.options.flush_ms / 1000
        if now < due and not session.urgent and session.outbox.size < _TRANSPORT_BYTES:
            if self._flush_timer is None:
                self._flush_timer = loop.call_at(due, self._flush_late)
            return True
        session.urgent = False
        self._flushed = now
        if self._flush_timer is not None:
            self._flush_timer.cancel()
            self._flush_timer = None
        return False

    def _flush_late(self) -> None:
        self._flush_timer = None
        # A timer may be early by the clock's resolution, and what it was set for is due now.
        self._flushed = 0.0
        self.drain()

    def _end_slow(self) -> None:
        limit = self._service.config.limits.outbox_bytes
        reason = (
            "too much was waiting to be read"
            if limit is None
            else f"more than {limit:,} bytes were waiting to be read"
        )
        self.part(Goodbye(_SLOW, ErrorCode.SLOW_CONSUMER, reason, reconnect=True))

    def _weigh(self, session: Session) -> None:
        """Compares what waits with the limits."""
        limit = self._service.config.limits.outbox_bytes
        if limit is None or self._high is None:
            return
        waiting = self._waiting()
        if waiting > limit:
            self._end_slow()
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
        wanted = (
            not self._choked and not self._postponed and self._checking is None and self._throttle is None
        )
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
            else:
                # TLS cannot end one direction alone.
                transport.close()

    # -- the heartbeat's questions

    def ping(self) -> None:
        """Sends a ping ahead of what waits in the outbox, between two whole frames."""
        if self._ended or self._transport.is_closing():
            return
        self._waiting_at_ping = self._waiting()
        if self.pulse.spoken:
            self._core.send_text(replies.encode_ping())
        else:
            self._core.send_ping(b"")
        self._write_core()

    def excused(self) -> bool:
        """A connection that is not read because it reads slowly is alive as long as it reads at all."""
        if self._throttle is not None or self._postponed:
            # It is our doing that nothing was heard.
            return True
        if not self._choked:
            return False
        before, self._waiting_at_ping = self._waiting_at_ping, self._waiting()
        return self._waiting_at_ping < before

    def give_up(self) -> None:
        """Ends a connection that missed a ping."""
        if not self._choked:
            reason = "nothing was heard for too long" if self.pulse.spoken else "no answer to a ping"
            self.part(Goodbye(_HEARTBEAT, ErrorCode.HEARTBEAT, reason, reconnect=True))
        else:
            reason = "nothing was read for too long"
            self.part(Goodbye(_SLOW, ErrorCode.SLOW_CONSUMER, reason, reconnect=True))

    # -- the end

    def _expire_with(self, claims: Claims) -> None:
        """Ends the connection with this token, not with an earlier one."""
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        if claims.expires is not None and not self._ended:
            self._expire_at(claims.expires)

    def _expire_at(self, expires: float) -> None:
        """Ends the connection when its token does. In steps: a machine may sleep, and clocks are set."""
        remaining = expires - time.time()
        if remaining <= 0:
            reason = "the token has expired"
            self.part(Goodbye(_TOKEN_EXPIRED, ErrorCode.TOKEN_EXPIRED, reason, reconnect=True))
            return
        loop = self._service.loop
        self._expiry = loop.call_later(min(remaining, 60.0), self._expire_at, expires)

    def go_away(self) -> None:
        """Says goodbye: the server shuts down."""
        reason = "the server is shutting down"
        if not self._answered:
            self._transport.abort()
        elif self.spoken:
            self.part(Goodbye(_GOING_AWAY, ErrorCode.UNAVAILABLE, reason, reconnect=True))
        else:
            # A v1 client knows the close code, and takes an error for a fault.
            self.end(_GOING_AWAY, reason)

    @property
    def spoken(self) -> bool:
        """Whether it speaks v2, or is about to."""
        if self._session is not None:
            return self._session.version > 1
        return self._core.subprotocol == SUBPROTOCOL

    @property
    def session(self) -> Session | None:
        """The hub's session, once it is known who this is."""
        return self._session

    def describe(self) -> dict[str, Any]:
        """Who this is, for the operator."""
        session = self._session
        peer = self._transport.get_extra_info("peername")
        return {
            "connection": self.name,
            "user": "" if session is None else session.user.id,
            "name": "" if session is None else session.user.name,
            "version": 2 if self.spoken else 1,
            "address": f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else "",
            "since": self.opened,
            "topics": 0 if session is None else len(session.subscriptions),
            "waiting": self._waiting(),
        }

    @property
    def ended(self) -> bool:
        """Whether it left the hub; the goodbyes may still be on their way."""
        return self._ended

    def abort(self) -> None:
        """Ends the connection without a word."""
        self._transport.abort()

    def part(self, goodbye: Goodbye) -> None:
        """Closes, after it was said in-band why."""
        self.end(goodbye.close, goodbye.reason, goodbye)

    def end(
        self, close: int, reason: str, said: Goodbye | ErrorCode | None = None, *, reconnect: bool = False
    ) -> None:
        """Closes with ``close``; what is ``said`` goes before it. What waits is sent if it can be."""
        if self._ended or not self._answered:
            return
        if isinstance(said, ErrorCode):
            said = Goodbye(close, said, reason, reconnect=reconnect)
        self._service.flusher.flush()
        if self._paused and self._session is not None:
            # It would stand in the way of the goodbye, which may just get through.
            self._session.outbox.clear()
        if self._core.state is OPEN:
            if said is not None:
                self._core.send_text(said.encode(milliseconds()))
            self._core.send_close(close, _short(reason))
        self._finish()

    def _finish(self) -> None:
        """Leaves the hub, sends what is left, and waits for the other end's goodbye, but not for ever."""
        if self._ended:
            return
        session = self._session
        if session is not None:
            self._service.flusher.flush()
            while session.outbox.size and not self._paused and not self._transport.is_closing():
                self._transport.write(session.outbox.take(_TRANSPORT_BYTES))
            session.outbox.close()
            session.outbox.clear()
        if self.ended:
            # The flush found it too slow, and was here before us.
            return
        self._ended = True
        self._service.lobby.leave(self)
        if self._hello_due is not None:
            self._hello_due.cancel()
        if self._throttle is not None:
            self._throttle.cancel()
            self._throttle = None
        if self._flush_timer is not None:
            self._flush_timer.cancel()
            self._flush_timer = None
        if session is not None:
            self._hub.close(session, milliseconds())
            self._service.roster.retire(self)
        if self._expiry is not None:
            self._expiry.cancel()
        self._write_core()
        if not self._transport.is_closing():
            # The answer to our close frame has to be read.
            self._choked = False
            self._adjust_reading()
            self._abort = Deadline(self._service, self._service.config.close_seconds, self._transport.abort)
        self._service.flusher.schedule()


def _short(reason: str) -> str:
    """A close frame has room for 123 bytes."""
    return reason.encode()[:120].decode(errors="ignore")
