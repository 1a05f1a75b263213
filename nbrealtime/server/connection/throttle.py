"""Slows down who publishes more than the server's rate, and parts from who does not listen.

`nbrealtime.server.rate` decides; here it is done, after each reading.

The one rule: who is not read cannot be heard, so he is not blamed for silence
afterwards.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from nbrealtime.server.connection.intake import Hold, Intake
from nbrealtime.server.heartbeat import Pulse
from nbrealtime.server.hello import Goodbye
from nbrealtime.server.rate import Allowance
from nbrealtime.wire.messages import ErrorCode

__all__ = ["Throttle", "Throttled"]

_RATE: Final = 4013


class Throttled(Protocol):
    """Who publishes."""

    pulse: Pulse

    def part(self, goodbye: Goodbye) -> None:
        """Ends the connection, after it was said why."""


class Throttle:
    """Holds one connection to ``rate`` messages/s."""

    __slots__ = ("_allowance", "_intake", "_loop", "_publisher", "_timer")

    def __init__(
        self, publisher: Throttled, rate: float, intake: Intake, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._publisher = publisher
        self._allowance = Allowance(rate, loop.time())
        self._intake = intake
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None

    def take(self, now: int) -> float:
        """The hub's question before a publish: 0, or after how many seconds it may come again."""
        return self._allowance.take(self._loop.time())

    def slow_down(self) -> None:
        """Reads no more for as long as the rate says; ends who does not listen."""
        now = self._loop.time()
        allowance = self._allowance
        if allowance.overdrawn(now):
            reason = f"more than {allowance.rate:g} messages a second, in spite of refusals"
            self._publisher.part(
                Goodbye(_RATE, ErrorCode.RATE_LIMITED, reason, reconnect=True, retry_after=1.0)
            )
            return
        pause = allowance.pause(now)
        if pause > 0 and self._timer is None:
            self._timer = self._loop.call_later(pause, self._speed_up)
            self._intake.hold(Hold.THROTTLED)

    def close(self) -> None:
        """Reads on: there is nothing to hold back any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._intake.release(Hold.THROTTLED)

    def _speed_up(self) -> None:
        self._timer = None
        # It could not be heard meanwhile.
        self._publisher.pulse.heard = self._loop.time()
        self._publisher.pulse.answered = True
        self._intake.release(Hold.THROTTLED)
