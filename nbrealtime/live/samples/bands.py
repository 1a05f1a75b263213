"""Samples to bins: how low, how high, and what they were on the average, for each stretch of time.

``Ring`` and ``Pyramid`` hand out what they keep as a ``Band``; ``nbrealtime.widgets.plots.decimate`` packs it for the
browser.

Pure: arrays in, arrays out. The rules: bins are aligned to the epoch, so that the same samples always make the same
bins; a bin without samples is none, and one of nothing but gaps is NaN; and what has few bins is computed bin by
bin, or side by side, because ``reduceat`` lets go of the interpreter whatever the size, and beside a cell that computes in
pure Python a thread has it back after 5 ms. An operation on at most 500 values keeps it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "COUNTED",
    "Band",
    "Floats",
    "Indices",
    "Stats",
    "band_of",
    "bins",
    "combine",
    "first_bin",
    "indices",
    "measure",
]

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Stats = NDArray[np.float64]
"""Shape (4, fields, bins): least, greatest, sum and number of the finite values; NaN, NaN, 0, 0 without any."""

LOW, HIGH, SUM, COUNT = range(4)

_FEW_BINS = 32
_ONE_BY_ONE = 4  # bins, at which a loop over them is quickest
_BY_HAND = 16  # samples, for which numpy takes longer to begin than Python to be done
COUNTED = 2.0**62  # bins, beyond which an index has no room for their number
_KEPT = 500  # values, up to which numpy keeps the interpreter


@dataclass(frozen=True, slots=True)
class Band:
    """The bins that hold a sample: index, least, greatest and mean value (NaN: nothing finite in it)."""

    index: Indices
    low: Floats
    high: Floats
    mean: Floats

    def __len__(self) -> int:
        return len(self.index)


def first_bin(time: float, width: float) -> int:
    """The index of the bin that holds ``time``."""
    return math.floor(time / width + 1e-9)


def indices(times: Floats, width: float) -> Indices:
    """The indices of the bins that hold ``times``, which increase."""
    places = times / width
    places += 1e-9
    if len(places) and places[0] < 0:
        np.floor(places, out=places)
    # Of what is not negative the conversion takes the floor.
    return places.astype(np.int64)


def bins(times: Floats, values: Floats, width: float) -> Band:
    """Groups samples (times increasing, NaN is a gap) into bins of ``width`` seconds."""
    if len(times) and max(-times[0], times[-1]) >= COUNTED * width:
        # A time in nanoseconds, say, among seconds: in no bin.
        known = np.abs(times) < COUNTED * width
        times, values = times[known], values[known]
    if len(times) <= _BY_HAND:
        return _by_hand(times, values, width)
    index, stats = measure(indices(times, width), [values])
    return band_of(index, stats[:, 0])


def band_of(index: Indices, stats: Stats) -> Band:
    """One field's ``stats`` (4, bins) as a band."""
    count = stats[COUNT]
    if len(count) and np.minimum.reduce(count) == 0:
        count = np.where(count > 0, count, np.nan)
    return Band(index, stats[LOW], stats[HIGH], stats[SUM] / count)


def measure(index: Indices, columns: list[Floats]) -> tuple[Indices, Stats]:
    """The bins of samples whose bins are ``index`` (increasing), for each column."""
    starts = _starts(index)
    stats = np.empty((4, len(columns), len(starts)))
    if not len(starts):
        return index, stats
    few = starts.tolist() if len(starts) <= _ONE_BY_ONE else None
    places = None if few else _places(starts, len(index))
    with np.errstate(over="ignore", invalid="ignore"):
        for field, column in enumerate(columns):
            if few:
                stats[:, field] = _few(column, few)
            elif places is not None:
                _beside(column, places, stats[:, field])
            else:
                _many(column, starts, stats[:, field])
    return index[starts], stats


