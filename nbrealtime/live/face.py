"""What a ``LiveTopic`` and one topic of a pattern have in common: samples, history, publishing, drawing.

The stream itself is the ``feed`` (``nbrealtime.live.feed``); this is what can be done with one. It holds nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from nbrealtime.errors import PublishTimeout
from nbrealtime.live import exports, views
from nbrealtime.live.field import FieldView
from nbrealtime.live.since import SinceLike, position
from nbrealtime.wire.times import parse_duration
from nbrealtime.wire.topics import is_pattern

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from nbrealtime.client import HistoryRequest, Link, Message, Receipt
    from nbrealtime.client.publishoptions import OnFull, PublishOptions
    from nbrealtime.live.alerts.alert import Alert
    from nbrealtime.live.alerts.options import AlertOptions
    from nbrealtime.live.connection import Connection
    from nbrealtime.live.feed import Feed
    from nbrealtime.live.topic import LiveTopic

__all__ = ["HISTORY_LIMIT", "TopicFace"]

HISTORY_LIMIT = 1000
"""The most messages that a server gives in one answer."""


class TopicFace:
    """A topic with a ``feed`` on a ``connection``."""

    feed: Feed

    @property
    def connection(self) -> Connection:
        """The connection that it arrives on."""
        raise NotImplementedError

    @property
    def owner(self) -> LiveTopic:
        """The topic that calls back for it: itself, or the pattern that it belongs to."""
        raise NotImplementedError

    @property
    def fields(self) -> tuple[str, ...]:
        """The numeric fields that have come so far; a payload that is a number is field ``value``."""
        return self.feed.fields

    def __getitem__(self, field: str) -> FieldView:
        """Return one field of it, to plot or export by itself; it need not have come yet."""
        if not isinstance(field, str):
            raise TypeError(f"a field has a name, like {self.feed.name}['x'], not {field!r}")
        return FieldView(self, field)

    # Doing.

    @overload
    def publish(
        self,
        data: Any,
        *,
        ack: Literal[True],
        **options: Unpack[PublishOptions],
    ) -> Receipt: ...
    @overload
    def publish(
        self,
        data: Any,
        *,
        ack: Literal[False] = False,
        **options: Unpack[PublishOptions],
    ) -> None: ...
    @overload
    def publish(self, data: Any, *, ack: bool, **options: Unpack[PublishOptions]) -> Receipt | None: ...
    def publish(
        self,
        data: Any,
        *,
        ack: bool = False,
        time: float | None = None,
        retain: bool = False,
        echo: bool = True,
        on_full: OnFull | None = None,
    ) -> Receipt | None:
        """Send ``data`` to everybody who is subscribed: any JSON value, bytes, or a numpy array.

        With ``ack`` it returns a ``Receipt``, else None. See ``Connection.publish`` for the options, for when it waits and
        what it raises.
        """
        return self.connection.publish(
            self.feed.name, data, ack=ack, time=time, retain=retain, echo=echo, on_full=on_full
        )

    # What was published before.

    def history(
        self,
        limit: int = 100,
        *,
        since: SinceLike = None,
        reverse: bool = False,
        timeout: str | float | None = 10.0,
    ) -> list[Message]:
        """Ask the server for messages that it has kept; waits for the answer, and can be interrupted.

        At most ``limit`` (1 to 1,000) messages after ``since`` (exclusive; a position like ``topic.position``, or a message
        that has one), else from the oldest kept on, oldest first. With ``reverse`` newest first, and fewer where they
        are larger than 1 MiB together. Nothing of it is delivered to callbacks or plots.

        Raises ``Refused`` (no ``history`` granted; a position that cannot be recovered from), ``TimeoutError``,
        ``ConnectionClosed``.
        """
        seconds = None if timeout is None else parse_duration(timeout)
        deadline = None if seconds is None else time.monotonic() + seconds
        reading = _Reading(self.feed.name, limit, since, reverse)
        try:
            while not reading.done:
                left = None if deadline is None else max(0.0, deadline - time.monotonic())
                reading.add(reading.ask(self.connection.link).wait(left))
        except PublishTimeout:
            raise TimeoutError(
                f"{self.feed.name}: no answer about its history within {seconds:g} s"
            ) from None
        return reading.messages

    async def ahistory(
        self,
        limit: int = 100,
        *,
        since: SinceLike = None,
        reverse: bool = False,
        timeout: str | float | None = 10.0,  # noqa: ASYNC109 - as `history`
    ) -> list[Message]:
        """Ask as ``history`` does, without keeping the event loop waiting."""
        seconds = None if timeout is None else parse_duration(timeout)
        reading = _Reading(self.feed.name, limit, since, reverse)
        try:
            async with asyncio.timeout(seconds):
                while not reading.done:
                    reading.add(await reading.ask(self.connection.link))
        except TimeoutError:
            raise TimeoutError(
                f"{self.feed.name}: no answer about its history within {seconds:g} s"
            ) from None
        return reading.messages

    # Taking with you. Copies; NaN is a gap; ``last`` is the newest so many. A pattern's have a column ``topic``.

    def to_numpy(self, fields: Iterable[str] | None = None, last: int | None = None) -> NDArray[np.void]:
        """Return a structured array: ``t`` (s since the epoch) first, then the fields, or those asked for."""
        return exports.to_numpy(self.feed.rings, fields, last)

    def to_pandas(self, fields: Iterable[str] | None = None, last: int | None = None) -> pd.DataFrame:
        """Return a DataFrame with a UTC ``DatetimeIndex`` named ``time``, in whole µs. Needs pandas.

        So it is in the other tables: a float64 of seconds since the epoch holds no more. Times that are closer stay apart.
        """
        return exports.to_pandas(self.feed.rings, fields, last)

    def to_polars(self, fields: Iterable[str] | None = None, last: int | None = None) -> Any:
        """Return a polars DataFrame with ``time`` (UTC) first. Needs polars."""
        return exports.to_polars(self.feed.rings, fields, last)

    def to_arrow(self, fields: Iterable[str] | None = None, last: int | None = None) -> Any:
        """Return a pyarrow Table with ``time`` (UTC) first. Needs pyarrow."""
        return exports.to_arrow(self.feed.rings, fields, last)

    # Watching.

    def alert(self, **options: Unpack[AlertOptions]) -> Alert:
        """Return an alert that fires when what arrives is above or below a threshold; see ``Alert`` for the options.

        ``topic.alert(above=30, for_="10s", hysteresis=2)`` watches every sample until it is closed; the plots of the topic show it.
        """
        from nbrealtime.live.alerts.alert import Alert

        return Alert(self, **options)

    # Showing.

    def plot(self, *args: Any, **options: Any) -> Any:
        """Return a live plot of its fields, which goes on while other cells run; see ``LivePlot`` for the options.

        Of a pattern it draws each topic as a line of its own, named by the topic, as they appear.
        """
        return views.make("plot", self, *args, **options)

    def log(self, *args: Any, **options: Any) -> Any:
        """Return a log of its messages as they come, newest first; see ``MessageLog`` for the options."""
        return views.make("log", self, *args, **options)

    def table(self, *args: Any, **options: Any) -> Any:
        """Return a table of its messages, newest first or one row for each ``key=``; see ``LiveTable`` for the options."""
        return views.make("table", self, *args, **options)

    def heatmap(self, **options: Any) -> Any:
        """Return its lists of numbers over time, as colours; see ``LiveHeatmap`` for the options.

        Of a pattern each topic is a row.
        """
        return views.make("heatmap", self, **options)

    def spectrogram(self, **options: Any) -> Any:
        """Return the frequencies in its samples over time; see ``Spectrogram`` for the options."""
        return views.make("spectrogram", self, **options)

    def tile(self, **options: Any) -> Any:
        """Return a tile: its newest value, large, with a sparkline; see ``StatTile`` for the options."""
        return views.make("tile", self, **options)

    def gauge(self, **options: Any) -> Any:
        """Return a gauge: where its newest value stands between two bounds; see ``Gauge`` for the options."""
        return views.make("gauge", self, **options)


class _Reading:
    """A history on its way: an answer is about as large as one message may be, so that it can take several."""

    def __init__(self, name: str, limit: int, since: SinceLike, reverse: bool) -> None:
        if is_pattern(name):
            raise ValueError(f"a history is a single topic's: {name} has by_topic(name).history()")
        if type(limit) is not int or not 1 <= limit <= HISTORY_LIMIT:
            raise ValueError(
                f"a history's limit is between 1 and {HISTORY_LIMIT:,}, not {limit!r}; ask again with since= for more"
            )
        self.messages: list[Message] = []
        self.done = False
        self._name = name
        self._limit = limit
        self._since = None if since is None else position(since)
        self._reverse = reverse

    def ask(self, link: Link) -> HistoryRequest:
        left = self._limit - len(self.messages)
        return link.history(self._name, limit=left, since=self._since, reverse=self._reverse)

    def add(self, answered: HistoryRequest) -> None:
        page = answered.page
        messages = () if page is None else page.messages
        self.messages += messages
        # Backwards there is no place to ask from again; forwards the last message is one.
        self.done = self._reverse or len(self.messages) >= self._limit or not messages
        if page is not None and not self.done:
            last = messages[-1]
            self.done = last.offset is None or last.epoch is None or last.offset == page.offset
            self._since = None if self.done else position(last)
