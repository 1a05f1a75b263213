"""Who speaks: from the request that asks for an upgrade until there is a session.

`nbrealtime.server.admission` decides about the request, `nbrealtime.server.hello`
about the first message. A v1 connection is welcome with its request alone; one
of v2 says hello, and waits in the lobby if the request's credentials were not
good. While a token's key is looked for, what comes in is held.

The one rule: until it is known who speaks, time, number and bytes are bounded.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from websockets.frames import Frame
from websockets.http11 import Request, Response
from websockets.protocol import OPEN

from nbrealtime.errors import InvalidToken, UnknownKey
from nbrealtime.hub import Session
from nbrealtime.server.clock import milliseconds
from nbrealtime.server.connection.core import UNFRAMEABLE, Core
from nbrealtime.server.connection.intake import Hold, Intake
from nbrealtime.server.deadline import Deadline
from nbrealtime.server.hello import Goodbye, goodbye_for, identify, read_hello
from nbrealtime.server.tokens import Claims
from nbrealtime.wire.messages import ErrorCode
from nbrealtime.wire.v2 import Request as ClientRequest

if TYPE_CHECKING:
    from nbrealtime.server.service import Service

__all__ = ["Introduction", "Newcomer"]

_BAD_TOKEN: Final = 4500
_TOO_MANY: Final = 4504


class Newcomer(Protocol):
    """Who wants to come in."""

    @property
    def session(self) -> Session | None:
        """The hub's session, once it is known who this is."""

    @property
    def ended(self) -> bool:
        """Whether it has left."""

    def data_received(self, data: bytes) -> None:
        """Reads what came after the introduction."""

    def read(self, frame: Frame, now: int) -> None:
        """Does what one frame says."""

    def after_reading(self) -> None:
        """Sends what the core has to say about what was read."""

    def enter(self, claims: Claims, hello: ClientRequest | None) -> None:
        """Opens the hub's session: with ``hello`` a v2 one, which is welcomed."""

    def part(self, goodbye: Goodbye) -> None:
        """Ends the connection, after it was said why."""


