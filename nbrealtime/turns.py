"""The event loop of our threads: asyncio's, which takes fewer turns of the interpreter.

The server's thread and the client's own one each (``new_loop``).

asyncio asks for events before every turn, also when it has work waiting and nothing can have come since. Each such
question lets go of the interpreter. Beside a cell that computes, whoever lets go has it back after 5 ms, and the cell
has paid for two switches. So a question that was asked a moment ago is not asked again before the work is done that
it brought.
"""

from __future__ import annotations

import asyncio
import selectors
import sys
import time
from collections.abc import Callable
from typing import Final

__all__ = ["Selector", "new_loop"]

_MOMENT: Final = 0.02
"""For so long (s) an answer holds: some switch intervals, since what it brought takes one for each read and write."""


class Selector(selectors.DefaultSelector):
    """The platform's best selector, which skips every other one of those questions that wait for nothing."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._asked = -1.0
        self._skipped = False

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; nothing, unasked, when it was asked a moment ago and no wait is wanted."""
        waits = timeout is None or timeout > 0
        self._skipped = not waits and not self._skipped and self._clock() - self._asked < _MOMENT
        if self._skipped:
            return []
        ready = super().select(timeout)
        self._asked = self._clock()
        return ready


def new_loop() -> asyncio.AbstractEventLoop:
    """A new event loop for a thread of ours."""
    if sys.platform == "win32":
        # A selector has room for 512 sockets there.
        return asyncio.new_event_loop()
    return asyncio.SelectorEventLoop(Selector())
