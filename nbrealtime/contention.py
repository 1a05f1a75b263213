"""Whether others want the interpreter: a cell that computes, while our threads run beside it.

Each thread of ours that waits often owns a ``Contention`` and tells it how late it woke up. Pure: the times are
arguments.

What it is for: a thread that asks a busy interpreter for a turn gets it after the switch interval, 5 ms, and takes it
from the cell, which pays for two switches as well. A hundred turns a second are what a cell notices. So while others
want it, whoever can do more in one turn and fewer of them does that; while nobody does, nothing is put off.
"""

from __future__ import annotations

from typing import Final

__all__ = ["Contention"]

BUSY_LATE: Final = 0.002
FREE_LATE: Final = 0.001
"""Wake-ups that are later (s) than the first mean contention, earlier than the second again none."""
_LONGEST: Final = 0.02


class Contention:
    """Judges by how late a thread wakes up from waits of a known length. ``busy``: what it found."""

    __slots__ = ("_late", "busy")

    def __init__(self) -> None:
        self._late = 0.0
        self.busy = False

    def woke(self, late: float) -> None:
        """A wait ended ``late`` seconds after it should have."""
        # Bounded, so that a machine that slept counts as one late wake-up and not as a minute of them.
        if late < 0.0:
            late = 0.0
        elif late > _LONGEST:
            late = _LONGEST
        self._late += (late - self._late) / 8
        if self._late > BUSY_LATE:
            self.busy = True
        elif self._late < FREE_LATE:
            self.busy = False
