"""What waits to be sent, in order, and what is given up while there is no connection. Pure.

Before the first connection and while connected everything is kept: whoever
publishes is held back instead (``gate.py``). After a connection was lost the
outbox is *offline*: publishes only, at most a hundred, the oldest dropped and
counted by topic.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Final

__all__ = ["OFFLINE_LIMIT", "Outbox"]

OFFLINE_LIMIT: Final = 100


class Outbox:
    """Frames in the order in which they are to be written."""

    def __init__(self) -> None:
        # A control frame (subscribe, ping) has no topic: it is never counted, and void on another connection.
        self._waiting: deque[tuple[str | None, bytes]] = deque()
        self._offline = False
        self._unreported: Counter[str] = Counter()
        self.queued = 0
        self.bytes = 0
        self.dropped = 0

    @property
    def held_bytes(self) -> int:
        """The bytes that hold publishers back: none while offline, where the oldest goes instead."""
        return 0 if self._offline else self.bytes

    def add(self, topic: str, frame: bytes) -> None:
        """Queues a publish."""
        self._waiting.append((topic, frame))
        self.queued += 1
        self.bytes += len(frame)
        if self._offline and self.queued > OFFLINE_LIMIT:
            self._drop_oldest()

    def add_control(self, frame: bytes, *, urgent: bool = False) -> None:
        """Queues a frame that matters on this connection only; an urgent one before everything else."""
        if urgent:
            self._waiting.appendleft((None, frame))
        else:
            self._waiting.append((None, frame))
        self.bytes += len(frame)

    def take(self, limit_bytes: int) -> list[bytes]:
        """Removes and returns the first frames, until they have ``limit_bytes`` or more."""
        taken: list[bytes] = []
        size = 0
        waiting = self._waiting
        while waiting and size < limit_bytes:
            topic, frame = waiting.popleft()
            taken.append(frame)
            size += len(frame)
            if topic is not None:
                self.queued -= 1
        self.bytes -= size
        return taken

    def go_offline(self) -> None:
        """The connection was lost: keeps the newest publishes and nothing else."""
        self._offline = True
        self._waiting = deque(item for item in self._waiting if item[0] is not None)
        self.bytes = sum(len(frame) for _, frame in self._waiting)
        while self.queued > OFFLINE_LIMIT:
            self._drop_oldest()

    def go_online(self, first: list[bytes]) -> None:
        """There is a connection again: ``first`` are control frames that go before everything that waited."""
        self._offline = False
        for frame in reversed(first):
            self._waiting.appendleft((None, frame))
            self.bytes += len(frame)

    def give_up(self) -> None:
        """There will be no connection: drops everything, and counts it."""
        while self._waiting:
            self._drop_oldest()

    def take_drops(self) -> dict[str, int]:
        """Removes and returns how many messages of which topic were dropped and not reported yet."""
        drops = dict(self._unreported)
        self._unreported.clear()
        return drops

    def _drop_oldest(self) -> None:
        topic, frame = self._waiting.popleft()
        self.bytes -= len(frame)
        if topic is not None:
            self.queued -= 1
            self.dropped += 1
            self._unreported[topic] += 1

    def __bool__(self) -> bool:
        return bool(self._waiting)
