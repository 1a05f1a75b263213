"""A loop that turns when it is told to, by a clock that is only a number."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any


class Handle:
    """What is to be called, once its time has come."""

    def __init__(self, when: float, callback: Callable[..., object], args: tuple[Any, ...]) -> None:
        self._when = when
        self._callback = callback
        self._args = args
        self._cancelled = False

    def when(self) -> float:
        return self._when

    def cancel(self) -> None:
        self._cancelled = True

    def cancelled(self) -> bool:
        return self._cancelled

    def run(self) -> None:
        self._callback(*self._args)


class Task:
    """A coroutine that goes one step with each turn."""

    def __init__(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._coroutine = coroutine
        self.done = False

    def cancel(self) -> None:
        self.done = True
        self._coroutine.close()

    def step(self) -> None:
        try:
            self._coroutine.send(None)
        except StopIteration:
            self.done = True


class Gate:
    """What a coroutine waits at until it is opened."""

    def __init__(self) -> None:
        self.is_open = False

    def __await__(self) -> Any:
        while not self.is_open:
            yield


class Loop:
    """As much of asyncio's loop as the server's parts ask for."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._soon: list[Handle] = []
        self._timers: list[Handle] = []
        self._tasks: list[Task] = []
        self.faults: list[BaseException] = []

    def time(self) -> float:
        return self.now

    def call_soon(self, callback: Callable[..., object], *args: Any) -> Handle:
        self._soon.append(Handle(self.now, callback, args))
        return self._soon[-1]

    def call_later(self, seconds: float, callback: Callable[..., object], *args: Any) -> Handle:
        return self.call_at(self.now + seconds, callback, *args)

    def call_at(self, when: float, callback: Callable[..., object], *args: Any) -> Handle:
        self._timers.append(Handle(when, callback, args))
        return self._timers[-1]

    def create_task(self, coroutine: Coroutine[Any, Any, None]) -> Task:
        self._tasks.append(Task(coroutine))
        return self._tasks[-1]

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.faults.append(context["exception"])

    @property
    def alarms(self) -> list[float]:
        """In how many seconds something will be called."""
        return sorted(round(timer.when() - self.now, 6) for timer in self._timers if not timer.cancelled())

    def turn(self) -> None:
        """Does what is due now; what comes up meanwhile is for the next turn."""
        due = [timer for timer in self._timers if timer.when() <= self.now]
        self._timers = [timer for timer in self._timers if timer.when() > self.now]
        soon, self._soon = self._soon, []
        for handle in (*soon, *sorted(due, key=Handle.when)):
            if not handle.cancelled():
                handle.run()
        for task in self._tasks[:]:
            if not task.done:
                task.step()

    def advance(self, seconds: float) -> None:
        """Lets time pass, with a turn whenever something is due."""
        end = self.now + seconds
        while True:
            self._timers = [timer for timer in self._timers if not timer.cancelled()]
            upcoming = [timer.when() for timer in self._timers if timer.when() <= end]
            if not upcoming:
                break
            self.now = max(self.now, min(upcoming))
            self.turn()
        self.now = end
