"""The newest numeric samples of one topic: times, and a column for each field; and the older ones as bins.

``Ring`` is filled on the client thread (by ``nbrealtime.live.feed``) and read from anywhere: by the pump
that draws, by ``to_numpy`` in a cell. Every public method takes the one lock, for as long as a copy takes.

What falls out of it stays in its ``Pyramid`` (``nbrealtime.live.pyramid``), coarser and coarser; ``bands`` reads from both. The
pyramid is kept whether anybody plots the topic or not, because what fell out before the first plot could not be had
any more. Samples go there by the thousand, or when somebody reads: by the hundred it would cost as much as the ring.

The rule here: *times strictly increase*, whatever arrives. An equal time is nudged by 1 µs, a sample up to
``LATE_SECONDS`` older than the newest is put where it belongs, an older one is counted in ``late`` and left out.
A plot can therefore search by time, and needs only ``Ring.advance`` to know how far back its picture is wrong.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Iterable, Mapping

import numpy as np

from nbrealtime.live.bands import Band, Floats, band_of, bins, first_bin
from nbrealtime.live.pyramid import LEAST_TELLING, Pyramid

__all__ = [
    "LATE_SECONDS",
    "MAX_BYTES",
    "MAX_FIELDS",
    "MAX_SAMPLES",
    "ROW_BYTES",
    "Floats",
    "Ring",
    "bytes_for",
]

LATE_SECONDS = 1.0
MAX_SAMPLES = 1_000_000
MAX_BYTES = 64 * 1024 * 1024
ROW_BYTES = 16
"""What a sample of one field takes."""
_COARSE_SHARE = 5  # of the bytes one part in so many is for bins
MAX_FIELDS = 1000  # beyond, a payload uses names as data, and each would cost a column

_NUDGE = 1e-6
_FIRST_ALLOCATION = 1024
_FOLDED_AT_ONCE = (
    65_536  # values that wait for the pyramid at most; numpy takes 3 ns for each, and 100 µs for any
)
_TOUCHES = 1024  # entries of the log behind ``advance``; thinned, never wrong, when it is full


class Ring:
    """Keeps at most ``samples`` samples, and ``max_bytes`` bytes of them and the bins of older ones; the oldest go first.

    Memory grows geometrically with what arrives, so a topic with ten samples costs kilobytes. A field that
    appears later is NaN before; NaN is a gap. When so many fields appear that a full ring would exceed
    ``max_bytes``, it keeps fewer samples.
    """

    def __init__(self, *, samples: int = MAX_SAMPLES, max_bytes: int = MAX_BYTES) -> None:
        if samples < 1:
            raise ValueError(f"a ring keeps at least one sample, not {samples}")
        _check_room(max_bytes)
        self._samples = samples
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._times: Floats = np.empty(0, dtype=np.float64)
        self._columns: dict[str, Floats] = {}
        self._start = 0  # where the oldest sample stands
        self._count = 0
        self._written = 0
        self._late = 0
        self._lost = False  # whether samples fell out since ``clear``
        self._pyramid = Pyramid(max_bytes=max_bytes // _COARSE_SHARE)
        self._unfolded = 0  # the newest samples that are not in the pyramid yet
        # Versions and earliest touched times, both increasing; see ``advance``.
        self._version = 0
        self._touched_versions: list[int] = []
        self._touched_times: list[float] = []

    def __len__(self) -> int:
        return self._count

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that ever carried a number, in order of appearance."""
        with self._lock:
            return tuple(self._columns)

    @property
    def written(self) -> int:
        """How many samples were ever taken in; never falls, not even with ``clear``."""
        return self._written

    @property
    def late(self) -> int:
        """How many samples came more than ``LATE_SECONDS`` late, or without a usable time, and were left out."""
        return self._late

    @property
    def newest(self) -> float | None:
        """The newest sample's time (s since the epoch), or None."""
        with self._lock:
            return self._time_at(self._count - 1) if self._count else None

    @property
    def oldest(self) -> float | None:
        """The oldest kept sample's time (s since the epoch), or None."""
        with self._lock:
            return self._time_at(0) if self._count else None

    @property
    def interval(self) -> float | None:
        """The median distance of the newest 257 samples (s), or None below two samples."""
        with self._lock:
            if self._count < 2:
                return None
            times = self._read(self._times, max(0, self._count - 257), self._count)
        # Not `np.median`: it lets go of the interpreter for a moment, and beside a cell that computes in
        # pure Python whoever lets go has it back after 5 ms.
        distances = sorted(np.diff(times).tolist())
        middle = len(distances) // 2
        if len(distances) % 2:
            return float(distances[middle])
        return float(distances[middle - 1] + distances[middle]) / 2

    @property
    def nbytes(self) -> int:
        """Bytes allocated now, for samples and bins."""
        with self._lock:
            samples = self._times.nbytes + sum(column.nbytes for column in self._columns.values())
            return samples + self._pyramid.nbytes

    # Writing: the client thread, through ``Feed``.

    def append(self, times: Floats, columns: Mapping[str, Floats]) -> int:
        """Take in samples: ``times`` (s since the epoch) and columns of the same length; return how many were kept.

        Times may be unsorted; each one's lateness counts from the newest before it. A column without a single
        number makes no new field, nor does one beyond ``MAX_FIELDS``; before the first field, rows without any
        number are nothing at all.
        """
        times = np.asarray(times, dtype=np.float64)
        with self._lock:
            known: dict[str, Floats] = {}
            new = 0
            for name, given in columns.items():
                column = np.asarray(given, dtype=np.float64)
                if column.shape != times.shape:
                    raise ValueError(f"{name!r} has {column.shape} values for {times.shape} times")
                if name not in self._columns:
                    if len(self._columns) + new >= MAX_FIELDS or not np.isfinite(column).any():
                        continue
                    new += 1
                known[name] = column
            if not len(times) or not (known or self._columns):
                return 0
            if not self._columns:
                times, known = _from_first_number(times, known)
            newest = self._time_at(self._count - 1) if self._count else -np.inf
            ordered = times[0] > newest and np.isfinite(times[-1]) and bool((times[1:] > times[:-1]).all())
            if not ordered:
                times, known = self._without_late(times, known, newest)
                if not len(times):
                    return 0
            for name in known:
                self._add_field(name)
            touched = float(times[0])
            begin = self._count if ordered else self._search(float(times.min()), "left")
            direct = begin < self._count - self._unfolded or self._unfolded + len(times) > self._capacity()
            if direct:
                self._fold()
                order = slice(None) if ordered else np.argsort(times, kind="stable")
                self._pyramid.add(times[order], {name: column[order] for name, column in known.items()})
            if ordered:
                self._extend(times, known)
            else:
                touched = self._merge(begin, times, known)
            if not direct:
                self._unfolded += len(times)
                if self._unfolded * len(self._columns) > _FOLDED_AT_ONCE:
                    self._fold()
            self._written += len(times)
            self._touch(touched)
            return len(times)

    def bound(self, max_bytes: int) -> None:
        """Keep at most ``max_bytes`` from now on; the oldest samples that have no room go at once."""
        _check_room(max_bytes)
        with self._lock:
            self._max_bytes = max_bytes
            self._pyramid.bound(max_bytes // _COARSE_SHARE)
            if (allowed := self._capacity()) < len(self._times):
                self._resize(allowed)

    def clear(self) -> None:
        """Forget the samples; fields, ``written`` and ``late`` stay."""
        with self._lock:
            self._start = self._count = self._unfolded = 0
            self._lost = False
            self._pyramid.clear()
            self._touch(-np.inf)

    # Reading: any thread.

    def snapshot(
        self,
        fields: Iterable[str] | None = None,
        last: int | None = None,
        since: float | None = None,
        until: float | None = None,
        *,
        spare: int = 0,
    ) -> tuple[Floats, dict[str, Floats]]:
        """Return copies: times, and a column for each of ``fields`` (all by default; NaN is a gap).

        ``last`` keeps the newest so many; ``since`` and ``until`` keep ``since <= t <= until`` (s since the epoch),
        and ``spare`` samples more on either side.
        An unknown field comes as NaN, because a field may be asked for before its first sample.
        """
        with self._lock:
            begin, end = 0, self._count
            if since is not None:
                begin = self._search(since, "left")
            if until is not None:
                end = max(begin, self._search(until, "right"))
            begin, end = max(0, begin - spare), min(self._count, end + spare)
            if last is not None:
                begin = max(begin, end - max(0, last))
            names = tuple(self._columns) if fields is None else tuple(fields)
            out: dict[str, Floats] = {}
            for name in names:
                out[name] = self._column(name, begin, end)
            return self._read(self._times, begin, end), out

    def count(self, since: float, until: float) -> int:
        """How many samples there are with ``since <= t <= until``."""
        with self._lock:
            return max(0, self._search(until, "right") - self._search(since, "left"))

    def after(self, time: float) -> float | None:
        """The time of the first sample that is not before ``time``, or None."""
        with self._lock:
            at = self._search(time, "left")
            return self._time_at(at) if at < self._count else None

    @property
    def extent(self) -> tuple[float, float] | None:
        """From when to when (s since the epoch) anything is kept, as samples or as bins; None while there is nothing."""
        with self._lock:
            return (self._known_since(), self._time_at(self._count - 1)) if self._count else None

    def bands(
        self,
        fields: Iterable[str],
        width: float,
        since: float = -np.inf,
        until: float = np.inf,
    ) -> dict[str, Band]:
        """Return each field's bins of ``width`` (s; 1, 2 or 5 times a power of ten), as far as they can be had.

        They are whole, from the one that holds ``since`` to the one that holds ``until``. What it costs depends on how many they
        are, hardly on how many samples they hold.
        """
        names = list(fields)
        with self._lock:
            if not self._count:
                return {name: bins(np.empty(0), np.empty(0), width) for name in names}
            self._fold_for_reading()
            reach = self._pyramid.reach(width)
            begin = self._whole_from(since, width)
            if reach <= begin or reach < self._reach():
                index, stats = self._pyramid.read(names, width, since, until)
                return {name: band_of(index, stats[:, at]) for at, name in enumerate(names)}
            # A hair beyond the bins, since k × width is rounded; what does not belong is cut off below.
            first = first_bin(begin, width)
            low = self._search((first - 0.001) * width, "left")
            high = self._count
            if until != np.inf:
                high = max(low, self._search((first_bin(until, width) + 1.001) * width, "right"))
            times = self._read(self._times, low, high)
            columns = {name: self._column(name, low, high) for name in names}
        last = np.inf if until == np.inf else first_bin(until, width)
        return {name: _within(bins(times, column, width), first, last) for name, column in columns.items()}

    def resolution(self, width: float, since: float) -> float:
        """Return the width (s) at which ``bands`` can show all that is kept since then: ``width``, or if need be a greater one."""
        with self._lock:
            if not self._lost or not self._count:
                return width
            self._fold_for_reading()
            since = self._whole_from(since, width)
            if self._reach() <= since or self._pyramid.reach(width) <= since:
                return width
            coarser = width
            while (wider := self._pyramid.coarser(coarser)) is not None:
                coarser = wider
                if self._pyramid.reach(coarser) <= since:
                    break
            return coarser

    def reaches(self, since: float) -> bool:
        """Whether all that is kept since then is kept as samples."""
        with self._lock:
            return not self._count or self._reach() <= max(since, self._known_since())

    def advance(self, mark: int) -> tuple[int, float | None]:
        """Return the new mark, and the earliest time that was touched since ``mark``, or None if nothing was.

        Begin with mark 0. Everything from that time on may differ from what was read before, nothing earlier
        does, except that the oldest samples go when the ring is full. The time is ``-inf`` after ``clear``. It may
        be earlier than necessary for a reader that comes rarely; it is never later.
        """
        with self._lock:
            at = bisect_right(self._touched_versions, mark)
            touched = self._touched_times[at] if at < len(self._touched_times) else None
            return self._version, touched

    # Below, the caller holds the lock.

    def _fold(self) -> None:
        """Puts what waits into the pyramid."""
        if self._unfolded:
            begin = self._count - self._unfolded
            columns = {name: self._read(column, begin, self._count) for name, column in self._columns.items()}
            self._pyramid.add(self._read(self._times, begin, self._count), columns)
            self._unfolded = 0

    def _fold_for_reading(self) -> None:
        if self._unfolded >= LEAST_TELLING or self._pyramid.finest is not None:
            self._fold()

    def _reach(self) -> float:
        """From when on every sample that came is here."""
        return self._time_at(0) if self._lost else -np.inf

    def _known_since(self) -> float:
        oldest = self._time_at(0)
        coarse = self._pyramid.oldest if self._lost else None
        return oldest if coarse is None else min(oldest, coarse)

    def _whole_from(self, since: float, width: float) -> float:
        """Where the bin begins that holds ``since``, or what is kept."""
        return max(-np.inf if since == -np.inf else first_bin(since, width) * width, self._known_since())

    def _column(self, name: str, begin: int, end: int) -> Floats:
        column = self._columns.get(name)
        return np.full(end - begin, np.nan) if column is None else self._read(column, begin, end)

    def _capacity(self) -> int:
        row = 8 * (1 + max(1, len(self._columns)))
        return max(1, min(self._samples, (self._max_bytes - self._max_bytes // _COARSE_SHARE) // row))

    def _time_at(self, index: int) -> float:
        return float(self._times[(self._start + index) % len(self._times)])

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
        if isinstance(values, float):
            column[low : low + head] = values
            column[: length - head] = values
        else:
            column[low : low + head] = values[:head]
            column[: length - head] = values[head:]

    def _search(self, time: float, side: str) -> int:
        low, high = 0, self._count
        size = len(self._times)
        # By hand, over the seam: the two halves in ``np.searchsorted`` would need the same case distinction.
        while low < high:
            middle = (low + high) // 2
            at = self._times[(self._start + middle) % size]
            if at < time or (side == "right" and at == time):
                low = middle + 1
            else:
                high = middle
        return low

    def _without_late(
        self, times: Floats, columns: dict[str, Floats], newest: float
    ) -> tuple[Floats, dict[str, Floats]]:
        usable = np.isfinite(times)
        reached = np.fmax.accumulate(np.concatenate(([newest], np.where(usable, times, -np.inf))))[:-1]
        # A difference of two epoch times is only good to 0.2 µs: half a nudge of grace for "up to 1 s".
        with np.errstate(invalid="ignore"):
            usable &= ~(reached - times > LATE_SECONDS + _NUDGE / 2)
        lost = len(times) - int(usable.sum())
        if lost:
            self._late += lost
            times = times[usable]
            columns = {name: column[usable] for name, column in columns.items()}
        return times, columns

    def _add_field(self, name: str) -> None:
        if name in self._columns:
            return
        self._columns[name] = np.full(len(self._times), np.nan)
        if (allowed := self._capacity()) < len(self._times):
            self._resize(allowed)

    def _resize(self, size: int) -> None:
        keep = min(self._count, size)
        if keep < self._count:
            self._lost = True
            if keep < self._unfolded:
                self._fold()

        def resized(column: Floats) -> Floats:
            fresh = np.empty(size, dtype=np.float64)
            fresh[:keep] = self._read(column, self._count - keep, self._count)
            return fresh

        times = resized(self._times)
        self._columns = {name: resized(column) for name, column in self._columns.items()}
        self._times, self._start, self._count = times, 0, keep

    def _extend(self, times: Floats, columns: dict[str, Floats]) -> None:
        capacity = self._capacity()
        if len(times) > capacity:
            self._lost = True
            times = times[-capacity:]
            columns = {name: column[-capacity:] for name, column in columns.items()}
        new = len(times)
        if self._count + new > len(self._times) < capacity:
            wanted = max(_FIRST_ALLOCATION, 2 * len(self._times), self._count + new)
            self._resize(min(capacity, wanted))
        overflow = self._count + new - len(self._times)
        if overflow > 0:
            self._lost = True
            self._start = (self._start + overflow) % len(self._times)
            self._count -= overflow
        self._write(self._times, self._count, times, new)
        for name, column in self._columns.items():
            self._write(column, self._count, columns.get(name, np.nan), new)
        self._count += new

    def _merge(self, begin: int, times: Floats, columns: dict[str, Floats]) -> float:
        """Insert samples among those from ``begin`` on; return the earliest time touched."""
        length = self._count - begin
        tail = self._read(self._times, begin, self._count)
        merged = np.concatenate((tail, _behind_equals(tail, times)))
        order = np.argsort(merged, kind="stable")
        merged = _increasing(merged[order])
        rows: dict[str, Floats] = {}
        for name, column in self._columns.items():
            added = columns.get(name)
            if added is None:
                added = np.full(len(times), np.nan)
            rows[name] = np.concatenate((self._read(column, begin, self._count), added))[order]
        self._count -= length
        self._extend(merged, rows)
        return float(merged[0])

    def _touch(self, time: float) -> None:
        self._version += 1
        # Whoever has not seen a later touch has not seen this one either, so this one speaks for it.
        keep = len(self._touched_times)
        while keep and self._touched_times[keep - 1] >= time:
            keep -= 1
        del self._touched_versions[keep:], self._touched_times[keep:]
        self._touched_versions.append(self._version)
        self._touched_times.append(time)
        if len(self._touched_times) > _TOUCHES:
            # Of each old pair the earlier time and the later version stay: at worst a reader goes back further.
            half = _TOUCHES // 2
            self._touched_versions[:half] = self._touched_versions[1:half:2]
            self._touched_times[:half] = self._touched_times[0:half:2]


def bytes_for(samples: int) -> int:
    """The ``max_bytes`` with which a ring of one field keeps so many samples."""
    return samples * ROW_BYTES * _COARSE_SHARE // (_COARSE_SHARE - 1) + ROW_BYTES


def _check_room(max_bytes: int) -> None:
    if max_bytes < ROW_BYTES:
        raise ValueError(
            f"a ring has room for at least one sample ({ROW_BYTES} bytes), not {max_bytes} bytes"
        )


def _within(band: Band, first: float, last: float) -> Band:
    """Return the bins ``first`` ≤ index ≤ ``last``; at most one on either side is outside."""
    low = int(len(band) > 0 and band.index[0] < first)
    high = len(band) - int(len(band) > low and band.index[-1] > last)
    if (low, high) == (0, len(band)):
        return band
    return Band(band.index[low:high], band.low[low:high], band.high[low:high], band.mean[low:high])


def _from_first_number(times: Floats, columns: dict[str, Floats]) -> tuple[Floats, dict[str, Floats]]:
    """Return the samples from the first one that has a number: a gap before anything is nothing."""
    numbers = np.any([np.isfinite(column) for column in columns.values()], axis=0)
    first = int(np.argmax(numbers))
    return times[first:], {name: column[first:] for name, column in columns.items()}


def _behind_equals(tail: Floats, times: Floats) -> Floats:
    """Return ``times`` with each one that ``tail`` has moved to the end of the run that nudging made of it.

    Without this a third sample of the same time would come to stand between the first and the second.
    """
    if not len(tail):
        return times
    at = np.minimum(np.searchsorted(tail, times), len(tail) - 1)
    equal = tail[at] == times
    if not bool(equal.any()):
        return times
    ends = np.append(np.flatnonzero(np.diff(tail) > 1.5 * _NUDGE), len(tail) - 1)
    run_end: Floats = tail[ends[np.searchsorted(ends, at)]]
    return np.where(equal, run_end, times)


def _increasing(times: Floats) -> Floats:
    """Return sorted ``times`` with equal ones nudged by 1 µs, so that they strictly increase."""
    if bool((times[1:] > times[:-1]).all()):
        return times
    # t[i] = max(times[i], t[i-1] + nudge) is a running maximum once the nudges are taken out; relative to the
    # first time, because an epoch time has no digits to spare for it.
    steps = np.arange(len(times)) * _NUDGE
    relative = times - times[0]
    pushed: Floats = np.maximum.accumulate(relative - steps) + steps
    nudged: Floats = np.where(pushed > relative + _NUDGE / 4, pushed + times[0], times)
    for at in np.flatnonzero(nudged[1:] <= nudged[:-1]) + 1:  # what rounding left equal
        nudged[at] = max(nudged[at], np.nextafter(nudged[at - 1], np.inf))
    return nudged
