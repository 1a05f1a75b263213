"""``Alert``: a condition on what a topic carries, as an object whose traits follow it and that calls back.

It taps the samples of a feed (``Feed.tap_samples``) and hands them to its series (``nbrealtime.live.alerts.series``; the
decision is in ``rule``), keeps what happened (``history``) and calls back (``calls``), as a topic does and
where ``nbrealtime.live.delivery`` says. Plots and ``AlertLog`` find it in ``nbrealtime.live.alerts.book``.

The rule here: *every sample is judged, on the client thread, whoever looks*. A paused topic pauses what it shows, not what
watches over it; the browser, the plot's resolution and the pace of notifications have no part in it.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, TypeVar

from nbrealtime.live.alerts import book
from nbrealtime.live.alerts.book import AlertEvent
from nbrealtime.live.alerts.calls import AlertCalls
from nbrealtime.live.alerts.history import AlertHistory
from nbrealtime.live.alerts.options import Level, check_level, rule_of
from nbrealtime.live.alerts.rule import AlertState
from nbrealtime.live.alerts.series import AlertSeries, Happened
from nbrealtime.live.alerts.words import condition, label, threshold
from nbrealtime.live.cells import own
from nbrealtime.live.feed import Feed
from nbrealtime.live.record import TopicState
from nbrealtime.live.samples.payload import Block
from nbrealtime.live.subject import NOTIFY_HZ, Fresh, Subject
from nbrealtime.options import text
from nbrealtime.wire.times import format_duration

if TYPE_CHECKING:
    from nbrealtime.live.connection import Connection
    from nbrealtime.live.face import TopicFace

__all__ = ["Alert"]

F = TypeVar("F", bound=Callable[..., Any])
_numbers = itertools.count(1)
_ADVICE = "the samples decide; close() it and make another one"


def _fresh(read: Callable[[Alert], Any], help: str) -> Any:  # noqa: A002 - traitlets' name
    return Fresh(read, advice=_ADVICE, help=help)


class Alert(Subject):
    """Fires when what arrives is above or below a threshold, and clears. Its callbacks may run beside the running cell.

    Made by ``topic.alert``, ``topic["x"].alert`` or ``topic.by_topic(…).alert``. Every sample is judged by its own time, paused or
    not, whatever a plot shows. ``state`` is ``"ok"``, ``"pending"`` (beyond the threshold, but not yet for so long), ``"firing"``
    or ``"closed"``. Without ``field`` it watches every numeric field, of a pattern those of every topic that appears: each
    series has a state of its own, and the alert shows the worst, which has been so for longest. ``series`` names them all.

    What is not known neither fires nor clears: a gap (NaN, null, missing messages) and a pause leave an alert as it is, but a
    gap starts anew what waits for ``for_``. Silence is an alarm only if ``stale_after`` says so. It closes with ``close()``, by ``with``,
    with its topic, and when the cell that made it starts again.

    Args:
        above, below: thresholds; beyond one of them it fires, with both: outside of what is between.
        for_: how long the condition must have held without interruption, by the samples' times.
        hysteresis: how far on the good side of the threshold a number must be to clear it.
        stale_after: fire, too, when no number has come for so long, by this machine's clock.
        field: the one field to watch.
        name: what it is called; says what it watches by default.
        level: ``"warning"`` or ``"critical"``.
        notify: offer browser notifications in an ``AlertLog``.

    Raises:
        ValueError: without any condition, for one that could never clear, for another level.
        TypeError: a threshold is no number, a name no text.
    """

    _name: str
    _level: str
    _history: AlertHistory

    name = _fresh(lambda alert: alert._name, "what it is called")
    level = _fresh(lambda alert: alert._level, "warning or critical")
    state = _fresh(lambda alert: alert._shown[0], "ok, pending, firing or closed")
    value = _fresh(lambda alert: alert._value, "the newest number of the series that it shows")
    since = _fresh(lambda alert: alert._shown[1], "since when the state is so, s since the epoch")
    count = _fresh(lambda alert: alert._history.count, "how often it has fired")
    message = _fresh(
        lambda alert: alert._history.message,
        "the newest event in a sentence, or an empty one before the first",
    )

    def __init__(
        self,
        topic: TopicFace,
        *,
        above: float | None = None,
        below: float | None = None,
        for_: str | float | None = None,
        hysteresis: float = 0.0,
        stale_after: str | float | None = None,
        field: str | None = None,
        name: str | None = None,
        level: Level = "warning",
        notify: bool = False,
    ) -> None:
        check_level(level)
        if field is not None:
            text("field", field)
        if name is not None:
            text("name", name)
        self.rule = rule_of(
            above=above, below=below, for_=for_, hysteresis=hysteresis, stale_after=stale_after
        )
        owner = topic.owner
        super().__init__(deliver=owner.deliver, notify_hz=NOTIFY_HZ)
        self._faults = owner.faults
        self.number = next(_numbers)
        """Which of this process's alerts it is; two may have one name."""
        self.topic = topic
        self.field = field
        self.notify = bool(notify)
        self._feed = topic.feed
        self._named = name
        self._name = name or f"{label(topic.feed.name, field)} {threshold(self.rule)}"
        self._level = level
        self._calls = AlertCalls(self._faults)
        self._lock = threading.Lock()  # for what is below
        self._series = AlertSeries(self.rule, field)
        self._history = AlertHistory(self.rule, name=self._name, named=name, level=level)
        self._end: tuple[str, float] | None = None  # what it shows once it is closed
        self._lookout = self._delivery.slot(self._listen, "thread")
        # Kept: a bound method is another object each time, and is taken back by identity.
        self._tap = self._take
        self._untap = (self._feed.tap_samples(self._tap), self._feed.tap(self._changed))
        self._disown = own(self._origin.cell, self.close)
        book.enter(self)
        self._begin()

    # What it is.

    @property
    def connection(self) -> Connection:
        """The connection of its topic."""
        return self.topic.connection

    @property
    def history(self) -> tuple[AlertEvent, ...]:
        """The newest 100 events, oldest first."""
        return self._history.events

    @property
    def series(self) -> dict[str, str]:
        """The state of each series by its name, a topic and, unless it is ``value``, a field; the worst first."""
        return {series.label: series.condition.state.value for series in self._series.ranked}

    @property
    def fires_on(self) -> tuple[tuple[str, str], ...]:
        """The series that fire, each as its topic and field, the longest first."""
        return tuple(
            (series.feed.name, series.field)
            for series in self._series.ranked
            if series.condition.state is AlertState.FIRING
        )

    @property
    def watches(self) -> int:
        """How many series it watches."""
        return len(self._series)

    @property
    def named(self) -> bool:
        """Whether its name was given, and is not what it watches."""
        return self._named is not None

    @property
    def title(self) -> str:
        """The given name, or the condition alone, for where the topic is named already."""
        return threshold(self.rule) if self._named is None else self._named

    @property
    def condition(self) -> str:
        """What it watches for, in a few words."""
        return condition(self.rule)

    @property
    def feed(self) -> Feed:
        """The feed that it watches; for what shows it."""
        return self._feed

    # Being told.

    def on_fire(self, callback: F) -> F:
        """Call ``callback(event)`` each time it fires, possibly beside the running cell; return ``callback``.

        Usable as a decorator, as ``topic.on_message`` is: in order, never twice at a time, its output below the cell that
        registered it until the page is reloaded, its exceptions in ``topic.errors``; it goes when that cell starts
        again. If it fires already, ``callback`` is told so first. See ``AlertEvent`` for what it is given. At most 1,000
        events wait for slow callbacks.
        """
        if not callable(callback):
            raise TypeError(f"on_fire takes a function of one argument, the event, not {callback!r}")
        with self._lock:
            if self._end is None:
                firing = [series.fired for series in self._series.all if series.fired is not None]
                self._calls.add("firing", callback, sorted(firing, key=lambda event: event.time))
        self._delivery.wake(self._slot)
        return callback

    def off_fire(self, callback: Callable[..., Any]) -> None:
        """Stop calling ``callback``; harmless if it is not registered."""
        self._calls.remove("firing", callback)

    def on_clear(self, callback: F) -> F:
        """Call ``callback(event)`` each time it clears; as ``on_fire``, also a decorator."""
        if not callable(callback):
            raise TypeError(f"on_clear takes a function of one argument, the event, not {callback!r}")
        with self._lock:
            if self._end is None:
                self._calls.add("ok", callback)
        return callback

    def off_clear(self, callback: Callable[..., Any]) -> None:
        """Stop calling ``callback``; harmless if it is not registered."""
        self._calls.remove("ok", callback)

    # Doing.

    def close(self) -> None:
        """Watch no more, and call nobody; the history stays readable. Harmless when repeated."""
        with self._lock:
            if self._end is not None:
                return
            self._end = (AlertState.CLOSED.value, time.time())
        for untap in self._untap:
            untap()
        self._disown()
        self._calls.clear()
        book.leave(self)
        # A plot that showed its line learns of it without waiting for a sample.
        self._feed.touch()
        self._wake()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state, since = self._shown
        text = f"Alert {self._name!r}: {state}"
        if state == AlertState.CLOSED.value:
            return text
        series, lead = self._series.all, self._series.lead
        if since is not None and state != AlertState.OK.value:
            text += f" for {format_duration(time.time() - since)}"
        if len(series) > 1 and state != AlertState.OK.value and lead is not None:
            alike = sum(one.condition.state.value == state for one in series)
            text += f", {alike} of {len(series)} series, {lead.label}"
        elif len(series) > 1:
            text += f", {len(series)} series"
        if self._value is not None:
            text += f" ({self._value:.6g})"
        if self._history.count:
            text += f", fired {'once' if self._history.count == 1 else f'{self._history.count:,} times'}"
        return text if series else f"{text}, no number yet"

    def __dir__(self) -> list[str]:
        return [*(name for name in vars(Alert) if not name.startswith("_")), "observe", "topic", "unobserve"]

    # The samples: the client thread.

    @property
    def _shown(self) -> tuple[str, float | None]:
        """Its state, and since when."""
        return self._end or self._series.shown

    @property
    def _value(self) -> float | None:
        lead = self._series.lead
        return None if lead is None else lead.condition.value

    def _begin(self) -> None:
        """Judge what the topic carried last, and begin to listen for silence."""
        now = time.monotonic()
        events: list[AlertEvent] = []
        with self._lock:
            for feed in self._feed.strands:
                fields = feed.ring.fields if self.field is None else (self.field,)
                times, columns = feed.ring.snapshot(fields, last=1)
                # A condition that holds already is known to hold since its newest sample.
                events += self._note(self._series.judge(feed, Block(times, columns), now - (feed.age or 0.0)))
            self._series.await_first(self._feed, now)
        if self.rule.stale is not None:
            self._delivery.wake(self._lookout, now)
        self._tell_all(events)
        self._feed.touch()

    def _take(self, feed: Feed, block: Block | None) -> None:
        with self._lock:
            if self._end is not None:
                return
            if block is None:
                self._series.interrupt(feed)
                events = []
            else:
                events = self._note(self._series.judge(feed, block, time.monotonic()))
        self._tell_all(events)

    def _note(self, happened: list[Happened]) -> list[AlertEvent]:
        """Keep what happened, and put it where callbacks find it. The caller holds the lock."""
        events = [self._history.note(series, step) for series, step in happened]
        for event in events:
            self._calls.put(event)
        return events

    def _tell_all(self, events: list[AlertEvent]) -> None:
        """Let everybody know. Nobody holds a lock."""
        for event in events:
            book.tell(self, event)
        if self._calls.waiting:
            self._delivery.wake(self._slot)
        else:
            self._wake()

    def _changed(self, messages: Any) -> None:
        if not messages and self._feed.newest.state is TopicState.CLOSED:
            self.close()

    # The delivery.

    def _deliver(self, until: float) -> float | None:
        """Call back, then tell what changed. The caller holds the slot's claim."""
        self._calls.run(until)
        now = time.monotonic()
        again = self._tell(now)
        return now if self._calls.waiting else again

    def _listen(self, until: float) -> float | None:
        """On the delivery thread: look who is silent, and return when to look again."""
        patience = self.rule.stale
        if patience is None:
            return None
        with self._lock:
            if self._end is not None:
                return None
            happened, again = self._series.listen(patience, time.monotonic(), time.time())
            events = self._note(happened)
        self._tell_all(events)
        if events:
            self._feed.touch()
        return again
