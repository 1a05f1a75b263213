"""The recent window of one field as a few dozen bins: what a tile's sparkline is drawn from.

Collaborators: `reading.ReadingPart` owns one and calls it under its lock, on the pump thread;
``js/src/tiles/spark.ts`` draws what `pack` packed.

The one rule: a sample is read once. Bins are kept from frame to frame, and only a sample that
came late has its bin read again; so a tile of a fast topic costs what is new, not its window.
"""

from __future__ import annotations

import math
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from .decimate import bin_width, first_bin

__all__ = ["BINS", "Trend"]

BINS: Final = 120
"""At most so many over the window: a sparkline is seldom wider than twice that."""

_EMPTY: Final = (math.nan, math.nan, math.nan)


class _RingLike(Protocol):
    @property
    def newest(self) -> float | None: ...
    def advance(self, mark: int) -> tuple[int, float | None]: ...
    def snapshot(
        self, fields: tuple[str, ...], *, since: float | None = None
    ) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]: ...


class Trend:
    """Mean, minimum and maximum of the last ``window`` seconds, by bins that are aligned to the epoch."""

    def __init__(self, window: float) -> None:
        self.window = window
        self.width = bin_width(window, BINS)
        self._bins: dict[int, tuple[float, float, float, int]] = {}  # low, high, sum, samples
        self._mark = 0
        self._taken = -math.inf  # the newest time that is in a bin
        self._changed: float = -math.inf  # the first bin that no frame has carried yet; -inf: all, inf: none

    def update(self, ring: _RingLike, field: str) -> None:
        """Takes in what is new."""
        self._mark, touched = ring.advance(self._mark)
        newest = ring.newest
        if touched == -math.inf or newest is None:
            if touched is not None:
                self._bins.clear()
                self._taken = self._changed = -math.inf
            if newest is None:
                return
        if touched is None:
            return
        oldest = newest - self.window
        since = max(touched, oldest)
        if since <= self._taken:
            # Something came late, or a reader that comes rarely is told an early time: the bin anew.
            first = first_bin(since, self.width)
            for index in [index for index in self._bins if index >= first]:
                del self._bins[index]
            since = max(oldest, first * self.width)
        self._add(*_finite(ring.snapshot((field,), since=since), field))
        self._taken = max(self._taken, newest)
        last = first_bin(newest, self.width) - math.ceil(self.window / self.width)
        for index in [index for index in self._bins if index < last]:
            del self._bins[index]
        self._changed = min(self._changed, first_bin(since, self.width))

    def pack(self, *, whole: bool) -> tuple[dict[str, Any], bytes] | None:
        """Returns the bins, all of them or from the first that no frame has carried; None if there are none.

        Three float32 for each bin: mean, minimum, maximum; NaN where nothing was. What is not ``whole`` counts
        as carried.
        """
        if whole:
            first = min(self._bins, default=0)
        else:
            whole, start = self._changed == -math.inf, self._changed
            self._changed = math.inf
            if start == math.inf:
                return None
            first = min(self._bins, default=0) if whole else int(start)
        last = max(self._bins, default=first - 1)
        rows = [_row(self._bins.get(index)) for index in range(first, last + 1)]
        header = {"first": first, "width": self.width, "window": self.window, "whole": whole}
        return header, np.array(rows, dtype=np.float32).tobytes()

    def _add(self, times: NDArray[np.float64], values: NDArray[np.float64]) -> None:
        if not len(times):
            return
        begin = 0
        for index in range(
            first_bin(float(times[0]), self.width), first_bin(float(times[-1]), self.width) + 1
        ):
            # Half a bin of grace would be too much: `first_bin` forgives a billionth of one.
            end = int(times.searchsorted((index + 1 - 1e-9) * self.width))
            if end <= begin:
                continue
            part = values[begin:end]
            low, high, total, samples = self._bins.get(index, (math.inf, -math.inf, 0.0, 0))
            self._bins[index] = (
                min(low, float(part.min())),
                max(high, float(part.max())),
                total + float(part.sum()),
                samples + len(part),
            )
            begin = end


def _finite(
    read: tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]], field: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    times, values = read[0], read[1][field]
    finite = np.isfinite(values)
    return (times, values) if finite.all() else (times[finite], values[finite])


def _row(one: tuple[float, float, float, int] | None) -> tuple[float, float, float]:
    if one is None:
        return _EMPTY
    low, high, total, samples = one
    return total / samples, low, high
