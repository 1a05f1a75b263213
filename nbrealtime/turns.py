"""The event loop of our threads: asyncio's, which takes fewer turns of the interpreter.

The server's thread and the client's own one each.

asyncio asks for events before every turn, also when it has work waiting and nothing can have come since. Each such
question lets go of the interpreter. Beside a cell that computes, whoever lets go has it back after 5 ms, and the cell
has paid for two switches. So after a wait the first such question is not asked: the work comes first that the wait
brought. A loop that has no time to wait asks before each turn, as ever: what it does in a turn is measured by that.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable
from typing import Final

__all__ = ["Loop", "Selector"]

_MOMENT: Final = 0.02
"""For so long (s) an answer holds: some switch intervals, since what it brought takes one for each read and write."""


class Selector(selectors.DefaultSelector):
    """The platform's best selector, which after a wait skips the first question that wants no wait."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._waited: float | None = None
        """When the last question was answered, if it was a wait."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; nothing, unasked, right after a wait if no other one is wanted."""
        waited, self._waited = self._waited, None
        waits = timeout is None or timeout > 0
        if not waits and waited is not None and self._clock() - waited < _MOMENT:
            return []
        ready = super().select(timeout)
        if waits:
            self._waited = self._clock()
        return ready


class Loop(asyncio.SelectorEventLoop):
    """asyncio's loop with such a selector, or one that knows more."""

    # What asyncio's method calls, without the method: the loop itself looks at the clock three times a turn.
    time = staticmethod(time.monotonic)

    def __init__(self, selector: Selector | None = None) -> None:
        super().__init__(Selector() if selector is None else selector)
