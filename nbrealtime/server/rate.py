"""How often one connection may publish; no clock of its own.

The hub asks `Allowance.take` before each publish of a connection; the face asks
`Allowance.pause` after each reading how long to read nothing, and
`Allowance.overdrawn` whether the end has come.

The one rule: first slow down, then refuse, then part. A burst of one second is
free. Whoever goes on is read more slowly, so that TCP holds him back and
nothing is lost. What was under way already beyond that is refused and told
when to come again. Who goes on all the same is disconnected.
"""

from __future__ import annotations

from typing import Final

__all__ = ["Allowance"]

_BURST_SECONDS: Final = 1.0
# What is taken in advance, and paid by not being read meanwhile. A reading has at most 256 KiB, which can
# be thousands of publishes, and they cannot be put back.
_DEBT_SECONDS: Final = 1.0
_PATIENCE_SECONDS: Final = 5.0


class Allowance:
    """What one connection may still publish.

    Arguments:
        rate: messages/s.
        now: seconds, of any clock that does not go back; so are all times here.
    """

    __slots__ = ("_burst", "_debt", "_refusing", "_seen", "_tokens", "rate")

    def __init__(self, rate: float, now: float) -> None:
        self.rate = rate
        self._burst = max(1.0, rate * _BURST_SECONDS)
        self._debt = max(1.0, rate * _DEBT_SECONDS)
        self._tokens = self._burst
        self._seen = now
        self._refusing: float | None = None

    def __repr__(self) -> str:
        return f"Allowance({self.rate:g}/s, {self._tokens:.1f} left)"

    def take(self, now: float) -> float:
        """Takes one publish; returns 0.0, or after how many seconds it may come again."""
        self._fill(now)
        if self._tokens > -self._debt:
            self._tokens -= 1.0
            return 0.0
        if self._refusing is None:
            self._refusing = now
        # A whole burst later, so that whoever waits as told is not refused at the next message.
        return (self._burst - self._tokens) / self.rate

    def pause(self, now: float) -> float:
        """Returns for how many seconds nothing should be read.

        While something is refused there is no pause: what is on its way is answered, so that its
        sender hears of it.
        """
        self._fill(now)
        if self._refusing is not None or self._tokens >= 0.0:
            return 0.0
        return -self._tokens / self.rate

    def overdrawn(self, now: float) -> bool:
        """Whether it was told to wait and has gone on for seconds."""
        return self._refusing is not None and now - self._refusing > _PATIENCE_SECONDS

    def _fill(self, now: float) -> None:
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._seen) * self.rate)
        self._seen = now
        if self._refusing is not None and self._tokens >= self._burst / 2:
            # It was quiet for a while: it listens.
            self._refusing = None
