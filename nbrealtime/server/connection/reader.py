"""What comes in on a connection: frames made into messages, and handed to the hub on the spot.

No queue, no task, no switch per message. Until there is a session a message is
for the introduction.

The one rule: no turn of the loop reads more than it can write. After the
interpreter was held, a quarter of a megabyte may wait on every connection. Done
in one turn, it would overflow the outbox of a subscriber who reads as fast as
anybody can, since sockets are only written to between the turns; so what a busy
turn brings is put off.
"""

from __future__ import annotations

from typing import Final, Protocol

from websockets.frames import Frame, Opcode

from nbrealtime.hub import Hub, Session
from nbrealtime.server.clock import milliseconds
from nbrealtime.server.connection.core import Core
from nbrealtime.server.connection.fragments import Fragments
from nbrealtime.server.connection.intake import Hold, Intake
from nbrealtime.server.connection.introduction import Introduction
from nbrealtime.server.connection.throttle import Throttle
from nbrealtime.server.flusher import Flusher
from nbrealtime.server.heartbeat import Pulse

__all__ = ["Reader", "Speaker"]

_DATA: Final = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


class Speaker(Protocol):
    """Whose words are read."""

    pulse: Pulse

    def after_reading(self) -> None:
        """Sends what the core has to say about what was read."""


class Reader:
    """Reads one connection.

    Arguments:
        speaker: the connection.
        core: makes bytes into frames.
        hub, flusher: get the messages, and say whether this turn has room for more.
        intake: says no to the transport while something is put off.
        introduction: gets the messages until there is a session.
        throttle: looks at what was read; None for any amount.
    """

    __slots__ = (
        "_closed",
        "_core",
        "_flusher",
        "_fragments",
        "_fresh",
        "_hub",
        "_intake",
        "_introduction",
        "_postponed",
        "_session",
        "_speaker",
        "_throttle",
    )

    def __init__(
        self,
        speaker: Speaker,
        core: Core,
        hub: Hub,
        flusher: Flusher,
        intake: Intake,
        introduction: Introduction,
        throttle: Throttle | None,
    ) -> None:
        self._speaker = speaker
        self._core = core
        self._hub = hub
        self._flusher = flusher
        self._intake = intake
        self._introduction = introduction
        self._throttle = throttle
        self._fragments = Fragments()
        self._session: Session | None = None
        # Whether nothing was said on a v1 connection yet: it may still say hello.
        self._fresh = False
        self._postponed: list[bytes] = []
        self._closed = False

    def begin(self, session: Session, *, fresh: bool) -> None:
        """From now on messages are for the hub; the first of a ``fresh`` one may still be hello."""
        self._session = session
        self._fresh = fresh

    def close(self) -> None:
        """Whatever comes in still, nobody hears it."""
        self._closed = True

    def receive(self, data: bytes, *, anyway: bool = False) -> None:
        """Does what came in: now if this turn has room for it or ``anyway``, else in a later one."""
        if not anyway and (self._postponed or self._flusher.busy):
            self._postpone(data)
            return
        core = self._core
        now = milliseconds()
        message = None if self._closed else core.take_text(data)
        if message is not None:
            self._hear(message, now)
            # The core did not hear of it, and has nothing to say.
            self._flusher.conclude(now)
        else:
            core.receive_data(data)
            for event in core.events_received():
                if isinstance(event, Frame):
                    self.read(event, now)
            self._speaker.after_reading()
        if self._throttle is not None and not self._closed:
            self._throttle.slow_down()

    def catch_up(self, *, anyway: bool = False) -> None:
        """Does what was put off, if this turn has room for it, or ``anyway``."""
        if not self._postponed:
            return
        if self._flusher.busy and not anyway:
            self._flusher.later(self.catch_up)
            return
        data = b"".join(self._postponed)
        self._postponed.clear()
        self.receive(data, anyway=True)
        self._intake.release(Hold.POSTPONED)

    def read(self, frame: Frame, now: int) -> None:
        """Does what one frame says."""
        if self._closed:
            return
        opcode = frame.opcode
        if opcode is Opcode.TEXT and frame.fin:
            self._hear(bytes(frame.data), now)
        elif opcode is Opcode.PONG:
            self._speaker.pulse.answered = True
        elif opcode in _DATA:
            message = self._fragments.add(frame)
            if message is None:
                return
            kind, content = message
            if kind is Opcode.TEXT:
                self._hear(content, now)
            elif self._session is not None:
                self._fresh = False
                self._hub.receive_binary(self._session, now)
            else:
                self._introduction.hear_binary()

    def _hear(self, message: bytes, now: int) -> None:
        session = self._session
        if session is None:
            self._introduction.hear(message)
            return
        if self._fresh:
            self._fresh = False
            if b"hello" in message.lower() and self._introduction.overhear(message):
                return
        self._hub.receive(session, message, now)

    def _postpone(self, data: bytes) -> None:
        """Puts off what came in, and reads no more until it is done."""
        self._postponed.append(data)
        if len(self._postponed) == 1:
            self._intake.hold(Hold.POSTPONED)
            self._flusher.later(self.catch_up)
