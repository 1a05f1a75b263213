"""Who has not said yet who they are: counted, and in the order they came.

The door lets nobody in while the lobby is full; whoever waits longest makes room
once he has had a second. A crowd that comes back at once says its hellos in
milliseconds and never notices, and a hundred sockets that say nothing keep
nobody out for long.

The one rule: whoever enters leaves, by saying who he is or by going.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

__all__ = ["Guest", "Lobby"]


class Guest(Protocol):
    """Somebody who waits."""

    def turn_away(self) -> None:
        """Ends the wait: others want to come in. It leaves the lobby."""


class Lobby:
    """At most ``limit`` guests."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        # Set while somebody may come in.
        self.room = asyncio.Event()
        self.room.set()
        self._guests: dict[Guest, float] = {}

    def __len__(self) -> int:
        return len(self._guests)

    def __contains__(self, guest: Guest) -> bool:
        return guest in self._guests

    def enter(self, guest: Guest, now: float) -> None:
        """Adds somebody."""
        self._guests[guest] = now
        if len(self._guests) >= self.limit:
            self.room.clear()

    def leave(self, guest: Guest) -> None:
        """Removes somebody. A second time nothing happens."""
        self._guests.pop(guest, None)
        if len(self._guests) < self.limit:
            self.room.set()

    @property
    def oldest(self) -> tuple[Guest, float]:
        """Who waits longest, and since when."""
        return next(iter(self._guests.items()))

    def guests(self) -> list[Guest]:
        """Everybody, as a list of its own."""
        return list(self._guests)
