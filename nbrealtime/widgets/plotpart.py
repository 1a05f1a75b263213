"""What a live plot sends: its series, read from the topics' rings, and why nothing comes.

Collaborators: `plot.LivePlot` is the face and owns one `PlotPart`; `decimate` makes
bands and points of samples; `pump` asks for frames on its thread; ``js/src/plot/`` draws.

A frame carries only what changed: bands from the first bin that a new sample touched,
points from the first new one (the ring says from when on, so a sample that came late
and was put where it belongs is repaired by the next frame). A snapshot carries the
whole window. Both may repeat what the browser has; repeating changes nothing.

A topic that follows a pattern is drawn as its strands: a line, or as many as there are
fields, for each topic that has appeared.

The one rule: everything here happens under the part's lock, and nothing under it calls
out or waits.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from .decimate import Mode, bin_width, bins, choose, first_bin, pack_band, pack_points
from .notes import Notes
from .pacing import DEFAULT_WIDTH, Viewing
from .parts import Frame, new_key

__all__ = ["FeedLike", "PlotPart", "Source"]

Floats = NDArray[np.float64]
MAX_SERIES: Final = 1024
SPARE: Final = 1.05
"""A view keeps a little more than its window: the left edge must have a line to cut off."""


class RingLike(Protocol):
    """What is read of `live.ring.Ring`."""

    @property
    def fields(self) -> tuple[str, ...]: ...
    @property
    def newest(self) -> float | None: ...
    @property
    def interval(self) -> float | None: ...
    def advance(self, mark: int) -> tuple[int, float | None]: ...
    def snapshot(
        self, fields: Sequence[str] | None = None, last: int | None = None, since: float | None = None
    ) -> tuple[Floats, dict[str, Floats]]: ...


class FeedLike(Protocol):
    """What is read of `live.feed.Feed`; ``strands`` are the single topics of a pattern, or the feed itself."""

    @property
    def name(self) -> str: ...
    @property
    def ring(self) -> RingLike: ...
    @property
    def strands(self) -> Sequence[FeedLike]: ...
    def status(self) -> Any: ...
    def watch(self, callback: Callable[[], None]) -> Callable[[], None]: ...


class _Series:
    """One line of the plot: a field of a topic, and how it was last sent."""

    __slots__ = ("field", "label", "last", "mode")

    def __init__(self, field: str, label: str) -> None:
        self.field = field
        self.label = label
        self.mode: Mode | None = None
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
        self.mark = 0
        self.arrived: float | None = None
        """When its newest sample came, epoch seconds by our clock."""
        self._strands: dict[str, Source] = {}
        self._is_strand = False

    def strands(self) -> list[Source]:
        """What is drawn of it: itself, or of a pattern a source for each topic that has appeared."""
        feeds = self.feed.strands
        if len(feeds) == 1 and feeds[0] is self.feed:
            return [self]
        for feed in feeds[len(self._strands) :]:
            strand = Source(feed.name, feed, self.fields, why=self.why)
            # Not every topic of a pattern has a chosen field; one that has not is no line.
            strand._is_strand = True
            self._strands[feed.name] = strand
        return list(self._strands.values())

    def discover(self, labels: dict[str, str], *, several: bool, room: int) -> int:
        """Takes in fields that appeared, at most ``room``; returns how many it took."""
        known = {series.field for series in self.series}
        there = self.feed.ring.fields
        wanted = there if self.fields is None else self.fields
        new = [name for name in wanted if name not in known and (name in there or not self._is_strand)][:room]
        for name in new:
            self.series.append(_Series(name, self._label(name, labels, several)))
        return len(new)

    def _label(self, field: str, labels: dict[str, str], several: bool) -> str:
        for key in (f"{self.name}.{field}", field, self.name if field == "value" else ""):
            if key in labels:
                return labels[key]
        if field == "value":
            return self.name
        return f"{self.name} {field}" if several else field


class PlotPart:
    """The stream of one plot; see the module's docstring."""

    kind: Final = "plot"
    max_hz: Final = 60.0

    def __init__(
        self, sources: Sequence[Source], *, window: float, labels: dict[str, str] | None = None
    ) -> None:
        self.key = new_key("plot")
        self._lock = threading.Lock()
        self.notes = Notes()
        self.marks: Callable[..., dict[str, Any]] = _no_marks
        """What alerts put into a frame's header: ``marks(whole=…)``, as `Notes.header` does."""
        self._given = tuple(sources)
        self._sources = self._drawn()
        self.names = tuple(dict.fromkeys(source.name for source in sources))
        self._labels = dict(labels or {})
        self._window = window
        self._bin = bin_width(window, DEFAULT_WIDTH)
        self._reset = True
        self._closed_at: float | None = None
        self._frozen: Frame | None = None

    # -- any thread -------------------------------------------------------------------

    def resize(self, window: float) -> None:
        """The window (s) is another one from the next frame on."""
        with self._lock:
            self._window = window
            self._reset = True

    def close(self, now: float) -> bool:
        """Keeps the last picture and reads no ring any more; False if it was closed before."""
        with self._lock:
            if self._closed_at is not None:
                return False
            self._freeze(now)
            return True

    @property
    def state(self) -> str:
        """``empty``, ``live``, ``stale`` or ``closed``, by the same rules as in the browser."""
        with self._lock:
            if self._closed_at is not None:
                return "closed"
            self._sources = self._drawn()
            newest = [source.feed.ring.newest for source in self._sources]
            if all(time is None for time in newest):
                return "empty"
            age = self._age(time.time())
            intervals = [source.feed.ring.interval or 0.0 for source in self._sources]
            live = any(str(_text(source.feed.status().state)) == "live" for source in self._given)
            return "live" if live and age is not None and age < max(5.0, 5 * max(intervals)) else "stale"

    @property
    def newest(self) -> float | None:
        """The newest sample's time (s); None before the first, and None once closed."""
        with self._lock:
            times = [source.feed.ring.newest for source in self._drawn()]
        return max((time for time in times if time is not None), default=None)

    # -- the pump thread --------------------------------------------------------------

    def frame(self, now: float, viewing: Viewing) -> Frame | None:
        """What changed since the last frame; everything, once, when the window or the width did."""
        with self._lock:
            if self._closed_at is not None:
                return self._stopped()
            if all(_text(source.feed.status().state) == "closed" for source in self._given):
                self._freeze(now)
                return self._stopped()
            self._look(viewing)
            if self._reset:
                self._reset = False
                return self._whole(now)
            return self._news(now)

    def snapshot(self, now: float, viewing: Viewing) -> Frame | None:
        """The whole window."""
        with self._lock:
            if self._closed_at is not None:
                return self._stopped()
            # How finely is decided for everybody in `frame`, so that one tab's hello does not make two
            # tabs disagree about the bins of the frames that follow.
            if self._reset:
                self._look(viewing)
            return self._whole(now)

    def told(self, content: dict[str, Any]) -> None:
        """Nothing yet that a view could ask for."""

    # -- below, the caller holds the lock ---------------------------------------------

    def _freeze(self, now: float) -> None:
        header, buffers = self._whole(now)
        self._frozen = {**header, "closed": int(now * 1000)}, buffers
        self._closed_at = now
        # The picture is kept, a ring of 64 MiB behind it is not.
        self._given = self._sources = ()

    def _stopped(self) -> Frame | None:
        """The last picture, with what was written on it since."""
        if self._frozen is None:
            return None
        header, buffers = self._frozen
        return {**header, **self.notes.header(whole=True)}, buffers

    def _drawn(self) -> tuple[Source, ...]:
        return tuple(strand for source in self._given for strand in source.strands())

    def _look(self, viewing: Viewing) -> None:
        width = bin_width(self._window, max(64, viewing.width))
        if width != self._bin:
            self._bin = width
            self._reset = True

    def _age(self, now: float) -> float | None:
        """Seconds since the newest sample came."""
        arrivals = []
        for source in self._sources:
            arrived = source.arrived
            if arrived is None and source.feed.ring.newest is not None:
                arrived = source.feed.status().timestamp
            if arrived is not None:
                arrivals.append(max(0.0, now - arrived))
        return min(arrivals, default=None)

    def _whole(self, now: float) -> Frame:
        self._discover()
        entries: list[dict[str, Any]] = []
        bodies: list[bytes] = []
        newest = max(
            (t for t in (source.feed.ring.newest for source in self._sources) if t is not None), default=None
        )
        index = 0
        for source in self._sources:
            if source.mark == 0:
                # What is older than the plot has no arrival that we saw.
                source.mark, _ = source.feed.ring.advance(0)
            if newest is not None and source.series:
                since = newest - self._window * SPARE - 2 * self._bin
                self._entries(source, index, since, True, entries, bodies)
            index += len(source.series)
        return self._pack(now, entries, bodies, whole=True)

    def _news(self, now: float) -> Frame:
        fresh = self._discover()
        entries: list[dict[str, Any]] = []
        bodies: list[bytes] = []
        if fresh:
            # A new field moves the indices of the series behind it: everybody starts anew.
            for source in self._sources:
                self._advance(source, now)
            return self._whole(now)
        index = 0
        for source in self._sources:
            touched = self._advance(source, now)
            if touched == -math.inf:
                return self._whole(now)
            # Without a series: its first field came after we looked, and is found the next time.
            if touched is not None and source.series:
                newest = source.feed.ring.newest
                oldest = -math.inf if newest is None else newest - self._window * SPARE
                self._entries(source, index, max(touched, oldest), False, entries, bodies)
            index += len(source.series)
        return self._pack(now, entries, bodies, whole=False)

    def _advance(self, source: Source, now: float) -> float | None:
        source.mark, touched = source.feed.ring.advance(source.mark)
        if touched is not None:
            source.arrived = now
        return touched

    def _discover(self) -> bool:
        self._sources = self._drawn()
        several = len(self._sources) > 1 or self._sources != self._given
        before = room = MAX_SERIES - sum(len(source.series) for source in self._sources)
        for source in self._sources:
            room -= source.discover(self._labels, several=several, room=room)
        return room < before

    def _entries(
        self,
        source: Source,
        index: int,
        since: float,
        reset: bool,
        entries: list[dict[str, Any]],
        bodies: list[bytes],
    ) -> None:
        """Adds what ``source`` has from ``since`` on, series by series."""
        ring, width = source.feed.ring, self._bin
        interval = ring.interval
        mode = choose(source.series[0].mode, self._window, interval, width)
        if source.series[0].mode not in (None, mode) and not reset:
            # From points to a band or back: the browser has the other kind of the whole window.
            newest = ring.newest
            since = -math.inf if newest is None else newest - self._window * SPARE
            reset = True
        first = first_bin(since, width) if math.isfinite(since) else None
        if mode == "band" and first is not None:
            # A hair earlier than the bin begins, since k × width is rounded; what is before is cut off below.
            since = (first - 0.001) * width
        times, columns = ring.snapshot([series.field for series in source.series], since=since)
        for offset, series in enumerate(source.series):
            values = columns[series.field]
            series.mode = mode
            if mode == "points":
                header, body = pack_points(times, values)
            else:
                band = bins(times, values, width)
                if first is not None and len(band) and band.index[0] < first:
                    band = type(band)(band.index[1:], band.low[1:], band.high[1:], band.mean[1:])
                header, body = pack_band(band, width)
            finite = np.flatnonzero(np.isfinite(values[-64:]))
            if len(finite):
                series.last = float(values[-64:][finite[-1]])
            first_time = float(times[0]) if len(times) else None
            header.update(
                first=first_time, series=index + offset, reset=reset, interval=interval, last=series.last
            )
            entries.append(header)
            bodies.append(body)

    def _reason(self, statuses: Sequence[Any]) -> str:
        """Why nothing comes, by the first topic that has a reason."""
        for source, status in zip(self._given, statuses, strict=True):
            state = _text(status.state)
            if state == "refused":
                return f"{source.name}: {status.error or 'refused'}"
            if state == "closed":
                return f"{source.name} is closed"
            if state != "live" and (why := source.why()):
                return why
            if status.numeric is not False and status.reason:
                return str(status.reason) if len(self._given) == 1 else f"{source.name} {status.reason}"
        return ""

    def _pack(self, now: float, entries: list[dict[str, Any]], bodies: list[bytes], *, whole: bool) -> Frame:
        statuses = [source.feed.status() for source in self._given]
        newest = [t for t in (source.feed.ring.newest for source in self._sources) if t is not None]
        header: dict[str, Any] = {
            "whole": whole,
            "window": self._window,
            "newest": max(newest, default=None),
            "age": self._age(now),
            "connected": any(_text(status.state) == "live" for status in statuses),
            "reason": self._reason(statuses),
            "text": _text_for_undrawable(statuses),
            "count": sum(status.count for status in statuses),
            "data": entries,
            **self.notes.header(whole=whole),
            **self.marks(whole=whole),
        }
        if whole:
            header["series"] = [
                {"label": series.label, "topic": source.name, "field": series.field}
                for source in self._sources
                for series in source.series
            ]
            header["topics"] = [source.name for source in self._given]
        # One buffer, because each is a frame of its own on the way.
        body = b"".join(bodies)
        return header, [body] if body else []


def _no_marks(*, whole: bool) -> dict[str, Any]:
    return {}


def _text_for_undrawable(statuses: Sequence[Any]) -> str:
    """What to do with topics of which nothing can be drawn: "lab:temp carries text; use .log()"."""
    for status in statuses:
        if status.numeric is False and status.reason:
            return f"{status.name} {status.reason}; use .log()"
    return ""


def _text(state: Any) -> str:
    return str(getattr(state, "value", state))
