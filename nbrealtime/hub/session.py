"""Who is connected: a user, what they may do, what they follow, what waits for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from nbrealtime.hub.grants import Grants
from nbrealtime.hub.outbox import Outbox

if TYPE_CHECKING:
    from nbrealtime.hub.subscription import Subscription

__all__ = ["Options", "Session", "User"]


@dataclass(frozen=True, slots=True)
class User:
    """A person or a program, as its token says."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a v2 client asked for in its ``hello``.

    Arguments:
        capabilities: those that both sides have; with ``batch`` a frame may hold an array of messages.
        flush_ms: the face writes data at most that often; 0 as soon as there is some.
        client: the client's own id, the same after a reconnect.
    """

    capabilities: frozenset[str] = frozenset()
    flush_ms: float = 0
    client: str | None = None


_PLAIN: Final = Options()


class Session:
    """One connection, as the hub sees it.

    ``face`` belongs to whoever performs the I/O; the hub never looks at it. The face in turn sets
    ``blocked`` while its connection takes nothing more, and reads ``urgent`` (the outbox has something
    that ``flush_ms`` does not hold back), ``waiting`` (who has more for it than its outbox holds) and
    ``overrun`` (a subscription that drops nothing has more waiting than it may).
    """

    __slots__ = (
        "alone",
        "batch",
        "blocked",
        "data",
        "due",
        "face",
        "gate",
        "grants",
        "open",
        "options",
        "outbox",
        "overrun",
        "publishable",
        "raw",
        "refused",
        "subscriptions",
        "urgent",
        "user",
        "version",
        "waiting",
    )

    def __init__(
        self, user: User, grants: Grants, face: Any = None, *, version: int = 1, options: Options = _PLAIN
    ) -> None:
        self.user = user
        self.grants = grants
        self.face = face
        self.version = version
        self.options = options
        self.batch = version > 1 and "batch" in options.capabilities
        self.open = True
        self.outbox = Outbox()
        self.subscriptions: dict[str, Subscription] = {}
        # A message to this session alone goes through the journal like every other. Three tuples, since
        # the journal tells by them what is control, what is data, and what is a frame already.
        self.alone: tuple[Session, ...] = (self,)
        self.data: tuple[Session, ...] = (self,)
        self.raw: tuple[Session, ...] = (self,)
        # Topics that passed the publish checks, so that a stream pays for them once.
        self.publishable: set[str] = set()
        # By topic, the key or id of the publish that was refused and must come again before others do.
        self.refused: dict[str, str | int] = {}
        # Subscriptions with messages that wait in them, or that have a replay to read; in turn.
        self.waiting: dict[Subscription, None] = {}
        self.due: float | None = None
        self.blocked = False
        self.urgent = False
        self.overrun = False
        # Asked before each publish, with the time: 0, or after how many seconds it may come again.
        self.gate: Callable[[int], float] | None = None

    def __repr__(self) -> str:
        return f"Session({self.user.id!r}, {len(self.subscriptions)} topics)"
