"""`AlertLog`: every alert at a glance, what fires first, and what happened.

Collaborators: `live.alerts.book` tells of alerts and events, `live.alerts.alert.Alert` knows how each
stands, `panel.Panel` does what every panel does, `urging.Urging` says when a hidden page is told,
``js/src/alertlog.ts`` draws and notifies.

The one rule: it says what is so and keeps no state of an alarm of its own. Nothing can be
acknowledged here, because nothing waits for it: what clears by itself is over.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

import traitlets

from nbrealtime.live import cells
from nbrealtime.live.alerts.alert import Alert
from nbrealtime.live.alerts.book import AlertEvent, alerts, watch_alerts
from nbrealtime.live.alerts.words import label
from nbrealtime.live.connection import Connection
from nbrealtime.live.delivery import delivery
from nbrealtime.options import whole
from nbrealtime.widgets.alerts.urging import Urging
from nbrealtime.widgets.panel import Panel
from nbrealtime.widgets.pump import pump
from nbrealtime.widgets.subjects import connection_of, sentence, topic_of, watch_link

if TYPE_CHECKING:
    from nbrealtime.live.feed import Feed
    from nbrealtime.live.topic import LiveTopic

__all__ = ["MOST_ROWS", "AlertLog"]

MOST_ROWS: Final = 100
MOST_EVENTS: Final = 200
NAMED: Final = 3
"""So many of the series that fire are named."""
MOST_VIEWS: Final = 64

_ORDER: Final = {"firing": 0, "pending": 1, "ok": 2, "closed": 3}


class AlertLog(Panel):
    """Lists alerts, what fires first, and below what happened, newest first.

    Each alert has its level and state as colour, symbol and word, its value, and for how long it has been so. It follows
    while cells run, and alerts that are made later appear. `close` keeps the list; a log that a cell made goes
    altogether when that cell runs again. Alerts with ``notify=True`` can be had as browser notifications: its button
    asks for the permission, in the page where it is clicked.

    Args:
        subjects: alerts, topics (as `LiveTopic` or by name: all that watch them) and connections (all of theirs); a list of
            them is as good. Without any: all of the default connection.
        history: how many events are kept, 1 to 200.

    Raises:
        TypeError: ``subjects`` holds something else.
        ValueError: ``history`` is out of its range.
        NoServer, AmbiguousServer: no server can be found without being told.
        FrontEndMissing: the front end was not built; the message says what to type.
    """

    _bundle = "alertlog"
    _clock = staticmethod(time.monotonic)

    title = traitlets.Unicode("", read_only=True, help="what it is about").tag(sync=True)
    history = traitlets.Int(50, read_only=True, help="how many events are kept").tag(sync=True)

    def __init__(
        self, *subjects: Alert | LiveTopic | Connection | str | Iterable[Any], history: int = 50
    ) -> None:
        cell = cells.current_cell()
        history = whole("history", history, 1, MOST_EVENTS)
        found = [_subject(one) for one in _flat(subjects)] or [connection_of()]
        self._given = tuple(one for one in found if isinstance(one, Alert))
        self._connections = tuple(one for one in found if isinstance(one, Connection))
        self._feeds = tuple(one.feed for one in found if not isinstance(one, (Alert, Connection)))
        self._lock = threading.Lock()  # for what is below
        self._alerts: tuple[Alert, ...] = ()
        # Not the alerts themselves: behind each there is a ring of samples.
        self._events: deque[tuple[int, AlertEvent, int, bool]] = deque(maxlen=history)
        self._came = 0
        self._following: dict[int, Callable[[], None]] = {}  # by feed or link
        links = (one.link if isinstance(one, Connection) else one.connection.link for one in found)
        self._links = tuple({id(link): link for link in links}.values())
        self._notified: set[str] = set()  # the views that notify
        self._urging = Urging()
        self._later = delivery().slot(self._bring, "thread")
        self._closed_at: float | None = None
        super().__init__(title=", ".join(_title(one) for one in found), history=history)
        self._watch(watch_alerts(self._hear), self._unfollow)
        past = []
        for alert in dict.fromkeys((*self._given, *alerts())):
            if self._concerns(alert):
                self._take(alert)
                past += [(event.time, alert, event) for event in alert.history]
        with self._lock:
            for _, alert, event in sorted(past, key=lambda one: one[0]):
                self._came += 1
                self._events.append((self._came, event, alert.number, alert.notify))
        for link in self._links:
            self._watch(watch_link(link, self._mark))
        self._replace_with(cell)

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """Those that it lists, what fires first."""
        return tuple(sorted(self._alerts, key=_rank))

    def __repr__(self) -> str:
        known = self._alerts
        firing = sum(alert.state == "firing" for alert in known)
        plural = "" if len(known) == 1 else "s"
        return f"AlertLog of {self.title}: {len(known)} alert{plural}, {firing} firing"

    def close(self) -> None:
        """Lets go of its alerts and keeps the list, marked with the time. Harmless when repeated."""
        if not self._closed:
            self._closed_at = time.time()
            with self._lock:
                self._urging.clear()
        super().close()

    def _state(self) -> dict[str, Any]:
        with self._lock:
            events, known = list(self._events), self._alerts
        rows = sorted(known, key=_rank)
        state, why = "live" if rows else "empty", ""
        for link in self._links:
            status = link.status
            if status.state.value != "connected":
                state, why = status.state.value, sentence(status)
                break
        return {
            "state": state,
            "why": why,
            "closed": None if self._closed_at is None else round(self._closed_at * 1000),
            "firing": sum(alert.state == "firing" for alert in rows),
            "alerts": [self._row(alert) for alert in rows[:MOST_ROWS]],
            "more": max(0, len(rows) - MOST_ROWS),
            "events": [
                [number, round(event.time * 1000), event.level, event.state, event.message, alert, notify]
                for number, event, alert, notify in reversed(events)
            ],
        }

    def _row(self, alert: Alert) -> dict[str, Any]:
        since, age, firing = alert.since, alert.feed.age, alert.fires_on
        # What the name says already is not said again.
        about = alert.condition.removeprefix(alert.title).lstrip(", ")
        if alert.named:
            about = " ".join(filter(None, (alert.feed.name, alert.field, alert.condition)))
        return {
            "id": alert.number,
            "name": alert.name,
            "about": about,
            "level": alert.level,
            "state": alert.state,
            "value": alert.value,
            "since": None if since is None else round(since * 1000),
            "count": alert.count,
            "series": alert.watches,
            "firing": len(firing),
            "on": [label(topic, field) for topic, field in firing[:NAMED]],
            "age": None if age is None else round(age * 1000),
            "notify": alert.notify,
        }

    def _told(self, content: dict[str, Any]) -> None:
        if content.get("type") == "notify":
            view = str(content.get("view"))
            self._notified.discard(view)
            if content.get("on") and len(self._notified) < MOST_VIEWS:
                self._notified.add(view)
        super()._told(content)

    # What happens: the client thread, or whoever makes and closes an alert.

    def _hear(self, alert: Alert, event: AlertEvent | None) -> None:
        if alert not in self._alerts and not self._concerns(alert):
            return
        if event is not None:
            with self._lock:
                self._came += 1
                self._events.append((self._came, event, alert.number, alert.notify))
            self._urge(alert, event)
        elif alert.state == "closed":
            self._drop(alert)
        else:
            self._take(alert)
        self._mark()

    def _urge(self, alert: Alert, event: AlertEvent) -> None:
        """A notification is for a page that nobody looks at, to which the pump sends nothing by itself."""
        if not (alert.notify and event.state == "firing" and self._notified):
            return
        with self._lock:
            self._urging.ask(alert.number, self._clock())
        again = self._bring()
        if again is not None:
            delivery().wake(self._later, again)

    def _bring(self, _until: float = 0.0) -> float | None:
        """Brings what is to be told to hidden pages, or returns when to; also on the delivery thread."""
        with self._lock:
            due, again = self._urging.come(self._clock())
        if due and self._notified:
            pump().urge(self._stream)
        return again

    def _concerns(self, alert: Alert) -> bool:
        return (
            alert in self._given
            or any(alert.connection is connection for connection in self._connections)
            or any(_watches(alert.feed, feed) for feed in self._feeds)
        )

    def _take(self, alert: Alert) -> None:
        with self._lock:
            if alert not in self._alerts:
                self._alerts = (*self._alerts, alert)
            if id(alert.feed) not in self._following:
                self._following[id(alert.feed)] = alert.feed.watch(self._mark)

    def _drop(self, alert: Alert) -> None:
        """One that was asked for by itself stays, as closed."""
        with self._lock:
            self._urging.forget(alert.number)
            if alert not in self._given:
                self._alerts = tuple(other for other in self._alerts if other is not alert)
            if any(other.feed is alert.feed and other.state != "closed" for other in self._alerts):
                return
            end = self._following.pop(id(alert.feed), None)
        if end is not None:
            end()

    def _unfollow(self) -> None:
        with self._lock:
            ends, self._following = list(self._following.values()), {}
        for end in ends:
            end()


def _flat(subjects: Iterable[Any]) -> Iterable[Any]:
    for subject in subjects:
        if isinstance(subject, (list, tuple)):
            yield from subject
        else:
            yield subject


def _subject(subject: Any) -> Any:
    if isinstance(subject, (Alert, Connection)):
        return subject
    if isinstance(subject, str) or hasattr(subject, "feed"):
        return topic_of(subject)
    raise TypeError(
        f"an AlertLog takes alerts, topics (or their names) and connections, not {type(subject).__name__}"
    )


def _title(subject: Any) -> str:
    if isinstance(subject, Connection):
        url = subject.link.status.url or "this connection"
        return subject.name or url.removeprefix("ws://").removesuffix("/").removesuffix("/ws")
    return str(subject.name)


def _watches(one: Feed, other: Feed) -> bool:
    """Whether an alert on ``one`` belongs to the topic ``other``: the same, or one of a pattern's."""
    return one is other or any(strand is one for strand in other.strands)


def _rank(alert: Alert) -> tuple[int, bool, float]:
    return _ORDER[alert.state], alert.level != "critical", alert.since or 0.0
