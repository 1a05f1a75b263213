"""A connection that is lost, refused, silenced and lied to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from nbrealtime.client import LinkState, dialer, portal
from nbrealtime.client.session import backoff, heartbeat
from nbrealtime.errors import ConnectionClosed
from nbrealtime.testing import FaultyNetwork


@pytest.fixture
def network(other: Any) -> Iterator[FaultyNetwork]:
    with FaultyNetwork(other.url) as network:
        yield network


@pytest.fixture(autouse=True)
def no_waiting(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts follow at once; the schedule has its own tests."""
    monkeypatch.setattr(backoff, "delay_after", lambda failures, random: 0.01)


@pytest.mark.parametrize("code", [1001, 1005, 1006, 1011, 1012, 4001, 4008, 4012, 4013])
def test_a_connection_that_ends_with_this_code_comes_back(
    other: Any, connect: Any, ear: Any, code: int
) -> None:
    link = connect(other.url, "t", ear=ear)
    link.subscribe("lab:temp", ear)
    ear.wait_for_event("subscribed", 1)
    if code == 1005:
        other.drop(b"\x88\x00")  # a goodbye without a code
    elif code == 1006:
        other.drop()
    else:
        other.end_with(code)
    other.wait(lambda server: server.said("subscribe") == ["lab:temp", "lab:temp"])
    ear.wait(lambda ear: ear.events.count(("subscribed", 1)) == 2)
    assert [event[0] for event in ear.events if event[0] != "presence"] == [
        "subscribed",
        "offline",
        "subscribed",
    ]
    assert link.status.state is LinkState.CONNECTED


@pytest.mark.parametrize("code", [1000, 4500, 4501, 4503, 4504, 4507, 4999])
def test_a_connection_that_ends_with_this_code_is_over(other: Any, connect: Any, ear: Any, code: int) -> None:
    link = connect(other.url, "t", ear=ear)
    link.subscribe("lab:temp", ear)
    ear.wait_for_event("subscribed", 1)
    other.end_with(code)
    ear.wait_for_state("closed")
    ear.wait_for_event("closed")
    assert link.status.error
    with pytest.raises(ConnectionClosed):
        link.publish("lab:temp", b"1")
    with pytest.raises(ConnectionClosed):
        link.reconnect()
    assert len(other.requests) == 1


def test_after_the_end_the_same_address_gets_a_new_connection(other: Any, connect: Any, ear: Any) -> None:
    connect(other.url, "t", ear=ear)
    ear.wait_for_state("connected")
    other.end_with(4503)
    ear.wait_for_state("closed")
    assert connect(other.url, "t").wait_connected(10)


def test_a_reason_given_beforehand_decides_over_the_close_code(other: Any, connect: Any, ear: Any) -> None:
    link = connect(other.url, "t", ear=ear)
    ear.wait_for_state("connected")
    other.say({"type": "error", "data": {"error": "removed by Ada", "close": 4503, "reconnect": False}})
    other.end_with(1011)
    ear.wait_for_state("closed")
    assert link.status.error == "removed by Ada"


def test_a_reason_given_beforehand_may_also_invite_to_come_back(other: Any, connect: Any, ear: Any) -> None:
    connect(other.url, "t", ear=ear)
    ear.wait_for_state("connected")
    other.say({"type": "error", "data": {"error": "moving", "close": 4001, "reconnect": True}})
    other.end_with(1000)
    other.wait(lambda server: len(server.requests) == 2)


def test_a_server_that_disappears_and_returns(other: Any, connect: Any, ear: Any) -> None:
    link = connect(other.url, "t", ear=ear)
    link.subscribe("lab:temp", ear)
    ear.wait_for_event("subscribed", 1)
    other.stop(1001)
    ear.wait_for_state("reconnecting")
    ear.wait_for_event("offline")
    ear.wait(lambda ear: ear.statuses[-1].attempts >= 3)
    other.start()
    ear.wait_for_state("connected")
    link.publish("lab:temp", b"1")
    ear.wait_for_data(1)
    assert link.status.attempts == 0
    assert link.status.error is None


def test_offline_the_newest_hundred_are_kept_and_the_rest_is_reported(
    other: Any, connect: Any, ear: Any
) -> None:
    link = connect(other.url, "t", ear=ear)
    ear.wait_for_state("connected")
    other.stop()
    ear.wait_for_state("reconnecting")
    for number in range(130):
        link.publish("lab:temp", b"%d" % number)
    for number in range(7):
        link.publish("lab:other", b"%d" % number)
    ear.wait(lambda ear: ear.statuses[-1].dropped == 37)
    assert link.status.queued == 100
    assert ear.reports == []
    other.start()
    other.wait(lambda server: len(server.said("publish")) == 100)
    assert other.said("publish") == [*range(37, 130), *range(7)]
    ear.wait(lambda ear: bool(ear.reports))
    assert ear.reports == ["37 messages to lab:temp dropped while offline"]


