"""Times, and a column for each field, in circles of memory that grow with what arrives.

Pure; ``Ring`` holds its lock while it calls. The rule: *an index counts from the oldest sample that is kept*, wherever in
memory that stands. A message asks a dozen times how many rows there are and which is the newest: ``count``, ``size``,
``names`` and ``newest`` are plain attributes.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping

import numpy as np

from nbrealtime.live.samples.bands import Floats

__all__ = ["Columns"]

_FIRST_ALLOCATION = 1024


class Columns:
    """Rows of a time and a value for each of ``names``; the oldest go first."""

    def __init__(self) -> None:
        self._times: Floats = np.empty(0, dtype=np.float64)
        self._clock = self._times.data
        """The same times, for whoever wants single ones: numpy makes an object of its own for each."""
        self._columns: dict[str, Floats] = {}
        self.known = self._columns.keys()
        """Which columns there are."""
        self._start = 0  # where the oldest row stands
        self.count = 0
        """How many rows there are."""
        self.size = 0
        """How many rows there is memory for."""
        self.names: tuple[str, ...] = ()
        """The columns, in the order in which they began."""
        self.newest = -math.inf
        """The newest row's time, -inf while there is none."""

    def __len__(self) -> int:
        return self.count

    @property
    def width(self) -> int:
        """How many columns there are beside the times."""
        return len(self._columns)

    @property
    def nbytes(self) -> int:
        return self._times.nbytes + sum(column.nbytes for column in self._columns.values())

    def add(self, name: str) -> None:
        """Begin a column; it is a gap so far."""
        self._columns[name] = np.full(self.size, np.nan)
        self.names = tuple(self._columns)

    def time(self, index: int) -> float:
        """The time of one row; there must be one."""
        return self._clock[(self._start + index) % self.size]

    def times(self, begin: int, end: int) -> Floats:
        """A copy of the times ``begin`` ≤ index < ``end``."""
        return self._read(self._times, begin, end)

    def column(self, name: str, begin: int, end: int) -> Floats:
        """A copy of one column's values; all gap where there is no such column."""
        column = self._columns.get(name)
        return np.full(end - begin, np.nan) if column is None else self._read(column, begin, end)

    def latest(self, name: str, last: int) -> float | None:
        """The newest finite value of one column among its ``last`` newest, or None."""
        column = self._columns.get(name)
        if column is None or not self.count:
            return None
        newest = float(column[(self._start + self.count - 1) % len(column)])
        if math.isfinite(newest):
            return newest
        values = reversed(self._read(column, max(0, self.count - last), self.count).tolist())
        return next((value for value in values if math.isfinite(value)), None)

    def rows(self, names: Iterable[str], begin: int, end: int) -> tuple[Floats, dict[str, Floats]]:
        """Copies of the times, and of the columns of these names, ``begin`` ≤ index < ``end``."""
        low, high = self._start + begin, self._start + end
        if low >= self.size:
            low, high = low - self.size, high - self.size
        if high <= self.size:
            place, found, columns = slice(low, high), {}, self._columns
            for name in names:
                if name not in columns:
                    break
                found[name] = columns[name][place].copy()
            else:
                return self._times[place].copy(), found
        return self.times(begin, end), {name: self.column(name, begin, end) for name in names}

    def columns(self, begin: int, end: int) -> dict[str, Floats]:
        """A copy of every column's values."""
        return {name: self._read(column, begin, end) for name, column in self._columns.items()}

    def search(self, time: float, side: str, begin: int = 0) -> int:
        """The index of the first row that is not before ``time`` (``"left"``), or that is after it (``"right"``), from ``begin`` on."""
        # Not ``np.searchsorted``: it lets go of the interpreter.
        bisect = bisect_left if side == "left" else bisect_right
        times, size, start, end = self._clock, self.size, self._start, self._start + self.count
        low = start + begin
        if low >= size:
            start, low, end = start - size, low - size, end - size
        if end > size:
            if times[0] < time or (side == "right" and times[0] == time):
                start, low, end = start - size, 0, end - size
            else:
                end = size
        return bisect(times, time, low, end) - start

    def extend(self, times: Floats, columns: Mapping[str, Floats], capacity: int) -> bool:
        """Put rows behind the newest, and keep ``capacity``; return whether any fell out. A column without values is a gap."""
        new = len(times)
        fell = new > capacity
        if fell:
            times = times[-capacity:]
            columns = {name: column[-capacity:] for name, column in columns.items()}
            new = capacity
        count = self.count + new
        if count > self.size < capacity:
            self.resize(min(capacity, max(_FIRST_ALLOCATION, 2 * self.size, count)))
        size = self.size
        if count > size:
            fell = True
            self._start = (self._start + count - size) % size
            count = size
        low = (self._start + count - new) % size
        high = low + new
        if high <= size:
            self._times[low:high] = times
            for name, column in self._columns.items():
                column[low:high] = columns.get(name, np.nan)
        else:
            self._write_around(low, times, columns)
        self.count = count
        if new:
            self.newest = times.item(-1)
        return fell

    def cut(self, end: int) -> None:
        """Forget the rows from index ``end`` on."""
        self.count = end
        self.newest = self.time(end - 1) if end else -math.inf

    def clear(self) -> None:
        """Forget every row; the columns and their memory stay."""
        self._start = self.count = 0
        self.newest = -math.inf

    def resize(self, size: int) -> None:
        """Have memory for ``size`` rows, of which the newest stay."""
        keep = min(self.count, size)

        def resized(column: Floats) -> Floats:
            fresh = np.empty(size, dtype=np.float64)
            fresh[:keep] = self._read(column, self.count - keep, self.count)
            return fresh

        times = resized(self._times)
        self._columns.update({name: resized(column) for name, column in self._columns.items()})
        self._times, self._clock = times, times.data
        self.size, self._start, self.count = size, 0, keep

    def _read(self, column: Floats, begin: int, end: int) -> Floats:
        if end <= begin:
            return np.empty(0, dtype=np.float64)
        size = self.size
        low, high = self._start + begin, self._start + end
        if low >= size:
            low, high = low - size, high - size
        if high <= size:
            return column[low:high].copy()
        return np.concatenate((column[low:], column[: high - size]))

    def _write_around(self, low: int, times: Floats, columns: Mapping[str, Floats]) -> None:
        """Put rows where memory ends, and go on where it begins."""
        head = self.size - low
        rest = len(times) - head
        self._times[low:], self._times[:rest] = times[:head], times[head:]
        for name, column in self._columns.items():
            values = columns.get(name)
            if values is None:
                column[low:] = column[:rest] = np.nan
            else:
                column[low:], column[:rest] = values[:head], values[head:]
