"""Questions about history: what is asked, and what waits for an answer. Pure."""

from __future__ import annotations

from typing import Protocol

from nbrealtime.client.receipt import HistoryPage
from nbrealtime.wire.v2 import Position

__all__ = ["HistoryQuestion"]


class _Answers(Protocol):
    def settle(self, value: HistoryPage) -> None: ...

    def fail(self, fault: Exception) -> None: ...


class HistoryQuestion:
    """What a topic has kept after ``since`` (exclusive; None: from the oldest), at most ``limit`` messages.

    It only reads, so that it is asked again on the next connection if this one ends before its answer.
    """

    __slots__ = ("answer", "limit", "reverse", "since", "topic")

    def __init__(
        self, topic: str, answer: _Answers, *, since: Position | None, limit: int, reverse: bool
    ) -> None:
        self.topic = topic
        self.answer = answer
        self.since = since
        self.limit = limit
        self.reverse = reverse
