"""What arrives on one topic, kept for whoever looks: the ring of samples and the newest record.

``Feed`` is the sink that a subscription of ``nbrealtime.client`` fills on the client thread. It turns payloads into
samples (``nbrealtime.live.samples.payload``), appends them to its ``Ring``, commits a new immutable ``Record``, the
newest messages (``Recent``) and the lists of numbers among them (``Lists``), and then tells its taps (delivery,
iterators, waiters: they are given the messages) and its watchers (plots, tiles: they only learn that there is
something). ``LiveTopic`` is the face that users see; widgets read ``topic.feed``.

The rule here: *nothing on this path runs a user's code or waits for anybody*. A reader takes the newest record,
which never changes once it was committed, so it needs no lock and sees no half of a batch.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from nbrealtime.live.gap import OFFLINE, Gap
from nbrealtime.live.lists import Lists, packed
from nbrealtime.live.rate import Rate
from nbrealtime.live.recent import Heard, Recent
from nbrealtime.live.record import FeedStatus, Record, TopicState
from nbrealtime.live.samples.payload import Block, Reader, TimeUnit
from nbrealtime.live.samples.ring import MAX_BYTES, MAX_SAMPLES, Ring
from nbrealtime.wire.times import format_duration
from nbrealtime.wire.v2 import Position

if TYPE_CHECKING:
    from nbrealtime.client import Message

__all__ = ["SILENT_SECONDS", "Feed", "SampleTap", "Tap"]

SILENT_SECONDS = 10.0
"""After this long without any message a topic says so, and which others carry data."""

_LISTS_SHARE = 4
# An enumeration's members are properties of its class, each a call; these are asked for with every message or picture.
_LIVE, _CLOSED = TopicState.LIVE, TopicState.CLOSED


Tap = Callable[[Sequence["Message"]], None]
"""Called on the client thread with what came, and with an empty sequence when the state changed. Must be quick."""

SampleTap = Callable[["Feed", Block | None], None]
"""Called on the client thread with a single topic's feed and the samples that came; with None, some are missing here."""


