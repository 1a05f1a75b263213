"""When to ask a connection for a sign of life and when to give it up; no clock of its own.

The face calls `Heartbeat.tick` about as often as `Heartbeat.period` says, with
its clock and the connections. A v1 connection is pinged every ``interval``
seconds (a WebSocket ping) and is gone if it has not answered when the next one
is due. A v2 connection is asked with a message, since proxies answer WebSocket
pings themselves, but only after ``ping_interval`` seconds of silence; after 1.5
times that it is gone.

The one rule: a loop that ran late does not blame its connections. While a
computation held the interpreter nobody's answer could be read, and a client in
the same process could not even answer; so what is pending is read first, and the
lateness is given to everybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

__all__ = ["Heartbeat", "Pulse", "Watched"]

_TICKS: Final = 10
_LONGEST_PERIOD: Final = 1.0
_PATIENCE: Final = 1.5


class Pulse:
    """What is known about one connection's life. Times are the face's clock, in seconds.

    Arguments:
        now: when it begins.
        interval: seconds; None watches nothing.
        spoken: the connection is asked with a message, and whatever it says is an answer.
    """

    __slots__ = ("answered", "asked", "due", "heard", "interval", "spoken")

    def __init__(self, now: float, interval: float | None, *, spoken: bool = False) -> None:
        self.interval = interval
        self.spoken = spoken
        self.heard = now
        self.due = now + (interval or 0.0)
        self.answered = True
        # What `heard` was when it was asked: so nobody is asked twice about one silence.
        self.asked: float | None = None


class Watched(Protocol):
    """What a connection must be able to do to be watched."""

    pulse: Pulse

    def ping(self) -> None:
        """Asks the other end for a pong; whoever hears it sets ``pulse.answered``, or ``pulse.heard``."""

    def excused(self) -> bool:
        """Whether the other end could not have answered yet, because what we sent before is still on its way."""

    def give_up(self) -> None:
        """Ends the connection, which did not answer."""


class Heartbeat:
    """Asks v1 connections every ``interval`` seconds, v2 ones after ``ping_interval`` of silence.

    Lateness beyond ``late`` seconds extends every deadline; ``lateness`` is its sum so far.
    """

    def __init__(
        self, interval: float | None, late: float, now: float, *, ping_interval: float | None = None
    ) -> None:
        self.interval = interval
        self.ping_interval = ping_interval
        shortest = min((seconds for seconds in (interval, ping_interval) if seconds), default=_TICKS)
        self.period = min(_LONGEST_PERIOD, shortest / _TICKS)
        self.lateness = 0.0
        self._late = late
        self._expected = now + self.period

    def start(self, now: float, *, spoken: bool = False) -> Pulse:
        """Returns the pulse of a connection that begins now."""
        return Pulse(now, self.ping_interval if spoken else self.interval, spoken=spoken)

    def rest(self, now: float) -> None:
        """Says that there was nothing to watch until now: the pause was no lateness."""
        self._expected = now + self.period

    def tick(self, now: float, connections: Iterable[Watched]) -> float:
        """Asks who is due and ends who did not answer; returns when to call again."""
        lateness = now - self._expected
        self._expected = now + self.period
        if lateness > self._late:
            self.lateness += lateness
            for connection in connections:
                pulse = connection.pulse
                pulse.due += lateness
                pulse.heard = min(now, pulse.heard + lateness)
            return self._expected
        for connection in connections:
            pulse = connection.pulse
            if pulse.interval is None:
                continue
            if pulse.spoken:
                self._listen(connection, pulse, pulse.interval, now)
            elif now >= pulse.due:
                pulse.due = now + pulse.interval
                if pulse.answered:
                    pulse.answered = False
                    connection.ping()
                elif not connection.excused():
                    connection.give_up()
        return self._expected

    def _listen(self, connection: Watched, pulse: Pulse, interval: float, now: float) -> None:
        """Judges a connection that is asked with a message."""
        silence = now - pulse.heard
        if silence >= interval * _PATIENCE:
            if connection.excused():
                pulse.heard = now - interval
            else:
                connection.give_up()
        elif silence >= interval and pulse.asked != pulse.heard:
            pulse.asked = pulse.heard
            connection.ping()
