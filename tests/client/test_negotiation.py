"""Finding out what a server speaks, over real sockets, with servers of another make."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nbrealtime.client import LinkState
from nbrealtime.client.session import backoff, negotiation
from nbrealtime.errors import PublishUncertain, Refused


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "delay_after", lambda failures, random: 0.01)


def test_an_older_server_is_asked_without_a_token_first_and_remembered(
    other: Any, connect: Any, ear: Any
) -> None:
    connect(other.url, "t", ear=ear)
    ear.wait_for_state("connected")
    assert (other.offers, other.requests) == (["/ws"], ["/ws?token=t"])
    other.drop()
    other.wait(lambda server: len(server.requests) == 2)
    ear.wait_for_state("connected")
    assert len(other.offers) == 1


def test_an_offer_that_is_dropped_is_repeated_without(other: Any, connect: Any, ear: Any) -> None:
    other.drops_offers = True
    link = connect(other.url, "t", ear=ear)
    link.subscribe("lab:temp", ear)
    link.publish("lab:temp", b"1")
    ear.wait_for_data(1)
    assert (other.offers, other.requests) == (["/ws"], ["/ws?token=t"])
    assert link.status.protocol == 1


@pytest.mark.parametrize("fault", [{"error": "what?"}, {"error": "what?", "code": "unknown_type"}])
def test_an_error_about_hello_goes_on_in_v1_on_the_same_socket(
    other: Any, connect: Any, ear: Any, fault: dict[str, Any]
) -> None:
    other.needs_token = False
    other.on_hello = {"type": "error", "data": fault}
    link = connect(other.url, ear=ear)
    link.publish("lab:temp", b"0")
    link.subscribe("lab:temp", ear)
    link.publish("lab:temp", b"1")
    ear.wait_for_data(1)
    assert other.requests == ["/ws"]
    assert ear.data == [1], "in the order of the calls"


def test_a_server_that_only_greets_is_taken_for_v1(
    other: Any, connect: Any, ear: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(negotiation, "SILENT_SECONDS", 0.2)
    other.needs_token = False
    link = connect(other.url, ear=ear)
    link.subscribe("lab:temp", ear)
    link.publish("lab:temp", b"1")
    ear.wait_for_data(1)
    assert link.status.protocol == 1


def test_a_server_that_says_nothing_at_all_is_asked_without_the_offer(
    other: Any, connect: Any, ear: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(negotiation, "HELLO_SECONDS", 0.2)
    other.needs_token = other.greets = False
    connect(other.url, "t", ear=ear)
    ear.wait_for_state("connected")
    assert other.requests == ["/ws", "/ws?token=t"]


def test_a_v1_server_refuses_receipts_and_history(other: Any, connect: Any) -> None:
    link = connect(other.url, "t")
    with pytest.raises(Refused):
        link.publish("lab:temp", b"1", ack=True).wait(10)
    with pytest.raises(Refused):
        link.history("lab:temp").wait(10)
    assert other.said("publish") == []


class Newer:
    """The least of a v2 server: says ``welcome``, confirms, acknowledges as it is told to."""

    def __init__(self) -> None:
        self.memory = "m1"
        self.acks = True
        self.interval: float | None = None

    async def talk(self, connection: Any, message: dict[str, Any] | list[dict[str, Any]]) -> None:
        for one in message if isinstance(message, list) else [message]:
            answer = self.answer(one)
            if answer is not None:
                await connection.send(json.dumps(answer))

    def answer(self, said: dict[str, Any]) -> dict[str, Any] | None:
        if said["type"] == "hello":
            return {
                "type": "welcome",
                "id": said["id"],
                "version": 2,
                "connection": "c1",
                "user": {"id": "u1", "name": "Ada"},
                "capabilities": ["ack"],
                "encoding": "json",
                "pingInterval": self.interval,
                "expires": None,
                "keyMemory": self.memory,
                "limits": {"messageBytes": 1048576, "keySeconds": 300, "keys": 200000},
            }
        if said["type"] == "subscribe":
            return {
                "type": "subscribed",
                "id": said["id"],
                "topic": said["topic"],
                "epoch": "e",
                "offset": 0,
                "data": {"presenceCount": 1},
            }
        if said["type"] == "publish" and self.acks and said.get("ack"):
            return {
                "type": "ack",
                "id": said["id"],
                "topic": said["topic"],
                "epoch": "e",
                "offset": 1,
                "messageId": "m",
                "duplicate": False,
            }
        return None


@pytest.fixture
def newer(other: Any) -> Newer:
    server = Newer()
    other.needs_token = other.greets = False
    other.talk = server.talk
    return server


def test_a_newer_server_gets_the_token_in_its_hello_alone(
    other: Any, newer: Newer, connect: Any, ear: Any
) -> None:
    link = connect(other.url, "secret", ear=ear)
    ear.wait_for_state("connected")
    assert other.requests == ["/ws"]
    assert other.heard[0]["token"] == "secret"
    assert (link.status.protocol, link.status.user) == (2, "Ada")


def test_an_array_is_many_messages_and_one_list(other: Any, newer: Newer, connect: Any, ear: Any) -> None:
    link = connect(other.url, "t")
    link.subscribe("lab:temp", ear)
    ear.wait_for_event("subscribed", 1)
    messages = [
        {
            "type": "message",
            "topic": "lab:temp",
            "data": number,
            "offset": number,
            "timestamp": 1,
            "messageId": "m",
        }
        for number in range(1, 51)
    ]
    other.say(json.dumps(messages))
    ear.wait(lambda ear: len(ear.messages) == 50)
    assert ear.batches == [50]
    assert ear.data == list(range(1, 51))


def test_another_memory_makes_it_uncertain(other: Any, newer: Newer, connect: Any, ear: Any) -> None:
    newer.acks = False
    link = connect(other.url, "t", ear=ear)
    ear.wait_for_state("connected")
    receipt = link.publish("lab:temp", b"1", ack=True)
    other.wait(lambda server: server.said("publish") == [1])
    newer.memory, newer.acks = "m2", True
    other.drop()
    with pytest.raises(PublishUncertain):
        receipt.wait(10)
    assert other.said("publish") == [1]


def test_the_same_memory_gets_the_same_key_again(other: Any, newer: Newer, connect: Any, ear: Any) -> None:
    newer.acks = False
    link = connect(other.url, "t", ear=ear)
    ear.wait_for_state("connected")
    receipt = link.publish("lab:temp", b"1", ack=True)
    other.wait(lambda server: server.said("publish") == [1])
    newer.acks = True
    other.drop()
    assert receipt.wait(10).offset == 1
    first, second = [message for message in other.heard if message["type"] == "publish"]
    assert first["key"] == second["key"]


def test_a_silent_newer_server_is_left_with_4012(other: Any, newer: Newer, connect: Any, ear: Any) -> None:
    newer.interval = 0.2
    connect(other.url, "t", ear=ear)
    other.wait(lambda server: 4012 in server.closings)
    other.wait(lambda server: len(server.requests) == 2)


def test_a_ping_of_the_server_is_answered(other: Any, newer: Newer, connect: Any, ear: Any) -> None:
    connect(other.url, "t", ear=ear)
    ear.wait_for_state("connected")
    other.say({"type": "ping"})
    other.wait(lambda server: any(message["type"] == "pong" for message in server.heard))


def test_an_operator_that_removes_us_is_believed(other: Any, newer: Newer, connect: Any, ear: Any) -> None:
    link = connect(other.url, "t", ear=ear)
    ear.wait_for_state("connected")
    other.say(
        {"type": "error", "data": {"error": "bye", "code": "removed", "close": 4503, "reconnect": False}}
    )
    other.end_with(1011)
    ear.wait_for_state("closed")
    assert (link.status.state, link.status.error) == (LinkState.CLOSED, "bye")


def test_a_drained_client_comes_back(other: Any, newer: Newer, connect: Any, ear: Any) -> None:
    connect(other.url, "t", ear=ear)
    ear.wait_for_state("connected")
    other.say({"type": "drain", "delay": [0, 100]})
    other.wait(lambda server: len(server.requests) == 2)
    ear.wait_for_state("connected")
