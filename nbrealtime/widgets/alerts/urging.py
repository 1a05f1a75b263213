"""When a page that nobody looks at is told of an alarm, however many alerts flap.

Collaborators: `log.AlertLog` asks for each alarm that somebody wants to be notified of, and comes back when it is
told to.

Pure: times are arguments, in seconds. The one rule: an urged frame tells everything, so one is enough for all that
asked; and who asked is told in the end, of what is so by then.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Final

__all__ = ["APART_SECONDS", "EACH_SECONDS", "Urging"]

APART_SECONDS: Final = 0.5
"""Between any two, for all alerts together."""
EACH_SECONDS: Final = 5.0
"""Between two that one alert asks for."""


class Urging:
    """Says when to urge. Whoever uses it holds a lock of their own."""

    def __init__(self, *, apart: float = APART_SECONDS, each: float = EACH_SECONDS) -> None:
        self._apart = apart
        self._each = each
        self._last = -math.inf
        self._told: dict[Hashable, float] = {}
        self._asked: dict[Hashable, float] = {}  # and from when on they may be told

    def ask(self, alert: Hashable, now: float) -> None:
        """``alert`` has something to tell."""
        self._asked.setdefault(alert, max(now, self._told.get(alert, -math.inf) + self._each))

    def come(self, now: float) -> tuple[bool, float | None]:
        """Returns whether to urge now, and when to come again if something is left to be told."""
        if not self._asked:
            return False, None
        due = max(min(self._asked.values()), self._last + self._apart)
        if now < due:
            return False, due
        self._last = now
        self._told.update(dict.fromkeys(self._asked, now))
        self._asked.clear()
        return True, None

    def forget(self, alert: Hashable) -> None:
        """``alert`` is no more."""
        self._told.pop(alert, None)
        self._asked.pop(alert, None)

    def clear(self) -> None:
        """Nobody is to be told of anything."""
        self._asked.clear()
