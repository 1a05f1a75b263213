"""The newest messages of a topic, as they came: what a log or a table shows of the time before it was made.

Collaborators: a `Feed` fills it on the client thread, under its lock and together with its record, and
`widgets.stream.follow` begins with what it hands out.

The one rule: next to nothing for each message. They are kept as the objects they are anyway, none is looked into beyond its
weight, and the queue itself lets go of the oldest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from nbrealtime.live.consumers.backlog import weights

if TYPE_CHECKING:
    from nbrealtime.client import Message

__all__ = ["MOST_BYTES", "MOST_MESSAGES", "Heard", "Recent"]

MOST_MESSAGES: Final = 500
MOST_BYTES: Final = 1024 * 1024

_SHARE: Final = 64
_ENVELOPE: Final = 300  # a Message, its id and its times


class Heard(NamedTuple):
    """What a feed has heard at one moment."""

    newest: Message | None
    """The newest message, forgotten or not."""
    came: int
    """How many messages came since the beginning, or since they were forgotten."""
    messages: list[Message]
    """The newest of these, as far as they are kept, the oldest first; of a pattern also each topic's newest."""


class Recent:
    """The newest messages, at most 500 and about 1 MiB; one that is larger by itself is kept alone.

    Whoever uses it holds its feed's lock.

    Args:
        history: bytes that the feed may keep in all. Messages are a 64th of it at most.
        topics: of so many topics the newest message is kept also when it is not among those, for a table with a
            row for each. The topics' own feeds have these messages anyway.
    """

    def __init__(self, history: int, *, topics: int = 0) -> None:
        self._max_bytes = _share(history)
        self._topics = topics
        self._newest: dict[str, Message] = {}
        self._kept: deque[Message] = deque(maxlen=MOST_MESSAGES)
        self._weights: deque[int] = deque(maxlen=MOST_MESSAGES)
        self.nbytes = 0
        """About how much is kept."""
        self.came = 0
        """Messages since the beginning, or since they were forgotten."""

    def keep(self, messages: Sequence[Message]) -> None:
        """Keeps what came, as much of it as there is room for."""
        new = len(messages)
        self.came += new
        if self._topics:
            for topic, message in {message.topic: message for message in messages}.items():
                if topic in self._newest or len(self._newest) < self._topics:
                    self._newest[topic] = message
        if new > MOST_MESSAGES:
            messages = messages[-MOST_MESSAGES:]
        weighed = weights(messages, _ENVELOPE)
        self.nbytes += sum(weighed)
        if (excess := len(self._kept) + new - MOST_MESSAGES) > 0:
            self.nbytes -= sum(islice(self._weights, excess))
        self._kept.extend(messages)
        self._weights.extend(weighed)
        if self.nbytes > self._max_bytes:
            self._shed()

    def bound(self, history: int) -> None:
        """Has another share from now on; the oldest that have no room go at once."""
        self._max_bytes = _share(history)
        self._shed()

    def clear(self) -> None:
        """Forgets them all."""
        self._kept.clear()
        self._weights.clear()
        self._newest.clear()
        self.nbytes = self.came = 0

    def all(self) -> list[Message]:
        """Returns what is kept, the oldest first."""
        kept = list(self._kept)
        known = set(map(id, kept))
        older = [message for message in self._newest.values() if id(message) not in known]
        return sorted(older, key=lambda message: message.timestamp) + kept

    def _shed(self) -> None:
        while self.nbytes > self._max_bytes and len(self._kept) > 1:
            self._kept.popleft()
            self.nbytes -= self._weights.popleft()


def _share(history: int) -> int:
    return min(MOST_BYTES, history // _SHARE)
