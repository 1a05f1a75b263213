"""When and where callbacks and notifications run: on the kernel's loop, or beside a cell that keeps it busy.

Every topic and connection has one ``Slot``: whether something waits to be delivered, and a claim. ``Delivery`` hands
slots to the kernel's loop and, from its own thread ``nbrealtime-delivery``, takes over those in mode ``"auto"`` when
the loop has not answered for 100 ms (a cell is computing). From then on it does so at once, until a marker that it
posted to the loop has run. Where no kernel's loop runs, the thread delivers everything.

The rules here. *Whoever takes a slot claims it, and keeps the claim until its deliveries have returned*: so the
callbacks of one topic never overlap and never come out of order, and nobody waits for them; whatever was woken
meanwhile is queued again by the holder. *The lock is never held while calling out.*
"""

from __future__ import annotations

import heapq
import itertools
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Literal, Protocol, get_args

from nbrealtime import lifecycle
from nbrealtime.live.cells import shell

__all__ = [
    "SLICE_SECONDS",
    "TAKE_OVER_SECONDS",
    "Deliver",
    "Delivery",
    "Loop",
    "Slot",
    "delivery",
    "kernel_loop",
]

TAKE_OVER_SECONDS = 0.1
SLICE_SECONDS = 0.05
"""For how long deliveries may keep the kernel's loop before it gets to its other work, cells among it."""

Deliver = Literal["auto", "main", "thread"]


class Loop(Protocol):
    """What is needed of an event loop."""

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: Any) -> object: ...


class Slot:
    """Whether one topic has something to deliver, and who is delivering it.

    ``deliver(until)`` runs what waits, stopping soon after ``until`` (monotonic seconds); it returns when it wants to
    be called again: the time (now or earlier: at once), or None.
    """

    def __init__(self, deliver: Callable[[float], float | None], mode: Deliver) -> None:
        self.deliver = deliver
        self.mode = mode
        # All below belongs to Delivery, under its lock.
        self.ready = False
        self.ready_since = 0.0
        self.claimed = False
        self.due = math.inf  # the earliest entry in the calendar


