"""One topic and who follows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbrealtime.hub.session import Session

__all__ = ["Topic"]


class Topic:
    """A name and its subscribers, each of them once, in the order they came."""

    __slots__ = ("_members", "_recipients", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self._members: dict[Session, None] = {}
        self._recipients: tuple[Session, ...] | None = ()

    def __repr__(self) -> str:
        return f"Topic({self.name!r}, {self.count} subscribers)"

    @property
    def count(self) -> int:
        """How many connections are subscribed: the ``presenceCount``."""
        return len(self._members)

    @property
    def recipients(self) -> tuple[Session, ...]:
        """Those who get a message that is published now: the same tuple until somebody comes or goes."""
        if self._recipients is None:
            self._recipients = tuple(self._members)
        return self._recipients

    def add(self, session: Session) -> bool:
        """Returns whether the session was not there yet."""
        if session in self._members:
            return False
        self._members[session] = None
        self._recipients = None
        return True

    def remove(self, session: Session) -> bool:
        """Returns whether the session was there."""
        if session not in self._members:
            return False
        del self._members[session]
        self._recipients = None
        return True
