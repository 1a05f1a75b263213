"""How far one subscription has got in the histories of its topics. Pure.

The one rule: a position moves through messages that were handed on, and
through what the server declared lost, never past anything else. So whatever
is presented after a reconnection is exactly what this client has had.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from nbrealtime.wire.v2 import Position

__all__ = ["Positions"]

_NOWHERE: Final = ("", -1)


class Positions:
    """By topic: one for a name, any number for a pattern."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[str, int]] = {}

    def __bool__(self) -> bool:
        return bool(self._of)

    def get(self, topic: str) -> Position | None:
        """The position in one topic, None where there is none."""
        found = self._of.get(topic)
        return None if found is None else Position(*found)

    def all(self) -> Mapping[str, Position]:
        """Every topic's, for a pattern's ``since``."""
        return {topic: Position(*found) for topic, found in self._of.items()}

    def place(self, topic: str, epoch: str, offset: int) -> None:
        """The server said where the stream is: the next message is the first after this."""
        self._of[topic] = (epoch, offset)

    def forget(self, topic: str) -> None:
        """The topic has no history any more."""
        self._of.pop(topic, None)

    def advance(self, topic: str, epoch: str | None, offset: int) -> str | None:
        """A message is handed on; returns its epoch, or None if it came before and must not be.

        Without ``epoch`` it is of the one that is known.
        """
        try:
            known, reached = self._of[topic]
        except KeyError:
            known, reached = _NOWHERE
        if epoch is None:
            epoch = known
        if epoch == known and offset <= reached:
            return None
        self._of[topic] = (epoch, offset)
        return epoch
