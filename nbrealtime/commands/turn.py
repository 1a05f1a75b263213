"""Whose turn it is to feed: the decision between several sensors on one server.

One feed is enough and two would double every sample, so a feeder subscribes to
``sensor:host`` as its mark, and the server's count of subscribers says whether
somebody else is there. Only data proves that it feeds: a count can also be a
connection that died and that the server has not missed yet. So who is not alone
listens to ``host:cpu`` first, and leaves if it hears something towards the end.
Towards the end, because a feeder that was told to stop still sends its last
samples while its successor starts.

Pure: the time is an argument. Runs on the main thread.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

__all__ = ["LISTEN_SECONDS", "Step", "Turn"]

LISTEN_SECONDS: Final = 3.0
_RECENT_SECONDS: Final = 1.5  # the slowest feed has a sample a second


class Step(Enum):
    """What to do at one tick."""

    WAIT = "wait"
    LISTEN = "listen"
    FEED = "feed"
    LEAVE = "leave"


class Turn:
    """One feeder's view of who feeds; the connection's losses begin it anew."""

    def __init__(self) -> None:
        self._step = Step.WAIT
        self._since = 0.0

    def decide(self, now: float, feeders: int | None, heard: float) -> Step:
        """Returns what to do now.

        Args:
            now: a monotonic clock's seconds.
            feeders: the mark's subscribers, this one included; ``None`` while the server is out of reach.
            heard: when data came last on ``host:cpu``, by the same clock; while this one feeds it is not asked.
        """
        if feeders is None:
            self._step = Step.WAIT
        elif self._step is Step.WAIT:
            self._step = Step.FEED if feeders <= 1 else Step.LISTEN
            self._since = now
        elif self._step is Step.LISTEN:
            if feeders <= 1:
                self._step = Step.FEED
            elif now - self._since >= LISTEN_SECONDS:
                self._step = Step.LEAVE if now - heard < _RECENT_SECONDS else Step.FEED
        return self._step
