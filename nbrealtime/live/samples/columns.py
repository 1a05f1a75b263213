"""Times, and a column for each field, in circles of memory that grow with what arrives.

Pure; ``Ring`` holds its lock while it calls. The rule: *an index counts from the oldest sample that is kept*, wherever in
memory that stands.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping

import numpy as np

from nbrealtime.live.samples.bands import Floats

__all__ = ["Columns"]

_FIRST_ALLOCATION = 1024


class Columns:
    """Rows of a time and a value for each of ``names``; the oldest go first."""

    def __init__(self) -> None:
        self._times: Floats = np.empty(0, dtype=np.float64)
        self._columns: dict[str, Floats] = {}
        self._start = 0  # where the oldest row stands
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._columns)

    @property
    def width(self) -> int:
        """How many columns there are beside the times."""
        return len(self._columns)

    @property
    def size(self) -> int:
        """How many rows there is memory for."""
        return len(self._times)

    @property
    def nbytes(self) -> int:
        return self._times.nbytes + sum(column.nbytes for column in self._columns.values())

    def __contains__(self, name: str) -> bool:
        return name in self._columns

    def add(self, name: str) -> None:
        """Begin a column; it is a gap so far."""
        self._columns[name] = np.full(len(self._times), np.nan)

    def time(self, index: int) -> float:
        """The time of one row; there must be one."""
        return float(self._times[(self._start + index) % len(self._times)])

    def times(self, begin: int, end: int) -> Floats:
        """A copy of the times ``begin`` ≤ index < ``end``."""
        return self._read(self._times, begin, end)

    def column(self, name: str, begin: int, end: int) -> Floats:
        """A copy of one column's values; all gap where there is no such column."""
        column = self._columns.get(name)
        return np.full(end - begin, np.nan) if column is None else self._read(column, begin, end)

    def columns(self, begin: int, end: int) -> dict[str, Floats]:
        """A copy of every column's values."""
        return {name: self._read(column, begin, end) for name, column in self._columns.items()}

    def search(self, time: float, side: str) -> int:
        """The index of the first row that is not before ``time`` (``"left"``), or that is after it (``"right"``)."""
        # Not ``np.searchsorted``: it lets go of the interpreter.
        bisect = bisect_left if side == "left" else bisect_right
        seam, end = len(self._times) - self._start, self._start + self._count
        if self._count <= seam:
            return bisect(self._times, time, self._start, end) - self._start
        if self._times[0] < time or (side == "right" and self._times[0] == time):
            return bisect(self._times, time, 0, self._count - seam) + seam
        return bisect(self._times, time, self._start) - self._start

    def extend(self, times: Floats, columns: Mapping[str, Floats], capacity: int) -> bool:
        """Put rows behind the newest, and keep ``capacity``; return whether any fell out. A column without values is a gap."""
        fell = len(times) > capacity
        if fell:
            times = times[-capacity:]
            columns = {name: column[-capacity:] for name, column in columns.items()}
        new = len(times)
        if self._count + new > len(self._times) < capacity:
            wanted = max(_FIRST_ALLOCATION, 2 * len(self._times), self._count + new)
            self.resize(min(capacity, wanted))
        overflow = self._count + new - len(self._times)
        if overflow > 0:
            fell = True
            self._start = (self._start + overflow) % len(self._times)
            self._count -= overflow
        self._write(self._times, self._count, times, new)
        for name, column in self._columns.items():
            self._write(column, self._count, columns.get(name, np.nan), new)
        self._count += new
        return fell

    def cut(self, end: int) -> None:
        """Forget the rows from index ``end`` on."""
        self._count = end

    def clear(self) -> None:
        """Forget every row; the columns and their memory stay."""
        self._start = self._count = 0

    def resize(self, size: int) -> None:
        """Have memory for ``size`` rows, of which the newest stay."""
        keep = min(self._count, size)

        def resized(column: Floats) -> Floats:
            fresh = np.empty(size, dtype=np.float64)
            fresh[:keep] = self._read(column, self._count - keep, self._count)
            return fresh

        times = resized(self._times)
        self._columns = {name: resized(column) for name, column in self._columns.items()}
        self._times, self._start, self._count = times, 0, keep

    def _read(self, column: Floats, begin: int, end: int) -> Floats:
        size = len(column)
        if end <= begin:
            return np.empty(0, dtype=np.float64)
        low, high = self._start + begin, self._start + end
        if low >= size:
            low, high = low - size, high - size
        if high <= size:
            return column[low:high].copy()
        return np.concatenate((column[low:], column[: high - size]))

    def _write(self, column: Floats, begin: int, values: Floats | float, length: int) -> None:
        size = len(column)
        low = (self._start + begin) % size
        head = min(length, size - low)
        if head == length:
            column[low : low + head] = values
        elif isinstance(values, float):
            column[low:] = column[: length - head] = values
        else:
            column[low:], column[: length - head] = values[:head], values[head:]
