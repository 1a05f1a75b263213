"""What the user is told in sentences. Pure.

The one rule: a sentence is said once for each connection: a loop of refused
publishes is one sentence, and so are a thousand dropped messages, once there
is an end to them.
"""

from __future__ import annotations

from typing import Final

from nbrealtime.client.session.events import Event, Report
from nbrealtime.client.session.outbox import Outbox

__all__ = ["Reports"]

_MOST: Final = 100


class Reports:
    """What was told on this socket, and what waits to be told."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._told: set[str] = set()
        self._waiting: list[Event] = []

    def tell(self, text: str) -> list[Event]:
        """Returns a sentence as an event, or nothing if it was told."""
        if text in self._told or len(self._told) >= _MOST:
            return []
        self._told.add(text)
        return [Report(text)]

    def keep(self, text: str) -> None:
        """Has a sentence told by the next `take`."""
        self._waiting += self.tell(text)

    def keep_all(self, events: list[Event]) -> None:
        """Has ``events``, which `take` returned, told by the next one."""
        self._waiting = events

    def take(self, *, drops: bool) -> list[Event]:
        """Removes and returns what waits, with what became of publishes; with ``drops`` also of dropped ones."""
        reports, self._waiting = self._waiting, []
        outbox = self._outbox
        if drops and outbox.drops:
            # Once there is an end to them: a sentence for every dropped message would be a flood.
            for topic, count in outbox.take_drops().items():
                reports.append(Report(f"{_messages(count)} to {topic} dropped while offline"))
        if outbox.doubts:
            for topic, count in outbox.take_doubts().items():
                reports.append(Report(f"{_messages(count)} to {topic} may or may not have arrived"))
        return reports

    def forget(self) -> None:
        """The socket is gone: what was told on it may be told again."""
        self._told.clear()


def _messages(count: int) -> str:
    return f"{count:,} message{'s' * (count != 1)}"
