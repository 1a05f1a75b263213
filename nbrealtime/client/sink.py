"""What a connection tells whoever subscribed."""

from __future__ import annotations

from typing import Protocol

from nbrealtime.client.message import Message

__all__ = ["Sink"]


class Sink(Protocol):
    """One subscriber's ear.

    Every method is called on the client thread, in the order of what happened, and must return
    quickly: while it runs, no connection of this process reads or writes. It never runs user code.
    """

    def received(self, messages: list[Message]) -> None:
        """Everything that one read brought for this subscription, in order; the list is the sink's own."""

    def subscribed(self, count: int) -> None:
        """The server confirmed the subscription, the first time or again; ``count`` connections have it."""

    def presence(self, count: int) -> None:
        """So many connections have the topic now."""

    def refused(self, code: str, reason: str) -> None:
        """The server refused the subscription. It is asked for again with every new connection."""

    def offline(self) -> None:
        """The connection was lost; `subscribed` follows when there is another."""

    def closed(self) -> None:
        """The connection ended for good. Nothing follows."""
