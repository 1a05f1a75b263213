"""The columns of a heatmap: arrays over time, binned in time, bounded, as float32.

Collaborators: `part.HeatPart` fills it on the pump thread and sends what it returns;
``js/src/heatmap/columns.ts`` keeps the same in the browser.

Pure: times are arguments. The one rule: a bin's column is the mean of what fell into it, and only
the newest bin still changes, so that a frame carries that one and those that are newer. A bin's number only tells it from
others, for a column is drawn at its time: so columns that come once in a bin's width take turns, wherever they fall.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nbrealtime.live.lists import LONGEST, Singles

__all__ = ["MOST_BINS", "MOST_BYTES", "MOST_ROWS", "HeatGrid", "bin_width"]

MOST_BINS: Final = 1024
"""Columns in a window: about as many as a screen shows."""
MOST_ROWS: Final = LONGEST
MOST_BYTES: Final = 2 * 1024 * 1024
"""Of all columns: a snapshot travels in one frame, and again every 2 s while nobody can be heard."""

Values = Singles


def bin_width(window: float, rows: int) -> float:
    """Returns seconds of a bin, 1-2-5 × 10^k, so that ``window`` of ``rows`` rows keeps within the bounds."""
    bins = max(16, min(MOST_BINS, MOST_BYTES // (4 * max(1, rows))))
    least = window / bins
    power = math.floor(math.log10(least))
    return next(step * 10.0**power for step in (1, 2, 5, 10) if step * 10.0**power >= least * (1 - 1e-9))


_PENDING: Final = 16
_ROUNDED: Final = 2.0**-50
"""How far a quotient of a time and a width may be off: three roundings, and one of whoever added up the times."""
_STRAY: Final = 0.25
"""So far from its turn, in bins, a column may come that is to have a bin of its own."""


class _Bin:
    """What fell into one bin, and its mean.

    Columns wait to be added up until there are several: most bins have one, which needs no arithmetic at all.
    Beside a busy cell each operation on more than 500 numbers costs 5 ms, for numpy lets go of the interpreter.
    """

    __slots__ = ("_count", "_pending", "_sums", "begin", "index", "time")

    def __init__(self, index: int, time: float) -> None:
        self.index = index
        self.begin = self.time = time
        self._pending: list[Values] = []
        self._sums: NDArray[np.float64] | None = None
        self._count: NDArray[np.int64] | None = None

    def add(self, values: Values) -> None:
        self._pending.append(values)
        if len(self._pending) >= _PENDING:
            self._fold()

    def mean(self) -> bytes:
        if self._sums is None and len(self._pending) == 1:
            return self._pending[0].tobytes()
        self._fold()
        if self._sums is None or self._count is None:
            return b""  # no bin is without a column
        with np.errstate(invalid="ignore", divide="ignore"):
            return (self._sums / self._count).astype(np.float32).tobytes()

    def grow(self, rows: int) -> None:
        self._fold()
        if self._sums is not None and self._count is not None:
            self._sums = np.pad(self._sums, (0, rows - len(self._sums)))
            self._count = np.pad(self._count, (0, rows - len(self._count)))

    def _fold(self) -> None:
        if not self._pending:
            return
        columns = np.array(self._pending, dtype=np.float64)
        self._pending.clear()
        known = np.isfinite(columns)
        sums, count = np.where(known, columns, 0.0).sum(axis=0), known.sum(axis=0)
        self._sums = sums if self._sums is None else self._sums + sums
        self._count = count if self._count is None else self._count + count


class HeatGrid:
    """The newest ``window`` seconds of arrays. One thread uses it.

    Args:
        window: seconds that are kept.
    """

    def __init__(self, window: float) -> None:
        self.window = window
        self.rows = 0
        self.width = bin_width(window, 1)
        self.layout = 0
        """Counts up when everything that was sent before is void."""
        self.late = 0
        """Columns that came too late for their bin."""
        self._open: _Bin | None = None
        self._times: deque[float] = deque()
        self._indices: deque[int] = deque()
        self._columns: deque[bytes] = deque()
        self._pauses: deque[float] = deque(maxlen=31)
        self._last: float | None = None
        self._sent = -math.inf

    @property
    def newest(self) -> float | None:
        """The time (s) of the newest column."""
        return self._last

    @property
    def interval(self) -> float | None:
        """The usual pause (s) between two columns that come, not below a bin's width."""
        if not self._pauses:
            return None
        # Sorted, not np.median: that lets go of the interpreter, which costs 5 ms beside a busy cell.
        usual = sorted(self._pauses)[len(self._pauses) // 2]
        return max(usual, self.width)

    def shape(self, rows: int) -> None:
        """Begins anew with columns of ``rows`` values."""
        self.rows = rows
        self.width = bin_width(self.window, rows)
        self._clear()

    def grow(self, rows: int) -> None:
        """Makes room for more rows; the columns so far have gaps there."""
        if rows <= self.rows:
            return
        width = bin_width(self.window, rows)
        if width != self.width:
            # Bins of another width cannot be made of these; it happens at powers of two, and what was is short.
            self.shape(rows)
            return
        hole = np.full(rows - self.rows, np.nan, dtype=np.float32).tobytes()
        self._columns = deque(column + hole for column in self._columns)
        if self._open is not None:
            self._open.grow(rows)
        self.rows = rows
        self.layout += 1
        self._sent = -math.inf

    def add(self, time: float, values: Values) -> None:
        """Adds a column of ``rows`` values at ``time``; NaN is a gap."""
        self.put(self._index(time), time, values)

    def put(self, index: int, time: float, values: Values) -> None:
        """Adds a column to the bin ``index``."""
        if self._last is not None:
            if self._open is not None and index < self._open.index:
                self.late += 1
                return
            if time > self._last:
                self._pauses.append(time - self._last)
        if self._open is not None and self._open.index != index:
            self._seal(self._open)
            self._open = None
        if self._open is None:
            self._open = _Bin(index, time)
            self._trim(time)
        self._open.add(values)
        self._open.time = max(self._open.time, time)
        self._last = max(time, self._last or time)

    def news(self) -> tuple[bytes, bytes, bytes] | None:
        """Returns what a view lacks that had the last `news`: bins (int64), times (float64), columns (float32)."""
        indices = self._all_indices()
        start = len(indices)
        while start > 0 and indices[start - 1] >= self._sent:
            start -= 1
        if start == len(indices):
            return None
        self._sent = indices[-1]
        return self._pack(start)

    def whole(self) -> tuple[bytes, bytes, bytes]:
        """Returns all columns; does not change what the next `news` says."""
        return self._pack(0)

    def _index(self, time: float) -> int:
        """Returns the bin of a column at ``time``."""
        place = time / self.width
        index = math.floor(place + abs(place) * _ROUNDED)
        newest = self._open
        if newest is None:
            return index
        # Once in a width, at the edges of the bins, two would fall into one and leave the next one empty.
        turn = newest.index + 1
        if (
            abs((time - newest.time) / self.width - 1) <= _STRAY
            and turn - _STRAY <= place <= turn + 1 + _STRAY
        ):
            return turn
        # What took its turn a little early began its bin there.
        return newest.index if index == newest.index - 1 and time >= newest.begin else index

    def _all_indices(self) -> list[int]:
        return [*self._indices, self._open.index] if self._open is not None else list(self._indices)

    def _pack(self, start: int) -> tuple[bytes, bytes, bytes]:
        indices = self._all_indices()[start:]
        times = [*self._times, *([self._open.time] if self._open is not None else [])][start:]
        columns = list(self._columns)[start:]
        if self._open is not None:
            columns.append(self._open.mean())
        return (
            np.array(indices, dtype=np.float64).tobytes(),
            np.array(times, dtype=np.float64).tobytes(),
            b"".join(columns),
        )

    def _seal(self, done: _Bin) -> None:
        self._indices.append(done.index)
        self._times.append(done.time)
        self._columns.append(done.mean())

    def _trim(self, now: float) -> None:
        while self._times and self._times[0] < now - self.window - self.width:
            self._times.popleft()
            self._indices.popleft()
            self._columns.popleft()

    def _clear(self) -> None:
        self._open = self._last = None
        self._times.clear()
        self._indices.clear()
        self._columns.clear()
        self._pauses.clear()
        self.layout += 1
        self._sent = -math.inf
