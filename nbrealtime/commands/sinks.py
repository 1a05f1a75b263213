"""The commands' end of a subscription: a sink that notes, for a main thread that looks.

Its methods run on the client thread and only set plain attributes or fill a
queue; the command's main thread reads them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbrealtime.errors import Refused

if TYPE_CHECKING:
    from nbrealtime.client import Message

__all__ = ["Sink"]


class Sink:
    """Fulfils :class:`nbrealtime.client.Sink` and remembers a refusal; overridden where more is of interest."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._refusal: Refused | None = None

    def check(self) -> None:
        """Raises ``Refused`` if the server refused the topic."""
        if self._refusal is not None:
            raise self._refusal

    def received(self, messages: list[Message]) -> None:
        """New messages, in order."""

    def subscribed(self, count: int, recovered: bool | None = None, replayed: int = 0) -> None:
        """The server confirmed; ``count`` subscribers are there, this one included."""

    def presence(self, count: int) -> None:
        """The number of subscribers changed."""

    def gap(self, reason: str, missed: int | None, topic: str | None = None) -> None:
        """Messages are missing here."""

    def refused(self, code: str, reason: str) -> None:
        """The server will not have it."""
        self._refusal = Refused(self._topic, code, reason)

    def offline(self) -> None:
        """The connection was lost; the link goes on trying."""

    def closed(self) -> None:
        """The link is closed for good."""
