"""``topic.wait(n)``: a thread that waits for the next messages, and counts which it has had.

It taps the ``Feed`` while it waits. The rule here: *what came before the call counts too*, unless an earlier wait has counted
it, so that nothing is missed between ``publish`` and ``wait``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from nbrealtime.live.consumers.iterate import ended
from nbrealtime.live.feed import Feed
from nbrealtime.live.record import Record
from nbrealtime.wire.times import parse_duration

if TYPE_CHECKING:
    from nbrealtime.client import Message

__all__ = ["Waiting"]

# In slices, because on some systems a wait without end cannot be interrupted.
_SLICE_SECONDS = 1.0


class Waiting:
    """One topic's; ``describe`` says in a ``TimeoutError`` where it stands."""

    def __init__(self, feed: Feed, describe: Callable[[Record], str]) -> None:
        self._feed = feed
        self._describe = describe
        self._counted = 0

    def wait(self, n: int, timeout: str | float | None) -> Message:
        """See ``LiveTopic.wait``."""
        if type(n) is not int or n < 1:
            raise ValueError(f"wait for at least one message, not n={n!r}")
        seconds = None if timeout is None else 0.0 if timeout == 0 else parse_duration(timeout)
        deadline = None if seconds is None else time.monotonic() + seconds
        began = self._counted
        changed = threading.Event()

        def look(_: Sequence[Message]) -> None:
            record = self._feed.newest
            if record.count >= began + n or record.state.ended:
                changed.set()

        untap = self._feed.tap(look)
        try:
            while True:
                record = self._feed.newest
                if record.count >= began + n and record.message is not None:
                    self._counted = began + n
                    return record.message
                if record.state.ended:
                    raise ended(self._feed.name, record)
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    came = record.count - began
                    raise TimeoutError(
                        f"{self._feed.name}: {came} of {n} message{'s' * (n != 1)} came within {seconds:g} s "
                        f"({self._describe(record)})"
                    )
                changed.wait(_SLICE_SECONDS if left is None else min(left, _SLICE_SECONDS))
        finally:
            untap()
