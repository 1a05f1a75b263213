"""`LivePlot`: lines that keep moving while other cells run.

Collaborators: `LiveTopic.plot` creates it (through `live.views`), `part.PlotPart`
holds what it sends, `pump` sends it, ``js/src/plot.ts`` draws.

The one rule: its synced traits are configuration. Samples, states and reasons travel
with the pump, because a trait that another thread sets can be lost or end stale.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

import anywidget
import ipywidgets
import traitlets

from nbrealtime.errors import ConnectionClosed
from nbrealtime.live import cells
from nbrealtime.options import given, names
from nbrealtime.widgets.alerts.marks import AlertMarks
from nbrealtime.widgets.bundle import script, style
from nbrealtime.widgets.plots.notes import Annotation, moment
from nbrealtime.widgets.plots.options import Bounds, Colors, Thresholds, TimeZone, check_bounds
from nbrealtime.widgets.plots.part import PlotPart, Source
from nbrealtime.widgets.pump import pump
from nbrealtime.widgets.saved.plot import Pictured
from nbrealtime.widgets.saving import answer
from nbrealtime.widgets.subjects import topic_of
from nbrealtime.widgets.subshells import hear_at_once
from nbrealtime.wire.times import parse_duration

__all__ = ["LivePlot", "plot"]

SHORTEST_WINDOW: Final = 0.001


class _Window(traitlets.Float[float, Any]):
    """A duration in seconds that also takes ``"60s"`` or ``"5min"``."""

    def validate(self, obj: Any, value: Any) -> float:
        try:
            seconds = parse_duration(value)
        except (TypeError, ValueError) as error:
            raise traitlets.TraitError(
                f"a plot's window is a duration like 60 or '5min', not {value!r}"
            ) from error
        if not SHORTEST_WINDOW <= seconds <= 366 * 86400:
            raise traitlets.TraitError(f"a plot's window is between 1 ms and a year, not {value!r}")
        return seconds


class LivePlot(Pictured, anywidget.AnyWidget):
    """Shows the last ``window`` seconds of topics as lines, and keeps moving while cells run.

    It draws every numeric field of its topics, or those in ``fields``; of a pattern each topic as lines
    of its own, as they appear. `freeze` and `close` leave a picture in its place, which a saved notebook
    shows without a kernel; a plot that a cell made goes when that
    cell runs again. A page that is reloaded, or opened twice, fills at once with what
    the topics still hold. Create and close it on the main thread.

    Args:
        topics: topics, as `LiveTopic` or by name, and fields of topics (``topic["x"]``); a list of them
            is taken as several.
        fields: the fields to draw; all of them by default, also those that appear later.
        window: seconds, or a text like ``"60s"`` or ``"5min"``.
        title: a line above the plot.
        units: what the values are in; drawn with an SI prefix where the unit takes one.
        y_range: ``(low, high)``; None follows the data.
        height: CSS pixels, at least 160.
        labels: the legend's names, by field, by topic, or by ``"topic.field"``.
        scale: ``"linear"``, or ``"log"``, on which values of 0 and below are gaps.
        thresholds: lines (``80``) and bands (``(20, 25)``) across the plot; as dicts they also take ``label``,
            ``level`` ("info", "good", "warn" or "bad": a colour and a symbol), ``color`` and ``include``. A mapping
            names them: ``{"too hot": 80}``. The automatic range takes in those that are no farther from the data
            than the data extend, with ``include=True`` always, with ``False`` never; the others are named at the
            edge beyond which they are.
        time_zone: whose time the axis tells: "" is the browser's; ``"UTC"``, or a name like ``"Europe/Berlin"``.
        color: a CSS colour, or several for the series in their order; the others have the palette's, which also
            the colour-blind tell apart. Above eight series there is one hue for all, unless so many colours are
            given that three dashes are enough.
        cursor_sync: plots with the same name here share a crosshair.

    Raises:
        TypeError: ``topics`` holds something that is no topic.
        FrontEndMissing: the front end was not built; the message says what to type.
    """

    _stream: PlotPart

    hub = traitlets.Instance(ipywidgets.Widget).tag(sync=True, **ipywidgets.widget_serialization)
    part = traitlets.Unicode(read_only=True).tag(sync=True)
    window = _Window(60.0, help="seconds that are shown").tag(sync=True)
    title = traitlets.Unicode("", help="a line above the plot").tag(sync=True)
    units = traitlets.Unicode("", help="what the values are in").tag(sync=True)
    y_range = Bounds(None, allow_none=True, help="fixed bounds, or None").tag(sync=True)
    height = traitlets.Int(280, min=160, max=4000, help="CSS pixels").tag(sync=True)
    scale = traitlets.Enum(("linear", "log"), "linear", help="of the value axis").tag(sync=True)
    thresholds = Thresholds(help="lines and bands across the plot").tag(sync=True)
    time_zone = TimeZone(help="whose time the axis tells; '' is the browser's").tag(sync=True)
    color = Colors(help="of the series in their order; empty: the palette's").tag(sync=True)
    cursor_sync = traitlets.Unicode("", help="plots with the same name share a crosshair").tag(sync=True)

    def __init__(
        self,
        *topics: Any,
        fields: str | Iterable[str] | None = None,
        window: float | str = 60.0,
        title: str = "",
        units: str = "",
        y_range: tuple[float, float] | None = None,
        height: int = 280,
        labels: Mapping[str, str] | Sequence[str] | None = None,
        scale: str = "linear",
        thresholds: Any = (),
        time_zone: str | dt.tzinfo = "",
        color: str | Sequence[str] = (),
        cursor_sync: str = "",
    ) -> None:
        chosen = names("fields", fields)
        found = [_source(topic, chosen) for topic in _flat(topics)]
        sources = [source for source, _ in found]
        if not sources:
            raise TypeError("a plot needs at least one topic")
        seconds = _Window().validate(None, window)
        self._stream = PlotPart(sources, window=seconds, labels=_labels(labels, sources))
        self._unwatch: list[Callable[[], None]] = []
        self._esm, self._css = script("plot"), style("plot")
        try:
            super().__init__(
                hub=pump().join(self._stream),
                window=seconds,
                title=title,
                units=units,
                y_range=y_range,
                height=height,
                scale=scale,
                thresholds=thresholds,
                time_zone=time_zone,
                color=color,
                cursor_sync=cursor_sync,
            )
        except BaseException:
            pump().leave(self._stream)  # an option was refused, and nobody will ever show this one
            raise
        self._stream.notes.changed = self._mark
        self.set_trait("part", self._stream.key)
        self.on_msg(self._heard)
        for source in sources:
            self._unwatch.append(source.feed.watch(self._mark))
        marks = AlertMarks(sources, self._mark)
        self._stream.marks = marks.header
        self._unwatch.append(marks.close)
        for connection in {id(connection): connection for _, connection in found}.values():
            # Attempts are counted by the connection, and no topic hears of them.
            with suppress(ConnectionClosed):
                self._unwatch.append(connection.link.listen(self._link_changed))
        self._cell = cells.current_cell()
        cells.own(self._cell, self._dispose)

    @property
    def state(self) -> str:
        """``empty``, ``live``, ``stale`` or ``closed``; a pause is each view's own."""
        return self._stream.state

    def annotate(self, t: float | dt.datetime | None, text: str) -> Annotation:
        """Writes ``text`` at the time ``t`` on the plot; returns what can ``remove()`` it.

        May be called from any thread, also in a callback while a cell runs, and of a closed plot. A plot keeps the
        newest 200, each up to 500 characters; what has no room is a mark that says its text when pointed at.

        Args:
            t: seconds since the epoch, or a datetime; None is the newest sample's time.
            text: what to say; its first line is drawn, the rest is told when pointed at.
        """
        if t is None:
            t = self._stream.newest
        return self._stream.notes.add(moment(time.time() if t is None else t), str(text))

    @property
    def annotations(self) -> list[dict[str, Any]]:
        """What was written on it, as ``{"t": seconds, "text": …}`` in the order of writing."""
        return [{"t": note.t, "text": note.text} for note in self._stream.notes.kept]

    def clear_annotations(self) -> None:
        """Takes every annotation off."""
        self._stream.notes.clear()

    def close(self) -> None:
        """Lets go of the topics, and leaves a picture of what it showed, marked with the time, in its place.

        A plot that no cell shows by itself (one in a box) keeps the picture in the browser. Harmless when repeated.
        """
        if "_stream" not in self.__dict__:
            return  # `__init__` refused its arguments; ipywidgets closes what Python deletes
        if self._stream.close(time.time()):
            self._mark()
        # Also of a plot that closed with its topics.
        while self._unwatch:
            self._unwatch.pop()()
        if not self._over:
            self._over = True
            self._leave()

    def reset_view(self) -> None:
        """Has every view of this plot show the newest again: a zoom ends, and a pause. What is hidden stays hidden."""
        self.send({"type": "reset_view"})

    def open(self) -> None:
        """Opens the comm (ipywidgets calls it); what a view says is heard while a cell runs."""
        super().open()
        hear_at_once(self.comm)

    def __enter__(self) -> LivePlot:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"LivePlot of {', '.join(self._stream.names)}: {self.state}"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        pump().expect(self._stream)
        return super()._repr_mimebundle_(**kwargs)

    def _mark(self) -> None:
        pump().mark(self._stream)

    def _heard(self, _widget: Any, content: Any, buffers: Any) -> None:
        """A view has a file that its host lets out through us alone. The main thread, or a subshell's."""
        if isinstance(content, dict) and content.get("type") == "save":
            self.send(answer(content, buffers))

    def _link_changed(self, _status: object) -> None:
        self._mark()

    def _dispose(self) -> None:
        """Goes altogether: its cell runs again, which clears the output that showed it."""
        # What other cells show of it would be a reference to nothing.
        self._over = self._over or not (self._shown is not None and self._shown.beyond(self._cell))
        self.close()
        self._shown = None
        pump().leave(self._stream)
        super().close()

    @traitlets.validate("y_range")
    def _check_range(self, proposal: Any) -> Any:
        check_bounds(proposal["value"], self.scale)
        return proposal["value"]

    @traitlets.validate("scale")
    def _check_scale(self, proposal: Any) -> Any:
        check_bounds(self.y_range, proposal["value"])
        return proposal["value"]

    @traitlets.observe("window")
    def _window_changed(self, change: Any) -> None:
        self._stream.resize(change["new"])
        self._mark()


