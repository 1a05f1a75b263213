"""A hub without a face: frames are the messages themselves, the clock is a number."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from nbrealtime.hub import Grants, Hub, Limits, Options, Session, User
from nbrealtime.hub.store import Store

from .stores import PatientStore


class Bench:
    """Drives a hub and reads the outboxes."""

    def __init__(self, limits: Limits | None = None, store: Store | None = None) -> None:
        # A line per message, so that joined parts can be taken apart again.
        self.hub = Hub(lambda message: message + b"\n", name="h", limits=limits, store=store)
        self.now = 1000
        self._id = 0

    def join(self, user: str = "ada", grants: Grants | None = None) -> Session:
        return self.hub.open(User(user, user), Grants.usual() if grants is None else grants, self.now)

    def join_v2(
        self, user: str = "ada", grants: list[dict[str, Any]] | None = None, *capabilities: str
    ) -> Session:
        """A session that said hello."""
        return self.hub.open(
            User(user, user.title()),
            Grants.usual() if grants is None else Grants.parse(grants),
            self.now,
            options=Options(capabilities=frozenset(capabilities)),
        )

    def say(self, session: Session, **message: Any) -> None:
        self.hub.receive(session, json.dumps(message).encode(), self.now)

    def ask(self, session: Session, **message: Any) -> int:
        """Says something with a fresh id, which it returns."""
        self._id += 1
        self.say(session, id=self._id, **message)
        return self._id

    def follow(self, session: Session, topic: str, **options: Any) -> dict[str, Any]:
        """Subscribes and returns the answer, which is the last that was heard, or comes before a replay."""
        number = self.ask(session, type="subscribe", topic=topic, **options)
        heard = self.heard(session)
        return next(message for message in heard if message.get("id") == number)

    def publish(self, session: Session, topic: str, *values: Any, **options: Any) -> None:
        for value in values:
            self.say(session, type="publish", topic=topic, data=value, **options)

    def heard(self, session: Session) -> list[dict[str, Any]]:
        """Everything that went out to a session since the last time."""
        found: list[dict[str, Any]] = []
        while True:
            self.hub.flush(self.now)
            lines = session.outbox.take().splitlines()
            for line in lines:
                content = json.loads(line)
                found += content if isinstance(content, list) else [content]
            self.hub.drained(session)
            if not lines:
                return found


@pytest.fixture
def store() -> PatientStore:
    """A store that answers at once."""
    return PatientStore(is_patient=False)


@pytest.fixture
def bench(store: PatientStore) -> Bench:
    """A hub with a history; little may wait in a subscription."""
    return Bench(Limits(outbox_bytes=1000), store)


@pytest.fixture
def make_bench() -> Callable[..., Bench]:
    return Bench
