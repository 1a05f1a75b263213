"""Questions about history: what is asked, and what waits for an answer. Pure.

The one rule: a question only reads, so that it is asked again on the next
connection until it is answered, or there will be no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from nbrealtime.client.receipt import HistoryPage
from nbrealtime.client.session.outbox import Outbox
from nbrealtime.errors import ConnectionClosed
from nbrealtime.wire.v2 import Position

if TYPE_CHECKING:
    from nbrealtime.client.session.v1 import V1
    from nbrealtime.client.session.v2 import V2

__all__ = ["HistoryQuestion", "Questions"]


class _Answers(Protocol):
    def settle(self, value: HistoryPage) -> None: ...

    def fail(self, fault: Exception) -> None: ...


class HistoryQuestion:
    """What a topic has kept after ``since`` (exclusive; None: from the oldest), at most ``limit`` messages."""

    __slots__ = ("answer", "limit", "reverse", "since", "topic")

    def __init__(
        self, topic: str, answer: _Answers, *, since: Position | None, limit: int, reverse: bool
    ) -> None:
        self.topic = topic
        self.answer = answer
        self.since = since
        self.limit = limit
        self.reverse = reverse


class Questions:
    """One session's, on one connection after the other."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._dialect: V1 | V2 | None = None
        self._waiting: list[HistoryQuestion] = []  # for a connection

    def ask(self, question: HistoryQuestion) -> None:
        """Asks now, or as soon as there is a connection."""
        if self._dialect is None:
            self._waiting.append(question)
        elif (frame := self._dialect.ask(question)) is not None:
            self._outbox.add_control(frame)

    def begin(self, dialect: V1 | V2) -> None:
        """There is a connection, on which ``dialect`` is spoken."""
        self._dialect = dialect
        questions, self._waiting = self._waiting, []
        for question in questions:
            self.ask(question)

    def lose(self) -> None:
        """The socket is gone."""
        if self._dialect is not None:
            self._waiting += self._dialect.lose()
        self._dialect = None

    def give_up(self) -> None:
        """There will be no other."""
        self.lose()
        questions, self._waiting = self._waiting, []
        for question in questions:
            question.answer.fail(ConnectionClosed(""))
