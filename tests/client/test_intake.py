"""What one read brought, on its way to the sinks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nbrealtime.client.intake import Intake
from nbrealtime.client.notices import Listener, Notices
from nbrealtime.client.routes import Route, Routes
from nbrealtime.client.session import Session
from nbrealtime.client.status import LinkState, Status

from .session.talk import connect, spoken


class Sink:
    """Remembers what it was told, in order."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def received(self, messages: list[Any]) -> None:
        self.told.append([message.data for message in messages])

    def subscribed(self, count: int, recovered: bool | None = None, replayed: int = 0) -> None:
        self.told.append(("subscribed", count))

    def gap(self, reason: str, missed: int | None, topic: str | None = None) -> None:
        self.told.append(("gap", missed))

    def presence(self, count: int) -> None:
        self.told.append(("presence", count))


class Bench:
    """An intake of a session that speaks v1, or another."""

    def __init__(self, *, version: int = 1) -> None:
        self.session = Session(random=lambda: 0.5)
        self.routes = Routes()
        self.notices = Notices(Status(state=LinkState.CONNECTED, url="ws://x"))
        self.intake = Intake(self.session, self.routes, self.notices)
        if version == 2:
            connect(self.session)
        else:
            self.session.connecting()
            self.session.connected(0.0)

    def subscribe(self, topic: str) -> Sink:
        sink = Sink()
        self.routes.add(Route(topic, sink))  # type: ignore[arg-type]
        self.session.subscribe(topic)
        return sink

    def read(self, *said: dict[str, Any]) -> None:
        self.intake.read([json.dumps(one).encode() for one in said], 0.0, 0.0)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def message(topic: str, data: object) -> dict[str, Any]:
    return {"type": "message", "topic": topic, "data": data, "timestamp": 0}


def test_messages_of_one_read_are_one_list_for_each_topic(bench: Bench) -> None:
    a, b = bench.subscribe("lab:a"), bench.subscribe("lab:b")
    bench.read(message("lab:a", 1), message("lab:b", 2), message("lab:a", 3))
    assert a.told == [[1, 3]]
    assert b.told == [[2]]


def test_what_else_happened_to_a_topic_stands_among_its_messages(bench: Bench) -> None:
    sink = bench.subscribe("lab:a")
    confirmed = {"type": "subscribed", "topic": "lab:a", "data": {"presenceCount": 1}}
    left = {"type": "presence", "topic": "lab:a", "data": {"presenceCount": 2}}
    bench.read(confirmed, message("lab:a", 1), message("lab:a", 2), left, message("lab:a", 3))
    assert sink.told == [("subscribed", 1), [1, 2], ("presence", 2), [3]]


def test_in_v2_each_message_goes_to_the_subscription_that_it_names_in_order() -> None:
    bench = Bench(version=2)
    sinks = {name: bench.subscribe(name) for name in ("lab:a", "lab:*")}
    for said in spoken(bench.session):
        bench.read(
            {"type": "subscribed", "id": said["id"], "topic": said["topic"], "data": {"presenceCount": 1}}
        )
    lost = {"type": "lost", "topic": "lab:a", "reason": "slow", "count": 2}
    bench.read(
        message("lab:a", 1),
        message("lab:a", 2),
        message("lab:a", 3) | {"subscription": "lab:*"},
        message("lab:a", 4),
        lost,
        message("lab:a", 5),
        message("lab:a", 6) | {"subscription": "lab:*"},
    )
    assert sinks["lab:a"].told == [("subscribed", 1), [1, 2, 4], ("gap", 2), [5]]
    assert sinks["lab:*"].told == [("subscribed", 1), [3, 6]]


def test_every_subscription_that_matches_gets_a_message(bench: Bench) -> None:
    name, pattern = bench.subscribe("lab:a"), bench.subscribe("lab:*")
    bench.read(message("lab:a", 1))
    assert name.told == pattern.told == [[1]]


def test_a_complaint_of_the_server_is_told_to_those_who_listen(bench: Bench) -> None:
    heard: list[str] = []
    bench.notices.add(Listener(None, heard.append))
    bench.read({"type": "error", "data": {"error": "not so fast"}})
    assert heard == ["not so fast"]
