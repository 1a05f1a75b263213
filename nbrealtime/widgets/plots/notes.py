"""What somebody wrote on a plot: texts at times, kept in the kernel and sent with the frames.

Collaborators: `plot.LivePlot.annotate` adds them, `part.PlotPart` puts them in its headers,
``js/src/plot/marks.ts`` draws them.

They are no synced trait, because the natural place to call ``annotate`` is a callback, which may run
beside a busy cell on a thread that must set no trait. The one rule: everything is under the lock, and
never more than `MOST` are kept; the oldest go first.
"""

from __future__ import annotations

import datetime as dt
import math
import numbers
import threading
from collections.abc import Callable
from typing import Any, Final

__all__ = ["MOST", "Annotation", "Notes", "moment"]

MOST: Final = 200
_LONGEST: Final = 500


def moment(value: Any) -> float:
    """Seconds since the epoch of a number or a `datetime` (a naive one is this computer's local time).

    Raises:
        TypeError: ``value`` is neither.
        ValueError: it is not finite.
    """
    if isinstance(value, dt.datetime):
        return value.timestamp()
    if type(value) is not bool and isinstance(value, numbers.Real):
        if not math.isfinite(value):
            raise ValueError(f"a time is finite, not {value!r}")
        return float(value)
    raise TypeError(f"a time is seconds since the epoch or a datetime, not {value!r}")


class Annotation:
    """A text at a time on a plot; `remove` takes it away again."""

    __slots__ = ("_notes", "t", "text")

    def __init__(self, notes: Notes, t: float, text: str) -> None:
        self._notes = notes
        self.t = t
        """Seconds since the epoch."""
        self.text = text

    def remove(self) -> None:
        """Takes it off the plot. Harmless when it is gone."""
        self._notes.remove(self)

    def __repr__(self) -> str:
        return f"Annotation({self.t!r}, {self.text!r})"


class Notes:
    """The annotations of one plot. Everything may be called from any thread."""

    def __init__(self) -> None:
        self.changed: Callable[[], None] = lambda: None
        """Called after each change, without the lock."""
        self._lock = threading.Lock()
        self._kept: list[Annotation] = []
        self._told = True

    def add(self, t: float, text: str) -> Annotation:
        """Keeps a text at ``t``; the oldest one goes when there are too many."""
        made = Annotation(self, t, text[:_LONGEST])
        with self._lock:
            self._kept.append(made)
            del self._kept[:-MOST]
            self._told = False
        self.changed()
        return made

    def remove(self, one: Annotation) -> None:
        """Forgets ``one``."""
        with self._lock:
            kept = [note for note in self._kept if note is not one]
            self._told = self._told and len(kept) == len(self._kept)
            self._kept = kept
        self.changed()

    def clear(self) -> None:
        """Forgets all."""
        with self._lock:
            self._told = self._told and not self._kept
            self._kept = []
        self.changed()

    @property
    def kept(self) -> tuple[Annotation, ...]:
        """What is there, in the order in which it was written."""
        with self._lock:
            return tuple(self._kept)

    def header(self, *, whole: bool) -> dict[str, Any]:
        """What a frame says of them: all, if it is ``whole`` or they changed since a frame told; else nothing."""
        # Without the lock: what changes now is told with the next frame.
        if self._told and not whole:
            return {}
        with self._lock:
            # A snapshot is one view's: the others still have to hear what changed.
            self._told = self._told or not whole
            return {"annotations": [{"t": note.t, "text": note.text} for note in self._kept]}
