"""``topic["x"]``: one field of a topic, to plot, read or export by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nbrealtime.live import exports, views

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from nbrealtime.live.connection import Connection
    from nbrealtime.live.feed import Feed
    from nbrealtime.live.topic import LiveTopic

__all__ = ["FieldView"]


class FieldView:
    """One numeric field of a ``LiveTopic``. Holds nothing of its own and needs no closing."""

    def __init__(self, topic: LiveTopic, field: str) -> None:
        self.topic = topic
        self.field = field

    @property
    def name(self) -> str:
        """The topic's name."""
        return str(self.topic.name)

    @property
    def feed(self) -> Feed:
        return self.topic.feed

    @property
    def connection(self) -> Connection:
        return self.topic.connection

    @property
    def value(self) -> float | None:
        """The newest number of this field, or None."""
        _, columns = self.feed.ring.snapshot((self.field,), last=1000)
        numbers = columns[self.field]
        numbers = numbers[np.isfinite(numbers)]
        return float(numbers[-1]) if len(numbers) else None

    def to_numpy(self, last: int | None = None) -> NDArray[np.void]:
        """Return a structured array of ``t`` (s since the epoch) and this field."""
        return exports.to_numpy(self.feed.ring, (self.field,), last)

    def to_pandas(self, last: int | None = None) -> pd.Series[float]:
        """Return a Series with a UTC ``DatetimeIndex`` named ``time``. Needs pandas."""
        series: pd.Series[float] = exports.to_pandas(self.feed.ring, (self.field,), last)[self.field]
        return series

    def plot(self, *args: Any, **options: Any) -> Any:
        """Return a live plot of this field alone; see ``LivePlot`` for the options."""
        return views.make("plot", self, *args, **options)

    def __repr__(self) -> str:
        value = self.value
        return f"{self.field!r} of {self.topic!r}: {'no number yet' if value is None else f'{value:.6g}'}"
