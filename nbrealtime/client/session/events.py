"""What a session tells the connection that it heard. Pure."""

from __future__ import annotations

import msgspec

from nbrealtime.client.message import Message

__all__ = ["Event", "Gap", "Presence", "RefusedTopic", "Report", "Subscribed"]


class Subscribed(msgspec.Struct, frozen=True):
    """The server confirmed a subscription; ``count`` connections have the topic now.

    ``recovered`` and ``replayed`` are as `nbrealtime.client.sink.Sink.subscribed` says.
    """

    topic: str
    count: int
    recovered: bool | None = None
    replayed: int = 0


class Presence(msgspec.Struct, frozen=True):
    """``count`` connections are subscribed to the topic now."""

    topic: str
    count: int


class Gap(msgspec.Struct, frozen=True):
    """Messages of a subscription are not coming; ``missed`` is how many, None if nobody knows.

    ``of`` is which of a pattern's topics they are of, where that is known.
    """

    topic: str
    reason: str
    missed: int | None
    of: str | None = None


class RefusedTopic(msgspec.Struct, frozen=True):
    """The server refused a subscription, or ended it."""

    topic: str
    code: str
    reason: str


class Report(msgspec.Struct, frozen=True):
    """A sentence for the user."""

    text: str


Event = Message | Subscribed | Presence | Gap | RefusedTopic | Report
