"""What a server takes before it says no.

The one rule: every limit has a sane default, its unit in its name or its
docstring, and ``None`` switches it off.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["Limits"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Bounds of one server.

    Arguments:
        message_bytes: of one message, as it comes in and as it goes out.
        topics: subscriptions of one connection.
        pattern_topics: topics that one pattern of a subscription may match.
        all_topics: topics that the server knows at one time.
        connections: WebSocket connections at one time.
        outbox_bytes: what may wait for a connection that reads slowly, and in each of its subscriptions
            that drop; beyond it the one is disconnected, and the others drop.

    Raises:
        ValueError: a limit is less than 1.
    """

    message_bytes: int | None = 2**20
    topics: int | None = 256
    pattern_topics: int | None = 1000
    all_topics: int | None = 100_000
    connections: int | None = 1000
    outbox_bytes: int | None = 4 * 2**20

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and value < 1:
                raise ValueError(f"{field.name} must be at least 1, or None for no limit: {value!r}")
