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

    def subscribed(self, count: int, recovered: bool | None = None, replayed: int = 0) -> None:
        """The server confirmed the subscription, the first time or again; ``count`` connections have it.

        ``recovered``: True: the stream goes on exactly where this sink left off (or where ``since``
        said), and ``replayed`` messages from the history come first; False: it could not, `gap`
        follows, and the stream begins anew; None: nothing was asked for, or there is no history to
        recover from (a v1 server, a topic without one): after `offline` messages may have been missed.
        """

    def presence(self, count: int) -> None:
        """So many connections have the topic now."""

    def gap(self, reason: str, missed: int | None, topic: str | None = None) -> None:
        """Messages that were published are not coming, just here in the stream.

        ``topic`` is which of a pattern's topics they are of, where that is known.
        ``missed`` is how many, None where the server could not tell. ``reason``: ``"unrecoverable"``
        (the history does not reach back to the position), ``"slow"`` (this reader was) or another
        word of the server's.
        """

    def refused(self, code: str, reason: str) -> None:
        """The server refused or ended the subscription. It is asked for again with every new connection."""

    def offline(self) -> None:
        """The connection was lost; `subscribed` follows when there is another."""

    def closed(self) -> None:
        """The connection ended for good. Nothing follows."""
