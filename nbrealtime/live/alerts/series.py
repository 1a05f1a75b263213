"""The series that one alert follows: each field of each topic under its rule, and the one that is shown.

``nbrealtime.live.alerts.alert`` hands it what arrives and tells what happened; a ``Condition`` for each series
(``nbrealtime.live.alerts.rule``) decides. It knows no thread and no clock.

The rule here: *whoever changes it holds the alert's lock*; what is read (``all``, ``lead``, ``shown``) is replaced and never
changed, and read without.
"""

from __future__ import annotations

import numpy as np

from nbrealtime.live.alerts.book import AlertEvent
from nbrealtime.live.alerts.rule import AlertState, Condition, Rule, Step
from nbrealtime.live.alerts.words import label
from nbrealtime.live.feed import Feed
from nbrealtime.live.samples.payload import VALUE, Block

__all__ = ["MAX_SERIES", "AlertSeries", "Happened", "Series"]

MAX_SERIES = 1024
"""So many series one alert follows, as many as a plot draws; further ones are left alone."""

_WORST = {AlertState.FIRING: 0, AlertState.PENDING: 1, AlertState.OK: 2}


class Series:
    """One field of one topic under the alert's rule."""

    __slots__ = ("condition", "feed", "field", "fired", "heard")

    def __init__(self, feed: Feed, field: str, rule: Rule, heard: float) -> None:
        self.feed = feed
        self.field = field
        self.condition = Condition(rule)
        self.heard = heard  # when its newest number came, monotonic
        self.fired: AlertEvent | None = None  # while it fires

    @property
    def label(self) -> str:
        return label(self.feed.name, self.field)


Happened = tuple[Series, Step]


class AlertSeries:
    """Those of one alert; with ``field`` that one only."""

    def __init__(self, rule: Rule, field: str | None) -> None:
        self._rule = rule
        self._field = field
        self._of: dict[tuple[str, str], Series] = {}  # replaced, never changed
        self._silence: Series | None = None  # stands for what never came
        self.lead: Series | None = None
        """The worst, which has been so for longest."""
        self.shown: tuple[str, float | None] = (AlertState.OK.value, None)
        """Its state, and since when."""

    # Reading: any thread.

    @property
    def all(self) -> list[Series]:
        return list(self._of.values())

    @property
    def ranked(self) -> list[Series]:
        """The worst first."""
        return sorted(self._of.values(), key=_rank)

    def __len__(self) -> int:
        return len(self._of)

    # What happens: the caller holds the lock.

    def judge(self, feed: Feed, block: Block, now: float) -> list[Happened]:
        """Take the samples of every field that is watched, which came at ``now`` (monotonic)."""
        usable = np.isfinite(block.times)
        if not usable.any():
            return []  # it ends no silence either: the ring takes nothing of it
        if not usable.all():
            columns = {field: column[usable] for field, column in block.columns.items()}
            block = Block(block.times[usable], columns)
        happened: list[Happened] = []
        stirred = False
        newest = feed.ring.newest
        for field, column in block.columns.items():
            if self._field is not None and field != self._field:
                continue
            series = self._of.get((feed.name, field))
            if series is None:
                # A field that only ever was null is no series, nor is one of another kind of message.
                if len(self._of) >= MAX_SERIES or not np.isfinite(column).any():
                    continue
                series = Series(feed, field, self._rule, now)
                if self._silence is not None:
                    happened += self._take_over(series, self._silence, float(block.times[0]))
                self._of = {**self._of, (feed.name, field): series}
            condition = series.condition
            if newest is not None and newest < condition.newest:
                condition.restart()  # the topic was cleared
            before = condition.state, condition.since
            happened += [(series, step) for step in condition.judge(block.times, column)]
            stirred |= before != (condition.state, condition.since)
            if self._rule.stale is not None and np.isfinite(column).any():
                series.heard = now
        if stirred:
            self._show()
        return happened

    def interrupt(self, feed: Feed) -> None:
        """Messages of ``feed`` are missing."""
        for series in self._of.values():
            if series.feed is feed:
                series.condition.interrupt()
        self._show()

    def await_first(self, feed: Feed, now: float) -> None:
        """Follow the silence of ``feed`` until a series comes, if silence is an alarm and none has come."""
        if self._rule.stale is not None and not self._of:
            self._silence = Series(feed, self._field or VALUE, self._rule, now)
            self._of = {("", ""): self._silence}
            self._show()

    def listen(self, patience: float, now: float, wall: float) -> tuple[list[Happened], float]:
        """Look who has been silent for ``patience``; return what happened, and when (monotonic) to look again."""
        happened: list[Happened] = []
        again = now + patience
        for series in self._of.values():
            due = series.heard + patience
            if due > now:
                again = min(again, due)
            elif (step := series.condition.silent(wall)) is not None:
                happened.append((series, step))
        if happened:
            self._show()
        return happened, again

    def _take_over(self, series: Series, silence: Series, time: float) -> list[Happened]:
        """The first series has come: what stood for the silence goes, and its alarm ends."""
        self._silence, self._of = None, {}
        step = silence.condition.end_silence(time)
        return [] if step is None else [(series, step)]

    def _show(self) -> None:
        if self._of:
            lead = min(self._of.values(), key=_rank)
            self.lead = lead
            self.shown = (lead.condition.state.value, lead.condition.since)


def _rank(series: Series) -> tuple[int, float]:
    condition = series.condition
    return _WORST[condition.state], condition.since or 0.0
