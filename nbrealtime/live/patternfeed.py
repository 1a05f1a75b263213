"""What arrives on the topics of a pattern: one stream for callbacks, one ring for each topic.

A ``PatternFeed`` is a ``Feed`` (``nbrealtime.live.feed``) whose samples lie in *strands*, feeds of the single topics,
which appear as their first message comes. Its own record counts everything; each strand's counts its topic's.

The rule here: *times increase within a topic, not across them*. Two topics share no clock, no fields and no rhythm, so
nothing numeric is ever merged before somebody asks for a table.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from nbrealtime.live.feed import Feed, SampleTap
from nbrealtime.live.recent import Recent
from nbrealtime.live.samples.payload import TimeUnit
from nbrealtime.live.samples.ring import MAX_BYTES, MAX_SAMPLES, Ring
from nbrealtime.wire.topics import Pattern

if TYPE_CHECKING:
    from nbrealtime.client import Message
    from nbrealtime.wire.v2 import Position

__all__ = ["MAX_STRANDS", "PatternFeed"]

MAX_STRANDS = 1000
"""So many topics have a ring, as many as a server follows for a pattern; of others nothing numeric is kept."""

_LEAST_BYTES = 16 * 1024
_topic_of = attrgetter("topic")


class PatternFeed(Feed):
    """A pattern's stream. ``samples`` bounds each topic's ring, ``max_bytes`` all of them together.

    They share it equally: with twice as many topics each one's history in memory is half as long. The pattern's own
    newest messages are those of all topics, in the order in which they came, and the newest of each.
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
        super().__init__(
            name,
            time_field=time_field,
            time_unit=time_unit,
            samples=samples,
            max_bytes=max_bytes,
            clock=clock,
        )
        self._recent = Recent(max_bytes, topics=MAX_STRANDS)
        self._pattern = Pattern(name)
        self._max_bytes = max_bytes
        self._options: dict[str, Any] = {
            "time_field": time_field,
            "time_unit": time_unit,
            "samples": samples,
            "clock": clock,
        }
        self._strands: dict[str, Feed] = {}  # replaced, never changed: read without the lock

    # Reading.

    @property
    def strands(self) -> tuple[Feed, ...]:
        """The streams of its topics, in the order in which they appeared."""
        return tuple(self._strands.values())

    @property
    def rings(self) -> Mapping[str, Ring]:
        return {name: strand.ring for name, strand in self._strands.items()}

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(field for strand in self.strands for field in strand.ring.fields))

    @property
    def dropped(self) -> int:
        return self._dropped + sum(strand.ring.late for strand in self.strands)

    def strand(self, name: str) -> Feed:
        """Return the stream of one topic; it need not have come yet. Any thread.

        Raises ``ValueError`` for a topic that the pattern does not match, or one beyond ``MAX_STRANDS``.
        """
        if not self._pattern.matches(name):
            raise ValueError(f"{self.name} does not match {name!r}")
        strand = self._strands.get(name) or self._begin(name)
        if strand is None:
            raise ValueError(f"{self.name} has {MAX_STRANDS:,} topics already: subscribe to {name} by itself")
        return strand

    def _begin(self, name: str) -> Feed | None:
        with self._lock:
            strands = self._strands
            if name in strands or len(strands) >= MAX_STRANDS:
                return strands.get(name)
            # In powers of two, so that a thousand topics move every sample ten times and not a thousand.
            share = max(min(self._max_bytes, _LEAST_BYTES), self._max_bytes >> len(strands).bit_length())
            for other in strands.values():
                other.bound(share)
            strand = Feed(name, max_bytes=share, **self._options)
            strand.hint = self.hint
            strand.mirror(self._record)
            for tap in self._sample_taps:
                strand.tap_samples(tap)
            self._strands = {**strands, name: strand}
        return strand

    def tap_samples(self, tap: SampleTap) -> Callable[[], None]:
        # Samples lie in the strands, of which there may be more to come.
        with self._lock:
            self._sample_taps = (*self._sample_taps, tap)
            for strand in self._strands.values():
                strand.tap_samples(tap)
        return lambda: self.untap_samples(tap)

    def untap_samples(self, tap: SampleTap) -> None:
        super().untap_samples(tap)
        for strand in self.strands:
            strand.untap_samples(tap)

    # Steering.

    def pause(self) -> None:
        for strand in self.strands:
            strand.pause()
        super().pause()

    def resume(self) -> None:
        for strand in self.strands:
            strand.resume()
        super().resume()

    def clear(self) -> None:
        for strand in self.strands:
            strand.clear()
        super().clear()

    # The sink: the client thread.

    def gap(self, reason: str, missed: int | None, topic: str | None = None) -> None:
        concerned = self._strands.values() if topic is None else [self._strands.get(topic)]
        for strand in concerned:
            if strand is not None:
                strand.gap(reason, missed)
        super().gap(reason, missed, topic)

    def _keep(self, messages: Sequence[Message]) -> Sequence[Message]:
        for name, group in groupby(messages, _topic_of):
            batch = list(group)
            strand = self._strands.get(name) or self._begin(name)
            if strand is None:
                self.count_dropped(len(batch))
                continue
            strand.received(batch)
            if strand.numeric is not None:
                self.numeric = self.numeric or strand.numeric
            # One topic that carries text among others that are drawn is no reason for the whole.
            self.undrawable = "" if self.numeric else strand.undrawable
            if strand.unequal and not self.unequal:
                self.unequal = f"({name}) {strand.unequal}"
            if strand.untimely and not self.untimely:
                self.untimely = f"({name}) {strand.untimely}"
        return ()  # each strand keeps its own

    def _position_after(self, messages: Sequence[Message]) -> Position | None:
        return None  # each topic has its own

    def _change(self, **changes: Any) -> None:
        super()._change(**changes)
        for strand in self._strands.values():
            strand.mirror(self._record)

    def _tell(self, messages: Sequence[Message] = ()) -> None:
        super()._tell(messages)
        if not messages:  # what arrives, a strand has told already
            for strand in self.strands:
                strand.touch()
