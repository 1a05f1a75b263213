"""Every alert that is open in this process, for whoever shows them: plots and ``AlertLog``.

An ``Alert`` (``nbrealtime.live.alerts.alert``) enters itself when it is made and leaves when it closes; it tells here
of each event. What shows alerts finds them by their feed or their connection, since an alert knows nobody who looks.

The rule here: *a watcher is called on the thread on which it happened*, the client's most often, and must be quick.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from nbrealtime import lifecycle

if TYPE_CHECKING:
    from nbrealtime.live.alerts.alert import Alert
    from nbrealtime.live.alerts.rule import Reason

__all__ = ["AlertEvent", "AlertWatcher", "alerts", "enter", "leave", "tell", "watch_alerts"]


class AlertEvent(msgspec.Struct, frozen=True):
    """An alert that fired or cleared: what its callbacks are given.

    ``name`` and ``level`` are the alert's; ``topic`` and ``field`` say which series it was; ``state`` is ``"firing"`` or ``"ok"``;
    ``reason`` is ``"above"``, ``"below"`` or ``"stale"``, of one that cleared what it was before. ``value`` is the number with
    which it happened (None for a silence from the beginning) and ``time`` that sample's, s since the epoch. ``lasted`` (s) is
    how long the condition had held when it fired, or how long it had fired when it cleared. ``message`` says all that
    in a sentence.
    """

    name: str
    level: str
    topic: str
    field: str
    state: str
    reason: Reason
    value: float | None
    time: float
    lasted: float
    message: str


AlertWatcher = Callable[["Alert", AlertEvent | None], None]
"""Called with an alert and what happened; with None when it was made or closed."""

_lock = threading.Lock()
_alerts: tuple[Alert, ...] = ()
_watchers: tuple[AlertWatcher, ...] = ()


def alerts() -> tuple[Alert, ...]:
    """The open ones, in the order in which they were made."""
    return _alerts


def watch_alerts(watcher: AlertWatcher) -> Callable[[], None]:
    """Have ``watcher`` told of every alert; return what ends it."""
    global _watchers
    with _lock:
        _watchers = (*_watchers, watcher)

    def unwatch() -> None:
        global _watchers
        with _lock:
            _watchers = tuple(known for known in _watchers if known is not watcher)

    return unwatch


def enter(alert: Alert) -> None:
    global _alerts
    with _lock:
        _alerts = (*_alerts, alert)
    tell(alert)


def leave(alert: Alert) -> None:
    global _alerts
    with _lock:
        _alerts = tuple(known for known in _alerts if known is not alert)
    tell(alert)


def tell(alert: Alert, event: AlertEvent | None = None) -> None:
    for watcher in _watchers:
        watcher(alert, event)


def _forget() -> None:
    global _lock, _alerts, _watchers
    _lock, _alerts, _watchers = threading.Lock(), (), ()


lifecycle.after_fork(_forget)
