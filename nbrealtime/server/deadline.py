"""A deadline of somebody who has to say something, which a late loop moves.

Used for heads of requests, for hellos, and for goodbyes.

The one rule: while the loop could not read, nobody was late.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

__all__ = ["Clock", "Deadline"]


class Clock(Protocol):
    """Whose time it is."""

    loop: asyncio.AbstractEventLoop

    @property
    def late_seconds(self) -> float:
        """What is worth a notice."""

    @property
    def lateness(self) -> float:
        """By how many seconds the loop ran late so far, in sum."""


class Deadline:
    """Calls ``missed`` after ``seconds`` unless it is cancelled; the loop's lateness comes on top."""

    def __init__(self, clock: Clock, seconds: float, missed: Callable[[], object]) -> None:
        self._clock = clock
        self._missed = missed
        self._arm(seconds)

    def cancel(self) -> None:
        """Ends it. A second time nothing happens."""
        self._handle.cancel()
        # Who waits has the deadline and the deadline has him: a circle that would outlive both.
        self._missed = _nothing

    def _arm(self, seconds: float) -> None:
        self._lateness = self._clock.lateness
        self._handle = self._clock.loop.call_later(seconds, self._fire)

    def _fire(self) -> None:
        # The loop's own account is kept once a second, and not before the first connection.
        late = self._clock.loop.time() - self._handle.when()
        extension = max(
            self._clock.lateness - self._lateness, late if late > self._clock.late_seconds else 0.0
        )
        if extension > 0:
            self._arm(extension)
        else:
            self._missed()


def _nothing() -> None:
    """What a cancelled deadline calls."""
