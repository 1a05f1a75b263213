"""A subscriber's view: what it is told, held against the truth.

The one rule: for every subscriber the model knows the place that it has reached in what was committed, and what was
skipped for it, by what it was told alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nbrealtime.client.message import Message
from nbrealtime.client.session import Gap, Subscribed

from .setting import FORGOTTEN_MS, KEPT, PATTERN, QUIET, TOPICS
from .truth import Truth

if TYPE_CHECKING:
    from .peer import Peer
    from .world import World


class Stream:
    """How far one subscription has been told one topic.

    ``at`` is None until a first message says where the stream begins: at the latest behind ``newest``, the
    newest there was when the subscription was confirmed, or at the beginning of an epoch later than that
    one, the topic's ``number``-th.
    """

    def __init__(self, truth: Truth, topic: str) -> None:
        self.epoch, self.newest = truth.newest(topic)
        self.number = truth.number(topic)
        self.at: tuple[str | None, int] | None = None
        self.slack = 0

    def last(self, epoch: str | None) -> int:
        """Behind what a first message of ``epoch`` may not begin later."""
        return self.newest if epoch == self.epoch else 0


class Ear:
    """A subscriber's view: what it was told, held against the truth."""

    def __init__(self, world: World, peer: Peer, name: str, *, conflates: bool, drops: bool) -> None:
        self._world = world
        self._peer = peer
        self.name = name
        self.conflates = conflates
        self.drops = drops
        self.confirmed = False
        self.refused = False
        self.streams: dict[str, Stream] = {}
        self.quiet: set[Any] = set()
        self.count: int | None = None

    @property
    def topics(self) -> list[str]:
        if self.name != PATTERN:
            return [self.name] if self.name != QUIET else []
        return [topic for topic in TOPICS if topic.startswith("lab:")]

    def begin(self, topics: Sequence[str]) -> None:
        """From here on: whatever is committed after this must come."""
        for topic in topics:
            self.streams[topic] = Stream(self._world.truth, topic)

    def subscribed(self, event: Subscribed) -> None:
        self.refused = False
        if not self.confirmed:
            self.confirmed = True
            self.begin(self.topics)
            if self.count is not None and event.recovered:
                assert event.replayed <= self.count * len(self.topics), "no more than was asked for"
                assert event.replayed <= KEPT * len(self.topics)

    def gap(self, event: Gap) -> None:
        if self.name == PATTERN or event.missed is None:
            # It does not say which topic, or how many: what comes next says so.
            self.begin(self.topics)
            return
        stream = self.streams.get(self.name)
        if stream is None:
            return
        assert event.missed > 0, "a gap of nothing is none"
        if stream.at is None:
            self.begin(self.topics)
        else:
            epoch, last = stream.at
            stream.at = (epoch, last + event.missed)
            # Its own that it does not get back may stand between what it heard last and the first that is missed. Whether
            # they are counted depends on whether it knew of them, by their acknowledgements.
            while self._is_silent(epoch, last + 1):
                last += 1
                stream.slack += 1

    def _is_silent(self, epoch: str | None, offset: int) -> bool:
        lives = self._world.truth.lives[self.name]
        entries = next(life.entries for life in lives if life.epoch == epoch)
        return offset <= len(entries) and entries[offset - 1].data.decode() in self._peer.silent

    def message(self, message: Message) -> None:
        assert self.confirmed, "a stream begins with its confirmation"
        if message.retained:
            assert f'"{message.data}"' in self._world.truth.places
            return
        if message.topic == QUIET:
            assert message.offset is None
            assert message.data not in self.quiet, "twice"
            self.quiet.add(message.data)
            return
        truth, offset = self._world.truth, message.offset
        assert offset is not None
        entry = truth.at(message.topic, message.epoch, offset)
        assert entry.data.decode() == f'"{message.data}"', "what was committed there"
        stream = self.streams[message.topic]
        if stream.at is None:
            old = [life.epoch for life in truth.lives[message.topic][: max(0, stream.number - 1)]]
            assert message.epoch not in old, "an epoch that is over"
            if not self.conflates:
                self._no_hole(message, stream, stream.last(message.epoch), offset)
        else:
            epoch, last = stream.at
            assert message.epoch == epoch, "a new epoch is announced"
            assert offset > last, "twice, or out of order"
            if not self.conflates:
                self._no_hole(message, stream, last, offset)
        stream.at = (message.epoch, offset)

    def _no_hole(self, message: Message, stream: Stream, last: int, offset: int) -> None:
        self._missed(stream, message.topic, message.epoch, range(last + 1, offset))
        stream.slack = 0

    def _missed(self, stream: Stream, topic: str, epoch: str | None, offsets: range) -> None:
        entries = [self._world.truth.at(topic, epoch, offset) for offset in offsets]
        loud = [entry for entry in entries if entry.data.decode() not in self._peer.silent]
        assert len(loud) <= stream.slack, f"{loud[0].data.decode()} of {topic} is missing from {self.name}"

    def check_end(self) -> None:
        """Everything is quiet: everything was told."""
        if self.refused:
            return
        assert self.confirmed
        for topic, stream in self.streams.items():
            epoch, newest = self._world.truth.newest(topic)
            if epoch is None:
                continue
            if stream.at is None:
                life = self._world.truth.lives[topic][-1]
                forgotten = life.over or self._world.now - life.entries[-1].timestamp >= FORGOTTEN_MS
                if self.name == PATTERN and epoch != stream.epoch and forgotten:
                    # It came since this began, and went: nobody is left who knows that it was there.
                    continue
                last = stream.last(epoch)
            else:
                told, last = stream.at
                assert told == epoch, f"{topic} has begun anew, and {self.name} was not told"
            self._missed(stream, topic, epoch, range(last + 1, newest + 1))
