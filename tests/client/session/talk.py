"""What is said to a session and what it says, in v2, in few words."""

from __future__ import annotations

import json
from typing import Any

from nbrealtime.client.session import Publish, Session

EVERYTHING = 2**30
URL = "ws://server/ws"


class Outcome:
    """What waits for an acknowledgement; remembers what it was told."""

    def __init__(self) -> None:
        self.value: Any = None
        self.fault: Exception | None = None

    def settle(self, value: Any) -> None:
        assert self.value is None
        assert self.fault is None
        self.value = value

    def fail(self, fault: Exception) -> None:
        assert self.value is None
        assert self.fault is None
        self.fault = fault


def frame(*messages: dict[str, Any]) -> bytes:
    return json.dumps(messages[0] if len(messages) == 1 else messages).encode()


def spoken(session: Session, now: float = 0.0) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = []
    while frames := session.take(EVERYTHING, now):
        for text in frames:
            message = json.loads(text)
            said += message if isinstance(message, list) else [message]
    return [message for message in said if message["type"] not in ("ping", "hello")]


def welcome(memory: str = "m1", **more: Any) -> bytes:
    limits = {"messageBytes": 1000, "keySeconds": 100, "keys": 1000, **more.pop("limits", {})}
    return frame(
        {
            "type": "welcome",
            "id": 1,
            "version": 2,
            "user": {"id": "u", "name": "Ada"},
            "capabilities": ["ack", "recover", "batch", "lost", "presence"],
            "pingInterval": 20,
            "expires": None,
            "keyMemory": memory,
            "limits": limits,
            **more,
        }
    )


def attempt(session: Session, now: float = 0.0, token: str | None = "t") -> None:
    session.connecting()
    session.attempt(URL, token)
    session.opened(now, token)


def connect(session: Session, now: float = 0.0, memory: str = "m1", **more: Any) -> list[Any]:
    attempt(session, now)
    return session.receive(welcome(memory, **more), now, 0.0)


def publish(session: Session, value: object, topic: str = "lab:a", *, ack: bool = True) -> Outcome:
    data = json.dumps(value).encode()
    outcome = Outcome()
    session.publish(Publish(topic, data, len(data) + 50, receipt=outcome if ack else None))
    return outcome


def confirm(session: Session, offset: int = 0, **more: Any) -> list[Any]:
    """Answers the newest subscribe."""
    said = [message for message in spoken(session) if message["type"] == "subscribe"][-1]
    answer = {"type": "subscribed", "id": said["id"], "topic": said["topic"], "data": {"presenceCount": 1}}
    return session.receive(frame({**answer, "epoch": "e", "offset": offset, **more}), 0.0, 0.0)


def message(offset: int, topic: str = "lab:a", **more: Any) -> dict[str, Any]:
    return {"type": "message", "topic": topic, "data": offset, "offset": offset, "timestamp": 0, **more}
