"""When the hub's words are written: once per turn of the loop, with everything that this turn brings.

Connections ask for it when they have handed the hub something, and get it at
once if their turn brought nothing else; the hub asks for it when a store has
answered; an alarm does when something in the hub is due that nobody brings, a
delayed message say.

The one rule: a flush within a flush does nothing. What comes up meanwhile waits
for its own turn, so that sockets are written to in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from nbrealtime.hub import Hub
from nbrealtime.server.clock import milliseconds
from nbrealtime.server.turn import Turn

__all__ = ["Flusher"]

# What goes out to one connection in one turn of the loop, roughly: a socket takes more than that at once.
_TURN_BYTES: Final = 2**20
# How long to leave a store alone that is asked to commit what waits.
_STORE_SECONDS: Final = 0.001


class Flusher:
    """Flushes one hub on one loop, and tells the sessions' faces to drain. ``turn`` is the loop's, if it tells."""

    __slots__ = ("_alarm", "_alarm_due", "_closed", "_flushing", "_hub", "_loop", "_scheduled", "_turn")

    def __init__(self, hub: Hub, loop: asyncio.AbstractEventLoop, turn: Turn | None = None) -> None:
        self._hub = hub
        self._loop = loop
        self._turn = Turn() if turn is None else turn
        self._scheduled = False
        self._flushing = False
        self._closed = False
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_due: float | None = None

    @property
    def busy(self) -> bool:
        """Whether this turn of the loop has as much to write already as one should."""
        return self._hub.pending_bytes > _TURN_BYTES

    def schedule(self) -> None:
        """Flushes in the next turn of the loop, with everything else that this turn brings."""
        if not self._scheduled and self._hub.pending:
            self._scheduled = True
            self._loop.call_soon(self._flush_now)

    def conclude(self, now: int) -> None:
        """Flushes what a reading brought: with everything else that this turn brings, or at once if there is none.

        ``now`` is the time of the reading, in ms.
        """
        if not self._turn.alone or self._scheduled:
            self.schedule()
        elif self._hub.pending:
            try:
                self.flush(now)
            except Exception as fault:  # noqa: BLE001 - handed to the loop's handler, which logs it
                # As in a turn of its own. Raised, it would cut off who spoke and has no part in it.
                context = {"message": "nbrealtime: a flush failed", "exception": fault}
                self._loop.call_exception_handler(context)

    def flush(self, now: int | None = None) -> None:
        """Writes what the hub has to say. Within itself it does nothing: what comes up then waits its turn.

        ``now`` in ms, if it was just asked for.
        """
        if self._flushing:
            return
        self._flushing = True
        try:
            for session in self._hub.flush(milliseconds() if now is None else now):
                session.face.writer.drain()
        finally:
            self._flushing = False
        self.schedule()
        if self._hub.due != self._alarm_due:
            self._set_alarm()

    def later(self, act: Callable[[], None]) -> None:
        """Does something in one of the next turns: not the very next while all wait for the store."""
        if self._hub.committing:
            self._loop.call_later(_STORE_SECONDS, act)
        else:
            self._loop.call_soon(act)

    def close(self) -> None:
        """Sets no alarm any more; what is flushed is still written."""
        self._closed = True
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _flush_now(self) -> None:
        self._scheduled = False
        self.flush()

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        due = self._alarm_due = self._hub.due
        if due is not None and not self._closed:
            self._alarm = self._loop.call_later(max(0.0, (due - milliseconds()) / 1000), self._ring)

    def _ring(self) -> None:
        self._alarm = self._alarm_due = None
        self.flush()
