"""A hub without a face: frames are the messages themselves, the clock is a number."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from nbrealtime.hub import Grants, Hub, Limits, Session, User


class Bench:
    """Drives a hub and reads the outboxes."""

    def __init__(self, limits: Limits | None = None) -> None:
        # A line per message, so that joined parts can be taken apart again.
        self.hub = Hub(lambda message: message + b"\n", name="h", limits=limits)
        self.now = 1000

    def join(self, user: str = "ada", grants: Grants | None = None) -> Session:
        return self.hub.open(User(user, user), Grants.usual() if grants is None else grants, self.now)

    def say(self, session: Session, **message: Any) -> None:
        self.hub.receive(session, json.dumps(message).encode(), self.now)

    def heard(self, session: Session) -> list[dict[str, Any]]:
        """Everything that went out to a session since the last time."""
        self.hub.flush()
        return [json.loads(line) for line in session.outbox.take().splitlines()]


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def make_bench() -> Callable[..., Bench]:
    return Bench
