"""Fakes for panels: a link that is told what to be, a topic on it, and a comm that keeps what was sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import comm
import ipywidgets
import msgspec
import pytest
from comm.base_comm import BaseComm

from nbrealtime.client import LinkState, Message, Status
from nbrealtime.errors import ConnectionClosed
from nbrealtime.live import subject
from nbrealtime.live.delivery import Delivery
from nbrealtime.live.feed import Feed
from nbrealtime.widgets import bundle


class FakeLink:
    """A link whose status and answers a test decides."""

    def __init__(self) -> None:
        self.status = Status(LinkState.CONNECTED, "ws://127.0.0.1:43121", "Ada", 0.0012)
        self.published: list[tuple[str, bytes]] = []
        self.reconnects = 0
        self.refuses: Exception | None = None
        self.listeners: list[Callable[[Status], None]] = []
        self.reporters: list[Callable[[str], None]] = []

    def listen(self, callback: Callable[[Status], None]) -> Callable[[], None]:
        return self._add(self.listeners, callback)

    def on_report(self, callback: Callable[[str], None]) -> Callable[[], None]:
        return self._add(self.reporters, callback)

    def publish(self, topic: str, data: bytes) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.published.append((topic, data))

    def reconnect(self) -> None:
        self.reconnects += 1

    def become(self, **changes: Any) -> None:
        self.status = msgspec.structs.replace(self.status, **changes)
        for listener in list(self.listeners):
            listener(self.status)

    def report(self, text: str) -> None:
        for reporter in list(self.reporters):
            reporter(text)

    def _add(self, callbacks: list[Any], callback: Any) -> Callable[[], None]:
        if self.status.state is LinkState.CLOSED:
            raise ConnectionClosed(self.status.url)
        callbacks.append(callback)
        return lambda: callbacks.remove(callback)


@dataclass(eq=False)
class FakeConnection:
    link: FakeLink

    def topic(self, name: str) -> FakeTopic:
        return FakeTopic(name, self)


@dataclass(eq=False)
class FakeTopic:
    name: str
    connection: FakeConnection
    feed: Feed = field(init=False)

    def __post_init__(self) -> None:
        self.feed = Feed(self.name)

    def __repr__(self) -> str:
        return f"LiveTopic {self.name!r}"

    def hear(self, *values: Any, timestamp: float = 1e9) -> None:
        self.feed.received([Message(self.name, value, timestamp, None) for value in values])


class KeptComm(BaseComm):
    """A comm without a front end: what is sent on it stays in ``sent``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.sent: list[dict[str, Any]] = []
        self.arrived = threading.Condition()
        super().__init__(*args, **kwargs)

    def publish_msg(
        self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **keys: Any
    ) -> None:
        with self.arrived:
            self.sent.append({"type": msg_type, "data": data})
            self.arrived.notify_all()


@pytest.fixture
def comms(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Widgets open comms that a test can read and speak on."""
    monkeypatch.setattr(comm, "create_comm", KeptComm)
    monkeypatch.setattr(bundle, "_read", lambda file: f"/* {file} */\n")
    # The hub of a test before was opened on another comm.
    ipywidgets.Widget.close_all()
    yield
    ipywidgets.Widget.close_all()


@pytest.fixture
def link() -> FakeLink:
    return FakeLink()


@pytest.fixture
def connection(link: FakeLink) -> FakeConnection:
    return FakeConnection(link)


@pytest.fixture
def topic(connection: FakeConnection) -> FakeTopic:
    return connection.topic("lab:temp")


@pytest.fixture
def say() -> Callable[[Any, Any], list[Any]]:
    """Has a front end send a widget a custom message; returns the custom messages that it answered."""

    def say(widget: Any, content: Any) -> list[Any]:
        before = len(widget.comm.sent)
        widget.comm.handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})
        return [
            message["data"]["content"]
            for message in widget.comm.sent[before:]
            if message["data"] and message["data"].get("method") == "custom"
        ]

    return say


@pytest.fixture
def synced() -> Callable[[Any], dict[str, Any]]:
    """Everything of a widget that a saved notebook could hold: its synced traits, as they were ever sent."""

    def synced(widget: Any) -> dict[str, Any]:
        states = [m["data"]["state"] for m in widget.comm.sent if m["data"] and "state" in m["data"]]
        return {"now": widget.get_state(), "sent": states}

    return synced


@pytest.fixture
def own_delivery(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Topics deliver on a thread of the test's own, as in a script."""
    own = Delivery(lambda: None)
    monkeypatch.setattr(subject, "delivery", lambda: own)
    yield
    own.stop(5)