def test_only_publishes_are_counted_as_queued(other: Any, connect: Any, ear: Any) -> None:
    link = connect(other.url, "t")
    assert link.wait_connected(10)
    busy = threading.Event()
    portal.call(lambda: busy.wait(10))
    try:
        link.subscribe("lab:temp", ear)
        link.on_report(ear.reports.append)
        link.publish("lab:temp", b"1")
        assert link.status.queued == 1
    finally:
        busy.set()
    ear.wait_for_data(1)
    assert link.flush(10)


def test_offline_publishing_never_waits(other: Any, connect: Any, ear: Any) -> None:
    link = connect(other.url, "t", ear=ear)
    ear.wait_for_state("connected")
    other.stop()
    ear.wait_for_state("reconnecting")
    for _ in range(20):
        link.publish("lab:temp", b'"' + b"x" * 1_000_000 + b'"')
    ear.wait(lambda ear: ear.statuses[-1].queued == 20)
    assert link.status.dropped == 0


def test_topics_come_back_before_what_was_published_meanwhile(other: Any, connect: Any, ear: Any) -> None:
    link = connect(other.url, "t", ear=ear)
    link.subscribe("lab:temp", ear)
    ear.wait_for_event("subscribed", 1)
    other.stop()
    ear.wait_for_state("reconnecting")
    other.heard.clear()
    link.publish("lab:temp", b"1")
    link.subscribe("lab:late", ear)
    other.start()
    ear.wait_for_data(1)
    spoken = [(m["type"], m["topic"]) for m in other.heard if m["type"] != "ping"]
    assert spoken == [("subscribe", "lab:temp"), ("subscribe", "lab:late"), ("publish", "lab:temp")]


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_said_and_does_not_hammer(other: Any, connect: Any, ear: Any, status: int) -> None:
    other.refuse = status
    link = connect(other.url, "bad", ear=ear)
    ear.wait(lambda ear: bool(ear.statuses) and ear.statuses[-1].error is not None)
    assert "token refused" in str(link.status.error)
    assert link.status.state is LinkState.CONNECTING
    # The next attempt is half a minute away, whatever the schedule of other failures.
    due = link._connection._session.retry_at
    assert due is not None
    assert due - time.monotonic() > 20
    other.refuse = None
    link.reconnect()
    ear.wait_for_state("connected")
    assert len(other.requests) == 2
    assert link.status.error is None


def test_who_waits_for_a_first_connection_learns_why_there_is_none(
    other: Any, connect: Any, ear: Any
) -> None:
    other.stop()
    link = connect(other.url, "t", ear=ear)
    ear.wait(lambda ear: bool(ear.statuses) and ear.statuses[-1].error is not None)
    assert "nothing listens there" in str(link.status.error)
    assert link.status.state is LinkState.CONNECTING
    other.start()
    ear.wait_for_state("connected")


def test_reconnect_tries_now(other: Any, connect: Any, ear: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "delay_after", lambda failures, random: 1000.0)
    link = connect(other.url, "t", ear=ear)
    ear.wait_for_state("connected")
    other.drop()
    ear.wait_for_state("reconnecting")
    link.reconnect()
    ear.wait_for_state("connected")


@pytest.mark.parametrize(
    "junk",
    [
        "no JSON",
        "[]",
        "17",
        '{"type":7}',
        '{"type":"message","topic":7,"data":1}',
        '{"type":"nonsense","topic":"lab:temp"}',
        '{"type":"subscribed","topic":"lab:never","data":{}}',
        '{"type":"presence","topic":"lab:temp","data":"many"}',
        '{"type":"pong"}',
        '{"type":"error"}',
        '{"type":"error","data":[1]}',
        '{"type":"error","data":{"error":"x","close":"4500"}}',
        '{"type":"message","topic":"lab:stranger","data":1}',
        b"\x00\xff binary",
        "[" * 100_000,
        ["in ", "frag", "ments"],
    ],
)
def test_what_is_no_message_costs_nothing(other: Any, connect: Any, ear: Any, junk: Any) -> None:
    link = connect(other.url, "t")
    link.subscribe("lab:temp", ear)
    ear.wait_for_event("subscribed", 1)
    other.say(junk)
    other.say({"type": "message", "topic": "lab:temp", "data": "alive"})
    ear.wait_for_data("alive")
    assert ear.data == ["alive"]
    assert len(other.requests) == 1


