"""One number of one topic, how old it is and what it means: what tiles and gauges show.

Collaborators: the topic's feed and link are read; `trend.Trend` keeps the recent window;
`tile.StatTile` and `gauge.Gauge` are faces of a `ReadingPanel`; ``js/src/tiles/`` draws.

The one rule: a frame says everything that is a number or a word; only the bins of the trend
are sent once. What time alone changes (an age, "stale") is told by the browser's own clock.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

import traitlets

from ..live import cells
from ..live.patternfeed import PatternFeed
from .levels import threshold_at
from .pacing import Viewing
from .panel import Panel
from .parts import Frame, Part, new_key
from .picture import Scene
from .pictured import Pictured
from .plotoptions import Thresholds
from .pump import pump
from .still import StillLook, lay_still
from .subjects import connection_of, sentence, topic_of, watch_link
from .trend import Packed, Trend

if TYPE_CHECKING:
    from ..client import Link
    from ..live.feed import Feed

__all__ = ["Reading", "ReadingPanel", "ReadingPart"]

LIVE_SECONDS: Final = 5.0
MOST_STILL: Final = 400
"""The width of a picture in CSS pixels: nobody saw how wide it was meant to be."""


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
        undrawable = self._value is None and status.numeric is False and bool(status.reason)
        self._shown = {
            "field": reading.field,
            "newest": self._seen,
            "value": self._value,
            "level": None if threshold is None else threshold["level"],
            "label": "" if threshold is None else threshold["label"],
            "age": None if self._came is None else max(0.0, now - self._came),
            "interval": feed.ring.interval,
            "connected": status.state == "live",
            "reason": reason,
            "text": f"{reading.name} {status.reason}; use .log()" if undrawable else "",
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


class ReadingPanel(Pictured, Panel):
    """What tiles and gauges are: a panel of one reading. `close` keeps what is shown, marked with the time."""

    _what: ClassVar[str]
    """Who it is in an error: "a tile"."""

    topic = traitlets.Unicode(read_only=True, help="the topic's name").tag(sync=True)
    title = traitlets.Unicode("", help="what it is called; the topic's name without one").tag(sync=True)
    units = traitlets.Unicode("", help="what the value is in").tag(sync=True)
    digits = traitlets.Int(4, min=2, max=10, help="significant digits").tag(sync=True)
    thresholds = Thresholds(help="lines and bands that the value is judged by").tag(sync=True)

    def __init__(
        self, subject: Any, *, field: str | None, window: float | None = None, **configuration: Any
    ) -> None:
        self._cell = cells.current_cell()
        self._reading = Reading(subject, field, self._what)
        self._window = window
        super().__init__(**configuration)
        self.set_trait("topic", self._reading.name)
        self._watch(self._reading.feed.watch(self._mark), watch_link(self._reading.link, self._mark))
        self._replace_with(self._cell)

    @property
    def value(self) -> float | None:
        """The number that is shown, or None."""
        value: float | None = self._standing()["value"]
        return value

    @property
    def level(self) -> str | None:
        """``info``, ``good``, ``warn`` or ``bad``: the gravest of the thresholds that hold; None if none does."""
        level: str | None = self._standing()["level"]
        return level

    @property
    def state(self) -> str:
        """``empty``, ``live``, ``stale``, ``paused`` (its topic is) or ``closed``."""
        return str(self._standing()["state"])

    def close(self) -> None:
        """Lets go of the topic, and puts a picture of the last reading in its place. Harmless when repeated.

        One that no cell shows by itself (it is in a box) keeps what it shows in the browser, marked with the time.
        """
        if not self._closed:
            self._part_of_it.close(time.time())
        super().close()
        if not self._over:
            self._over = True
            self._leave()

    def __repr__(self) -> str:
        now = self._standing()
        words = []
        if now["value"] is not None:
            words.append(f"{now['value']:.{self.digits}g} {self.units}".rstrip())
        if now["level"] is not None:
            words.append(f"{now['label']} ({now['level']})" if now["label"] else now["level"])
        name = (
            self._reading.name if now["field"] in (None, "value") else f"{self._reading.name} {now['field']}"
        )
        return f"{type(self).__name__} of {name}: {', '.join([*words, now['state']])}"

    def _dispose(self) -> None:
        # Its cell runs again and clears the output; what other cells show of it would be a reference to nothing.
        self._over = self._over or not (self._shown is not None and self._shown.beyond(self._cell))
        super()._dispose()
        self._shown = None

    def _look(self, width: int | None = None, height: int | None = None) -> Any:
        return StillLook(
            name=self._reading.name,
            width=max(200, width or min(MOST_STILL, pump().width(self._stream))),
            title=self.title,
            units=self.units,
            digits=self.digits,
            thresholds=self.thresholds,
            trend=self._window is not None,
        )

    def _scene(self, frame: Frame, width: int | None = None, height: int | None = None) -> Scene:
        header, buffers = frame
        return lay_still(header, buffers, self._look(width), time.time())

    def _make_part(self) -> Part:
        self._part_of_it = ReadingPart(self._bundle, self._reading, self._judging, window=self._window)
        return self._part_of_it

    def _judging(self) -> Sequence[Mapping[str, Any]]:
        return self.thresholds

    def _standing(self) -> dict[str, Any]:
        return self._part_of_it.state(time.time())

    @traitlets.observe("thresholds")
    def _judge_again(self, _change: Any) -> None:
        # Also told while the widget is being made, before there is anything to look at.
        if not self._closed and "_stream" in self.__dict__:
            self._mark()
