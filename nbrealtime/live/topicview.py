"""``topic.by_topic("lab:a")``: one topic of a pattern, to read, plot or export by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbrealtime.live.face import TopicFace
from nbrealtime.live.show import shown
from nbrealtime.wire.times import format_age

if TYPE_CHECKING:
    from nbrealtime.client import Message
    from nbrealtime.live.connection import Connection
    from nbrealtime.live.feed import Feed
    from nbrealtime.live.topic import LiveTopic
    from nbrealtime.wire.v2 import Position

__all__ = ["TopicView"]


class TopicView(TopicFace):
    """One of the topics that a ``LiveTopic`` on a pattern receives. Holds nothing of its own and needs no closing."""

    def __init__(self, pattern: LiveTopic, feed: Feed) -> None:
        self.pattern = pattern
        self.feed = feed

    @property
    def name(self) -> str:
        """The topic's name."""
        return self.feed.name

    @property
    def connection(self) -> Connection:
        return self.pattern.connection

    @property
    def owner(self) -> LiveTopic:
        return self.pattern

    @property
    def message(self) -> Message | None:
        """The newest message, or None."""
        return self.feed.record.message

    @property
    def value(self) -> Any:
        """The newest message's payload."""
        message = self.message
        return None if message is None else message.data

    @property
    def timestamp(self) -> float | None:
        """The newest message's time, s since the epoch."""
        message = self.message
        return None if message is None else message.timestamp

    @property
    def position(self) -> Position | None:
        """The place of the newest message in the topic's history, for ``since=``; None without a history."""
        return self.feed.record.position

    @property
    def offset(self) -> int | None:
        """The position's offset."""
        position = self.position
        return None if position is None else position.offset

    @property
    def count(self) -> int:
        """How many messages have come."""
        return self.feed.record.count

    @property
    def rate(self) -> float:
        """Messages per second, over the last few."""
        return self.feed.rate()

    @property
    def gaps(self) -> int:
        """Holes in its stream."""
        return self.feed.record.gaps

    def __repr__(self) -> str:
        text = f"{self.name!r} of {self.pattern.feed.name!r}: "
        message, age = self.message, self.feed.age
        if message is None:
            return f"{text}no message yet"
        plural = "" if self.count == 1 else "s"
        ago = "" if age is None else f" ({format_age(age)})"
        return f"{text}{self.count:,} message{plural}, last {shown(message.data)}{ago}"
