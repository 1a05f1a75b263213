"""When to try again: exponential delays with full jitter, then a steady slow rhythm. Pure.

Full jitter (a uniform choice between nothing and the bound) spreads a crowd of
clients that lost the same server best: M. Brooker, "Exponential Backoff and
Jitter", AWS Architecture Blog, 2015.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

__all__ = ["PATIENCE", "SLOW_SECONDS", "delay_after"]

PATIENCE: Final = 10
"""After so many failures in a row the user is told, and the slow rhythm begins."""

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
