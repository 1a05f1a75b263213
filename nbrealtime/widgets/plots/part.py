"""What a live plot sends: its series, read from the topics' rings, and why nothing comes.

Collaborators: `plot.LivePlot` is the face and owns one `PlotPart`; `source.Source` reads
the rings and says how finely; `pump` asks for frames on its thread; ``js/src/plot/`` draws.

A frame carries only what changed: bands from the first bin that a new sample touched (or
a few samples, from that bin's first one on, which the browser puts into bins), points from the first new one (the ring says from when on, so a sample that came late
and was put where it belongs is repaired by the next frame). A snapshot carries the
whole window. Both may repeat what the browser has; repeating changes nothing. An answer
to a view that zoomed into the past (`told`) carries that range, as finely as it is kept.

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
from typing import Any, Final

from nbrealtime.widgets.audience import DEFAULT_WIDTH, Viewing
from nbrealtime.widgets.parts import Frame, new_key
from nbrealtime.widgets.plots.decimate import bin_width
from nbrealtime.widgets.plots.notes import Notes
from nbrealtime.widgets.plots.source import Entry, FeedLike, Source
from nbrealtime.widgets.plots.standing import Standing, standing

__all__ = ["FeedLike", "PlotPart", "Source"]

MAX_SERIES: Final = 1024
MAX_HZ: Final = 60.0
LINES_PER_SECOND: Final = 12_000.0
"""Lines that may be sent in a second, of all series together: each costs 30 µs, so that is a third of one core."""
_LEAST_PIXELS, _MOST_PIXELS = 16, 16384


class PlotPart:
    """The stream of one plot; see the module's docstring."""

    kind: Final = "plot"

    def __init__(
        self, sources: Sequence[Source], *, window: float, labels: dict[str, str] | None = None
    ) -> None:
        self.key = new_key("plot")
        self.max_hz = MAX_HZ
        self._lock = threading.Lock()
        self.notes = Notes()
        self.marks: Callable[..., dict[str, Any]] = _no_marks
        """What alerts put into a frame's header: ``marks(whole=…)``, as `Notes.header` does."""
        self._given = tuple(sources)
        self._has_patterns = any(source.is_pattern for source in sources)
        self._sources = self._drawn()
        self.names = tuple(dict.fromkeys(source.name for source in sources))
        self._labels = dict(labels or {})
        self._window = window
        self._bin = bin_width(window, DEFAULT_WIDTH)
        self._looked: tuple[float, int] | None = None
        """For which window and width the bins are."""
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
            self._see()
            if all(source.seen.newest is None for source in self._sources):
                return "empty"
            age = self._age(time.time())
            intervals = [source.seen.interval or 0.0 for source in self._sources]
            live = standing(self._given).connected
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
            said = standing(self._given)
            if said.closed:
                self._freeze(now)
                return self._stopped()
            if (self._window, viewing.width) != self._looked:
                self._look(viewing)
            if self._reset:
                self._reset = False
                return self._whole(now, said, decide=True)
            return self._news(now, said)

    def snapshot(self, now: float, viewing: Viewing) -> Frame | None:
        """The whole window."""
        with self._lock:
            if self._closed_at is not None:
                return self._stopped()
            # How finely is decided for everybody in `frame`, so that one tab's hello does not make two
            # tabs disagree about the bins of the frames that follow.
            if self._reset:
                self._look(viewing)
            return self._whole(now, standing(self._given), decide=self._reset)

    def told(self, content: dict[str, Any]) -> Frame | None:
        """Answers a view that looks at the past: ``{"type": "range", "from", "to", "width", "request"}``."""
        if content["type"] != "range":
            return None
        begin, end = float(content["from"]), float(content["to"])
        if not (math.isfinite(begin) and math.isfinite(end) and begin < end):
            raise ValueError("a range is from an earlier to a later time")
        pixels = max(_LEAST_PIXELS, min(_MOST_PIXELS, int(content["width"])))
        with self._lock:
            if self._closed_at is not None:
                return None
            return self._past(begin, end, pixels, int(content["request"]))

    # -- below, the caller holds the lock ---------------------------------------------

    def _freeze(self, now: float) -> None:
        header, buffers = self._whole(now, standing(self._given), decide=False)
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
        if not self._has_patterns:
            return self._given
        return tuple(strand for source in self._given for strand in source.strands())

    def _look(self, viewing: Viewing) -> None:
        self._looked = self._window, viewing.width
        width = bin_width(self._window, max(64, viewing.width))
        if width != self._bin:
            self._bin = width
            self._reset = True

    def _age(self, now: float) -> float | None:
        """Seconds since the newest sample came."""
        newest = -math.inf
        for source in self._sources:
            arrived = source.arrived
            if arrived is None and source.seen.newest is not None:
                arrived = source.feed.status().timestamp
            if arrived is not None and arrived > newest:
                newest = arrived
        return None if newest == -math.inf else max(0.0, now - newest)

    def _whole(self, now: float, said: Standing, *, decide: bool) -> Frame:
        self._discover(self._see())
        entries: list[Entry] = []
        index = 0
        for source in self._sources:
            if source.mark == 0:
                # What is older than the plot has no arrival that we saw.
                source.mark = source.seen.mark
            if source.series:
                if decide or source.grain is None:
                    source.look(self._window, self._bin)
                entries.extend(source.entries(index, self._window))
            index += len(source.series)
        return self._pack(self._age(now), entries, said, whole=True)

    def _news(self, now: float, said: Standing) -> Frame:
        if (grown := self._see()) and self._discover(grown):
            # A new field moves the indices of the series behind it: everybody starts anew.
            for source in self._sources:
                source.advance(now)
            return self._whole(now, said, decide=True)
        entries: list[Entry] = []
        index, came = 0, False
        for source in self._sources:
            if (touched := source.advance(now)) is not None:
                if touched == -math.inf:
                    return self._whole(now, said, decide=True)
                came = True
                # Without a series: its first field came after we looked, and is found the next time.
                if source.series:
                    # From points to bins, or to others: the browser has the other kind of the whole window.
                    changed = source.look(self._window, self._bin)
                    entries.extend(source.entries(index, self._window, None if changed else touched))
            index += len(source.series)
        return self._pack(0.0 if came else self._age(now), entries, said, whole=False)

    def _see(self) -> list[Source]:
        """Looks at every ring; returns the sources whose fields may be more than they were."""
        if self._has_patterns:
            self._sources = self._drawn()
        grown = []
        for source in self._sources:
            if source.see():
                grown.append(source)  # noqa: PERF401 - a comprehension is one more call, sixty times a second
        return grown

    def _discover(self, grown: list[Source]) -> bool:
        """Takes in the fields that have appeared in ``grown``; whether there were any."""
        several = len(self._sources) > 1 or self._sources != self._given
        before = room = MAX_SERIES - sum(len(source.series) for source in self._sources)
        for source in grown:
            room -= source.discover(self._labels, several=several, room=room)
        if room < before:
            self.max_hz = min(MAX_HZ, LINES_PER_SECOND / (MAX_SERIES - room))
        return room < before

    def _past(self, begin: float, end: float, pixels: int, request: int) -> Frame:
        for source in self._sources:
            source.see()
        entries: list[Entry] = []
        index, known = 0, begin
        # The series are those of the last whole frame: what has appeared since comes with the next.
        for source in self._sources:
            if source.series and source.seen.extent is not None:
                since, found = source.past(index, begin, end, pixels)
                known = max(known, since)
                entries.extend(found)
            index += len(source.series)
        extent = self._extent()
        data, buffers = _apart(entries)
        header = {
            "whole": False,
            "range": {"from": known, "to": end, "request": request},
            "newest": None if extent is None else extent[1],
            "extent": extent,
            "data": data,
        }
        return header, buffers

    def _extent(self) -> tuple[float, float] | None:
        """From when to when anything is kept, of any topic."""
        extent: tuple[float, float] | None = None
        for source in self._sources:
            own = source.seen.extent
            if extent is None:
                extent = own
            elif own is not None:
                extent = min(extent[0], own[0]), max(extent[1], own[1])
        return extent

    def _pack(self, age: float | None, entries: list[Entry], said: Standing, *, whole: bool) -> Frame:
        extent = self._extent()
        data, buffers = _apart(entries)
        header: dict[str, Any] = {
            "whole": whole,
            "window": self._window,
            "newest": None if extent is None else extent[1],
            "extent": extent,
            "age": age,
            "connected": said.connected,
            "reason": said.reason,
            "text": said.text,
            "count": said.messages,
            "data": data,
        }
        if said.refused:
            header["refused"] = True
        if extent is None and not said.text:
            header["text"] = next((source.missing for source in self._sources if source.missing), "")
        for beside in (self.notes.header(whole=whole), self.marks(whole=whole)):
            if beside:
                header.update(beside)
        if whole:
            header["series"] = [
                {"label": series.label, "topic": source.name, "field": series.field}
                for source in self._sources
                for series in source.series
            ]
            header["topics"] = [source.name for source in self._given]
        return header, buffers


def _apart(entries: Sequence[Entry]) -> tuple[list[dict[str, Any]], list[bytes]]:
    """The headers of some entries, and their numbers: one buffer, because each is a part of its own on the way."""
    if len(entries) == 1:
        header, body = entries[0]
        return [header], [body] if body else []
    body = b"".join([body for _, body in entries])
    return [header for header, _ in entries], [body] if body else []


def _no_marks(*, whole: bool) -> dict[str, Any]:
    return {}
