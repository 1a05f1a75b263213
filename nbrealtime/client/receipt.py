"""What became of an acknowledged publish, and of a question about a topic's history.

The one rule: a receipt that is done without an error means that the server has
stored the message, once; one that failed says whether it may have.
"""

from __future__ import annotations

import msgspec

from nbrealtime.client.answer import Answer
from nbrealtime.client.message import Message

__all__ = ["Acknowledgement", "HistoryPage", "HistoryRequest", "Receipt"]


class Acknowledgement(msgspec.Struct, frozen=True):
    """A message's place: without history ``epoch`` and ``offset`` are None."""

    epoch: str | None
    offset: int | None
    message_id: str | None
    duplicate: bool = False


class Receipt(Answer[Acknowledgement]):
    """An acknowledged publish: ``await receipt`` or ``receipt.wait(timeout)``, from any thread or loop.

    Both return the receipt itself, with its fields set, or raise: `PublishUncertain` (it may have
    arrived or not), `Refused`, `ConnectionClosed`, `PublishTimeout`. Until `done` the fields are None.
    Dropping it changes nothing: the message is kept and repeated until the server has it.
    """

    __slots__ = ()

    @property
    def epoch(self) -> str | None:
        """The epoch of the topic's history, None where it has none."""
        return None if self._value is None else self._value.epoch

    @property
    def offset(self) -> int | None:
        """The message's offset in it."""
        return None if self._value is None else self._value.offset

    @property
    def message_id(self) -> str | None:
        """The server's name for it; a subscriber sees the same as ``Message.id``."""
        return None if self._value is None else self._value.message_id

    @property
    def duplicate(self) -> bool | None:
        """Whether an earlier sending of the same message had arrived already."""
        return None if self._value is None else self._value.duplicate

    def __repr__(self) -> str:
        if self._fault is not None:
            return f"Receipt({self.topic!r}: {self._fault})"
        if self._value is None:
            return f"Receipt({self.topic!r}: not acknowledged yet)"
        place = "" if self.offset is None else f" at offset {self.offset} of epoch {self.epoch}"
        return f"Receipt({self.topic!r}: acknowledged{place})"


class HistoryPage(msgspec.Struct, frozen=True):
    """A part of a topic's history: its messages, and the newest position of the topic by then."""

    epoch: str | None
    offset: int | None
    messages: tuple[Message, ...]


class HistoryRequest(Answer[HistoryPage]):
    """A question about a topic's history: waited for like a `Receipt`, then read from ``page``."""

    __slots__ = ()

    @property
    def page(self) -> HistoryPage | None:
        """The answer; None until it is done."""
        return self._value

    def __repr__(self) -> str:
        if self._fault is not None:
            return f"HistoryRequest({self.topic!r}: {self._fault})"
        state = "not answered yet" if self._value is None else f"{len(self._value.messages)} messages"
        return f"HistoryRequest({self.topic!r}: {state})"
