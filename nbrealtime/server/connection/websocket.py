"""asyncio's protocol of a WebSocket connection: it puts the parts together, and ends them.

What comes in goes to the `Introduction` until there is a session, then to the
`Reader`, which hands it to the hub; the service's flusher has the `Writer` write
what the hub says. The roster's heart asks whether it is alive.

The one rule: it ends once. Whoever wants its end says so to `part`; the rest
happens in `_finish`, wherever the end began.

Runs on the server's loop.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final, cast

from websockets.frames import Frame
from websockets.protocol import OPEN

from nbrealtime.hub import Session
from nbrealtime.server.clock import milliseconds
from nbrealtime.server.connection.core import Core
from nbrealtime.server.connection.intake import Hold, Intake
from nbrealtime.server.connection.introduction import Introduction
from nbrealtime.server.connection.reader import Reader
from nbrealtime.server.connection.renewal import Renewal
from nbrealtime.server.connection.throttle import Throttle
from nbrealtime.server.connection.writer import SLOW, Writer
from nbrealtime.server.deadline import Deadline
from nbrealtime.server.heartbeat import Pulse
from nbrealtime.server.hello import Goodbye, options_of, welcome
from nbrealtime.server.tokens import Claims
from nbrealtime.wire import replies
from nbrealtime.wire.messages import ErrorCode
from nbrealtime.wire.v2 import SUBPROTOCOL, Request

if TYPE_CHECKING:
    from nbrealtime.server.service import Service

__all__ = ["WebSocketConnection"]

_GOING_AWAY: Final = 1001
_HEARTBEAT: Final = 4012


class WebSocketConnection(asyncio.Protocol):
    """A connection from the request that asks for the upgrade to its end."""

    writer: Writer
    renewal: Renewal
    _transport: asyncio.Transport
    _intake: Intake
    _introduction: Introduction
    _reader: Reader
    _throttle: Throttle | None

    def __init__(self, service: Service) -> None:
        self.name = ""
        self.opened = time.time()
        self.pulse = Pulse(service.loop.time(), None)
        self._service = service
        self._hub = service.hub
        self._loop = service.loop
        self._flusher = service.flusher
        self._core = Core(service.config.limits.message_bytes)
        self._session: Session | None = None
        self._ended = False
        self._abort: Deadline | None = None
        self._waiting_at_ping = 0

    # -- asyncio's callbacks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        service, core, hub, flusher, loop = self._service, self._core, self._hub, self._flusher, self._loop
        config = service.config
        transport = self._transport = cast(asyncio.Transport, transport)
        intake = self._intake = Intake(transport)
        self.writer = Writer(
            transport, core, hub, flusher, intake, self.part, loop, limit=config.limits.outbox_bytes
        )
        self.renewal = Renewal(self, service.authority, hub, flusher, loop)
        self._throttle = None if config.rate is None else Throttle(self, config.rate, intake, loop)
        self._introduction = Introduction(self, service, core, transport, intake)
        self._reader = Reader(self, core, hub, flusher, intake, self._introduction, self._throttle)

    def data_received(self, data: bytes) -> None:
        self.pulse.heard = self._loop.time()
        if self._session is None:
            self._introduction.receive(data)
        else:
            self._reader.receive(data)

    def eof_received(self) -> None:
        # Nothing is put off here: the end is only read by who reads.
        self._core.receive_eof()
        self.after_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._reader.catch_up(anyway=True)
        self._finish()
        self._introduction.cancel()
        self.renewal.cancel()
        if self._abort is not None:
            self._abort.cancel()
        self._service.roster.leave(self)
        if self._session is None:
            self._let_go()

    def pause_writing(self) -> None:
        self.writer.pause()

    def resume_writing(self) -> None:
        self.writer.resume()

    # -- what the parts ask for

    def enter(self, claims: Claims, hello: Request | None) -> None:
        """Opens the hub's session: with ``hello`` a v2 one, which is welcomed."""
        service, hub = self._service, self._hub
        before = self._session
        if before is not None:
            # It was greeted as v1, and says hello all the same.
            self._flusher.flush()
            hub.close(before, milliseconds())
        session = service.welcome(self, claims, None if hello is None else options_of(hello))
        self._session = session
        self.writer.begin(session)
        self._reader.begin(session, fresh=hello is None)
        if self._throttle is not None:
            session.gate = self._throttle.take
        if hello is not None:
            answer = welcome(
                hello,
                claims,
                connection=self.name,
                ping_interval=service.config.ping_interval,
                key_memory=service.key_memory(claims.user),
                limits=service.limits(),
            )
            hub.tell(session, answer)
        self.renewal.watch(claims)

    def read(self, frame: Frame, now: int) -> None:
        """Does what one frame says that came before there was a session."""
        self._reader.read(frame, now)

    def after_reading(self) -> None:
        """Sends what the core has to say, in its place among what the hub has to say."""
        if self._core.state is OPEN and self._session is not None and not self._ended:
            for part in self._core.data_to_send():
                # Pongs wait and are counted like everything else: nobody can make us hoard them.
                self._hub.send(self._session, part)
        elif self._session is None and not self._ended and self._introduction.early:
            # Nothing of the hub's could be overtaken.
            self.writer.write_core()
        elif not self._ended:
            self._finish()
        else:
            self.writer.write_core()
        self._flusher.schedule()

    # -- the heartbeat's questions

    def ping(self) -> None:
        """Sends a ping ahead of what waits in the outbox, between two whole frames."""
        if self._ended or self._transport.is_closing():
            return
        self._waiting_at_ping = self.writer.waiting
        if self.pulse.spoken:
            self._core.send_text(replies.encode_ping())
        else:
            self._core.send_ping(b"")
        self.writer.write_core()

    def excused(self) -> bool:
        """A connection that is not read because it reads slowly is alive as long as it reads at all."""
        if self._intake.held(Hold.THROTTLED) or self._intake.held(Hold.POSTPONED):
            # It is our doing that nothing was heard.
            return True
        if not self.writer.choked:
            return False
        before, self._waiting_at_ping = self._waiting_at_ping, self.writer.waiting
        return self._waiting_at_ping < before

    def give_up(self) -> None:
        """Ends a connection that missed a ping."""
        if not self.writer.choked:
            reason = "nothing was heard for too long" if self.pulse.spoken else "no answer to a ping"
            self.part(Goodbye(_HEARTBEAT, ErrorCode.HEARTBEAT, reason, reconnect=True))
        else:
            reason = "nothing was read for too long"
            self.part(Goodbye(SLOW, ErrorCode.SLOW_CONSUMER, reason, reconnect=True))

    # -- who this is

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

    @property
    def ended(self) -> bool:
        """Whether it left the hub; the goodbyes may still be on their way."""
        return self._ended

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
            "waiting": self.writer.waiting,
        }

    # -- the end

    def go_away(self) -> None:
        """Says goodbye: the server shuts down."""
        reason = "the server is shutting down"
        if not self._introduction.answered:
            self._transport.abort()
        elif self.spoken:
            self.part(Goodbye(_GOING_AWAY, ErrorCode.UNAVAILABLE, reason, reconnect=True))
        else:
            # A v1 client knows the close code, and takes an error for a fault.
            self._end(_GOING_AWAY, reason)

    def part(self, goodbye: Goodbye) -> None:
        """Closes, after it was said in-band why."""
        self._end(goodbye.close, goodbye.reason, goodbye)

    def abort(self) -> None:
        """Ends the connection without a word."""
        self._transport.abort()

    def _end(self, close: int, reason: str, said: Goodbye | None = None) -> None:
        """Closes with ``close``; what is ``said`` goes before it. What waits is sent if it can be."""
        if self._ended or not self._introduction.answered:
            return
        self._flusher.flush()
        self.writer.make_way()
        self._core.end(close, reason, said)
        self._finish()

    def _finish(self) -> None:
        """Leaves the hub, sends what is left, and waits for the other end's goodbye, but not for ever."""
        if self._ended:
            return
        session = self._session
        if session is not None:
            self._flusher.flush()
        if self.ended:
            # The flush found it too slow, and was here before us.
            return
        self._ended = True
        self.writer.finish()
        self._reader.close()
        self._introduction.close()
        self.renewal.close()
        if self._throttle is not None:
            self._throttle.close()
        if session is not None:
            self._hub.close(session, milliseconds())
            self._service.roster.retire(self)
        self.writer.write_core()
        if not self._transport.is_closing():
            self._abort = Deadline(self._service, self._service.config.close_seconds, self._transport.abort)
        self._flusher.schedule()

    def _let_go(self) -> None:
        """Gives the parts up, which know it and each other, so that all of them are freed now.

        Python's collector of circles would find them, but not soon: who is turned away may come again a
        thousand times before it looks. The hub may still have a session's face in its hands, so a
        connection that had a session is left to the collector.
        """
        del self.writer, self.renewal, self._introduction, self._reader, self._throttle
        self._core.forget()