class Delivery:
    """Brings slots to where they are delivered. ``find_loop`` returns the kernel's loop, or None where there is none.

    It is asked again for each new slot until there is one: what a profile's start-up files subscribe to comes before
    the kernel's loop.
    """

    def __init__(
        self, find_loop: Callable[[], Loop | None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._find_loop = find_loop
        self._loop: Loop | None = None
        self._clock = clock
        # Taken itself: the condition would take and give it back by two calls each.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._here: deque[Slot] = deque()  # for the thread
        self._there: deque[Slot] = deque()  # for the loop
        self._posted = False  # the loop has yet to call _on_loop
        self._busy = False  # taken over, until the marker has run
        self._calendar: list[tuple[float, int, Slot]] = []
        self._order = itertools.count()
        self._wakes_at = -math.inf  # when the thread looks again by itself; -inf: it is looking

    @property
    def has_loop(self) -> bool:
        """Whether there is a kernel's loop to deliver on."""
        return self._loop is not None

    def slot(self, deliver: Callable[[float], float | None], mode: Deliver) -> Slot:
        """Return a new slot. Raises ``ValueError`` for ``"main"`` where no kernel's loop runs."""
        if mode not in get_args(Deliver):
            raise ValueError(f'deliver is "auto", "main" or "thread", not {mode!r}')
        if self._loop is None:
            self._loop = self._find_loop()
        if self._loop is None and mode == "main":
            raise ValueError(
                'deliver="main" needs a Jupyter kernel, and none runs here: use "auto" or "thread"'
            )
        return Slot(deliver, mode)

    def wake(self, slot: Slot, at: float | None = None) -> None:
        """Have the slot delivered: as soon as possible, or at the time ``at`` (monotonic seconds).

        Any thread; never waits for a delivery.
        """
        with self._lock:
            now = self._clock()
            if at is None or at <= now:
                self._set_ready(slot, now)
            elif at < slot.due:
                slot.due = at
                heapq.heappush(self._calendar, (at, next(self._order), slot))
                self._attend(at)

    def call_on_loop(self, function: Callable[[], object]) -> bool:
        """Call ``function`` on the kernel's loop when it has time; return False if there is none."""
        if self._loop is None:
            return False
        try:
            self._loop.call_soon_threadsafe(function)
        except RuntimeError:  # closed: the kernel is going
            return False
        return True

    def stop(self, seconds: float) -> None:
        """End the thread, waiting at most ``seconds`` for a callback that it is in."""
        with self._lock:
            self._stopping = True
            thread = self._thread
            self._changed.notify()
        if thread is not None and thread is not threading.current_thread():
            thread.join(seconds)

    # Below, the caller holds the lock.

    def _set_ready(self, slot: Slot, now: float) -> None:
        if slot.ready:
            return
        slot.ready, slot.ready_since = True, now
        if not slot.claimed:
            self._queue(slot)

    def _queue(self, slot: Slot) -> None:
        if slot.mode == "thread" or (slot.mode == "auto" and (self._busy or self._loop is None)):
            self._here.append(slot)
            self._attend(-math.inf)
            return
        self._there.append(slot)
        self._post()
        if slot.mode == "auto":
            self._attend(slot.ready_since + TAKE_OVER_SECONDS)

    def _post(self) -> None:
        if not self._posted:
            self._posted = self.call_on_loop(self._on_loop)

    def _attend(self, at: float) -> None:
        """See to it that the thread looks at the time ``at``; -inf for now."""
        if self._stopping:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="nbrealtime-delivery", daemon=True)
            self._thread.start()
        elif at < self._wakes_at:
            self._changed.notify()

    def _claim(self, queue: deque[Slot]) -> Slot | None:
        if not queue:
            return None
        slot = queue.popleft()
        slot.ready, slot.claimed = False, True
        return slot

    def _look(self) -> Slot | None:
        """Bring forward what is due, take over what the loop lets wait, and claim what is for the thread."""
        now = self._clock()
        while self._calendar and self._calendar[0][0] <= now:
            due, _, slot = heapq.heappop(self._calendar)
            if due == slot.due:
                slot.due = math.inf
                self._set_ready(slot, now)
        if not self._busy and self._answer_by() <= now:
            self._busy = self.call_on_loop(self._mark)
            left: deque[Slot] = deque()
            for slot in self._there:
                (self._here if slot.mode == "auto" else left).append(slot)
            self._there = left
        return self._claim(self._here)

    def _answer_by(self) -> float:
        return min(
            (slot.ready_since + TAKE_OVER_SECONDS for slot in self._there if slot.mode == "auto"),
            default=math.inf,
        )

    # Without the lock.

    def _mark(self) -> None:
        """Runs on the kernel's loop: it has time again."""
        with self._lock:
            self._busy = False
            # What still waits for the thread would wait in vain if that is in a callback that takes long.
            waiting, self._here = self._here, deque()
            for slot in waiting:
                self._queue(slot)

    def _on_loop(self) -> None:
        """Runs on the kernel's loop: deliver what waits for it."""
        until = self._clock() + SLICE_SECONDS
        with self._lock:
            self._posted = False
        while True:
            with self._lock:
                if self._there and self._clock() >= until:
                    self._post()
                    return
                slot = self._claim(self._there)
            if slot is None:
                return
            self._run(slot, until)

    def _work(self) -> None:
        """The thread."""
        while True:
            with self._lock:
                while True:
                    if self._stopping:
                        return
                    self._wakes_at = -math.inf
                    if (slot := self._look()) is not None:
                        break
                    soonest = self._calendar[0][0] if self._calendar else math.inf
                    self._wakes_at = min(soonest, math.inf if self._busy else self._answer_by())
                    wait = None if self._wakes_at == math.inf else max(0.0, self._wakes_at - self._clock())
                    self._changed.wait(wait)
            self._run(slot, self._clock() + SLICE_SECONDS)

    def _run(self, slot: Slot, until: float) -> None:
        again: float | None = None
        try:
            again = slot.deliver(until)
        finally:
            with self._lock:
                slot.claimed = False
                if slot.ready:
                    self._queue(slot)
            if again is not None:
                self.wake(slot, again)


_lock = threading.Lock()
_delivery: Delivery | None = None


def kernel_loop() -> Loop | None:
    """The event loop of the kernel that this process is, or None."""
    loop: Loop | None = getattr(
        getattr(getattr(shell(), "kernel", None), "io_loop", None), "asyncio_loop", None
    )
    return loop


def delivery() -> Delivery:
    """The process's delivery; its thread starts with the first thing to deliver."""
    global _delivery
    with _lock:
        if _delivery is None:
            _delivery = Delivery(kernel_loop)
        return _delivery


def _stop(seconds: float) -> None:
    if _delivery is not None:
        _delivery.stop(seconds)


def _forget() -> None:
    global _delivery, _lock
    _delivery, _lock = None, threading.Lock()


lifecycle.at_exit(lifecycle.DELIVERY, _stop)
lifecycle.after_fork(_forget)
