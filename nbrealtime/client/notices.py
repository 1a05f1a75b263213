"""How a connection is, for whoever shows it or waits for it.

The status is replaced, never changed, so that any thread may read it; listeners
are called on the client thread. The one rule: a change of state or of the
error is told at once, counters alone no more often than they can be read.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from nbrealtime.client.guarded import guarded
from nbrealtime.client.session import Event, Report
from nbrealtime.client.status import Status

__all__ = ["Listener", "Notices"]

_INTERVAL_SECONDS: Final = 0.1
# A wait in slices: a condition may come true without a notice (in a forked child, say), and on some
# systems a signal is only noticed between two of them.
_SLICE_SECONDS: Final = 0.25


class Listener:
    """What one handle wants to be told about the connection itself."""

    __slots__ = ("on_report", "on_status")

    def __init__(
        self, on_status: Callable[[Status], None] | None, on_report: Callable[[str], None] | None
    ) -> None:
        self.on_status = on_status
        self.on_report = on_report


class Notices:
    """The newest status, and those who are told of it."""

    def __init__(self, status: Status) -> None:
        self.status = status
        self._changed = threading.Condition()
        self._listeners: list[Listener] = []
        self._told_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def wait(self, until: Callable[[], bool], timeout: float | None) -> bool:
        """Waits, on any thread but the client's, until it holds; ``False`` after ``timeout`` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while not until():
                remaining = _SLICE_SECONDS
                if deadline is not None:
                    remaining = min(remaining, deadline - time.monotonic())
                if remaining <= 0:
                    return False
                self._changed.wait(remaining)
        return True

    # -- on the client thread -------------------------------------------------------------------------

    def add(self, listener: Listener) -> None:
        """Tells ``listener`` how it is now, and every change."""
        if listener.on_status is not None:
            guarded(listener.on_status, self.status)
        self._listeners.append(listener)

    def remove(self, listener: Listener) -> None:
        """Tells it nothing more."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def update(self, compose: Callable[[], Status]) -> None:
        """Tells everybody of ``compose()`` if it is news; a while later if only counters are."""
        status, before = compose(), self.status
        if status == before:
            return
        loop = asyncio.get_running_loop()
        matters = status.state is not before.state or status.error != before.error
        wait = 0.0 if matters else self._told_at + _INTERVAL_SECONDS - loop.time()
        if wait > 0:
            if self._timer is None:
                self._timer = loop.call_later(wait, self._update_later, compose)
            return
        self._told_at = loop.time()
        with self._changed:
            self.status = status
            self._changed.notify_all()
        for listener in tuple(self._listeners):
            if listener.on_status is not None:
                guarded(listener.on_status, status)

    def report(self, events: Sequence[Event]) -> None:
        """Passes on what the user should be told once."""
        for event in events:
            if isinstance(event, Report):
                for listener in tuple(self._listeners):
                    if listener.on_report is not None:
                        guarded(listener.on_report, event.text)

    def close(self) -> None:
        """Tells nobody anything more."""
        self._listeners.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _update_later(self, compose: Callable[[], Status]) -> None:
        self._timer = None
        self.update(compose)
