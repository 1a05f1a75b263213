"""What is known about a topic at one moment: its state, its newest message, how many there were, what is wrong.

A ``Feed`` (``nbrealtime.live.feed``) replaces its ``Record`` with everything that arrives and makes a ``FeedStatus`` of it for
what shows it.

The rule here: *nothing changes once it was made*, so that any thread may read it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from nbrealtime.wire.v2 import Position

if TYPE_CHECKING:
    from nbrealtime.client import Message

__all__ = ["FeedStatus", "Record", "TopicState"]


class TopicState(StrEnum):
    """Where a topic stands; the values are what ``LiveTopic.state`` says."""

    SUBSCRIBING = "subscribing"
    LIVE = "live"
    OFFLINE = "offline"
    REFUSED = "refused"
    CLOSED = "closed"

    @property
    def ended(self) -> bool:
        """Whether nothing will come as things are."""
        return self in (TopicState.REFUSED, TopicState.CLOSED)


class Record(msgspec.Struct, frozen=True):
    """Everything that a topic knows at one moment."""

    state: TopicState = TopicState.SUBSCRIBING
    message: Message | None = None
    count: int = 0
    position: Position | None = None  # of the newest message that has one; a retained value has none
    presence_count: int | None = None
    gaps: int = 0  # holes in the stream; interruptions in which messages may have been missed
    code: str | None = None  # of the last refusal
    error: str | None = None  # the last refusal's sentence


class FeedStatus(msgspec.Struct, frozen=True):
    """What a view shows beside the samples."""

    name: str
    state: str
    count: int
    value: Any
    timestamp: float | None  # s since the epoch
    presence_count: int | None
    numeric: bool | None  # None: nothing has told yet; False: nothing that came can be drawn
    reason: str  # why it cannot be drawn ("carries text"), or why nothing comes; without a full stop; or ""
    paused: bool
    pending: int  # messages since ``pause``
    error: str | None
