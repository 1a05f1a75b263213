"""Messages that somebody has yet to take: bounded by number and by size, the oldest dropped and counted.

Stands before every iterator, and before the callbacks of a topic, where gaps stand among the messages. Filled on the
client thread, emptied anywhere.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from nbrealtime.live.gap import Gap

if TYPE_CHECKING:
    from nbrealtime.client import Message
__all__ = ["MAX_BACKLOG_BYTES", "MAX_BACKLOG_MESSAGES", "Backlog", "weigh", "weights"]

MAX_BACKLOG_MESSAGES = 10_000
MAX_BACKLOG_BYTES = 16 * 1024 * 1024

_ENVELOPE = 160  # a Message, its topic, times and id
_SMALL = 32  # a number; close enough for what bounds memory, and no call per number
_NUMBERS = frozenset({int, float, bool, type(None)})
_JUDGED_WHOLE = 64
_BEGINNING = 16
_HEAVIEST = 2**62  # level after level judged by its beginning alone would reach infinity


T = TypeVar("T", bound="Message | Gap")


class Backlog(Generic[T]):
    """A bounded queue of messages. A single message over the limit is kept, alone."""

    def __init__(self, *, messages: int = MAX_BACKLOG_MESSAGES, max_bytes: int = MAX_BACKLOG_BYTES) -> None:
        self._messages = messages
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._queue: deque[tuple[T, int]] = deque()
        self._bytes = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._queue)

    def __bool__(self) -> bool:
        return bool(self._queue)

    def put(self, messages: Sequence[T]) -> int:
        """Add messages; return how many older ones were dropped for them."""
        dropped = 0
        with self._lock:
            for message in messages:
                weight = _ENVELOPE if isinstance(message, Gap) else _ENVELOPE + weigh(message.data)
                self._queue.append((message, weight))
                self._bytes += weight
                while len(self._queue) > self._messages or (
                    self._bytes > self._max_bytes and len(self._queue) > 1
                ):
                    self._bytes -= self._queue.popleft()[1]
                    dropped += 1
            self.dropped += dropped
        return dropped

    def take(self) -> T | None:
        """Remove and return the oldest message, or None."""
        with self._lock:
            if not self._queue:
                return None
            message, weight = self._queue.popleft()
            self._bytes -= weight
            return message

    def keep_only(self, kind: type[T]) -> None:
        """Forget everything else that waits; that counts as nothing dropped."""
        with self._lock:
            self._queue = deque(entry for entry in self._queue if isinstance(entry[0], kind))
            self._bytes = sum(weight for _, weight in self._queue)

    def clear(self) -> None:
        with self._lock:
            self._queue.clear()
            self._bytes = 0


def weights(messages: Iterable[Message], envelope: int) -> list[int]:
    """Return what each message weighs, with ``envelope`` for all that is not its payload."""
    return [
        envelope + (_SMALL if type(message.data) in _NUMBERS else weigh(message.data)) for message in messages
    ]


def weigh(data: Any) -> int:
    """Return about how many bytes of memory a payload holds; long lists are judged by their beginning."""
    if type(data) in _NUMBERS:
        return _SMALL
    total, todo = 0.0, [(data, 1.0)]
    # Not by calling itself: a payload may be nested deeper than Python calls may be.
    while todo:
        item, times = todo.pop()
        members: Iterable[Any] = ()
        if isinstance(item, dict):
            total += times * (100 + 110 * len(item) + sum(map(len, item)))
            members = item.values()
        elif isinstance(item, list):
            total += times * (56 + 8 * len(item))
            members = item
            if len(item) > _JUDGED_WHOLE:
                members = item[:_BEGINNING]
                times *= len(item) / _BEGINNING
        elif isinstance(item, (str, bytes)):
            total += times * (50 + len(item))
        else:
            total += times * _SMALL
        for member in members:
            kind = type(member)
            if kind in _NUMBERS:
                total += times * _SMALL
            elif kind is str:
                total += times * (50 + len(member))
            else:
                todo.append((member, times))
    return int(min(total, _HEAVIEST))
