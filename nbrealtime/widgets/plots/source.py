"""A topic in a plot: which of its fields are drawn, how finely, and what of it was sent.

Collaborators: `part.PlotPart` owns the sources of one plot and holds its lock while it calls them; what is read is
`live.samples.ring.Ring`, and `decimate` packs it.

The one rule: *how finely* (points or bins, and how wide) is decided in `Source.look`, for every view; what a single view
asks for (`Source.past`) changes nothing of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

import numpy as np

from nbrealtime.live.samples.bands import Band, Floats
from nbrealtime.live.samples.glance import NOTHING, Glance
from nbrealtime.widgets.missing import missing
from nbrealtime.widgets.plots.decimate import (
    Mode,
    Packed,
    bin_width,
    choose,
    pack_band,
    pack_points,
    pack_samples,
)

__all__ = ["SPARE", "Entry", "FeedLike", "Grain", "Source"]

SPARE: Final = 1.05
"""A view keeps a little more than its window: the left edge must have a line to cut off."""
_SLACK: Final = 5e-7
"""How far (of the window) a sample may be from where a regular series has it: below what 4-byte times keep."""
_ROOM_TO_RETURN: Final = 1.25
"""What was shown coarser for want of samples is shown finer again when they reach back so much further."""
_TELLING: Final = 64
"""So many of the newest samples are looked through for the newest number."""
_LOOKED_FOR: Final = 0.25
"""For so long (s of data) a ring is not asked again how far back its samples reach."""
_FEW: Final = 640
"""So many new samples of a band, of all fields together, travel as they are, at most 5 kB: the browser puts them into bins
in a tenth of the time that the kernel needs."""
_LEAST_BINS: Final = 64
"""A window of fewer bins says less than the samples that there are."""

Entry = Packed
"""One series in a frame: its header and its numbers."""


class RingLike(Protocol):
    """What is read of `live.samples.ring.Ring`."""

    @property
    def newest(self) -> float | None: ...
    @property
    def interval(self) -> float | None: ...
    @property
    def extent(self) -> tuple[float, float] | None: ...
    def glance(self, mark: int) -> Glance: ...
    def tail(
        self, fields: Sequence[str], width: float, since: float, most: int
    ) -> tuple[Floats, Mapping[str, Floats]] | None: ...
    def snapshot(
        self,
        fields: Sequence[str] | None = None,
        last: int | None = None,
        since: float | None = None,
        until: float | None = None,
        *,
        spare: int = 0,
    ) -> tuple[Floats, dict[str, Floats]]: ...
    def bands(
        self, fields: Sequence[str], width: float, since: float = -math.inf, until: float = math.inf
    ) -> Mapping[str, Band]: ...
    def latest(self, fields: Sequence[str], last: int) -> Sequence[float | None]: ...
    def resolution(self, width: float, since: float) -> float: ...
    def reaches(self, since: float) -> bool: ...
    def count(self, since: float, until: float) -> int: ...
    def after(self, time: float) -> float | None: ...


class FeedLike(Protocol):
    """What is read of `live.feed.Feed`; ``strands`` are the single topics of a pattern, or the feed itself."""

    @property
    def name(self) -> str: ...
    @property
    def ring(self) -> RingLike: ...
    @property
    def strands(self) -> Sequence[FeedLike]: ...
    @property
    def untroubled(self) -> int | None: ...
    def status(self) -> Any: ...
    def watch(self, callback: Callable[[], None]) -> Callable[[], None]: ...


class Grain(NamedTuple):
    """How finely a source is sent: as points, or as bins of ``width`` seconds."""

    mode: Mode
    width: float


class _Series:
    """One line of the plot: a field of a topic, and its newest value."""

    __slots__ = ("field", "label", "last")

    def __init__(self, field: str, label: str) -> None:
        self.field = field
        self.label = label
        self.last: float | None = None


class Source:
    """A topic in a plot: its feed, which fields, and how far it was sent.

    Args:
        name: what the legend and the messages call it.
        feed: the topic's feed.
        fields: the fields to draw; None draws all, also those that appear later.
        why: says why the connection brings nothing ("reconnecting, attempt 3"), or "".
    """

    def __init__(
        self,
        name: str,
        feed: FeedLike,
        fields: Sequence[str] | None = None,
        *,
        why: Callable[[], str] = str,
    ) -> None:
        self.name = name
        self.why = why
        self.feed = feed
        self.fields = None if fields is None else tuple(fields)
        self.series: list[_Series] = []
        self._drawn: list[str] = []
        """Their fields."""
        self.mark = 0
        self.seen = NOTHING
        """The ring at the last `see`."""
        self.arrived: float | None = None
        """When its newest sample came, epoch seconds by our clock."""
        self.grain: Grain | None = None
        self._interval: float | None = None
        self._wanted: tuple[float, float, float | None] | None = None
        self._looked = -math.inf
        """The newest sample's time when `look` decided for ``_wanted``: a window, bins and an interval."""
        self._strands: dict[str, Source] = {}
        self._is_strand = False
        self._there: tuple[str, ...] | None = None
        """The ring's fields when it was looked for new ones."""
        self.missing = ""
        """That none of the chosen fields has come, where others have: nothing is seen then."""

    @property
    def is_pattern(self) -> bool:
        """Whether it is drawn as the topics that have appeared, and not itself."""
        feeds = self.feed.strands
        return not (len(feeds) == 1 and feeds[0] is self.feed)

    def strands(self) -> list[Source]:
        """What is drawn of it: itself, or of a pattern a source for each topic that has appeared."""
        if not self.is_pattern:
            return [self]
        for feed in self.feed.strands[len(self._strands) :]:
            strand = Source(feed.name, feed, self.fields, why=self.why)
            # Not every topic of a pattern has a chosen field; one that has not is no line.
            strand._is_strand = True
            self._strands[feed.name] = strand
        return list(self._strands.values())

    def see(self) -> bool:
        """Looks at the ring: what follows speaks of it as it is now. True if fields may have appeared since `discover`."""
        seen = self.feed.ring.glance(self.mark)
        grown = seen.fields != self._there
        if self.fields is not None and (grown or self.missing):
            self.missing = missing(self.name, self.fields, seen.fields)
            if self.missing:
                seen = seen._replace(newest=None, interval=None, extent=None)
        self.seen = seen
        return grown

    def discover(self, labels: dict[str, str], *, several: bool, room: int) -> int:
        """Takes in fields that appeared, at most ``room``; returns how many it took."""
        known = {series.field for series in self.series}
        there = self._there = self.seen.fields
        wanted = there if self.fields is None else self.fields
        new = [name for name in wanted if name not in known and (name in there or not self._is_strand)][:room]
        for name in new:
            self.series.append(_Series(name, self._label(name, labels, several)))
        self._drawn = [series.field for series in self.series]
        return len(new)

    def advance(self, now: float) -> float | None:
        """From when on there is news since the last call, or None; its arrival is noted."""
        self.mark, touched = self.seen.mark, self.seen.touched
        if touched is not None:
            self.arrived = now
        return touched

    def look(self, window: float, width: float) -> bool:
        """Decides how finely it is sent for the newest ``window`` seconds in bins of ``width``; True if that changed."""
        ring, before, seen = self.feed.ring, self.grain, self.seen
        newest, interval = seen.newest, seen.interval
        wanted = (window, width, interval)
        if before is not None and newest is not None and wanted == self._wanted:
            if seen.is_whole and before.width == width:
                return False
            if 0 <= newest - self._looked < min(_LOOKED_FOR, window / _LEAST_BINS):
                return False
        self._wanted, self._looked = wanted, -math.inf if newest is None else newest
        self._interval = interval
        mode = choose(None if before is None else before.mode, window, self._interval, width)
        self.grain = Grain(mode, width)
        if newest is not None:
            # Where the samples do not reach back so far, older ones are had as bins that may be wider.
            room = _ROOM_TO_RETURN if before is not None and before.width > width else 1.0
            wider = ring.resolution(width, newest - room * window)
            if width < wider <= window / _LEAST_BINS:
                self.grain = Grain("band", wider)
        return self.grain != before

    def entries(self, index: int, window: float, touched: float | None = None) -> Sequence[Entry]:
        """What there is from ``touched`` on, series by series, the first one being number ``index``; `look` comes first.

        None: the whole window, which replaces what the browser has.
        """
        ring, newest = self.feed.ring, self.seen.newest
        if newest is None or self.grain is None:
            return []
        mode, width = self.grain
        fields = self._drawn
        since = newest - window * SPARE
        latest: Sequence[float | None] = ()
        columns: Mapping[str, Floats]
        packed: Sequence[Entry]
        if touched is not None:
            reset, interval = False, self._interval
            if since < touched:
                since = touched
        else:
            since, reset, interval = since - 2 * width, True, self.seen.interval
        if mode == "points":
            times, columns = ring.snapshot(fields, since=since)
            packed = pack_points(times, *columns.values(), slack=window * _SLACK)
        elif not reset and (tail := ring.tail(fields, width, since, _FEW // len(fields))) is not None:
            times, columns = tail
            packed = pack_samples(times, *columns.values(), width=width, slack=window * _SLACK)
            ends = [column.item(-1) for column in columns.values()]
            if math.isfinite(sum(ends)):
                latest = ends
        else:
            bands = ring.bands(fields, width, since).values()
            packed = [pack_band(band, width, self._first(band, width) if reset else None) for band in bands]
        for series, value, (header, _) in zip(
            self.series, latest or ring.latest(fields, _TELLING), packed, strict=True
        ):
            if value is not None:
                series.last = value
            header["series"], header["reset"] = index, reset
            header["interval"], header["last"] = interval, series.last
            index += 1
        return packed

    def past(self, index: int, begin: float, end: float, pixels: int) -> tuple[float, list[Entry]]:
        """What is kept from ``begin`` to ``end``, as finely as ``pixels`` can show it; and from when on that is everything."""
        ring = self.feed.ring
        width = bin_width(end - begin, pixels)
        fields = self._drawn
        # Views ask for more than they show, on either side. For the margin's sake nothing is made coarser.
        margin = begin + (end - begin) / 4
        entries: list[Entry] = []
        if ring.reaches(margin) and ring.count(begin, end) * width <= end - begin:
            known = begin if ring.reaches(begin) else margin
            times, columns = ring.snapshot(fields, since=known, until=end, spare=1)
            interval = float(np.median(np.diff(times))) if len(times) > 1 else ring.interval
            entries = pack_points(times, *columns.values(), slack=(end - begin) * _SLACK)
            for header, _ in entries:
                header["interval"] = interval
        else:
            width = ring.resolution(width, margin)
            known = begin if ring.resolution(width, begin) == width else margin
            for band in ring.bands(fields, width, known - width, end + width).values():
                header, body = pack_band(band, width, self._first(band, width))
                header["interval"] = _interval(band, width, ring.interval)
                entries.append((header, body))
        for offset, ((header, _), series) in enumerate(zip(entries, self.series, strict=True)):
            header.update(series=index + offset, reset=True, last=series.last)
        return known, entries

    def _first(self, band: Band, width: float) -> float | None:
        """The time of the first sample in ``band``, as exactly as it is known."""
        if not len(band):
            return None
        begin = float(band.index[0]) * width
        ring = self.feed.ring
        extent, sample = ring.extent, ring.after(begin - 0.001 * width)
        if sample is not None and sample < begin + width and ring.reaches(begin):
            return sample
        return begin if extent is None else max(begin, extent[0])

    def _label(self, field: str, labels: dict[str, str], several: bool) -> str:
        for key in (f"{self.name}.{field}", field, self.name if field == "value" else ""):
            if key in labels:
                return labels[key]
        if field == "value":
            return self.name
        return f"{self.name} {field}" if several else field


def _interval(band: Band, width: float, interval: float | None) -> float | None:
    """The distance of samples in ``band``: theirs now, unless they were so rare then that bins are empty."""
    apart = float(np.median(np.diff(band.index))) if len(band) > 1 else 1.0
    return apart * width if apart > 1 else min(interval or width, width)
