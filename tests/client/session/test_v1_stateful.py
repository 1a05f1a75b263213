"""The session in v1, against a simple model of a server and of the user who do anything in any order."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from nbrealtime.client.message import Message
from nbrealtime.client.session import (
    OFFLINE_LIMIT,
    PATIENCE,
    SLOW_SECONDS,
    Report,
    Session,
)
from nbrealtime.client.status import LinkState

from .talk_v1 import EVERYTHING, frame, publish, receive

TOPICS = ("lab:a", "lab:b", "lab/a", "dash:x")


class SessionMachine(RuleBasedStateMachine):
    """A user and a server do anything in any order; a model remembers what must come of it."""

    @initialize()
    def begin(self) -> None:
        self.session = Session(random=lambda: 0.5)
        self.now = 0.0
        self.serial = 0
        self.wanted: list[str] = []
        self.has_been_connected = False
        self.pending: list[int] = []  # publishes that nobody has written or dropped
        self.dropped: list[int] = []
        self.reported = 0
        self.server: set[str] = set()  # what the server believes is subscribed on this connection
        self.written: list[int] = []
        self.session.connecting()

    def is_connected(self) -> bool:
        return self.session.state is LinkState.CONNECTED

    def is_closed(self) -> bool:
        return self.session.state is LinkState.CLOSED

    def heed(self, events: list[Any]) -> None:
        for event in events:
            if isinstance(event, Report) and "dropped" in event.text:
                self.reported += int(event.text.split()[0].replace(",", ""))

    def cap(self) -> None:
        while len(self.pending) > OFFLINE_LIMIT:
            self.dropped.append(self.pending.pop(0))

    @precondition(lambda self: not self.is_closed())
    @rule(topic=st.sampled_from(TOPICS))
    def subscribe(self, topic: str) -> None:
        self.session.subscribe(topic)
        if topic not in self.wanted:
            self.wanted.append(topic)

    @rule(topic=st.sampled_from(TOPICS))
    def unsubscribe(self, topic: str) -> None:
        self.session.unsubscribe(topic)
        if topic in self.wanted:
            self.wanted.remove(topic)

    @precondition(lambda self: not self.is_closed())
    @rule(topic=st.sampled_from(TOPICS), count=st.sampled_from((1, 1, 1, 60, 150)))
    def publish(self, topic: str, count: int) -> None:
        for _ in range(count):
            self.serial += 1
            publish(self.session, topic, self.serial)
            self.pending.append(self.serial)
        if self.has_been_connected and not self.is_connected():
            self.cap()

    @precondition(lambda self: self.session.state in (LinkState.CONNECTING, LinkState.RECONNECTING))
    @rule()
    def connect(self) -> None:
        self.session.connecting()
        self.heed(self.session.connected(self.now))
        self.has_been_connected = True
        self.server = set()

    @precondition(lambda self: self.session.state in (LinkState.CONNECTING, LinkState.RECONNECTING))
    @rule(refused=st.booleans())
    def fail(self, refused: bool) -> None:
        attempts = self.session.attempts
        self.session.connecting()
        self.session.failed(self.now, "no luck", refused=refused)
        assert self.session.attempts == attempts + 1
        assert self.session.retry_at is not None
        assert self.now <= self.session.retry_at <= self.now + SLOW_SECONDS
        if self.session.attempts >= PATIENCE:
            assert self.session.error == "no luck"

    @precondition(lambda self: self.is_connected())
    @rule(code=st.sampled_from((1000, 1001, 1006, 1011, 4008, 4500)))
    def lose(self, code: int) -> None:
        self.heed(self.session.lost(self.now, code, ""))
        if code in (1000, 4500):
            assert self.is_closed()
            self.dropped += self.pending
            self.pending = []
        else:
            assert self.session.state is LinkState.RECONNECTING
            self.cap()

    @precondition(lambda self: self.is_connected())
    @rule(limit=st.sampled_from((1, 200, EVERYTHING)))
    def write(self, limit: int) -> None:
        for said in self.session.take(limit):
            message = json.loads(said)
            if message["type"] == "subscribe":
                assert message["topic"] not in self.server, "one subscription per topic"
                self.server.add(message["topic"])
            elif message["type"] == "unsubscribe":
                self.server.discard(message["topic"])
            elif message["type"] == "publish":
                assert message["data"] == self.pending.pop(0), "in order, once"
                self.written.append(message["data"])
        if limit == EVERYTHING:
            assert self.server == set(self.wanted)

    @rule(seconds=st.floats(0, 60))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.is_connected())
    @rule(topic=st.sampled_from(TOPICS))
    def hear(self, topic: str) -> None:
        event = receive(
            self.session, frame(type="message", topic=topic, data=1, timestamp=2000), self.now, 0.0
        )
        assert event == (Message(topic, 1, 2.0) if topic in self.wanted else None)

    @rule()
    def close(self) -> None:
        if not self.is_closed():
            self.heed(self.session.close())
            self.dropped += self.pending
            self.pending = []

    @invariant()
    def nothing_is_lost_without_being_counted(self) -> None:
        outbox = self.session.outbox
        assert outbox.queued == len(self.pending)
        assert outbox.dropped == len(self.dropped)
        assert self.serial == len(self.pending) + len(self.dropped) + len(self.written)
        assert outbox.bytes >= 0

    @invariant()
    def every_drop_is_reported_by_the_time_there_is_a_connection(self) -> None:
        if self.is_connected() or self.is_closed():
            assert self.reported == len(self.dropped)

    @invariant()
    def offline_at_most_a_hundred_wait(self) -> None:
        if self.session.state is LinkState.RECONNECTING:
            assert self.session.outbox.queued <= OFFLINE_LIMIT
            assert self.session.outbox.held_bytes == 0

    @invariant()
    def only_a_connection_speaks(self) -> None:
        if not self.is_connected():
            assert self.session.take(EVERYTHING) == []
            assert self.session.deadline is None


TestSession = SessionMachine.TestCase
TestSession.settings = settings(max_examples=60, stateful_step_count=40)
