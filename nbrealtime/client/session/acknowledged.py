"""Publishes that the server has to confirm: their keys, what is under way, what was put off. Pure.

Only acknowledged publishes have keys, and only these are sent again: exactly
once is for them. One without ``ack`` is written once and forgotten, as in v1.

The one rule: what was ever written is written again only while the server must
still know its key: to the same ``keyMemory``, within ``keySeconds`` (less a
tenth, for the way) of its first writing, and before ``keys`` others came after
it. Otherwise it fails with `PublishUncertain`. A publish that was refused was
not stored, so that it counts as never written.
"""

from __future__ import annotations

from bisect import insort
from typing import Final, Protocol

from nbrealtime.client.receipt import Acknowledgement

__all__ = ["Acknowledged", "Publish", "Settles"]

_SAFE_FRACTION: Final = 0.9
_RETRY_SECONDS: Final = 0.25
_RETRY_MOST_SECONDS: Final = 10.0


class Settles(Protocol):
    """What waits for an acknowledgement."""

    def settle(self, value: Acknowledgement) -> None:
        """It is stored."""

    def fail(self, fault: Exception) -> None:
        """It is not, or nobody knows."""


class Publish:
    """One publish, from its call until it is written or, with a ``receipt``, acknowledged.

    ``data`` is its JSON, ``time`` the publisher's in ms, ``size`` about what it takes on the wire.
    ``serial`` is its place among all of this connection.
    """

    __slots__ = (
        "data",
        "dropped",
        "echo",
        "first_written",
        "key",
        "memory",
        "number",
        "receipt",
        "refusals",
        "retain",
        "serial",
        "size",
        "time",
        "topic",
    )

    def __init__(
        self,
        topic: str,
        data: bytes,
        size: int,
        *,
        receipt: Settles | None = None,
        time: int | None = None,
        retain: bool = False,
        echo: bool = True,
    ) -> None:
        self.topic = topic
        self.data = data
        self.size = size
        self.receipt = receipt
        self.time = time
        self.retain = retain
        self.echo = echo
        self.serial = 0
        self.number = 0
        self.key: str | None = None
        self.first_written: float | None = None
        self.memory: str | None = None
        self.refusals = 0
        self.dropped = False


class _PutOff:
    """A topic's publishes from the refused one on; in order."""

    __slots__ = ("due", "line")

    def __init__(self, due: float) -> None:
        self.due = due
        self.line: list[Publish] = []


def _serial(publish: Publish) -> int:
    return publish.serial


class Acknowledged:
    """See the module. ``client`` is this client's id, the same on every socket."""

    def __init__(self, client: str) -> None:
        self._client = client
        self._numbers = 0
        self._under_way: dict[int, Publish] = {}
        self._on_topic: dict[str, int] = {}
        self.lines: dict[str, _PutOff] = {}
        """What was put off, by topic."""
        self._memory: str | None = None
        self._seconds = 0.0
        self._keys: float | None = None
        self.bytes = 0
        """Of what is under way."""

    def __bool__(self) -> bool:
        return bool(self._under_way or self.lines)

    def welcome(self, memory: str | None, seconds: float | None, keys: float | None) -> None:
        """The server said how long it remembers keys."""
        self._memory = memory
        self._seconds = _SAFE_FRACTION * (seconds or 0.0)
        self._keys = keys

    def label(self, publish: Publish) -> None:
        """Gives a new one its key."""
        self._numbers += 1
        publish.number = self._numbers
        publish.key = f"{self._client}:{self._numbers}"

    # -- on a connection ------------------------------------------------------------------------------

    def written(self, publish: Publish, id: int, now: float) -> None:  # noqa: A002 - the protocol's word
        """It is written now, as request ``id``."""
        if publish.first_written is None:
            publish.first_written, publish.memory = now, self._memory
        self._under_way[id] = publish
        self._on_topic[publish.topic] = self._on_topic.get(publish.topic, 0) + 1
        self.bytes += publish.size

    def answered(self, id: int | None) -> Publish | None:  # noqa: A002
        """The publish that request ``id`` was, which is under way no more; None if it was no such one."""
        if id is None:
            return None
        publish = self._under_way.pop(id, None)
        if publish is not None:
            self.bytes -= publish.size
            left = self._on_topic[publish.topic] - 1
            if left:
                self._on_topic[publish.topic] = left
            else:
                del self._on_topic[publish.topic]
        return publish

    def put_off(self, publish: Publish, after: float | None, now: float) -> None:
        """It was refused, and may come again ``after`` seconds; the later ones of its topic wait behind it."""
        publish.first_written = publish.memory = None
        publish.refusals += 1
        if after is None:
            after = min(_RETRY_SECONDS * 2.0 ** (publish.refusals - 1), _RETRY_MOST_SECONDS)
        put_off = self.lines.get(publish.topic)
        if put_off is None:
            put_off = self.lines[publish.topic] = _PutOff(now + after)
        elif not put_off.line or publish.serial < put_off.line[0].serial:
            put_off.due = max(put_off.due, now + after)
        insort(put_off.line, publish, key=_serial)

    def holds(self, publish: Publish) -> bool:
        """Whether it has to wait behind a refused one; then it does."""
        put_off = self.lines.get(publish.topic)
        if put_off is None:
            return False
        insort(put_off.line, publish, key=_serial)
        return True

    @property
    def deadline(self) -> float | None:
        """When something that was put off is due. What still waits for an answer comes with that."""
        if not self.lines:
            return None
        return min(
            (line.due for topic, line in self.lines.items() if topic not in self._on_topic), default=None
        )

    def release(self, now: float) -> list[Publish]:
        """Removes and returns what may be written again.

        Only where nothing is under way on the topic: a later one that is still to be refused must come
        again before whatever stands behind it.
        """
        if not self.lines:
            return []
        ready = [
            topic for topic, line in self.lines.items() if line.due <= now and topic not in self._on_topic
        ]
        return [publish for topic in ready for publish in self.lines.pop(topic).line]

    # -- when it is lost ------------------------------------------------------------------------------

    def lose(self) -> tuple[list[Publish], list[Publish]]:
        """Removes and returns what was under way, and what was put off; it all waits for the next connection."""
        under_way = list(self._under_way.values())
        put_off = [publish for line in self.lines.values() for publish in line.line]
        self._under_way.clear()
        self._on_topic.clear()
        self.lines.clear()
        self.bytes = 0
        return under_way, put_off

    def doubt(self, publish: Publish, now: float, *, connected: bool) -> str | None:
        """Why it must not be written again; None if it may, or was never written."""
        first = publish.first_written
        if first is None:
            return None
        if publish.memory is None:
            return "the server remembers no keys"
        if connected and publish.memory != self._memory:
            return "the server has lost its memory of keys meanwhile"
        if now - first >= self._seconds:
            return "the server no longer remembers its key"
        if self._keys is not None and self._numbers - publish.number >= self._keys:
            return "the server has seen too many others since"
        return None

    def certain_until(self, publish: Publish) -> float | None:
        """Until when a publish that was written may be written again."""
        return None if publish.first_written is None else publish.first_written + self._seconds
