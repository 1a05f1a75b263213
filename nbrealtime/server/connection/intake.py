"""Whether a connection is read, and what stands against it.

The reader, the writer, the throttle and the introduction each have a reason of
their own not to read on for now; TCP then holds the other end back.

The one rule: it is read exactly while nobody has a reason against it.
"""

from __future__ import annotations

import asyncio
from enum import Enum

__all__ = ["Hold", "Intake"]


class Hold(Enum):
    """Why a connection is not read."""

    UNREAD = "it does not read what it is sent"
    POSTPONED = "what came in waits for a turn of the loop that has room for it"
    UNKNOWN = "the key of its token is looked for"
    THROTTLED = "it publishes faster than it may"


class Intake:
    """Reads from ``transport`` while there is no `Hold`."""

    __slots__ = ("_holds", "_reading", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._holds: set[Hold] = set()
        self._reading = True

    def hold(self, reason: Hold) -> None:
        """Reads no more for ``reason``. A second time nothing happens."""
        self._holds.add(reason)
        self._adjust()

    def release(self, reason: Hold) -> None:
        """The opposite of `hold`: others may still have theirs."""
        self._holds.discard(reason)
        self._adjust()

    def held(self, reason: Hold) -> bool:
        """Whether ``reason`` stands against reading."""
        return reason in self._holds

    def _adjust(self) -> None:
        wanted = not self._holds
        if wanted is self._reading or self._transport.is_closing():
            return
        self._reading = wanted
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()
