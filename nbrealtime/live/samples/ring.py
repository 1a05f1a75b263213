"""The newest numeric samples of one topic: times, and a column for each field; and the older ones as bins.

``Ring`` is filled on the client thread (by ``nbrealtime.live.feed``) and read from anywhere: by the pump
that draws, by ``to_numpy`` in a cell. Every public method takes the one lock, for as long as a copy takes.

What falls out of it stays in its ``Pyramid`` (``nbrealtime.live.samples.pyramid``), coarser and coarser; ``bands``
reads from both. The pyramid is kept whether anybody plots the topic or not, because what fell out before the first
plot could not be had any more. Samples go there by the thousand, or when somebody reads: by the hundred it would cost
as much as the ring.

The rule here: *times strictly increase*, whatever arrives. An equal time is nudged by 1 µs, a sample up to
``LATE_SECONDS`` older than the newest is put where it belongs, an older one is counted in ``late`` and left out.
A plot can therefore search by time, and needs only ``Ring.advance`` to know how far back its picture is wrong.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

import numpy as np

from nbrealtime.live.samples.bands import COUNTED, Band, Floats, band_of, bins, first_bin
from nbrealtime.live.samples.columns import Columns
from nbrealtime.live.samples.glance import Glance
from nbrealtime.live.samples.order import (
    FARTHEST,
    LATE_SECONDS,
    behind_equals,
    from_first_number,
    increasing,
    is_in_order,
    without_late,
)
from nbrealtime.live.samples.pyramid import LEAST_TELLING, Pyramid
from nbrealtime.live.samples.touches import Touches

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

MAX_SAMPLES = 1_000_000
MAX_BYTES = 64 * 1024 * 1024
ROW_BYTES = 16
"""What a sample of one field takes."""
_COARSE_SHARE = 5  # of the bytes one part in so many is for bins
MAX_FIELDS = 1000  # beyond, a payload uses names as data, and each would cost a column

_TELLING = 129  # samples, whose distances are the interval
_MEASURED_FOR = 0.5  # s of a stream's own time

# So many values wait for the pyramid at most: numpy takes 3 ns for each of them, and 100 µs for any.
_FOLDED_AT_ONCE = 65_536


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
        self._kept = Columns()
        self._written = 0
        self._late = 0
        self._lost = False  # whether samples fell out since ``clear``
        self._pyramid = Pyramid(max_bytes=max_bytes // _COARSE_SHARE)
        self._unfolded = 0  # the newest samples that are not in the pyramid yet
        self._touches = Touches()
        self._allot()
        self._interval: float | None = None
        self._measured = -np.inf  # the newest sample's time when the interval was measured

    def __len__(self) -> int:
        return self._kept.count

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that ever carried a number, in order of appearance."""
        with self._lock:
            return self._kept.names

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
            count = self._kept.count
            return self._kept.newest if count else None

    @property
    def oldest(self) -> float | None:
        """The oldest kept sample's time (s since the epoch), or None."""
        with self._lock:
            return self._kept.time(0) if self._kept.count else None

    @property
    def interval(self) -> float | None:
        """The median distance of the newest 129 samples (s), or None below two samples.

        Of a fast stream it is measured anew each half of a second.
        """
        with self._lock:
            count = self._kept.count
            return self._find_interval(count, self._kept.newest) if count else None

    @property
    def nbytes(self) -> int:
        """Bytes allocated now, for samples and bins."""
        with self._lock:
            return self._kept.nbytes + self._pyramid.nbytes

    # Writing: the client thread, through ``Feed``.

    def append(self, times: Floats, columns: Mapping[str, Floats]) -> int:
        """Take in samples: ``times`` (s since the epoch) and columns of the same length; return how many were kept.

        Times may be unsorted; each one's lateness counts from the newest before it. A column without a single
        number makes no new field, nor does one beyond ``MAX_FIELDS``; before the first field, rows without any
        number are nothing at all.
        """
        times = np.asarray(times, dtype=np.float64)
        with self._lock:
            kept = self._kept
            known: dict[str, Floats] = {}
            fresh: list[str] = []
            for name, given in columns.items():
                column = np.asarray(given, dtype=np.float64)
                if column.shape != times.shape:
                    raise ValueError(f"{name!r} has {column.shape} values for {times.shape} times")
                if name not in kept.known:
                    if kept.width + len(fresh) >= MAX_FIELDS or not np.isfinite(column).any():
                        continue
                    fresh.append(name)
                known[name] = column
            came = new = len(times)
            if not came or not (known or kept.width):
                return 0
            if fresh and not kept.width:
                times, known, untimely = from_first_number(times, known)
                self._late += untimely
                new = len(times)
            ordered = is_in_order(times, kept.newest)
            if not ordered:
                times, known = without_late(times, known, kept.newest)
                self._late += new - len(times)
                new = len(times)
            if not new:
                return 0
            for name in fresh:
                # A field begins with a number that is kept.
                if new < came and not np.isfinite(known[name]).any():
                    del known[name]
                    continue
                kept.add(name)
                self._shrink()
            begin = kept.count if ordered else kept.search(float(times.min()), "left")
            direct = begin < kept.count - self._unfolded or self._unfolded + new > self._capacity
            if direct:
                self._fold()
                order = slice(None) if ordered else np.argsort(times, kind="stable")
                self._pyramid.add(times[order], {name: column[order] for name, column in known.items()})
            if ordered:
                touched = times.item(0)
                if kept.extend(times, known, self._capacity):
                    self._lost = True
            else:
                touched = self._merge(begin, times, known)
            if not direct:
                self._unfolded += new
                if self._unfolded > self._most_unfolded:
                    self._fold()
            self._written += new
            self._touches.touch(touched)
            return new

    def bound(self, max_bytes: int) -> None:
        """Keep at most ``max_bytes`` from now on; the oldest samples that have no room go at once."""
        _check_room(max_bytes)
        with self._lock:
            self._max_bytes = max_bytes
            self._pyramid.bound(max_bytes // _COARSE_SHARE)
            self._shrink()

    def clear(self) -> None:
        """Forget the samples; fields, ``written`` and ``late`` stay."""
        with self._lock:
            self._kept.clear()
            self._unfolded = 0
            self._lost = False
            self._pyramid.clear()
            self._measured = -np.inf
            self._touches.touch(-np.inf)

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
            begin, end = 0, self._kept.count
            if since is not None:
                begin = self._kept.search(since, "left")
            if until is not None:
                end = max(begin, self._kept.search(until, "right"))
            begin, end = max(0, begin - spare), min(self._kept.count, end + spare)
            if last is not None:
                begin = max(begin, end - max(0, last))
            return self._kept.rows(self._kept.names if fields is None else tuple(fields), begin, end)

    def latest(self, fields: Iterable[str], last: int) -> list[float | None]:
        """Return the newest finite value of each field among its ``last`` newest samples, or None."""
        with self._lock:
            return [self._kept.latest(name, last) for name in fields]

    def count(self, since: float, until: float) -> int:
        """How many samples there are with ``since <= t <= until``."""
        with self._lock:
            return max(0, self._kept.search(until, "right") - self._kept.search(since, "left"))

    def after(self, time: float) -> float | None:
        """The time of the first sample that is not before ``time``, or None."""
        with self._lock:
            at = self._kept.search(time, "left")
            return self._kept.time(at) if at < self._kept.count else None

    @property
    def extent(self) -> tuple[float, float] | None:
        """From when to when (s since the epoch) anything is kept, as samples or as bins; None while there is nothing."""
        with self._lock:
            return (self._known_since(), self._kept.newest) if self._kept.count else None

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
            if not self._kept.count:
                return {name: bins(np.empty(0), np.empty(0), width) for name in names}
            begin = self._whole_from(since, width)
            # A hair beyond the bins; what does not belong is cut off below.
            first = first_bin(begin, width)
            low = self._kept.search(_before(first, width), "left")
            # For finer bins than it has the pyramid need not even be up to date.
            if self._reach() > begin or not self._is_finer(width):
                self._fold_for_reading()
                reach = self._pyramid.reach(width)
                if reach <= begin or reach < self._reach():
                    index, stats = self._pyramid.read(names, width, since, until)
                    return {name: band_of(index, stats[:, at]) for at, name in enumerate(names)}
            high = self._kept.count
            if until != np.inf:
                high = max(low, self._kept.search((first_bin(until, width) + 1.001) * width, "right"))
            times, columns = self._kept.rows(names, low, high)
        last = np.inf if until == np.inf else first_bin(until, width)
        return {name: _within(bins(times, column, width), first, last) for name, column in columns.items()}

    def tail(
        self, fields: Iterable[str], width: float, since: float, most: int
    ) -> tuple[Floats, dict[str, Floats]] | None:
        """Return the samples from the bin of ``width`` (s) on that holds ``since``: all that is in each of the bins.

        None if that were more than ``most`` samples, if `bands` has such bins at hand or needs them for samples that are
        gone, or if there are times that no bin of ``width`` holds.
        """
        with self._lock:
            kept = self._kept
            count = kept.count
            if not (count and self._is_finer(width) and -FARTHEST <= since <= FARTHEST < COUNTED * width):
                return None
            first = first_bin(since, width)
            if self._lost and kept.time(0) > first * width:
                return None
            # More than that are not looked at.
            low = kept.search(_before(first, width), "left", count - most - 1 if count > most else 0)
            if low == count or count - low > most:
                return None
            # From a hair before the bin, which may belong to the one before.
            while low < count and first_bin(kept.time(low), width) < first:
                low += 1
            if low == count:
                return None
            return kept.rows(fields, low, count)

    def resolution(self, width: float, since: float) -> float:
        """Return the width (s) at which ``bands`` can show all that is kept since then: ``width``, or if need be a greater one."""
        with self._lock:
            if not self._lost or not self._kept.count:
                return width
            if self._reach() <= self._whole_from(since, width):
                return width
            self._fold_for_reading()
            coarser = width
            # The wider a bin, the earlier begins the one that holds `since`.
            while self._pyramid.reach(coarser) > self._whole_from(since, coarser):
                if (wider := self._pyramid.coarser(coarser)) is None:
                    break
                coarser = wider
            return coarser

    def reaches(self, since: float) -> bool:
        """Whether all that is kept since then is kept as samples."""
        with self._lock:
            return not self._kept.count or self._reach() <= max(since, self._known_since())

    def advance(self, mark: int) -> tuple[int, float | None]:
        """Return the new mark, and the earliest time that was touched since ``mark``, or None if nothing was.

        Begin with mark 0. Everything from that time on may differ from what was read before, nothing earlier
        does, except that the oldest samples go when the ring is full. The time is ``-inf`` after ``clear``. It may
        be earlier than necessary for a reader that comes rarely; it is never later.
        """
        with self._lock:
            return self._touches.since(mark)

    def glance(self, mark: int) -> Glance:
        """Return what `advance`, `fields`, `newest`, `interval` and `extent` say now."""
        with self._lock:
            version, touched = self._touches.since(mark)
            kept, lost = self._kept, self._lost
            count = kept.count
            if not count:
                return Glance(version, touched, kept.names, None, None, None, not lost)
            newest = kept.newest
            since = self._known_since() if lost else kept.time(0)
            interval = self._find_interval(count, newest)
            return Glance(version, touched, kept.names, newest, interval, (since, newest), not lost)

    # Below, the caller holds the lock.

    def _fold(self) -> None:
        """Puts what waits into the pyramid."""
        if self._unfolded:
            begin = self._kept.count - self._unfolded
            end = self._kept.count
            self._pyramid.add(self._kept.times(begin, end), self._kept.columns(begin, end))
            self._unfolded = 0

    def _fold_for_reading(self) -> None:
        if self._unfolded >= LEAST_TELLING or self._pyramid.finest is not None:
            self._fold()

    def _find_interval(self, count: int, newest: float) -> float | None:
        if count < 2:
            return None
        if count > _TELLING and 0 <= newest - self._measured < _MEASURED_FOR:
            return self._interval
        times = self._kept.times(max(0, count - _TELLING), count)
        # Not `np.median`: it lets go of the interpreter for a moment, and beside a cell that computes in
        # pure Python whoever lets go has it back after 5 ms.
        distances = sorted(np.diff(times).tolist())
        middle = len(distances) // 2
        if len(distances) % 2:
            self._interval = float(distances[middle])
        else:
            self._interval = float(distances[middle - 1] + distances[middle]) / 2
        self._measured = newest
        return self._interval

    def _reach(self) -> float:
        """From when on every sample that came is here."""
        return self._kept.time(0) if self._lost else -np.inf

    def _known_since(self) -> float:
        oldest = self._kept.time(0)
        coarse = self._pyramid.oldest if self._lost else None
        return oldest if coarse is None else min(oldest, coarse)

    def _whole_from(self, since: float, width: float) -> float:
        """Where the bin begins that holds ``since``, or what is kept."""
        return max(-np.inf if since == -np.inf else first_bin(since, width) * width, self._known_since())

    def _is_finer(self, width: float) -> bool:
        finest = self._pyramid.finest
        return finest is not None and width < finest * (1 - 1e-9)

    def _allot(self) -> None:
        """Find what there is room for: again whenever there are more fields, or other bounds."""
        width = max(1, self._kept.width)
        room = self._max_bytes - self._max_bytes // _COARSE_SHARE
        self._capacity = max(1, min(self._samples, room // (8 * (1 + width))))
        self._most_unfolded = _FOLDED_AT_ONCE // width

    def _shrink(self) -> None:
        """Gives back what is more than there is room for now."""
        self._allot()
        if self._capacity < self._kept.size:
            if self._capacity < self._kept.count:
                self._lost = True
                if self._capacity < self._unfolded:
                    self._fold()
            self._kept.resize(self._capacity)

    def _merge(self, begin: int, times: Floats, columns: dict[str, Floats]) -> float:
        """Insert samples among those from ``begin`` on; return the earliest time touched."""
        kept, end = self._kept, self._kept.count
        tail = kept.times(begin, end)
        merged = np.concatenate((tail, behind_equals(tail, times)))
        order = np.argsort(merged, kind="stable")
        merged = increasing(merged[order])
        gap = np.full(len(times), np.nan)
        rows = {
            name: np.concatenate((column, columns.get(name, gap)))[order]
            for name, column in kept.columns(begin, end).items()
        }
        kept.cut(begin)
        self._lost |= kept.extend(merged, rows, self._capacity)
        return float(merged[0])


def bytes_for(samples: int) -> int:
    """The ``max_bytes`` with which a ring of one field keeps so many samples."""
    return samples * ROW_BYTES * _COARSE_SHARE // (_COARSE_SHARE - 1) + ROW_BYTES


def _check_room(max_bytes: int) -> None:
    if max_bytes < ROW_BYTES:
        raise ValueError(
            f"a ring has room for at least one sample ({ROW_BYTES} bytes), not {max_bytes} bytes"
        )


def _before(index: int, width: float) -> float:
    """A hair before a bin begins, since k × width is rounded: a thousandth of it, or what a time keeps if that is more."""
    begin = index * width
    return begin - max(0.001 * width, 4e-16 * abs(begin))


def _within(band: Band, first: float, last: float) -> Band:
    """Return the bins ``first`` ≤ index ≤ ``last``; at most one on either side is outside."""
    count = len(band.index)
    if not count:
        return band
    low = int(band.index.item(0) < first)
    high = count - int(count > low and band.index.item(-1) > last)
    if high - low == count:
        return band
    return Band(band.index[low:high], band.low[low:high], band.high[low:high], band.mean[low:high])
