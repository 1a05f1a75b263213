"""``topic["x"]``: one field of a topic, to plot, read or export by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from nbrealtime.live import exports, views
from nbrealtime.live.samples.ring import Ring

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from nbrealtime.live.alerts.alert import Alert
    from nbrealtime.live.alerts.options import AlertOptions
    from nbrealtime.live.connection import Connection
    from nbrealtime.live.face import TopicFace
    from nbrealtime.live.feed import Feed

__all__ = ["FieldView"]


class FieldView:
    """One numeric field of a topic, or of every topic of a pattern. Holds nothing of its own and needs no closing."""

    def __init__(self, topic: TopicFace, field: str) -> None:
        self.topic = topic
        self.field = field

    @property
    def name(self) -> str:
        """The topic's name."""
        return self.feed.name

    @property
    def feed(self) -> Feed:
        return self.topic.feed

    @property
    def connection(self) -> Connection:
        return self.topic.connection

    @property
    def value(self) -> float | None:
        """The newest number of this field, or None; of a pattern the newest of all its topics."""
        newest: tuple[float, float] | None = None
        for strand in self.feed.strands:
            times, columns = strand.ring.snapshot((self.field,), last=1000)
            numbers = np.flatnonzero(np.isfinite(columns[self.field]))
            if len(numbers):
                at = (float(times[numbers[-1]]), float(columns[self.field][numbers[-1]]))
                newest = at if newest is None else max(newest, at)
        return None if newest is None else newest[1]

    def to_numpy(self, last: int | None = None) -> NDArray[np.void]:
        """Return a structured array of ``t`` (s since the epoch) and this field."""
        return exports.to_numpy(self.feed.rings, (self.field,), last)

    def to_pandas(self, last: int | None = None) -> pd.Series[float] | pd.DataFrame:
        """Return a Series with a UTC ``DatetimeIndex`` named ``time``. Needs pandas.

        Of a pattern it is a DataFrame with a column ``topic``.
        """
        rings = self.feed.rings
        frame = exports.to_pandas(rings, (self.field,), last)
        if not isinstance(rings, Ring):
            return frame
        series: pd.Series[float] = frame[self.field]
        return series

    def alert(self, **options: Unpack[AlertOptions]) -> Alert:
        """Return an alert on this field, as ``topic.alert`` does."""
        if options.setdefault("field", self.field) != self.field:
            raise ValueError(f"{self.name}[{self.field!r}] is one field; {options['field']!r} is another")
        return self.topic.alert(**options)

    def plot(self, *args: Any, **options: Any) -> Any:
        """Return a live plot of this field alone; see ``LivePlot`` for the options."""
        return views.make("plot", self, *args, **options)

    def tile(self, **options: Any) -> Any:
        """Return a tile of this field: its newest value, large, with a sparkline; see ``StatTile`` for the options."""
        return views.make("tile", self, **options)

    def gauge(self, **options: Any) -> Any:
        """Return a gauge of this field: where it stands between two bounds; see ``Gauge`` for the options."""
        return views.make("gauge", self, **options)

    def table(self, *args: Any, **options: Any) -> Any:
        """Return a table of this field, newest first; see ``LiveTable`` for the options."""
        return views.make("table", self, *args, **options)

    def heatmap(self, **options: Any) -> Any:
        """Return this field's lists of numbers over time, as colours; see ``LiveHeatmap`` for the options."""
        return views.make("heatmap", self, **options)

    def spectrogram(self, **options: Any) -> Any:
        """Return the frequencies in this field over time; see ``Spectrogram`` for the options."""
        return views.make("spectrogram", self, **options)

    def __repr__(self) -> str:
        value = self.value
        return f"{self.field!r} of {self.topic!r}: {'no number yet' if value is None else f'{value:.6g}'}"
