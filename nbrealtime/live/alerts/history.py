"""What an alert remembers of what happened: its newest events, how often it fired, and the newest sentence.

Written by ``nbrealtime.live.alerts.alert``, whose lock the writer holds; read from anywhere, since what is read is
replaced and never changed.
"""

from __future__ import annotations

from collections import deque

from nbrealtime.live.alerts.book import AlertEvent
from nbrealtime.live.alerts.rule import Rule, Step
from nbrealtime.live.alerts.series import Series
from nbrealtime.live.alerts.words import sentence

__all__ = ["KEPT_EVENTS", "AlertHistory"]

KEPT_EVENTS = 100


class AlertHistory:
    """One alert's. ``name`` and ``level`` are what its events say; ``named`` is the name that was given, if one was."""

    def __init__(self, rule: Rule, *, name: str, named: str | None, level: str) -> None:
        self._rule = rule
        self._name = name
        self._named = named
        self._level = level
        self._events: deque[AlertEvent] = deque(maxlen=KEPT_EVENTS)
        self.events: tuple[AlertEvent, ...] = ()
        """The newest, oldest first."""
        self.count = 0
        """How often it has fired."""
        self.message = ""
        """The newest event in a sentence."""

    def note(self, series: Series, step: Step) -> AlertEvent:
        """Make an event of what happened to a series, and keep it. The caller holds the alert's lock."""
        event = AlertEvent(
            name=self._name,
            level=self._level,
            topic=series.feed.name,
            field=series.field,
            state="firing" if step.fired else "ok",
            reason=step.reason,
            value=step.value,
            time=step.time,
            lasted=max(0.0, step.time - step.began),
            message=sentence(self._rule, self._named, series.label, step),
        )
        series.fired = event if step.fired else None
        self.count += step.fired
        self.message = event.message
        self._events.append(event)
        self.events = tuple(self._events)
        return event
