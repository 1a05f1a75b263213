"""Where a thread that publishes faster than the network waits.

The gate knows how many bytes stand between the users' threads and the socket:
those that publishers have handed in and the client thread has not taken yet,
and those that it holds. Beyond the bound a publisher waits.

After a connection was lost the held bytes hold nobody back, but those of
acknowledged publishes, which are never dropped unsaid, have a bound of their own.

The one rule: only a user's thread waits here. The client thread, which alone
can make room, is told at once that there is none.
"""

from __future__ import annotations

import threading
import time
from typing import Final

from nbrealtime.errors import PublishTimeout

__all__ = ["Gate"]

LIMIT_BYTES: Final = 8 * 2**20
PATIENCE_SECONDS: Final = 5.0
# A wait in slices, since on some systems a signal (Ctrl-C) is only noticed between two of them.
_SLICE_SECONDS: Final = 0.25


class Gate:
    """Counts what waits to be sent; thread-safe."""

    def __init__(self, *, limit_bytes: int = LIMIT_BYTES, patience: float = PATIENCE_SECONDS) -> None:
        self._limit = limit_bytes
        self._patience = patience
        # Taken itself: the condition would take and give it back by two calls each. A signal's handler may publish in
        # the middle of a publish, so that it has to be one that its owner can take again.
        self._lock = threading.RLock()
        self._room = threading.Condition(self._lock)
        self._handed_in = 0
        self._held = 0
        self._acknowledged = 0
        self._offline = False
        self._waiting = 0
        self._open_to_all = False

    @property
    def pending_bytes(self) -> int:
        """What waits now."""
        return self._handed_in + self._held

    def admit(self, size: int) -> bool:
        """Counts ``size`` bytes in, of a publish that is not acknowledged, if there is room; says so."""
        with self._lock:
            if not self._fits(size, None):
                return False
            self._handed_in += size
            return True

    def enter(
        self,
        topic: str,
        size: int,
        *,
        may_wait: bool = True,
        bound: int | None = None,
        waits_offline: bool = True,
    ) -> None:
        """Counts ``size`` bytes in, waiting for room for at most 5 s.

        ``bound``: of an acknowledged publish, what all of them together may have while offline;
        ``waits_offline``: whether it waits for that.

        Raises `PublishTimeout`, and then has counted nothing. One message always has room when nothing
        else waits.
        """
        with self._lock:
            if self._fits(size, bound):
                self._handed_in += size
                return
            if not waits_offline and self._offline:
                may_wait = False
            deadline = time.monotonic() + (self._patience if may_wait else 0.0)
            self._waiting += 1
            try:
                while not self._fits(size, bound):
                    remaining = deadline - time.monotonic()
                    if remaining <= 0:
                        raise PublishTimeout(
                            topic,
                            self._patience if may_wait else 0.0,
                            max(self.pending_bytes, self._acknowledged),
                        )
                    self._room.wait(min(remaining, _SLICE_SECONDS))
            finally:
                self._waiting -= 1
            self._handed_in += size

    def leave(self, size: int) -> None:
        """Counts ``size`` bytes out again: they do not come."""
        with self._lock:
            self._handed_in -= size
            if self._waiting:
                self._room.notify_all()

    def update(self, taken: int, held: int, *, acknowledged: int = 0, offline: bool = False) -> None:
        """The client thread took ``taken`` bytes over, and now holds ``held`` that hold publishers back.

        ``acknowledged`` are those of publishes that wait for their acknowledgement, wherever they are.
        """
        with self._lock:
            self._handed_in -= taken
            self._held = held
            self._acknowledged = acknowledged
            self._offline = offline
            if self._waiting:
                self._room.notify_all()

    def release(self) -> None:
        """Nobody waits here any more: the connection is closed."""
        with self._lock:
            self._open_to_all = True
            self._room.notify_all()

    def _fits(self, size: int, bound: int | None) -> bool:
        if self._open_to_all:
            return True
        if bound is not None and self._offline:
            # What was handed in and not taken yet counts as acknowledged: at worst somebody waits a turn.
            pending, limit = self._handed_in + self._acknowledged, bound
        else:
            pending, limit = self._handed_in + self._held, self._limit
        return pending == 0 or pending + size <= limit
