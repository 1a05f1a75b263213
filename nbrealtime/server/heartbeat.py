"""When to ping a connection and when to give it up; no clock of its own.

The face calls `Heartbeat.tick` about as often as `Heartbeat.period` says, with
its clock and the connections. A connection that has not answered a ping when
the next one is due is gone.

The one rule: a loop that ran late does not blame its connections. While a
computation held the interpreter nobody's answer could be read, and a client in
the same process could not even answer; so the lateness is given to everybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

__all__ = ["Heartbeat", "Pulse", "Watched"]

_TICKS: Final = 10
_LONGEST_PERIOD: Final = 1.0


class Pulse:
    """What is known about one connection's life. Times are the face's clock, in seconds."""

    __slots__ = ("answered", "due")

    def __init__(self, due: float) -> None:
        self.due = due
        self.answered = True


class Watched(Protocol):
    """What a connection must be able to do to be watched."""

    pulse: Pulse

    def ping(self) -> None:
        """Asks the other end for a pong; whoever hears it sets ``pulse.answered``."""

    def excused(self) -> bool:
        """Whether the other end could not have answered yet, because what we sent before is still on its way."""

    def give_up(self) -> None:
        """Ends the connection, which did not answer."""


class Heartbeat:
    """Pings every ``interval`` seconds; lateness beyond ``late`` seconds extends every deadline."""

    def __init__(self, interval: float, late: float, now: float) -> None:
        self.interval = interval
        self.period = min(_LONGEST_PERIOD, interval / _TICKS)
        self._late = late
        self._expected = now + self.period

    def start(self, now: float) -> Pulse:
        """Returns the pulse of a connection that begins now."""
        return Pulse(now + self.interval)

    def rest(self, now: float) -> None:
        """Says that there was nothing to watch until now: the pause was no lateness."""
        self._expected = now + self.period

    def tick(self, now: float, connections: Iterable[Watched]) -> float:
        """Pings who is due and ends who did not answer; returns when to call again."""
        lateness = now - self._expected
        self._expected = now + self.period
        if lateness > self._late:
            for connection in connections:
                connection.pulse.due += lateness
            return self._expected
        for connection in connections:
            pulse = connection.pulse
            if now < pulse.due:
                continue
            pulse.due = now + self.interval
            if pulse.answered:
                pulse.answered = False
                connection.ping()
            elif not connection.excused():
                connection.give_up()
        return self._expected
