"""What the user wants to hear: one name or pattern, how, and how far it has got. Pure.

The one rule: where several subscribers of one connection want the same topic
differently, the connection asks for what leaves nothing out for any of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

from nbrealtime.client.session.positions import Positions
from nbrealtime.wire.topics import Pattern, is_pattern
from nbrealtime.wire.v2 import Policy, Position, Since

__all__ = ["Options", "SinceLike", "Wanted", "merge"]

SinceLike = Since | Position | Mapping[str, Position] | Literal["last"] | None

_BY_COMPLETENESS: Final[tuple[Policy, ...]] = ("disconnect", "drop_oldest", "conflate")


class Options(msgspec.Struct, frozen=True):
    """How a topic is wanted: the ``policy`` for a slow reader, and at most ``max_rate`` messages/s.

    None is the server's default. A v1 server knows none of it.
    """

    policy: Policy | None = None
    max_rate: float | None = None


def merge(options: Iterable[Options]) -> Options:
    """Returns the options that leave nothing out for anybody."""
    wishes = list(options)
    policy = min((wish.policy or "disconnect" for wish in wishes), key=_BY_COMPLETENESS.index, default=None)
    rates = [wish.max_rate for wish in wishes]
    rate = None if None in rates or not rates else max(rate for rate in rates if rate is not None)
    return Options(None if policy == "disconnect" else policy, rate)


class Wanted:
    """One subscription of the connection, across its sockets.

    ``count`` is the newest number of subscribers that the server told on this socket, None while it has
    not confirmed. ``asked`` are the ids of requests that are not answered, with whether each named a
    position to go on from. ``since`` is where the user wants it to begin: it counts until there is a position.
    """

    __slots__ = (
        "asked",
        "confirmed",
        "count",
        "name",
        "options",
        "pattern",
        "positions",
        "presence",
        "since",
    )

    def __init__(self, name: str, options: Options, since: SinceLike) -> None:
        self.name = name
        self.pattern = Pattern(name) if is_pattern(name) else None
        self.options = options
        self.since = since
        self.positions = Positions()
        self.confirmed = False  # ever, on any socket
        self.count: int | None = None
        self.asked: dict[int, bool] = {}
        # Subscriptions to patterns are not counted. A token may allow to listen and not to count.
        self.presence = self.pattern is None

    def where(self) -> SinceLike:
        """Where a new subscription on another socket has to begin."""
        if self.positions or (self.confirmed and self.pattern is not None):
            # A pattern's empty mapping is a position too: what first appeared meanwhile counts from 0.
            return self.positions.all() if self.pattern is not None else self.positions.get(self.name)
        # The retained value may be another by now; a count of messages was had already.
        return self.since if not self.confirmed or self.since == "last" else None

    def lose(self) -> None:
        """The socket is gone, and what was asked on it."""
        self.count = None
        self.asked.clear()
