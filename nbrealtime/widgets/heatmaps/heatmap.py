"""`LiveHeatmap`: arrays over time, a column for each.

Collaborators: the topic's feed hands over every message (`Feed.tap`) and those that it keeps (`past`),
`arrays.Arrays` makes columns of them, `part` streams those, `stream.StreamPanel` does what all do that show messages,
``js/src/heatmap.ts`` draws.

The one rule: values travel as they are, and each view makes colours of them. So the range follows
the data in every view, and what is under the pointer is a value and not a colour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import traitlets

from nbrealtime.live.feed import Feed
from nbrealtime.options import MOST, given, number, pair, text, whole
from nbrealtime.widgets.heatmaps.arrays import Arrays
from nbrealtime.widgets.heatmaps.grid import MOST_ROWS
from nbrealtime.widgets.heatmaps.part import HeatPart, Source
from nbrealtime.widgets.heatmaps.past import follow_from_past
from nbrealtime.widgets.parts import Part
from nbrealtime.widgets.stream import LEAST_HEIGHT, StreamPanel, checked_zone
from nbrealtime.widgets.subjects import topic_of
from nbrealtime.wire.times import parse_duration
from nbrealtime.wire.topics import is_pattern

if TYPE_CHECKING:
    import datetime as dt

    from nbrealtime.live.topic import LiveTopic

__all__ = ["COLORS", "HeatPanel", "LiveHeatmap", "checked", "heatmap"]

COLORS: Final = ("ember", "dusk", "gray")
"""The colour maps that a heatmap knows; ``js/src/heatmap/colors.ts`` has them."""


class HeatPanel(StreamPanel):
    """What heatmaps have in common, wherever their columns come from.

    They begin with the window that came before they were made. `close` keeps the last picture; one that a cell made goes
    altogether when that cell runs again. Create and close them on the main thread.
    """

    _bundle = "heatmap"

    topic = traitlets.Unicode("", read_only=True, help="the topic's name").tag(sync=True)
    kind = traitlets.Unicode("heatmap", read_only=True, help="what it is called").tag(sync=True)
    window = traitlets.Float(60.0, read_only=True, help="seconds that are shown").tag(sync=True)
    title = traitlets.Unicode("", read_only=True, help="a line above the picture").tag(sync=True)
    units = traitlets.Unicode("", read_only=True, help="what the values are in").tag(sync=True)
    colors = traitlets.Unicode("ember", read_only=True, help="the colour map").tag(sync=True)
    time_zone = traitlets.Unicode("", read_only=True, help="of the times; empty: the browser's").tag(
        sync=True
    )
    height = traitlets.Int(280, read_only=True, help="CSS pixels").tag(sync=True)
    value_range = traitlets.Tuple(
        traitlets.Float(),
        traitlets.Float(),
        default_value=None,
        allow_none=True,
        read_only=True,
        help="the values at the ends of the colours; None follows the data",
    ).tag(sync=True)

    def __init__(self, topic: LiveTopic, source: Source, /, **configuration: Any) -> None:
        self._source = source
        super().__init__([topic], topic=topic.name, **configuration)

    def close(self) -> None:
        """Lets go of its topic and keeps the picture, marked with the time. Harmless when repeated."""
        if not self._closed:
            self._source.end()
        super().close()

    def __repr__(self) -> str:
        return f"{type(self).__name__} of {self.topic}: {self._read()['state']}"

    def _make_part(self) -> Part:
        return HeatPart(self._source, self._read, self._mark)


class LiveHeatmap(HeatPanel):
    """Shows arrays over time as colours: each message's list of numbers is a column.

    Of an object it takes ``field``, or the first list of numbers in it, else its numbers, a row for each name;
    of a pattern each topic is a row. Messages that fall on one column are averaged; a gap stays blank, and so
    does null. A list of another length begins anew. `close` keeps the last picture; one that a cell made goes
    altogether when that cell runs again. Create and close it on the main thread.

    Args:
        topic: a topic, as `LiveTopic` or by name on the default connection, a field of one, or a pattern.
        field: the member of an object, or a path to it (``"scan.rows"``).
        window: seconds, or a text like ``"60s"`` or ``"5min"``.
        y: where the rows lie: ``(first, last)``, or a position for each; None counts them from 0.
        y_units: what the positions are in.
        units: what the values are in; shown at the colour bar, with an SI prefix where the unit takes one.
        value_range: ``(low, high)``, the ends of the colour bar; None follows the data.
        colors: ``"ember"`` (dark to bright through several hues), ``"dusk"`` (blue to yellow) or ``"gray"``; each
            gets evenly lighter, so that it also reads without seeing hues.
        time_zone: ``""`` is the browser's, else ``"UTC"`` or a name like ``"Europe/Berlin"``.
        title: a line above the picture, instead of the topic's name.
        height: CSS pixels, at least 160.

    Raises:
        TypeError: ``topic`` is none.
        ValueError: an option is out of its range.
        NoServer, AmbiguousServer: no server can be found without being told.
        FrontEndMissing: the front end was not built; the message says what to type.
    """

    def __init__(
        self,
        topic: LiveTopic | str,
        *,
        field: str | None = None,
        window: float | str = 60.0,
        y: Sequence[float] | None = None,
        y_units: str = "",
        units: str = "",
        value_range: tuple[float, float] | None = None,
        colors: str = "ember",
        time_zone: str | dt.tzinfo = "",
        title: str = "",
        height: int = 280,
    ) -> None:
        looks = checked(window, value_range, colors, time_zone, title, height)
        found = topic_of(topic)
        self._field = text("field", field) if field is not None else getattr(topic, "field", None)
        self._topics = is_pattern(found.name)
        self._arrays = Arrays(
            looks["window"],
            field=self._field,
            topics=self._topics,
            positions=_positions(y),
            unit=text("y_units", y_units),
            time_field=found.feed.time_field,
        )
        super().__init__(found, self._arrays, units=units, **looks)

    def _attach(self, feeds: Sequence[Feed]) -> Iterable[Callable[[], None]]:
        return [follow_from_past(feed, self._arrays, self._field, topics=self._topics) for feed in feeds]


def heatmap(subject: Any, /, **options: Any) -> LiveHeatmap:
    """The view named ``"heatmap"``: a `LiveHeatmap` of ``subject``."""
    return LiveHeatmap(subject, **options)


def checked(
    window: float | str,
    value_range: tuple[float, float] | None,
    colors: str,
    time_zone: str | dt.tzinfo,
    title: str,
    height: int,
) -> dict[str, Any]:
    """Returns the traits for the options that every heatmap has; raises ``ValueError`` for one that makes no sense."""
    seconds = parse_duration(window)
    if not 0.1 <= seconds <= 86400:
        raise ValueError(f"a heatmap's window is between 0.1 s and a day, not {window!r}")
    if value_range is not None:
        value_range = pair("value_range", value_range)
    if colors not in COLORS:
        raise ValueError(f"colors is one of {', '.join(COLORS)}, not {colors!r}")
    return {
        "window": seconds,
        "value_range": value_range,
        "colors": colors,
        "time_zone": checked_zone(time_zone),
        "title": title,
        "height": whole("height", height, LEAST_HEIGHT),
    }


def _positions(y: Any) -> list[float] | None:
    if y is None:
        return None
    says = "y is (first, last) or a position for each row, rising or falling, not"
    if not isinstance(y, Iterable) or isinstance(y, (str, bytes, Mapping)):
        raise TypeError(f"{says} {given(y)}")
    positions = [number("a position in y", position, "a finite number", -MOST, MOST) for position in y]
    rising = all(a < b for a, b in pairwise(positions))
    falling = all(a > b for a, b in pairwise(positions))
    if not 2 <= len(positions) <= MOST_ROWS or not (rising or falling):
        raise ValueError(f"{says} {given(y)}")
    return positions
