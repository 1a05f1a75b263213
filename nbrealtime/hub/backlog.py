"""What waits for one subscription that does not simply get everything at once.

`Backlog` keeps the order and is bounded in bytes; `Latest` keeps the newest of
each topic. The hub fills them and empties them as their connection drains.

The one rule: what is dropped is announced, in its place. Dropping is from the
front, so the announcement always stands at the front too.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from nbrealtime.wire.replies import encode_lost, finish_message

__all__ = ["Backlog", "Item", "Latest", "Queue"]


class Item:
    """One message for everybody who follows under the same name or pattern; finished once."""

    __slots__ = ("_payload", "body", "epoch", "offset", "subscription", "topic")

    def __init__(
        self, topic: str, offset: int | None, body: bytes, subscription: str, epoch: str | None
    ) -> None:
        self.topic = topic
        self.offset = offset
        self.body = body
        self.subscription = subscription
        self.epoch = epoch
        self._payload: bytes | None = None

    @property
    def payload(self) -> bytes:
        """The finished message."""
        if self._payload is None:
            self._payload = finish_message(self.body, subscription=self.subscription, epoch=self.epoch)
        return self._payload


class Queue(Protocol):
    """What a subscription's queue can do."""

    def __len__(self) -> int:
        """How many messages wait."""

    def put(self, item: Item, *, live: bool = True) -> bool:
        """Adds a message; returns whether the bound held. One that is replayed does not count."""

    def take(self) -> list[bytes]:
        """Removes the oldest and returns it, last of a list that begins with what must be said before it."""

    def first(self, topic: str) -> int | None:
        """The offset of the oldest of ``topic`` that waits or was dropped unannounced, or None."""


class Backlog:
    """Messages in order, at most ``limit`` bytes of live ones."""

    def __init__(self, limit: int | None, *, drops: bool) -> None:
        self._limit = limit
        self._drops = drops
        self._items: deque[tuple[Item, int]] = deque()
        self._size = 0
        # By topic: the first and last that were dropped since the last announcement and, for a pattern,
        # their epoch; or how many.
        self._lost: dict[str, tuple[int, int, str | None] | int] = {}

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Item, *, live: bool = True) -> bool:
        """Adds a message; returns whether the bound held, or could be held by dropping the oldest."""
        size = len(item.body) if live else 0
        self._items.append((item, size))
        self._size += size
        if self._limit is None or self._size <= self._limit:
            return True
        if not self._drops:
            return False
        while self._size > self._limit and len(self._items) > 1:
            self._drop()
        return True

    def take(self) -> list[bytes]:
        """Removes the oldest; what was lost before it is said first."""
        item, size = self._items.popleft()
        self._size -= size
        if not self._lost:
            return [item.payload]
        payloads = [
            encode_lost(topic, reason="slow", subscription=item.subscription, count=lost)
            if isinstance(lost, int)
            else encode_lost(
                topic,
                reason="slow",
                subscription=item.subscription,
                from_=lost[0],
                to=lost[1],
                epoch=lost[2],
            )
            for topic, lost in self._lost.items()
        ]
        self._lost.clear()
        payloads.append(item.payload)
        return payloads

    def first(self, topic: str) -> int | None:
        """The offset of the oldest that waits or was dropped unannounced, or None."""
        lost = self._lost.get(topic)
        if isinstance(lost, tuple):
            return lost[0]
        return next((item.offset for item, _ in self._items if item.topic == topic), None)

    def _drop(self) -> None:
        item, size = self._items.popleft()
        self._size -= size
        lost = self._lost.get(item.topic)
        if item.offset is None:
            self._lost[item.topic] = (lost if isinstance(lost, int) else 0) + 1
        else:
            first = lost[0] if isinstance(lost, tuple) else item.offset
            self._lost[item.topic] = (first, item.offset, item.epoch)


class Latest:
    """The newest message of each topic, in the order in which the topics began to wait."""

    def __init__(self) -> None:
        self._items: dict[str, tuple[Item, int, int | None]] = {}

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Item, *, live: bool = True) -> bool:
        """Takes the place of the one that waits, and counts it as skipped."""
        waiting = self._items.get(item.topic)
        if waiting is None:
            self._items[item.topic] = (item, 0, item.offset)
        else:
            self._items[item.topic] = (item, waiting[1] + 1, waiting[2])
        return True

    def take(self) -> list[bytes]:
        """Removes the topic that waits longest."""
        topic = next(iter(self._items))
        item, skipped, _ = self._items.pop(topic)
        if not skipped:
            return [item.payload]
        return [finish_message(item.body, subscription=item.subscription, epoch=item.epoch, skipped=skipped)]

    def first(self, topic: str) -> int | None:
        """The offset of the oldest that waits or was skipped for it, or None."""
        waiting = self._items.get(topic)
        return None if waiting is None else waiting[2]
