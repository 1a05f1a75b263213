"""An event loop whose time passes only while nobody has anything to do, and then at once."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Loop(asyncio.SelectorEventLoop):
    """asyncio's loop by a clock that is only a number: a wait of a minute takes no time."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.faults: list[dict[str, Any]] = []
        super().__init__(_Selector(self))
        self.set_exception_handler(lambda _, context: self.faults.append(context))

    def time(self) -> float:
        return self.now


class _Selector(selectors.DefaultSelector):
    def __init__(self, loop: Loop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "everybody waits, and nothing will ever come"
        self._loop.now += max(timeout, 0.0)
        return super().select(0)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs ``coroutine`` on such a loop, which begins at 1000."""
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(coroutine)


def now() -> float:
    """How many seconds have passed on the loop that runs."""
    return asyncio.get_running_loop().time() - 1000.0


def faults() -> list[BaseException]:
    """What was handed to the running loop's handler, to be logged."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, Loop)
    return [context["exception"] for context in loop.faults]


async def turn(times: int = 3) -> None:
    """Lets everybody do what they can do now."""
    for _ in range(times):
        await asyncio.sleep(0)
