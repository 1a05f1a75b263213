"""The past of a topic at coarser and coarser resolution: how low and how high it was, in bins of 10^k seconds.

``Ring`` owns one, feeds it every sample once and reads bands from it, so that a picture costs what its pixels cost,
whatever the window; and what has fallen out of the ring is still here, less and less finely. A level (``Level``) is a
decade of seconds. The widths between, 2 and 5 × 10^k, are put together when they are read, at most five bins for one.

The rules here: *everything adds*. A bin is a sum of samples, so the order in which they come does not matter; a level
hands bins on to the next when there are a few tens, and a reader puts the levels together where they meet: each
sample is counted once. And *the finest bins hold some hundred samples*: finer ones would be no smaller than the
samples, which the ring has. When the rate changes by so much that they do not, a finer level begins, or the finest
goes.

Pure: no lock, no clock. The caller holds the lock of the ring.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from nbrealtime.live.samples.bands import Floats, Indices, Stats, combine, first_bin, indices, measure
from nbrealtime.live.samples.level import Level

__all__ = ["LEAST_TELLING", "Pyramid"]

LEAST_TELLING = 100
"""So many samples tell how fast they come, and so how wide the finest bins are."""

_FINEST, _COARSEST = -6, 6  # 1 µs … 11 days
_PER_BIN = 50  # samples in one of the finest bins when it begins, to ten times as many
_MOST_PER_BIN = 500
_LEAST_PER_BIN = 2
_HAND_ON = 20  # bins' widths of a level that are complete and not in the next
_LEAST_ROWS = 64  # of a level: what waits to be handed on, and something to read


class Pyramid:
    """Keeps bins of samples in at most ``max_bytes``; the finest reach back least.

    With room for less than some tens of bins it keeps nothing.
    """

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._fields: list[str] = []
        self._levels: list[Level] = []  # each ten times as wide as the one before
        self._off = False
        self._began = math.inf
        self._samples = 0  # since it was last judged how many there are in a bin
        self._rows = 0
        # Asked for twice a picture, and another once in some thousand samples.
        self._oldest: float | None = None
        self._has_changed = False

    @property
    def nbytes(self) -> int:
        """Bytes allocated now."""
        return sum(level.nbytes for level in self._levels)

    @property
    def finest(self) -> float | None:
        """The width (s) of the finest bins, or None while there are none."""
        return self._levels[0].width if self._levels else None

    @property
    def oldest(self) -> float | None:
        """From when on (s since the epoch) anything is known, or None."""
        if self._has_changed:
            self._has_changed = False
            first = [level.first * level.width for level in self._levels if len(level)]
            self._oldest = max(self._began, min(first)) if first else None
        return self._oldest

    def bound(self, max_bytes: int) -> None:
        """Keep at most ``max_bytes`` from now on."""
        self._max_bytes = max_bytes
        self._has_changed = True
        self._share()

    def clear(self) -> None:
        """Forget everything."""
        self._has_changed = True
        self._levels = []
        self._off = False
        self._began = math.inf
        self._samples = self._rows = 0

    def add(self, times: Floats, columns: Mapping[str, Floats]) -> None:
        """Take in samples whose times increase; they may lie before what is known, and belong to no bin twice."""
        if self._off or not len(times):
            return
        self._has_changed = True
        if any(name not in self._fields for name in columns):
            self._fields += [name for name in columns if name not in self._fields]
            for level in self._levels:
                level.set_fields(len(self._fields))
            self._share()
        first, last = float(times[0]), float(times[-1])
        self._began = min(self._began, first)
        if not self._levels:
            self._levels = [Level(_decade(len(times), last - first), len(self._fields), 0)]
            self._share()
            if not self._levels:
                return
        base = self._levels[0]
        missing = [name for name in self._fields if name not in columns]
        gap = np.full(len(times), np.nan) if missing else np.empty(0)
        index, stats = measure(indices(times, base.width), [columns.get(name, gap) for name in self._fields])
        newer = not len(base) or index[0] > base.last
        before = len(self._levels)
        self._put(0, index, stats)
        if len(self._levels) != before:
            self._share()
        self._samples += len(times)
        self._rows += len(index) - (not newer)
        if self._samples >= LEAST_TELLING:
            self._judge(last)

    def reach(self, width: float) -> float:
        """From when on (s) bins of ``width`` hold every sample that came; +inf if they are finer than the finest."""
        at = self._level_for(width)
        return math.inf if at is None else self._levels[at].reach

    def coarser(self, width: float) -> float | None:
        """The next width above ``width`` at which there are bins, or None."""
        return next((level.width for level in self._levels if level.width > width * (1 + 1e-9)), None)

    def read(
        self, fields: list[str], width: float, since: float = -math.inf, until: float = math.inf
    ) -> tuple[Indices, Stats]:
        """Bins of ``width`` (s), from the one that holds ``since`` to the one that holds ``until``; none finer than ``finest``."""
        top = self._level_for(width)
        if top is None:
            return np.empty(0, dtype=np.int64), np.empty((4, len(fields), 0))
        base = self._levels[0]
        factor = round(width / base.width)
        begin = None if since == -math.inf else first_bin(since, base.width) // factor
        end = None if until == math.inf else first_bin(until, base.width) // factor + 1
        found: list[tuple[Indices, Stats]] = []
        for at in range(top, -1, -1):
            level = self._levels[at]
            each = round(width / level.width)
            low = None if begin is None else begin * each
            if at < top and level.folded is not None:
                # The rest is in the level above.
                low = level.folded if low is None else max(low, level.folded)
            index, stats = level.rows(low, None if end is None else end * each)
            if len(index):
                found.append((index // each, stats))
        places = [self._fields.index(name) if name in self._fields else -1 for name in fields]
        if not found:
            return np.empty(0, dtype=np.int64), np.empty((4, len(fields), 0))
        if len(found) == 1:
            index, stats = found[0]
        else:
            index = np.concatenate([index for index, _ in found])
            stats = np.concatenate([stats for _, stats in found], axis=2)
        if places != list(range(stats.shape[1])):
            stats = stats[:, places]
            for column, place in enumerate(places):
                if place < 0:
                    stats[:2, column], stats[2:, column] = np.nan, 0
        index, merged = combine(index, stats)
        return index.copy(), merged.copy() if merged is stats else merged

    # -- below: how the levels are kept ---------------------------------------------------

    def _put(self, at: int, index: Indices, stats: Stats) -> None:
        level = self._levels[at]
        # What goes in must not push out what waits to be handed on.
        room = level.capacity - 2 * _HAND_ON
        for begin in range(room, len(index), room):
            self._put(at, index[begin - room : begin], stats[:, :, begin - room : begin])
        if len(index) > room:
            rest = (len(index) - 1) // room * room
            index, stats = index[rest:], stats[:, :, rest:]
        level.put(index, stats)
        if level.folded is None:
            level.folded = int(index[0]) // 10 * 10
        if index[0] < level.folded:
            # Late, and the next level has this time already.
            early = int((index < level.folded).sum())
            self._hand_on(at, index[:early], stats[:, :, :early])
        complete = level.last // 10 * 10
        if complete - level.folded >= _HAND_ON:
            rows = level.rows(level.folded, complete)
            level.folded = complete
            self._hand_on(at, *rows)

    def _hand_on(self, at: int, index: Indices, stats: Stats) -> None:
        decade = self._levels[at].decade + 1
        if decade > _COARSEST or not len(index):
            return
        if at + 1 == len(self._levels):
            # The others give up their part of its room when all of this is in.
            room = max(_LEAST_ROWS, self._capacity(len(self._levels) + 1))
            self._levels.append(Level(decade, len(self._fields), room, reach=self._levels[at].reach))
        self._put(at + 1, *combine(index // 10, stats))

    def _judge(self, now: float) -> None:
        """Begin a finer level, or give up the finest, when its bins hold too many samples or hardly any."""
        each = self._samples / max(1, self._rows)
        base = self._levels[0]
        self._samples = self._rows = 0
        if each > _MOST_PER_BIN and base.decade > _FINEST:
            finer = Level(base.decade - 1, len(self._fields), _LEAST_ROWS, reach=now)
            finer.folded = first_bin(now, finer.width) // 10 * 10
            self._levels.insert(0, finer)
        elif each < _LEAST_PER_BIN and len(self._levels) > 1:
            self._drop_finest()
        self._share()

    def _drop_finest(self) -> None:
        level = self._levels[0]
        if level.folded is not None:
            self._hand_on(0, *level.rows(level.folded))
        del self._levels[0]

    def _share(self) -> None:
        """Give every level the same room; with too little for all, the finest goes."""
        while self._levels:
            capacity = self._capacity(len(self._levels))
            if capacity >= _LEAST_ROWS:
                for level in self._levels:
                    level.set_capacity(capacity)
                return
            if len(self._levels) == 1:
                self._levels, self._off = [], True
            else:
                self._drop_finest()

    def _capacity(self, levels: int) -> int:
        """How many bins each of so many levels has room for; they take a quarter more, see `Level`."""
        return self._max_bytes * 4 // 5 // ((8 + 32 * len(self._fields)) * levels)

    def _level_for(self, width: float) -> int | None:
        """Where the coarsest level stands whose bins make up those of ``width``."""
        found = None
        for at, level in enumerate(self._levels):
            if level.width <= width * (1 + 1e-9):
                found = at
        return found


def _decade(samples: int, span: float) -> int:
    """The least decade whose bins hold ``_PER_BIN`` of ``samples`` that lie in ``span`` seconds."""
    if span <= 0 or samples < 2:
        return 0
    return max(_FINEST, min(_COARSEST, math.ceil(math.log10(_PER_BIN * span / (samples - 1)))))
