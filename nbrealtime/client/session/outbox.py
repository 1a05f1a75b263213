"""What waits to be sent, in order, and what is given up while there is no connection. Pure.

Before the first connection and while connected everything is kept: whoever
publishes is held back instead (``gate.py``). After a connection was lost the
outbox is *offline*: of the publishes without an acknowledgement at most a
hundred are kept, the oldest dropped and counted by topic. Acknowledged ones
stay until their receipt is settled, one way or the other.

The one rule: publishes of one topic are written in the order of publishing,
those that are written again included.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from typing import Final

from nbrealtime.client.session.acknowledged import Acknowledged, Publish
from nbrealtime.errors import ConnectionClosed, PublishTimeout, PublishUncertain

__all__ = ["OFFLINE_LIMIT", "Outbox"]

OFFLINE_LIMIT: Final = 100


class Outbox:
    """Frames and publishes in the order in which they are to be written."""

    def __init__(self, client: str = "") -> None:
        # A control frame (subscribe, ping) is bytes already: it is never counted, and void on another
        # connection. A text is the name of a subscription whose frame nobody knows before the first one.
        self.line: deque[bytes | str | Publish] = deque()
        """What waits, in its order."""
        self._plain: deque[Publish] = deque()  # while offline: those that may be dropped
        self.is_offline = False
        """Whether a connection was lost and there is no other yet."""
        self._is_over = False
        self._stale = 0
        self._serial = 0
        self._expires: float | None = None
        self.acknowledged = Acknowledged(client)
        self.drops: Counter[str] = Counter()
        """How many messages of which topic were dropped and not reported yet."""
        self.doubts: Counter[str] = Counter()
        """How many of which topic failed with `PublishUncertain` and were not reported yet."""
        self.acknowledged_bytes = 0
        """Of publishes with a receipt that is not settled, wherever they are."""
        self.queued = 0
        self.bytes = 0
        self.dropped = 0
        self.uncertain = 0

    @property
    def held_bytes(self) -> int:
        """The bytes that hold publishers back: none while offline, where the oldest goes instead."""
        return 0 if self.is_offline else self.bytes + self.acknowledged.bytes

    def add(self, publish: Publish) -> None:
        """Queues a publish. After `give_up` it is for nothing, and its receipt says so."""
        if self._is_over:
            if publish.receipt is not None:
                publish.receipt.fail(ConnectionClosed(""))
            return
        self._serial += 1
        publish.serial = self._serial
        if publish.receipt is not None:
            self.acknowledged.label(publish)
            self.acknowledged_bytes += publish.size
        self.queued += 1
        self.bytes += publish.size
        self.line.append(publish)
        if self.is_offline and publish.receipt is None:
            self._plain.append(publish)
            self._cap()

    def add_control(self, frame: bytes, *, urgent: bool = False) -> None:
        """Queues a frame that matters on this connection only; an urgent one before everything else."""
        if urgent:
            self.line.appendleft(frame)
        else:
            self.line.append(frame)
        self.bytes += len(frame)

    def add_mark(self, name: str) -> None:
        """Before the first connection: a subscription's place among the publishes."""
        self.line.append(name)

    def take(
        self, limit_bytes: int, write: Callable[[Publish, float], bytes | None], now: float
    ) -> list[bytes]:
        """Removes and returns the first frames, until they have about ``limit_bytes`` or more.

        ``write`` turns a publish into a frame, or has done something else with it.
        """
        taken: list[bytes] = []
        size = 0
        waiting, acknowledged = self.line, self.acknowledged
        while waiting and size < limit_bytes:
            item = waiting.popleft()
            if isinstance(item, Publish):
                if acknowledged.lines and acknowledged.holds(item):
                    continue
                self.queued -= 1
                self.bytes -= item.size
                size += item.size
                frame = write(item, now)
                if frame is not None:
                    taken.append(frame)
            elif isinstance(item, bytes):
                self.bytes -= len(item)
                size += len(item)
                taken.append(item)
        return taken

    # -- acknowledged publishes -----------------------------------------------------------------------

    def settled(self, publish: Publish) -> None:
        """Its receipt was told what became of it."""
        self.acknowledged_bytes -= publish.size

    def fail(self, publish: Publish, fault: Exception) -> None:
        """Tells the receipt of one that has left the line that it came to nothing."""
        self.settled(publish)
        if isinstance(fault, PublishUncertain):
            self.uncertain += 1
            self.doubts[publish.topic] += 1
        if publish.receipt is not None:
            publish.receipt.fail(fault)

    def put_off(self, publish: Publish, after: float | None, now: float) -> None:
        """One that was written was refused, and comes again."""
        self._enter(publish)
        self.acknowledged.put_off(publish, after, now)

    def release(self, now: float) -> None:
        """Puts what is due again at the head of the line."""
        released = self.acknowledged.release(now)
        if released:
            self.line.extendleft(reversed(released))

    def make_room(self, limit_bytes: int) -> None:
        """Fails the oldest acknowledged publishes that wait, until the rest has ``limit_bytes``; while offline."""
        for item in tuple(self.line):
            if self.acknowledged_bytes <= limit_bytes:
                return
            if isinstance(item, Publish) and item.receipt is not None:
                self.line.remove(item)
                self._leave(item)
                if item.first_written is None:
                    self.fail(item, PublishTimeout(item.topic, 0.0, self.acknowledged_bytes))
                else:
                    reason = "newer ones took its place before the connection was back"
                    self.fail(item, PublishUncertain(item.topic, item.key, reason))

    def expire(self, now: float, *, connected: bool = False) -> None:
        """Fails what was written and can no longer be written again safely."""
        self._expires = None
        kept: deque[bytes | str | Publish] = deque()
        for item in self.line:
            if isinstance(item, Publish) and item.receipt is not None and item.first_written is not None:
                doubt = self.acknowledged.doubt(item, now, connected=connected)
                if doubt is not None:
                    self._leave(item)
                    self.fail(item, PublishUncertain(item.topic, item.key, doubt))
                    continue
                until = self.acknowledged.certain_until(item)
                if until is not None and (self._expires is None or until < self._expires):
                    self._expires = until
            kept.append(item)
        self.line = kept

    @property
    def expires(self) -> float | None:
        """When `expire` has something to do, while offline."""
        return self._expires

    # -- connections ----------------------------------------------------------------------------------

    def go_offline(self, now: float) -> None:
        """The connection was lost: keeps publishes and nothing else."""
        self.is_offline = True
        under_way, put_off = self.acknowledged.lose()
        for publish in under_way:
            self._enter(publish)
        line = [item for item in self.line if isinstance(item, Publish)] + under_way + put_off
        line.sort(key=lambda publish: publish.serial)
        self.line = deque(line)
        self.bytes = sum(publish.size for publish in line)
        self._plain = deque(publish for publish in line if publish.receipt is None)
        self._cap()
        self.expire(now)

    def go_online(self, first: list[bytes]) -> None:
        """There is a connection again: ``first`` are control frames that go before everything that waited."""
        if self.is_offline:
            self.is_offline = False
            self._plain.clear()
            self.line = deque(item for item in self.line if not isinstance(item, Publish) or not item.dropped)
        for frame in reversed(first):
            self.line.appendleft(frame)
            self.bytes += len(frame)

    def begin(self, resolve: Callable[[str], bytes | None]) -> None:
        """The first connection: ``resolve`` gives the frame of each subscription that was marked."""
        waiting, self.line = self.line, deque()
        seen: set[str] = set()
        for item in waiting:
            if not isinstance(item, str):
                self.line.append(item)
            elif item not in seen:
                seen.add(item)
                frame = resolve(item)
                if frame is not None:
                    self.add_control(frame)

    def give_up(self, url: str = "") -> None:
        """There will be no connection: drops everything, and counts it."""
        self._is_over = True
        if self.acknowledged:
            self.go_offline(0.0)
        waiting, self.line = self.line, deque()
        for item in waiting:
            if isinstance(item, bytes):
                self.bytes -= len(item)
            elif isinstance(item, str) or item.dropped:
                continue
            elif item.receipt is None:
                self._count_drop(item)
            else:
                self._leave(item)
                if item.first_written is None:
                    self.fail(item, ConnectionClosed(url))
                else:
                    reason = "the connection was closed before the server had answered"
                    self.fail(item, PublishUncertain(item.topic, item.key, reason))

    def take_drops(self) -> dict[str, int]:
        """Removes and returns `drops`."""
        drops = dict(self.drops)
        self.drops.clear()
        return drops

    def take_doubts(self) -> dict[str, int]:
        """Removes and returns `doubts`."""
        doubts = dict(self.doubts)
        self.doubts.clear()
        return doubts

    def _enter(self, publish: Publish) -> None:
        self.queued += 1
        self.bytes += publish.size

    def _leave(self, publish: Publish) -> None:
        self.queued -= 1
        self.bytes -= publish.size

    def _cap(self) -> None:
        while len(self._plain) > OFFLINE_LIMIT:
            self._drop(self._plain.popleft())

    def _drop(self, publish: Publish) -> None:
        # Taken out of the line later, many at once: it may stand in the middle of those that stay.
        publish.dropped = True
        self._count_drop(publish)
        self._stale += 1
        if self._stale >= 1000:
            self._stale = 0
            self.line = deque(item for item in self.line if not isinstance(item, Publish) or not item.dropped)

    def _count_drop(self, publish: Publish) -> None:
        self._leave(publish)
        self.dropped += 1
        self.drops[publish.topic] += 1
