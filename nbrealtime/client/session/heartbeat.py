"""Whether the server still answers, and how long it takes. Pure.

The one rule: a client whose own loop was late blames itself, not the server.
"""

from __future__ import annotations

from collections import deque
from typing import Final

__all__ = ["PING_SECONDS", "SILENCE_SECONDS", "Heartbeat"]

PING_SECONDS: Final = 25.0
SILENCE_SECONDS: Final = 1.5 * PING_SECONDS
_LATE_SECONDS: Final = 2.0


class Heartbeat:
    """Of one socket after the other: `begin` starts anew."""

    def __init__(self) -> None:
        self.latency: float | None = None
        """The newest round trip in seconds."""
        self._heard_at = 0.0
        self._ping_at = 0.0
        self._interval: float | None = None
        self.silence = SILENCE_SECONDS
        """After so many seconds without a word the server is taken for gone."""
        self._pings: deque[float] = deque(maxlen=16)  # when those were sent that are not answered

    def begin(self, now: float, interval: float | None = None) -> None:
        """The server has accepted; it wants to hear from us every ``interval`` seconds, if it said so."""
        self._heard_at = now
        self._ping_at = now  # at once: the latency is known from the beginning
        self._interval = interval
        self.silence = SILENCE_SECONDS if interval is None else 1.5 * interval
        self._pings.clear()

    def end(self) -> None:
        """The socket is gone."""
        self._pings.clear()
        self.latency = None

    def heard(self, now: float) -> None:
        """Something came, whatever it was: the server lives."""
        self._heard_at = now

    def late(self, seconds: float) -> None:
        """The caller missed the deadline by so much: the server gets that on top."""
        if seconds > _LATE_SECONDS:
            self._heard_at += seconds

    @property
    def deadline(self) -> float:
        """When there is something to do."""
        return min(self._ping_at, self._heard_at + self.silence)

    def is_silent(self, now: float) -> bool:
        """Whether it has been silent for too long."""
        return now >= self._heard_at + self.silence

    def is_due(self, now: float) -> bool:
        """Whether a ping has to be sent now; then it counts as sent."""
        if now < self._ping_at:
            return False
        self._ping_at = now + (PING_SECONDS if self._interval is None else self._interval)
        self.ask(now)
        return True

    def ask(self, now: float) -> None:
        """A ping is sent."""
        self._pings.append(now)

    def pong(self, now: float) -> None:
        """One is answered."""
        if self._pings:
            self.latency = max(now - self._pings.popleft(), 0.0)

    @property
    def is_answered(self) -> bool:
        """Whether every ping was."""
        return not self._pings