def combine(index: Indices, stats: Stats) -> tuple[Indices, Stats]:
    """Bins of equal ``index`` (not decreasing) put together."""
    starts = _starts(index)
    if len(starts) == len(index):
        return index, stats
    merged = np.empty((4, stats.shape[1], len(starts)))
    with np.errstate(over="ignore", invalid="ignore"):
        if len(starts) <= _FEW_BINS:
            edges = [*starts.tolist(), len(index)]
            for at, (start, end) in enumerate(pairwise(edges)):
                np.fmin.reduce(stats[LOW, :, start:end], axis=1, out=merged[LOW, :, at])
                np.fmax.reduce(stats[HIGH, :, start:end], axis=1, out=merged[HIGH, :, at])
                np.add.reduce(stats[SUM:, :, start:end], axis=2, out=merged[SUM:, :, at])
        else:
            np.fmin.reduceat(stats[LOW], starts, axis=1, out=merged[LOW])
            np.fmax.reduceat(stats[HIGH], starts, axis=1, out=merged[HIGH])
            np.add.reduceat(stats[SUM:], starts, axis=2, out=merged[SUM:])
    return index[starts], merged


def _starts(index: Indices) -> Indices:
    if not len(index):
        return index
    (changes,) = (index[1:] != index[:-1]).nonzero()
    starts = np.zeros(len(changes) + 1, dtype=np.int64)
    np.add(changes, 1, out=starts[1:])
    return starts


def _many(values: Floats, starts: Indices, out: Stats) -> None:
    # fmin and fmax pass over NaN, and give NaN for a bin of nothing else.
    np.fmin.reduceat(values, starts, out=out[LOW])
    np.fmax.reduceat(values, starts, out=out[HIGH])
    np.add.reduceat(values, starts, out=out[SUM])
    out[COUNT, :-1] = starts[1:] - starts[:-1]
    out[COUNT, -1] = len(values) - starts[-1]
    if not math.isfinite(np.add.reduce(out[SUM])):
        known = np.isfinite(values)
        np.add.reduceat(np.where(known, values, 0.0), starts, out=out[SUM])
        np.add.reduceat(known, starts, out=out[COUNT], dtype=np.float64)


def _places(starts: Indices, size: int) -> Indices | None:
    """Where the values of each bin stand, a row for a bin, filled up with -1; None if that is too much to keep the interpreter."""
    if size > _KEPT:
        return None
    end = np.append(starts[1:], size)
    most = int((end - starts).max())
    if most * len(starts) > _KEPT:
        return None
    places = starts[:, np.newaxis] + np.arange(most)
    places[places >= end[:, np.newaxis]] = -1
    return places


def _beside(values: Floats, places: Indices, out: Stats) -> None:
    """The same, all bins at once."""
    # -1 takes the last value, which is then wiped out; a copy that was one longer would cost as much.
    rows = values[places]
    rows[places < 0] = np.nan
    known = np.isfinite(rows)
    np.fmin.reduce(rows, axis=1, out=out[LOW])
    np.fmax.reduce(rows, axis=1, out=out[HIGH])
    np.add.reduce(np.where(known, rows, 0.0), axis=1, out=out[SUM])
    np.add.reduce(known, axis=1, out=out[COUNT], dtype=np.float64)


def _few(values: Floats, starts: list[int]) -> list[list[float]]:
    """The same, bin by bin."""
    low, high, sums, counts = [], [], [], []
    for start, end in pairwise([*starts, len(values)]):
        part = values[start:end]
        low.append(np.fmin.reduce(part))
        high.append(np.fmax.reduce(part))
        total, count = np.add.reduce(part), end - start
        if not math.isfinite(total):
            known = part[np.isfinite(part)]
            total, count = np.add.reduce(known), len(known)
        sums.append(total)
        counts.append(count)
    return [low, high, sums, counts]


def _by_hand(times: Floats, values: Floats, width: float) -> Band:
    index: list[int] = []
    low: list[float] = []
    high: list[float] = []
    sums: list[float] = []
    counts: list[int] = []
    floor, isfinite = math.floor, math.isfinite
    for time, value in zip(times.tolist(), values.tolist(), strict=True):
        at = floor(time / width + 1e-9)  # `first_bin`, of each sample of each frame
        if not index or index[-1] != at:
            index.append(at)
            low.append(math.nan)
            high.append(math.nan)
            sums.append(0.0)
            counts.append(0)
        if value != value:
            continue
        # A comparison with the NaN of an empty bin is false.
        if not low[-1] <= value:
            low[-1] = value
        if not high[-1] >= value:
            high[-1] = value
        if isfinite(value):
            sums[-1] += value
            counts[-1] += 1
    mean = [total / count if count else math.nan for total, count in zip(sums, counts, strict=True)]
    return Band(np.array(index, dtype=np.int64), np.array(low), np.array(high), np.array(mean))
