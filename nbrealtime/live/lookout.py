"""What a topic says of itself: that it was refused, that it hears nothing, and who carries data instead.

Its remarks appear below the cell that subscribed (``cells.Origin``), said on the delivery thread; ``describe`` is for its
text and its errors. What the server carries beside it, the connection's ``Neighbours`` find out.

The rule here: *a remark is made once of each kind*, and looking around ends as soon as something has come.
"""

from __future__ import annotations

import time
from collections import deque

from nbrealtime.live.cells import Origin
from nbrealtime.live.delivery import Delivery
from nbrealtime.live.feed import SILENT_SECONDS, Feed
from nbrealtime.live.record import Record, TopicState
from nbrealtime.live.stats import Neighbours

__all__ = ["Lookout"]

_AGAIN_SECONDS = 30.0
_REFUSED = TopicState.REFUSED  # asked for with every message, and a call each time


class Lookout:
    """One topic's."""

    def __init__(self, feed: Feed, delivery: Delivery, origin: Origin, neighbours: Neighbours) -> None:
        self._feed = feed
        self._delivery = delivery
        self._origin = origin
        self._neighbours = neighbours
        self._slot = delivery.slot(self._look_around, "thread")
        self._began = time.monotonic()
        self._remarks: deque[str] = deque()
        self._remarked: set[str] = set()
        name = feed.name
        feed.hint = lambda: neighbours.hint(name)

    def begin(self) -> None:
        """The topic is subscribed: look around if it goes on hearing nothing."""
        self._began = time.monotonic()
        self._delivery.wake(self._slot, self._began + SILENT_SECONDS)

    def look(self, record: Record) -> None:
        """Remark on what is wrong with the stream. Client thread."""
        if self._feed.unequal:
            self._remark("unequal", f"{self._feed.name} {self._feed.unequal}: such messages are not plotted")
        if self._feed.untimely:
            self._remark("untimely", f"{self._feed.name} {self._feed.untimely}: such samples are not plotted")
        if record.state is _REFUSED:
            self._remark("refused", f"{self._feed.name} was refused: {record.error}")

    def describe(self, record: Record) -> str:
        """Say where the topic stands: "live, no message yet"."""
        text = record.state.value
        if record.state is TopicState.REFUSED and record.error:
            text += f" ({record.error})"
        elif self._feed.paused:
            text += ", paused"
        if record.message is not None or record.state.ended:
            return text
        if self._feed.silent is None:
            return f"{text}, no message yet"
        self._neighbours.refresh(self._feed.touch)
        return f"{text}, {self._feed.status().reason}"

    def _remark(self, kind: str, sentence: str) -> None:
        if kind not in self._remarked:
            self._remarked.add(kind)
            self._remarks.append(sentence)
            self._delivery.wake(self._slot)

    def _look_around(self, until: float) -> float | None:
        """On the delivery thread: say what is to be said, and look for others if this topic hears nothing."""
        while self._remarks:
            self._origin.say(self._remarks.popleft())
        record = self._feed.newest
        if record.count or record.state.ended:
            return None
        if self._feed.silent is None:
            return self._began + SILENT_SECONDS
        if record.state is TopicState.LIVE:
            self._neighbours.refresh(self._feed.touch)
            self._feed.touch()
        return time.monotonic() + _AGAIN_SECONDS if self._feed.watched else None
