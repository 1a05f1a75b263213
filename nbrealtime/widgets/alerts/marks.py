"""What a plot shows of the alerts on its topics: a line for each threshold, a mark where one fired.

Collaborators: `live.alerts.book` tells of every alert and event, `plots.part.PlotPart` puts `header`
into its frames (its ``marks``), ``js/src/plot/overlay.ts`` draws.

The one rule: an alert's line stands as long as the alert is open, and as a closed topic's
last picture shows it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any, Final

from nbrealtime.live.alerts.alert import Alert
from nbrealtime.live.alerts.book import AlertEvent, alerts, watch_alerts
from nbrealtime.live.alerts.words import label, number
from nbrealtime.live.feed import Feed
from nbrealtime.live.record import TopicState
from nbrealtime.widgets.plots.part import Source

__all__ = ["MOST_MARKS", "AlertMarks"]

MOST_MARKS: Final = 50


class AlertMarks:
    """The lines and marks of one plot. Everything may be called from any thread.

    Args:
        sources: what the plot draws; all its fields where ``fields`` is None.
        changed: called, without the lock, when there is something to draw anew.
    """

    def __init__(self, sources: Iterable[Source], changed: Callable[[], None]) -> None:
        self._sources: tuple[tuple[Any, tuple[str, ...] | None], ...] = tuple(
            (source.feed, source.fields) for source in sources
        )
        self._changed = changed
        self._lock = threading.Lock()
        self._told = True
        self._alerts: tuple[Alert, ...] = ()
        # Before it looks which there are: of one that is made meanwhile it would not hear until that fires.
        self._unwatch = watch_alerts(self._hear)
        for alert in alerts():
            self._hear(alert, None)

    def close(self) -> None:
        """Looks no more, and lets go of the topics."""
        self._unwatch()
        self._sources = self._alerts = ()

    def header(self, *, whole: bool) -> dict[str, Any]:
        """What a frame says: all, if it is ``whole`` or it changed since a frame told; else nothing."""
        # Without the lock: what changes now is told with the next frame.
        if self._told and not whole:
            return {}
        with self._lock:
            # A snapshot is one view's: the others still have to hear what changed.
            self._told = self._told or not whole
            known = self._alerts
        drawn = [(fields, {strand.name for strand in feed.strands}) for feed, fields in self._sources]
        lines = [line for alert in known for line in _lines(alert)]
        found = [
            _mark(alert, event)
            for alert in known
            for event in alert.history
            if event.state == "firing"
            and any(event.topic in names and (not only or event.field in only) for only, names in drawn)
        ]
        found.sort(key=lambda mark: mark["t"])
        return {"lines": lines, "marks": found[-MOST_MARKS:]}

    def _hear(self, alert: Alert, event: AlertEvent | None) -> None:
        if alert not in self._alerts and not self._concerns(alert):
            return
        with self._lock:
            if alert.state != "closed":
                # Looked up again: it may fire, on the client's thread, while it is being made on another.
                if alert not in self._alerts:
                    self._alerts = (*self._alerts, alert)
            elif alert.feed.newest.state is not TopicState.CLOSED:
                self._alerts = tuple(other for other in self._alerts if other is not alert)
            self._told = False
        self._changed()

    def _concerns(self, alert: Alert) -> bool:
        return any(
            _shared(feed, alert.feed) and (fields is None or alert.field is None or alert.field in fields)
            for feed, fields in self._sources
        )


def _shared(one: Feed, other: Feed) -> bool:
    """Whether two feeds carry a topic in common: the same one, or one of a pattern's and the pattern."""
    return one is other or any(strand in other.strands for strand in one.strands)


def _lines(alert: Alert) -> list[dict[str, Any]]:
    bounds = [("above", alert.rule.above), ("below", alert.rule.below)]
    return [
        {"value": value, "label": alert.title if alert.named else f"{word} {value:.6g}", "level": alert.level}
        for word, value in bounds
        if value is not None
    ]


def _mark(alert: Alert, event: AlertEvent) -> dict[str, Any]:
    said = "silent" if event.reason == "stale" or event.value is None else number(event.value)
    series = label(event.topic, event.field)
    return {"t": event.time, "text": f"{alert.title}: {said}", "level": event.level, "series": series}
