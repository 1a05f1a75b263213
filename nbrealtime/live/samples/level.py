"""One level of a ``Pyramid``: the bins of one width, in order, as many as it has room for.

Pure. ``Pyramid`` puts bins in and takes them out; the rule here is that *a bin is the sum of what was put in*: putting
in the same index again adds to it, wherever in time it lies, so that a sample that comes late needs no repair.
"""

from __future__ import annotations

import math
from bisect import bisect_left

import numpy as np

from nbrealtime.live.samples.bands import HIGH, LOW, SUM, Indices, Stats, combine

__all__ = ["Level"]

_FIRST_ROWS = 64
_SLACK = 4  # a quarter more rows than are kept, so that the kept ones are moved rarely


class Level:
    """The bins of width 10^``decade`` seconds. ``reach``: from when on (s) it has every sample that came."""

    __slots__ = ("_end", "_index", "_start", "_stats", "capacity", "decade", "folded", "reach", "width")

    def __init__(self, decade: int, fields: int, capacity: int, *, reach: float = -math.inf) -> None:
        self.decade = decade
        self.width = float(10**decade) if decade >= 0 else 1 / 10**-decade
        self.capacity = capacity
        self.reach = reach
        self.folded: int | None = None
        """The bins before this index are in the next level, too; None while there is none."""
        self._index: Indices = np.empty(0, dtype=np.int64)
        self._stats: Stats = np.empty((4, fields, 0))
        self._start = self._end = 0

    def __len__(self) -> int:
        return self._end - self._start

    @property
    def nbytes(self) -> int:
        return self._index.nbytes + self._stats.nbytes

    @property
    def first(self) -> int:
        """The oldest bin's index; there must be one."""
        return int(self._index[self._start])

    @property
    def last(self) -> int:
        """The newest bin's index; there must be one."""
        return int(self._index[self._end - 1])

    def rows(self, begin: int | None, end: int | None = None) -> tuple[Indices, Stats]:
        """The bins ``begin`` ≤ index < ``end``: views, to be read before the next ``put``."""
        low = self._start if begin is None else self._at(begin)
        high = self._end if end is None else max(low, self._at(end))
        return self._index[low:high], self._stats[:, :, low:high]

    def put(self, index: Indices, stats: Stats) -> None:
        """Adds bins, their indices increasing."""
        if not len(index):
            return
        if len(self) and index[0] <= self.last:
            at = self._at(int(index[0]))
            if at == self._end - 1 and index[0] == self.last:
                self._add(at, stats[:, :, 0])
                index, stats = index[1:], stats[:, :, 1:]
            else:
                # Among the bins that are there: they come out and go in again with the new ones.
                index = np.concatenate((self._index[at : self._end], index))
                stats = np.concatenate((self._stats[:, :, at : self._end], stats), axis=2)
                order = np.argsort(index, kind="stable")
                index, stats = combine(index[order], stats[:, :, order])
                self._end = at
        self._append(index, stats)

    def set_fields(self, fields: int) -> None:
        """Has so many fields from now on; those that are new have nothing in what is there."""
        have = self._stats.shape[1]
        if fields > have:
            fresh = np.zeros((4, fields - have, self._stats.shape[2]))
            fresh[LOW] = fresh[HIGH] = np.nan
            self._stats = np.concatenate((self._stats, fresh), axis=1)

    def set_capacity(self, capacity: int) -> None:
        """Keeps so many bins from now on; the oldest that have no room go at once."""
        self.capacity = capacity
        if self._evict(0) and len(self):
            self.reach = max(self.reach, self.first * self.width)
        if len(self._index) > self._most:
            self._resize(self._most)

    def _at(self, index: int) -> int:
        # Not `np.searchsorted`: it lets go of the interpreter.
        return bisect_left(self._index, index, self._start, self._end)

    def _add(self, at: int, stats: Stats) -> None:
        here = self._stats[:, :, at]
        here[LOW] = np.fmin(here[LOW], stats[LOW])
        here[HIGH] = np.fmax(here[HIGH], stats[HIGH])
        with np.errstate(over="ignore", invalid="ignore"):
            here[SUM:] += stats[SUM:]

    @property
    def _most(self) -> int:
        return self.capacity + self.capacity // _SLACK

    def _evict(self, more: int) -> bool:
        gone = len(self) + more - self.capacity
        if gone > 0:
            self._start = min(self._end, self._start + gone)
        return gone > 0

    def _append(self, index: Indices, stats: Stats) -> None:
        more = len(index)
        if not more:
            return
        gone = self._evict(more)
        if more > self.capacity:
            index, stats = index[-self.capacity :], stats[:, :, -self.capacity :]
            more = self.capacity
        if self._end + more > len(self._index):
            kept = len(self) + more
            size = len(self._index)
            self._resize(size if kept <= size * 3 // 4 else min(self._most, max(_FIRST_ROWS, 2 * kept)))
        self._index[self._end : self._end + more] = index
        self._stats[:, :, self._end : self._end + more] = stats
        self._end += more
        if gone:
            self.reach = max(self.reach, self.first * self.width)

    def _resize(self, size: int) -> None:
        index, stats = self.rows(None)
        kept = len(index)
        if size != len(self._index):
            self._index = np.empty(size, dtype=np.int64)
            self._stats = np.empty((4, stats.shape[1], size))
        self._index[:kept] = index
        self._stats[:, :, :kept] = stats
        self._start, self._end = 0, kept