def plot(subject: Any, /, *others: Any, **options: Any) -> LivePlot:
    """The view named ``"plot"``: a `LivePlot` of ``subject`` and what else is to be in the same axes."""
    return LivePlot(subject, *others, **options)


def _flat(topics: Iterable[Any]) -> Iterator[Any]:
    for topic in topics:
        if isinstance(topic, (list, tuple)):
            yield from topic
        else:
            yield topic


def _source(topic: Any, fields: list[str] | None) -> tuple[Source, Any]:
    """A topic, or a field of one (it has ``topic`` and ``field``), as what a plot reads; and its connection."""
    only = getattr(topic, "field", None)
    owner = topic_of(topic.topic if only is not None and hasattr(topic, "topic") else topic)
    feed, name = owner.feed, owner.name
    connection = owner.connection
    source = Source(name, feed, fields if only is None else [only], why=partial(_why, connection))
    return source, connection


def _why(connection: Any) -> str:
    """Why ``connection`` brings nothing: "reconnecting, attempt 3", or "" when it is connected."""
    status = connection.link.status
    state = str(status.state.value)
    if state == "connected":
        return ""
    return f"{state}, attempt {status.attempts}" if status.attempts else state


def _labels(labels: Any, sources: Sequence[Source]) -> dict[str, str]:
    """A mapping as it is; a list names the topics, or the fields if there is one topic with chosen fields."""
    if isinstance(labels, Mapping):
        return {str(key): str(label) for key, label in labels.items()}
    if labels is None:
        return {}
    if isinstance(labels, str):
        labels = [labels]
    if not isinstance(labels, Sequence) or isinstance(labels, bytes):
        raise TypeError(f'labels are a list of names or a mapping, like {{"x": "East"}}, not {given(labels)}')
    first = sources[0]
    keys = list(first.fields) if len(sources) == 1 and first.fields else [source.name for source in sources]
    if len(labels) != len(keys):
        raise ValueError(f"{len(labels)} labels for {len(keys)} lines ({', '.join(keys)})")
    return dict(zip(keys, map(str, labels), strict=True))
