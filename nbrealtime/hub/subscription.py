"""One connection's interest in a name or a pattern, and how far it got.

Most subscriptions are *fast*: whatever is published goes straight into the
journal with the tuple of everybody else. One that drops, conflates or delays
has a queue of its own (`nbrealtime.hub.backlog`), and one that catches up reads
its topics' histories; these are visited one by one.

The one rule: positions are per subscription. What is not in its queue and not
in its replays was written to the journal already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbrealtime.hub.backlog import Backlog, Latest, Queue
from nbrealtime.wire.topics import Pattern
from nbrealtime.wire.v2 import Policy, Request

if TYPE_CHECKING:
    from nbrealtime.hub.session import Session
    from nbrealtime.hub.topic import Topic

__all__ = ["Replay", "Subscription"]


class Replay:
    """A topic's history on its way to one subscription: read up to ``cursor``.

    ``target`` was the newest when the subscription began: before every topic of it has got that far,
    nothing newer is read.
    """

    __slots__ = ("cursor", "epoch", "target", "topic")

    def __init__(self, topic: Topic, epoch: str, cursor: int, target: int) -> None:
        self.topic = topic
        self.epoch = epoch
        self.cursor = cursor
        self.target = target

    @property
    def lagging(self) -> bool:
        """Whether there is something to read."""
        return self.cursor < self.topic.offset


class Subscription:
    """What one session follows under one name or pattern.

    ``pending`` until its ``subscribed`` is said, since only then does its stream begin.
    """

    __slots__ = (
        "changes",
        "due",
        "interval",
        "name",
        "pattern",
        "pending",
        "policy",
        "presence",
        "queue",
        "reading",
        "replays",
        "session",
        "topics",
    )

    def __init__(
        self,
        session: Session,
        name: str,
        *,
        pattern: Pattern | None = None,
        policy: Policy = "disconnect",
        max_rate: float | None = None,
        presence: bool = False,
        limit: int | None = None,
    ) -> None:
        self.session = session
        self.name = name
        self.pattern = pattern
        self.topics: dict[str, Topic] = {}
        self.pending = False
        # Requests for other options that came while it was pending.
        self.changes: list[Request] = []
        self.reading = False
        self.replays: dict[str, Replay] = {}
        self.due = 0.0
        self.queue: Queue | None = None
        self.change(policy=policy, max_rate=max_rate, presence=presence, limit=limit)

    def __repr__(self) -> str:
        return f"Subscription({self.name!r}, {len(self.topics)} topics)"

    def change(self, *, policy: Policy, max_rate: float | None, presence: bool, limit: int | None) -> None:
        """Takes other options; what waits in the queue must have been taken out."""
        self.policy = policy
        self.presence = presence
        self.interval = 0.0 if max_rate is None else 1000.0 / max_rate
        if policy == "conflate":
            self.queue = Latest()
        elif policy == "drop_oldest" or self.interval:
            self.queue = Backlog(limit, drops=policy == "drop_oldest")
        else:
            self.queue = None

    @property
    def fast(self) -> bool:
        """Whether it gets what is published at once, together with everybody else."""
        return self.queue is None and not self.replays and not self.pending

    @property
    def waits(self) -> bool:
        """Whether something is there that it did not get yet."""
        return bool(self.queue) or bool(self.replays)

    def position(self, topic: Topic) -> int:
        """The offset just before the next message of ``topic`` that it will get."""
        if self.queue is not None:
            waiting = self.queue.first(topic.name)
            if waiting is not None:
                return waiting - 1
        replay = self.replays.get(topic.name)
        return topic.offset if replay is None else replay.cursor