def test_a_message_in_fragments_is_one_message(other: Any, connect: Any, ear: Any) -> None:
    link = connect(other.url, "t")
    link.subscribe("lab:temp", ear)
    ear.wait_for_event("subscribed", 1)
    other.say(['{"type":"message","to', 'pic":"lab:temp","da', 'ta":"whole"}'])
    ear.wait_for_data("whole")


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(b"\x81\x7e\x01\x00half a frame", id="half a frame"),
        pytest.param(b"\xf1\x02xx", id="reserved bits"),
        pytest.param(b"\x81\x7f\x00\x00\x7f\xff\xff\xff\xff\xff", id="terabytes announced"),
        pytest.param(b"\x81\x85mask!", id="masked by a server"),
        pytest.param(b"\x80\x00", id="a continuation of nothing"),
        pytest.param(b"\x01\x01a" + b"\x00\x00" * 20_000, id="endless fragments"),
    ],
)
def test_a_server_that_breaks_the_framing_is_left_and_tried_again(
    other: Any, connect: Any, ear: Any, fault: bytes
) -> None:
    connect(other.url, "t", ear=ear)
    ear.wait_for_state("connected")
    other.drop(fault)
    ear.wait_for_state("reconnecting")
    ear.wait_for_state("connected")


def test_a_frame_cut_in_its_middle_hands_on_nothing(
    other: Any, network: FaultyNetwork, connect: Any, ear: Any
) -> None:
    link = connect(network.url, "t", ear=ear)
    link.subscribe("lab:temp", ear)
    ear.wait_for_event("subscribed", 1)
    other.wait(lambda server: server.said("ping") == [None])
    network.cut(after_bytes=100)
    other.say({"type": "message", "topic": "lab:temp", "data": "x" * 1000})
    ear.wait_for_event("offline")
    assert ear.data == []
    ear.wait(lambda ear: ear.events.count(("subscribed", 1)) == 2)
    link.publish("lab:temp", b"1")
    ear.wait_for_data(1)


def test_a_silent_network_is_noticed(
    other: Any, network: FaultyNetwork, connect: Any, ear: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "PING_SECONDS", 0.1)
    monkeypatch.setattr(heartbeat, "SILENCE_SECONDS", 0.3)
    connect(network.url, "t", ear=ear)
    ear.wait_for_state("connected")
    network.black_hole()
    ear.wait_for_state("reconnecting")
    network.restore()
    ear.wait_for_state("connected")


def test_a_server_that_is_busy_but_talks_is_not_given_up(
    other: Any, connect: Any, ear: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "PING_SECONDS", 0.05)
    monkeypatch.setattr(heartbeat, "SILENCE_SECONDS", 0.5)
    other.pongs = False
    connect(other.url, "t", ear=ear)
    ear.wait_for_state("connected")
    for count in range(20):
        other.wait(lambda server, count=count: len(server.said("ping")) > count)
        other.say({"type": "presence", "topic": "lab:none", "data": {"presenceCount": 1}})
    assert len(other.requests) == 1


def test_a_handshake_that_is_never_answered_ends(
    network: FaultyNetwork, connect: Any, ear: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialer, "_HANDSHAKE_SECONDS", 0.2)
    network.black_hole()
    link = connect(network.url, "t", ear=ear)
    ear.wait(lambda ear: bool(ear.statuses) and ear.statuses[-1].error is not None)
    assert "no answer" in str(link.status.error)
    network.restore()
    ear.wait_for_state("connected")


def test_whoever_speaks_no_websocket_is_named_so(connect: Any, ear: Any) -> None:
    with _Speaker(b"SSH-2.0-OpenSSH_9.9\r\n") as port:
        link = connect(f"ws://127.0.0.1:{port}", "t", ear=ear)
        ear.wait(lambda ear: bool(ear.statuses) and ear.statuses[-1].error is not None)
    assert "does not speak WebSocket" in str(link.status.error)


def test_a_plain_web_server_is_named_so(connect: Any, ear: Any) -> None:
    with _Speaker(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi") as port:
        link = connect(f"ws://127.0.0.1:{port}", "t", ear=ear)
        ear.wait(lambda ear: bool(ear.statuses) and ear.statuses[-1].error is not None)
    assert "HTTP 200" in str(link.status.error)


class _Speaker:
    """Accepts, says one thing to everybody, and hangs up."""

    def __init__(self, text: bytes) -> None:
        import socket

        self._text = text
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._speak, daemon=True)

    def _speak(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(self._text)

    def __enter__(self) -> int:
        self._thread.start()
        return int(self._listener.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        import socket

        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)


def test_a_loop_that_was_late_does_not_blame_the_server(
    other: Any, connect: Any, ear: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "PING_SECONDS", 1.0)
    monkeypatch.setattr(heartbeat, "SILENCE_SECONDS", 2.5)
    link = connect(other.url, "t", ear=ear)
    link.subscribe("lab:temp", ear)
    ear.wait_for_event("subscribed", 1)
    # A computation that holds the interpreter stops the client thread as this does.
    portal.call(time.sleep, 4.0)
    link.publish("lab:temp", json.dumps("after").encode())
    ear.wait_for_data("after")
    assert len(other.requests) == 1