class Introduction:
    """Finds out who one connection is. It is the guest in the lobby."""

    __slots__ = (
        "_asked",
        "_bytes",
        "_checking",
        "_claims",
        "_core",
        "_held",
        "_hello_due",
        "_intake",
        "_newcomer",
        "_service",
        "_transport",
        "answered",
    )

    def __init__(
        self,
        newcomer: Newcomer,
        service: Service,
        core: Core,
        transport: asyncio.Transport,
        intake: Intake,
    ) -> None:
        self._newcomer = newcomer
        self._service = service
        self._core = core
        self._transport = transport
        self._intake = intake
        # Whether the request came in, and whether it has its answer.
        self._asked = False
        self.answered = False
        # What the request's credentials said, how much came in, and what waits while a key is looked for.
        self._claims: Claims | None = None
        self._bytes = 0
        self._held: deque[Frame] = deque()
        self._checking: asyncio.Task[None] | None = None
        self._hello_due: Deadline | None = None

    @property
    def early(self) -> bool:
        """Whether it is still to be seen who this is."""
        return self._checking is not None or (self.answered and self._core.state is OPEN)

    def receive(self, data: bytes) -> None:
        """Does what comes in before it is known who speaks; more than a little ends the connection."""
        newcomer = self._newcomer
        if newcomer.ended or not self._asked:
            self._process(data)
            return
        limit = self._service.config.waiting_bytes
        room = limit - self._bytes
        now, rest = data[:room], data[room:]
        self._bytes += len(now)
        self._process(now)
        if not rest:
            return
        if newcomer.session is not None:
            newcomer.data_received(rest)
        else:
            reason = f"more than {limit:,} bytes before a welcome"
            newcomer.part(Goodbye(UNFRAMEABLE, ErrorCode.TOO_LARGE, reason))
            if not self.answered:
                self._transport.abort()

    def turn_away(self) -> None:
        """Leaves the lobby: others want to come in."""
        reason = "too many connections wait, and this one said no hello"
        self._newcomer.part(Goodbye(_TOO_MANY, ErrorCode.LIMIT_EXCEEDED, reason, reconnect=True))

    def close(self) -> None:
        """Waits no more. A second time nothing happens."""
        self._service.lobby.leave(self)
        if self._hello_due is not None:
            self._hello_due.cancel()

    def cancel(self) -> None:
        """Looks for no key any more."""
        if self._checking is not None:
            self._checking.cancel()
            self._checking = None

    # -- the request

    def _process(self, data: bytes) -> None:
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
            self._newcomer.read(self._held.popleft(), milliseconds())
        self._newcomer.after_reading()

    def _open(self, request: Request, *, again: bool = False) -> None:
        """Answers the request: an upgrade, or why not."""
        try:
            admitted = self._service.admissions.admit(request, final=again)
        except UnknownKey:
            self._look_for_keys(lambda: self._open(request, again=True))
            return
        self.answered = True
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
            self._newcomer.part(admitted.goodbye)
        elif admitted.spoken:
            self._await_hello(admitted.claims)
        elif admitted.claims is not None:
            self._enter(admitted.claims, None)

    # -- hello

    def hear(self, message: bytes) -> None:
        """The first message: hello, or the end."""
        try:
            hello = read_hello(message)
        except Goodbye as goodbye:
            self._newcomer.part(goodbye)
            return
        self._greet(hello)

    def hear_binary(self) -> None:
        """The first message is no hello."""
        reason = "hello is JSON in a text frame"
        self._newcomer.part(Goodbye(_BAD_TOKEN, ErrorCode.BAD_REQUEST, reason))

    def overhear(self, message: bytes) -> bool:
        """The first message of who was greeted as v1: returns whether it is hello, which is answered."""
        try:
            hello = read_hello(message)
        except Goodbye:
            # Something else, or nothing that can be read: the hub answers as to everybody.
            return False
        self._greet(hello)
        return True

    def _await_hello(self, claims: Claims | None) -> None:
        """Waits for hello; without good credentials in the lobby, where there is not room for everybody."""
        self._claims = claims
        if claims is None:
            self._service.lobby.enter(self, self._service.loop.time())
        self._hello_due = Deadline(self._service, self._service.config.hello_seconds, self._miss_hello)

    def _miss_hello(self) -> None:
        seconds = self._service.config.hello_seconds
        reason = f"hello did not come within {seconds:g} s"
        self._newcomer.part(Goodbye(_BAD_TOKEN, ErrorCode.UNAUTHORIZED, reason))

    def _greet(self, hello: ClientRequest, *, again: bool = False) -> None:
        """Answers hello: with welcome, or a refusal."""
        newcomer, service = self._newcomer, self._service
        if newcomer.ended:
            return
        try:
            claims = identify(hello, lambda token: service.authority.verify(token, time.time()), self._claims)
        except InvalidToken as fault:
            if isinstance(fault, UnknownKey) and not again:
                if self._hello_due is not None:
                    # It came in time, and the search has a bound of its own.
                    self._hello_due.cancel()
                self._look_for_keys(lambda: self._greet(hello, again=True))
            else:
                newcomer.part(goodbye_for(fault, hello.id))
            return
        if newcomer.session is None:
            goodbye = service.admissions.closed or service.admissions.too_many(hello.id)
            if goodbye is not None:
                newcomer.part(goodbye)
                return
        self._enter(claims, hello)

    def _enter(self, claims: Claims, hello: ClientRequest | None) -> None:
        self.close()
        self._claims = claims
        self._newcomer.enter(claims, hello)

    # -- a key that is not known yet

    def _look_for_keys(self, then: Callable[[], None]) -> None:
        """Does ``then`` once the keys were looked for; until then nothing is read."""

        async def look() -> None:
            await self._service.authority.fetch()
            self._checking = None
            if not self._newcomer.ended and not self._transport.is_closing():
                then()
                self._go_on()
            if self._checking is None:
                self._intake.release(Hold.UNKNOWN)

        self._checking = self._service.loop.create_task(look())
        self._intake.hold(Hold.UNKNOWN)
