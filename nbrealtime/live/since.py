"""Where a subscription or a look into the history begins, as a user says it and as the protocol does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from nbrealtime.options import given as shown
from nbrealtime.wire.topics import is_pattern
from nbrealtime.wire.v2 import Position, Since

if TYPE_CHECKING:
    from nbrealtime.client import Message

__all__ = ["Begin", "SinceLike", "begin", "position"]

SinceLike = Any
"""None, ``"last"``, how many of the newest (``10`` or ``{"count": 10}``), or a position.

A position is ``topic.position``, a ``Message`` or ``Receipt`` that has one, or ``{"epoch": …, "offset": …}``; of a pattern, a
dictionary of such by topic.
"""

Begin = Literal["last"] | Since | Position | Mapping[str, Position] | None


def begin(topic: str, since: SinceLike) -> Begin:
    """Return ``since`` as the protocol says it. Raises ``ValueError`` or ``TypeError`` for what it cannot mean."""
    if since is None or since == "last":
        return since  # type: ignore[no-any-return]
    if type(since) is int:
        return _newest(since)
    if isinstance(since, Mapping):
        if set(since) == {"count"}:
            return _newest(since["count"])
        if set(since) == {"topics"} and isinstance(since["topics"], Mapping):
            since = since["topics"]
        if is_pattern(topic):
            return {name: position(given) for name, given in since.items()}
    if is_pattern(topic):
        raise ValueError(
            f"a pattern has one position per topic: since={{name: position, …}} for {topic}, not {since!r}"
        )
    return position(since, '"last", a number of messages, or ')


def position(given: Position | Message | Mapping[str, Any] | Any, beside: str = "") -> Position:
    """Return a single topic's position; ``beside`` is what else may be said. Raises ``ValueError`` or ``TypeError``."""
    if isinstance(given, Position):
        return given
    if isinstance(given, Mapping):
        try:
            return msgspec.convert(dict(given), Position)
        except msgspec.ValidationError as fault:
            raise ValueError(f"{given!r} is no position: {fault}") from None
    epoch, offset = getattr(given, "epoch", None), getattr(given, "offset", None)
    if isinstance(epoch, str) and isinstance(offset, int):
        return Position(epoch, offset)
    if hasattr(given, "offset"):
        raise ValueError(f"{given!r} has no position: its topic has no history, or it is a retained value")
    raise TypeError(f"since is {beside}a position like topic.position, not {shown(given)}")


def _newest(count: Any) -> Since:
    if type(count) is not int or count < 0:
        raise ValueError(f"since={count!r} asks for that many of the newest messages: 0 or more")
    return Since(count=count)
