"""When to try again: exponential delays with full jitter, then a steady slow rhythm. Pure.

Full jitter (a uniform choice between nothing and the bound) spreads a crowd of
clients that lost the same server best: M. Brooker, "Exponential Backoff and
Jitter", AWS Architecture Blog, 2015.

The one rule: a server that accepts and drops at once is failing too. Only a
connection that lasted begins the row of failures anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

__all__ = ["PATIENCE", "SLOW_SECONDS", "STABLE_SECONDS", "Backoff", "delay_after"]

PATIENCE: Final = 10
"""After so many failures in a row the user is told, and the slow rhythm begins."""

STABLE_SECONDS: Final = 10.0
"""A connection that was open for so long has lasted."""

SLOW_SECONDS: Final = 30.0
_FIRST_SECONDS: Final = 1.0


def delay_after(failures: int, random: Callable[[], float]) -> float:
    """Seconds until the next attempt after ``failures`` (≥ 1) in a row; ``random`` is uniform in [0, 1).

    At most 1 s after the first, 2 s after the second, 4, 8, 16, 30, 30 …; from
    the tenth on exactly 30 s: by then the crowd has long been spread.
    """
    if failures >= PATIENCE:
        return SLOW_SECONDS
    return min(SLOW_SECONDS, _FIRST_SECONDS * 2.0 ** (failures - 1)) * random()


class Backoff:
    """The row of failures, and when the next attempt is due."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._connected_at = 0.0
        self.failures = 0
        self.due: float | None = None
        """None while an attempt is made, while connected, and when it is over."""

    def clear(self) -> None:
        """No attempt is due: one is being made, or it is over."""
        self.due = None

    def connected(self, now: float) -> None:
        """An attempt succeeded."""
        self._connected_at = now

    def ended(self, now: float) -> None:
        """The connection is gone; `fail` follows."""
        if now - self._connected_at >= STABLE_SECONDS:
            self.failures = 0

    def fail(self, now: float, *, refused: bool) -> None:
        """One more failure. A server that ``refused`` will not change its mind within a second."""
        self.failures += 1
        self.due = now + (SLOW_SECONDS if refused else delay_after(self.failures, self._random))

    def at(self, moment: float) -> None:
        """The next attempt is due at another moment."""
        self.due = moment

    def hurry(self, now: float) -> None:
        """What is due is due now; the row of failures begins anew."""
        if self.due is not None:
            self.due = now
            self.failures = 0

    @property
    def is_exhausted(self) -> bool:
        """Whether the row is so long that the user has to know."""
        return self.failures >= PATIENCE
