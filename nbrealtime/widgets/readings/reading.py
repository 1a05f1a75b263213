"""One number of one topic, how old it is and what it means: what tiles and gauges show.

Collaborators: the topic's feed and link are read; `trend.Trend` keeps the recent window;
`panel.ReadingPanel` is the widget; ``js/src/tiles/`` draws.

The one rule: a frame says everything that is a number or a word; only the bins of the trend
are sent once. What time alone changes (an age, "stale") is told by the browser's own clock.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from nbrealtime.live.patternfeed import PatternFeed
from nbrealtime.options import text
from nbrealtime.widgets.audience import Viewing
from nbrealtime.widgets.missing import missing
from nbrealtime.widgets.parts import Frame, new_key
from nbrealtime.widgets.readings.levels import threshold_at
from nbrealtime.widgets.readings.trend import Packed, Trend
from nbrealtime.widgets.subjects import connection_of, sentence, topic_of

if TYPE_CHECKING:
    from nbrealtime.client import Link
    from nbrealtime.live.feed import Feed

__all__ = ["Reading", "ReadingPart"]

LIVE_SECONDS: Final = 5.0


class Reading:
    """A field of a topic.

    Args:
        subject: a topic, one topic of a pattern, a field of either, or a name on the default connection.
        field: which field; by default ``value``, of a payload with named numbers the first that came.
        what: who asks ("a tile"), for the errors.
    """

    def __init__(self, subject: Any, field: str | None, what: str) -> None:
        own = getattr(subject, "field", None)
        if own is not None and hasattr(subject, "topic"):
            if field is not None and field != own:
                raise ValueError(f"{subject.name}[{own!r}] is one field; {field!r} is another")
            subject, field = subject.topic, own
        if field is not None:
            text("field", field)
        topic = topic_of(subject)
        self.name: str = topic.name
        self.feed: Feed = topic.feed
        self.link: Link = connection_of(topic).link
        if isinstance(self.feed, PatternFeed):
            raise ValueError(
                f"{what} shows one topic, and {self.name} is many: choose one with .by_topic(name)"
            )
        self._field = field

    @property
    def field(self) -> str | None:
        """The field that is shown; None until one has come. It stays what it was once."""
        if self._field is None and (there := self.feed.ring.fields):
            self._field = "value" if "value" in there else there[0]
        return self._field

    def newest(self) -> tuple[float, float] | None:
        """The newest number and its time, s since the epoch; gaps and messages without the field are passed over."""
        field = self.field
        if field is None:
            return None
        for last in (1, 64):
            times, columns = self.feed.ring.snapshot((field,), last=last)
            for at in range(len(times) - 1, -1, -1):
                if math.isfinite(number := float(columns[field][at])):
                    return float(times[at]), number
        return None


class ReadingPart:
    """The stream of one reading, and of its trend if there is one.

    Args:
        kind: names the widget class to the front end.
        reading: what is read.
        thresholds: returns those that hold now; called on the pump thread.
        window: seconds of the trend, or None.
    """

    max_hz: Final = 10.0

    def __init__(self, kind: str, reading: Reading, thresholds: Any, *, window: float | None) -> None:
        self.key = new_key(kind)
        self.kind = kind
        self._lock = threading.Lock()
        self._reading: Reading | None = reading
        self._thresholds = thresholds
        self._trend = None if window is None else Trend(window)
        self._seen: float | None = None  # the time of the number that is shown
        self._value: float | None = None
        self._came: float | None = None  # when it came, by our clock
        self._shown: dict[str, Any] = {}
        self._ended: Packed | None = None  # the trend as it was when it closed
        self._closed_at: float | None = None

    # -- any thread -------------------------------------------------------------------

    def close(self, now: float) -> None:
        """Keeps what is shown and reads nothing any more."""
        with self._lock:
            if self._closed_at is None:
                self._look(now)
                self._end(now)

    def state(self, now: float) -> dict[str, Any]:
        """What a frame would say now, and ``state`` in a word."""
        with self._lock:
            header = self._look(now)
        return {**header, "state": _word(header)}

    # -- the pump thread --------------------------------------------------------------

    def frame(self, now: float, viewing: Viewing) -> Frame | None:
        """The state, and the bins that changed."""
        return self._make(now, whole=False)

    def snapshot(self, now: float, viewing: Viewing) -> Frame | None:
        """The state and all bins."""
        return self._make(now, whole=True)

    def told(self, content: dict[str, Any]) -> None:
        """There is nothing that a view could ask for."""

    # -- below, the caller holds the lock, or takes it ----------------------------------

    def _make(self, now: float, *, whole: bool) -> Frame:
        with self._lock:
            header = dict(self._look(now))
            packed = self._bins(header, whole=whole)
            if packed is None:
                return header, []
            header["trend"], body = packed
            # An empty buffer need not arrive as one in every host.
            return header, [body] if body else []

    def _bins(self, header: Mapping[str, Any], *, whole: bool) -> Packed | None:
        reading, trend = self._reading, self._trend
        if trend is None:
            return None
        if reading is None:
            return self._ended
        if reading.field is None or (header["paused"] is not None and not whole):
            return None
        ring = reading.feed.ring
        news = None if whole and trend.begun else trend.news(ring, reading.field)
        return trend.whole(ring, reading.field) if whole else news

    def _look(self, now: float) -> dict[str, Any]:
        reading = self._reading
        if reading is None:
            return self._shown
        feed = reading.feed
        status = feed.status()
        held = bool(status.paused and self._shown)
        if not held:
            self._take(now, reading, status)
        threshold = threshold_at(self._thresholds(), self._value)
        reason = ""
        if status.state == "refused":
            reason = status.error or "refused"
        elif status.state != "live":
            reason = sentence(reading.link.status)
        elif status.numeric is not False:
            reason = status.reason
        self._shown = {
            "field": reading.field,
            "newest": self._seen,
            "value": self._value,
            "level": None if threshold is None else threshold["level"],
            "label": "" if threshold is None else threshold["label"],
            "age": None if self._came is None else max(0.0, now - self._came),
            "interval": feed.ring.interval,
            "connected": status.state == "live",
            "refused": status.state == "refused",
            "reason": reason,
            "text": _undrawable(reading, status) if self._value is None else "",
            "paused": status.pending if status.paused else None,
            "closed": None,
        }
        if status.state == "closed":
            self._end(now)
        return self._shown

    def _take(self, now: float, reading: Reading, status: Any) -> None:
        newest = reading.newest()
        if newest is None:
            if reading.feed.ring.newest is None:  # cleared
                self._seen = self._value = self._came = None
            return
        at, self._value = newest
        if at != self._seen:
            # What was there before us came when its message says, by the server's clock; the rest, just now.
            age = reading.feed.age or 0.0
            first = self._seen is None and status.timestamp is not None
            self._came = min(now, status.timestamp) if first else now - age
            self._seen = at

    def _end(self, now: float) -> None:
        self._closed_at = now
        held = self._shown["paused"] is not None
        self._shown = {**self._shown, "closed": round(now * 1000), "paused": None}
        # The picture is kept, a ring of 64 MiB behind it is not; the trend ends with what it has.
        reading, trend = self._reading, self._trend
        if trend is not None and reading is not None and reading.field is not None:
            if not held:
                trend.news(reading.feed.ring, reading.field)
            self._ended = trend.whole(reading.feed.ring, reading.field)
        self._reading = None


def _undrawable(reading: Reading, status: Any) -> str:
    """What came instead of a number, and what to do, or "" while nothing came."""
    if status.numeric is False and status.reason:
        return f"{reading.name} {status.reason}; use .log()"
    if reading.field is None:
        return ""
    return missing(reading.name, [reading.field], reading.feed.ring.fields)


def _word(header: Mapping[str, Any]) -> str:
    """``empty``, ``live``, ``stale``, ``paused`` or ``closed``, by the same rules as in the browser."""
    if header["closed"] is not None:
        return "closed"
    if header["paused"] is not None:
        return "paused"
    if header["value"] is None:
        return "empty"
    limit = max(LIVE_SECONDS, 5 * (header["interval"] or 0.0))
    age = header["age"]
    return "live" if header["connected"] and age is not None and age < limit else "stale"
