"""Who is connected: a user, what they may do, what they follow, what waits for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbrealtime.hub.grants import Grants
from nbrealtime.hub.outbox import Outbox

if TYPE_CHECKING:
    from nbrealtime.hub.topic import Topic

__all__ = ["Session", "User"]


@dataclass(frozen=True, slots=True)
class User:
    """A person or a program, as its token says."""

    id: str
    name: str


class Session:
    """One connection, as the hub sees it.

    ``face`` belongs to whoever performs the I/O; the hub never looks at it.
    """

    __slots__ = ("alone", "face", "grants", "open", "outbox", "publishable", "subscriptions", "user")

    def __init__(self, user: User, grants: Grants, face: Any = None) -> None:
        self.user = user
        self.grants = grants
        self.face = face
        self.open = True
        self.outbox = Outbox()
        self.subscriptions: dict[str, Topic] = {}
        # A message to this session alone goes through the journal like every other; one tuple for all.
        self.alone: tuple[Session, ...] = (self,)
        # Topics that passed the publish checks, so that a stream pays for them once.
        self.publishable: set[str] = set()

    def __repr__(self) -> str:
        return f"Session({self.user.id!r}, {len(self.subscriptions)} topics)"
