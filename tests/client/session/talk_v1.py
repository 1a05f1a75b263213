"""What is said to a session and what it says, in v1, in few words."""

from __future__ import annotations

import json
from typing import Any

from nbrealtime.client.session import (
    Publish,
    Session,
)
from nbrealtime.wire.messages import encode_publish

EVERYTHING = 2**30


def frame(**message: Any) -> bytes:
    return json.dumps(message).encode()


def spoken(session: Session) -> list[dict[str, Any]]:
    return [json.loads(said) for said in session.take(EVERYTHING)]


def subscriptions(session: Session) -> list[str]:
    return [said["topic"] for said in spoken(session) if said["type"] == "subscribe"]


def publish(session: Session, topic: str, value: object) -> None:
    data = json.dumps(value).encode()
    session.publish(Publish(topic, data, len(encode_publish(topic, data))))


def receive(session: Session, frame: bytes, now: float, wall: float) -> Any:
    """The one event that a frame makes, or None."""
    events = session.receive(frame, now, wall)
    assert len(events) <= 1
    return events[0] if events else None
