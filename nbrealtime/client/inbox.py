"""What other threads want of the client thread, in the order in which they said it.

``connection.py`` empties it. The one rule: the loop is woken once a tick
however much is in here; a call into the loop for each publish would cost fifty
times as much.

Beside a cell that computes even a tick for each of a hundred publishes a second
costs the cell a tenth of its speed, in the switches of ours, of the server's
thread and back. So there a stream of publishes is taken over thirty times a
second, on an absolute schedule: who waits for the interpreter is late each time,
and that must not add up to a plot that stutters. Whatever somebody waits for
goes at once: errands, publishes that are acknowledged, and the first one after
a pause.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from nbrealtime.client import portal
from nbrealtime.client.session import Publish
from nbrealtime.contention import Contention

__all__ = ["PUT_OFF", "Inbox"]


PUT_OFF: Final = 1 / 30
"""For so long (s) publishes may be kept, to be taken over together."""


class Timer(Protocol):
    """What a call that comes later can be called off by."""

    def cancel(self) -> None: ...


class Inbox:
    """Publishes and errands. ``on_mail`` is called on the client thread when there are some, and empties it."""

    def __init__(
        self,
        on_mail: Callable[[], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        at: Callable[[float, Callable[[], None]], Timer] | None = None,
    ) -> None:
        self._on_mail = on_mail
        self._clock = clock
        self._at = at or _at
        self._items: deque[Publish | Callable[[], None]] = deque()
        self._errands = 0  # how many of these are no publishes
        self._counting = threading.Lock()
        self._is_posted = False
        self._is_put_off = False  # posted, by a timer
        self._due: float | None = None  # when ``on_mail`` should be called
        self._timer: Timer | None = None
        self._contention = Contention()
        self._emptied = -math.inf  # when there were publishes last

    @property
    def publishes(self) -> int:
        """How many publishes are here. Any thread."""
        return max(0, len(self._items) - self._errands)

    @property
    def waiting(self) -> int:
        """How many of them wait for anything else than to go together. Any thread."""
        return 0 if self._is_put_off else self.publishes

    def post(self, item: Publish | Callable[[], None]) -> None:
        """Leaves a publish or an errand. Any thread."""
        if isinstance(item, Publish):
            is_urgent = item.receipt is not None
        else:
            is_urgent = True
            with self._counting:
                self._errands += 1
        self._items.append(item)
        # A race costs one needless call: `empty` lowers the flag before it looks.
        if not self._is_posted or (is_urgent and self._is_put_off):
            self._is_posted, self._is_put_off = True, False
            self._due = self._clock()
            portal.call(self._on_mail)

    def empty(self, publish: Callable[[Publish], None]) -> int:
        """Gives publishes to ``publish`` and runs errands; returns the publishes' bytes. Client thread."""
        portal.assert_on_thread()
        now, due = self._clock(), self._due
        if due is not None:
            self._contention.woke(now - due)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._due = None
        self._is_put_off = self._is_posted = False
        items = self._items
        taken = 0
        # Only what is there now: a thread that publishes without pause must not keep us here.
        for _ in range(len(items)):
            item = items.popleft()
            if isinstance(item, Publish):
                taken += item.size
                publish(item)
            else:
                with self._counting:
                    self._errands -= 1
                item()
        if taken:
            is_stream = now - self._emptied < 2 * PUT_OFF
            self._emptied = now
            if is_stream and self._contention.busy and not self._is_posted:
                self._put_off(now, now if due is None else due)
        return taken

    def _put_off(self, now: float, since: float) -> None:
        self._due = now + PUT_OFF - (now - since) % PUT_OFF
        self._timer = self._at(self._due, self._fire)
        # Last, and in this order: who posts meanwhile calls as ever.
        self._is_put_off = True
        self._is_posted = True

    def _fire(self) -> None:
        self._timer = None  # what has come need not be called off
        self._on_mail()


def _at(moment: float, call: Callable[[], None]) -> Timer:
    return asyncio.get_running_loop().call_at(moment, call)
