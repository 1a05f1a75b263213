"""How many messages per second a topic carries, fast or slow, without a timer.

``Rate`` is pure: the time is an argument. Adding and reading may happen on different threads.
"""

from __future__ import annotations

from collections import deque

__all__ = ["Rate"]

_GRAIN = 0.25  # s; arrivals within it share an entry
_SHORT, _LONG = 5.0, 60.0  # s
_FEW = 5  # fewer than these in the short window are no measurement of a slow stream


class Rate:
    """Counts arrivals over the last 5 s, or the last minute for slow streams; falls as soon as they stop."""

    def __init__(self) -> None:
        self._entries: deque[tuple[float, int]] = deque(maxlen=int(_LONG / _GRAIN) + 1)
        self._first: float | None = None

    def add(self, count: int, now: float) -> None:
        """Count ``count`` arrivals at ``now`` (s, monotonic)."""
        if self._first is None:
            self._first = now
        entries = self._entries
        if entries and now - entries[-1][0] < _GRAIN:
            entries[-1] = (entries[-1][0], entries[-1][1] + count)
        else:
            entries.append((now, count))

    def at(self, now: float) -> float:
        """Return arrivals per second as of ``now``."""
        if self._first is None:
            return 0.0
        # A copy, because the client thread may append meanwhile; at most 241 entries.
        entries = list(self._entries)
        known = max(1.0, now - self._first)
        recent = 0
        for time, count in reversed(entries):
            if now - time >= _SHORT:
                break
            recent += count
        if recent >= _FEW:
            return recent / min(_SHORT, known)
        older = sum(count for time, count in entries if now - time < _LONG)
        # A stream that stopped cannot be faster than one message since the last one.
        return min(older / min(_LONG, known), 1 / max(now - entries[-1][0], _GRAIN))