class Feed:
    """One topic's stream, filled on the client thread and read from anywhere.

    ``time_field`` and ``time_unit`` are those of ``samples.Reader``, ``samples`` and ``max_bytes`` those of
    ``Ring``. Lists of numbers, and nested numbers, are kept beside it as they came, in at most a quarter of ``max_bytes``: 16 MiB by
    default, and nothing where none come. So are the newest messages, at most 500 and a 64th of it: 1 MiB.
    ``clock`` is monotonic, in seconds.
    """

    def __init__(
        self,
        name: str,
        *,
        time_field: str | None = "t",
        time_unit: TimeUnit = "s",
        samples: int = MAX_SAMPLES,
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.ring = Ring(samples=samples, max_bytes=max_bytes)
        self.time_field = time_field
        """The member of an object that holds its time or times; None: there is none."""
        self.hint: Callable[[], str] = str
        """Says which topics carry data instead, for a topic that hears nothing; set by its connection."""
        # What the payloads told, which is asked for with every frame.
        self.numeric: bool | None = None
        """Whether anything that came can be drawn; None while nothing has told."""
        self.undrawable = ""
        """Why the newest payload cannot be drawn ("carries text"), or ""."""
        self.unequal = ""
        """A description of the first payload with lists of unequal length, or ""."""
        self.untimely = ""
        """A description of the first payload with a time that cannot be one, or ""."""
        self._reader = Reader(time_field=time_field, time_unit=time_unit)
        self._clock = clock
        self._began = clock()
        self._heard: float | None = None
        self._dropped = 0
        self._rate = Rate()
        self._lock = threading.Lock()  # for changing what is below; never held while calling out
        self._record = Record()
        self._lists = Lists(max_bytes // _LISTS_SHARE)
        self._recent = Recent(max_bytes)
        self._held: Record | None = None  # what the traits show while paused
        self._watchers: tuple[Callable[[], None], ...] = ()
        self._taps: tuple[Tap, ...] = ()
        self._gap_taps: tuple[Callable[[Gap], None], ...] = ()
        self._sample_taps: tuple[SampleTap, ...] = ()

    # Reading: any thread.

    @property
    def record(self) -> Record:
        """The newest record; while paused, with message and count as they were."""
        record, held = self._record, self._held
        if held is None:
            return record
        return msgspec.structs.replace(record, message=held.message, count=held.count, position=held.position)

    @property
    def strands(self) -> tuple[Feed, ...]:
        """The streams of the single topics that it consists of: itself, unless it follows a pattern."""
        return (self,)

    @property
    def rings(self) -> Ring | Mapping[str, Ring]:
        """Its samples, or those of each topic by name where it follows a pattern."""
        return self.ring

    @property
    def fields(self) -> tuple[str, ...]:
        """The numeric fields that have come so far."""
        return self.ring.fields

    @property
    def newest(self) -> Record:
        """The newest record, paused or not."""
        return self._record

    def past(self) -> tuple[Message | None, list[Message]]:
        """The newest message, and of those up to it the ones that carry lists or nested numbers, packed, as far as they are kept."""
        with self._lock:
            return self._record.message, self._lists.all()

    def heard(self) -> Heard:
        """What came so far, paused or not: how many messages, and the newest of them."""
        with self._lock:
            return Heard(self._record.message, self._recent.came, self._recent.all())

    @property
    def paused(self) -> bool:
        return self._held is not None

    @property
    def flows(self) -> bool:
        """Whether callbacks may be handed what came: it is neither paused nor closed."""
        return self._held is None and self._record.state is not TopicState.CLOSED

    @property
    def silent(self) -> float | None:
        """How long (s) nothing has come at all, once that is longer than ``SILENT_SECONDS``; else None."""
        if self._record.count or self._record.state.ended:
            return None
        waited = self._clock() - self._began
        return waited if waited >= SILENT_SECONDS else None

    @property
    def age(self) -> float | None:
        """How long ago (s) the newest message came, or None; by this machine's clock, whatever the server's says."""
        heard = self._heard
        return None if heard is None else self._clock() - heard

    @property
    def dropped(self) -> int:
        """Messages that came and did not reach a reader here in time, and samples that came too late."""
        return self._dropped + self.ring.late

    @property
    def watched(self) -> bool:
        """Whether anybody shows this feed."""
        return bool(self._watchers)

    def rate(self) -> float:
        """Messages per second, over the last few."""
        return self._rate.at(self._clock())

    def status(self) -> FeedStatus:
        """What a view shows beside the samples."""
        record, held = self._record, self._held
        shown = record if held is None else held
        message = shown.message
        return FeedStatus(
            name=self.name,
            state=str(record.state),
            count=record.count,
            value=None if message is None else message.data,
            timestamp=None if message is None else message.timestamp,
            presence_count=record.presence_count,
            numeric=self.numeric,
            reason=self._reason(record),
            paused=held is not None,
            pending=0 if held is None else record.count - held.count,
            error=record.error,
        )

    @property
    def untroubled(self) -> int | None:
        """How many messages came of a live topic of which `status` has nothing else to tell; None where it has."""
        record = self._record
        if record.state is not _LIVE or not record.count or self.undrawable:
            return None
        return record.count

    def _reason(self, record: Record) -> str:
        if record.state is TopicState.REFUSED and record.error:
            return record.error
        if not record.count and (silent := self.silent) is not None:
            said = f"has heard nothing for {format_duration(silent)}"
            hint = self.hint()
            return f"{said}; {hint}" if hint else said
        return self.undrawable

    # Looking on: any thread may join and leave.

    def watch(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Have ``callback`` called, on the client thread, whenever anything changed; return what ends it."""
        with self._lock:
            self._watchers = (*self._watchers, callback)

        def unwatch() -> None:
            with self._lock:
                self._watchers = tuple(known for known in self._watchers if known is not callback)

        return unwatch

    def tap(self, tap: Tap) -> Callable[[], None]:
        """Have ``tap`` called with every message from now on, paused or not; return what ends it."""
        with self._lock:
            self._taps = (*self._taps, tap)

        def untap() -> None:
            with self._lock:
                self._taps = tuple(known for known in self._taps if known is not tap)

        return untap

    def tap_gaps(self, tap: Callable[[Gap], None]) -> None:
        """Have ``tap`` called, on the client thread, with every gap, where it stands among the messages."""
        with self._lock:
            self._gap_taps = (*self._gap_taps, tap)

    def tap_samples(self, tap: SampleTap) -> Callable[[], None]:
        """Have ``tap`` called with every block of samples from now on, as the ring takes it; return what ends it."""
        with self._lock:
            self._sample_taps = (*self._sample_taps, tap)
        return lambda: self.untap_samples(tap)

    def untap_samples(self, tap: SampleTap) -> None:
        """Call ``tap`` no more; harmless if it is not there."""
        with self._lock:
            self._sample_taps = tuple(known for known in self._sample_taps if known is not tap)

    # Steering: any thread.

    def pause(self) -> None:
        """Let the record stand still; the ring goes on."""
        with self._lock:
            self._held = self._held or self._record
        self._tell()

    def resume(self) -> None:
        """Let the record follow again."""
        with self._lock:
            self._held = None
        self._tell()

    def clear(self) -> None:
        """Forget the samples and the messages; what is known about the stream stays."""
        self.ring.clear()
        with self._lock:
            self._lists.clear()
            self._recent.clear()
        self._tell()

    def touch(self) -> None:
        """Tell everybody who looks on to look again."""
        self._tell()

    def bound(self, max_bytes: int) -> None:
        """Keep at most ``max_bytes`` of samples from now on, a quarter of it of lists and a 64th of messages."""
        self.ring.bound(max_bytes)
        with self._lock:
            self._lists.bound(max_bytes // _LISTS_SHARE)
            self._recent.bound(max_bytes)

    def mirror(self, record: Record) -> None:
        """Stand where ``record`` does; for a topic of a pattern, which is subscribed with it."""
        with self._lock:
            self._change(state=record.state, code=record.code, error=record.error)

    # The sink: the client thread.

    def count_dropped(self, messages: int) -> None:
        """Count messages that a tap could not keep; for taps."""
        self._dropped += messages

    def received(self, messages: Sequence[Message]) -> None:
        if not messages:
            return
        lists = self._keep(messages)
        count, now = len(messages), self._clock()
        self._heard = now
        self._rate.add(count, now)
        with self._lock:
            record = self._record
            if record.state is _CLOSED:
                return
            self._record = msgspec.structs.replace(
                record,
                message=messages[-1],
                count=record.count + count,
                position=self._position_after(messages) or record.position,
            )
            # With the record: who joins is told a message or finds it in the past.
            if lists:
                self._lists.keep(lists)
            self._recent.keep(messages)
        self._tell(messages)

    def _keep(self, messages: Sequence[Message]) -> Sequence[Message]:
        """Turn payloads into samples, and return the lists among them.

        A publisher who says when something was measured knows better than the server.
        """
        timed = [
            (message.data, message.timestamp if message.time is None else message.time)
            for message in messages
        ]
        reader = self._reader
        blocks = reader.read(timed)
        self.numeric, self.undrawable = reader.numeric, reader.reason
        self.unequal, self.untimely = reader.unequal, reader.untimely
        for block in blocks:
            self.ring.append(block.times, block.columns)
            for tap in self._sample_taps:
                tap(self, block)
        return packed(messages, self.time_field)

    def _position_after(self, messages: Sequence[Message]) -> Position | None:
        for message in reversed(messages):
            if message.offset is not None and message.epoch is not None and not message.retained:
                return Position(message.epoch, message.offset)
        return None

    def subscribed(self, count: int, recovered: bool | None = None, replayed: int = 0) -> None:
        with self._lock:
            # What was recovered has no gap, and what was not is told by `gap`.
            is_gap = self._record.state is TopicState.OFFLINE and recovered is None
            self._change(state=TopicState.LIVE, presence_count=count, code=None)
        if is_gap:
            self.gap(OFFLINE, None)
        else:
            self._tell()

    def presence(self, count: int) -> None:
        with self._lock:
            self._change(presence_count=count)
        self._tell()

    def gap(self, reason: str, missed: int | None, topic: str | None = None) -> None:
        """``topic``: which of a pattern's topics missed something, where that is known."""
        with self._lock:
            if self._record.state is TopicState.CLOSED:
                return
            self._change(gaps=self._record.gaps + 1)
        self._reader.interrupt()
        for interrupted in self._sample_taps:
            interrupted(self, None)
        for tap in self._gap_taps:
            tap(Gap(topic or self.name, missed, reason))
        self._tell()

    def refused(self, code: str, reason: str) -> None:
        with self._lock:
            self._change(state=TopicState.REFUSED, code=code, error=reason)
        self._tell()

    def offline(self) -> None:
        with self._lock:
            # A topic that was never live has nothing to lose, and goes on subscribing.
            if self._record.state is TopicState.LIVE:
                self._change(state=TopicState.OFFLINE)
        self._tell()

    def closed(self) -> None:
        with self._lock:
            self._change(state=TopicState.CLOSED)
        self._tell()

    def _change(self, **changes: Any) -> None:
        # The caller holds the lock. Closed is final: what was under way on the client thread may come after.
        if self._record.state is not TopicState.CLOSED:
            self._record = msgspec.structs.replace(self._record, **changes)

    def _tell(self, messages: Sequence[Message] = ()) -> None:
        for tap in self._taps:
            tap(messages)
        for watcher in self._watchers:
            watcher()
