"""What an alert's callbacks have yet to be told, in order, as ``handout`` does it for messages.

Filled on the client thread; ``run`` is called by whoever holds the alert's claim (``nbrealtime.live.delivery``), so that no
two callbacks of an alert run at a time.

The rule here: *a callback that was unregistered is not called any more*, not even for what waited for it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from nbrealtime.live.alerts.book import AlertEvent
from nbrealtime.live.cells import own
from nbrealtime.live.consumers.callbacks import Callback, Faults

__all__ = ["MAX_EVENTS", "AlertCalls"]

MAX_EVENTS = 1000


class AlertCalls:
    """The callbacks for one kind of event ("firing" or "ok") each, and at most ``MAX_EVENTS`` that wait for them."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._lock = threading.Lock()
        self._callbacks: tuple[tuple[str, Callback], ...] = ()
        # An event for all of its kind, or for one callback that came later.
        self._queue: deque[tuple[AlertEvent, Callback | None]] = deque(maxlen=MAX_EVENTS)

    @property
    def waiting(self) -> bool:
        return bool(self._queue)

    def add(self, state: str, function: Callable[..., Any], already: Iterable[AlertEvent] = ()) -> None:
        """Register ``function`` for the running cell, once; what is so ``already``, it is told first."""
        registered = Callback(function, self._faults)
        with self._lock:
            if (state, registered) in self._callbacks:
                return
            self._callbacks = (*self._callbacks, (state, registered))
            self._queue.extend((event, registered) for event in already)
        registered.disown = own(registered.origin.cell, lambda: self.remove(state, function))

    def remove(self, state: str, function: Callable[..., Any]) -> None:
        """Unregister ``function``; harmless if it is not registered."""
        with self._lock:
            removed = [
                (kind, known) for kind, known in self._callbacks if kind == state and known == function
            ]
            self._callbacks = tuple(entry for entry in self._callbacks if entry not in removed)
        for _, callback in removed:
            callback.disown()

    def put(self, event: AlertEvent) -> None:
        """Keep an event for the callbacks, if there are any for it."""
        with self._lock:
            if any(state == event.state for state, _ in self._callbacks):
                self._queue.append((event, None))

    def clear(self) -> None:
        """Forget what waits, and every callback: the alert is closed."""
        with self._lock:
            removed = self._callbacks
            self._callbacks = ()
            self._queue.clear()
        for _, callback in removed:
            callback.disown()

    def run(self, until: float) -> None:
        """Tell what waits, not beginning another event after ``until``."""
        while time.monotonic() < until:
            try:
                event, only = self._queue.popleft()
            except IndexError:
                return
            for state, callback in self._callbacks:
                # Looked up again each time: the one before may have unregistered it, or closed the alert.
                wanted = state == event.state and (only is None or callback is only)
                if wanted and (state, callback) in self._callbacks:
                    callback(event)
