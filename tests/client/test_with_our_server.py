"""Our client and our server, over real sockets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from nbrealtime import discovery
from nbrealtime.client import LinkState, portal
from nbrealtime.client.session import backoff
from nbrealtime.errors import MessageTooLarge
from nbrealtime.server import Limits, Server, serve
from nbrealtime.testing import FaultyNetwork

SECRET = "a secret of the client's tests, long enough"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "delay_after", lambda failures, random: 0.02)


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(secret=SECRET) as server:
        yield server


def test_without_an_address_this_kernels_server_is_used(server: Server, connect: Any, ear: Any) -> None:
    link = connect(ear=ear)
    link.subscribe("lab:temp", ear)
    link.publish("lab:temp", b"21.5")
    ear.wait_for_data(21.5)
    assert link.status.url == f"{server.url}/ws"
    assert link.status.user


def test_presence_is_told(server: Server, connect: Any, ear: Any, new_ear: Any) -> None:
    connect().subscribe("lab:temp", ear)
    ear.wait_for_event("subscribed", 1)
    theirs = connect(server.url, server.token("bob"))
    theirs.subscribe("lab:temp", new_ear())
    ear.wait_for_event("presence", 2)
    theirs.close()
    ear.wait(lambda ear: ear.events[-1] == ("presence", 1))


def test_a_bad_token_is_refused_and_said(server: Server, connect: Any, ear: Any) -> None:
    heard = threading.Event()
    portal.call(heard.wait, 10)  # it may not be refused before anybody listens
    link = connect(server.url, "no token", ear=ear)
    heard.set()
    ear.wait(lambda ear: bool(ear.statuses) and ear.statuses[-1].error is not None)
    assert "token refused" in str(link.status.error)


def test_a_topic_that_the_token_does_not_open_is_refused(server: Server, connect: Any, ear: Any) -> None:
    link = connect(server.url, server.token("bob", topics=["lab:*"]))
    link.subscribe("other:x", ear)
    ear.wait(lambda ear: bool(ear.events))
    assert ear.events[0][:2] == ("refused", "forbidden")


def test_more_topics_than_the_server_allows_are_refused_by_name(connect: Any, ear: Any, new_ear: Any) -> None:
    with serve(limits=Limits(topics=3)):
        link, over = connect(), new_ear()
        for number in range(3):
            link.subscribe(f"lab:{number}", ear)
        link.subscribe("lab:over", over)
        over.wait(lambda ear: bool(ear.events))
        assert over.events[0][:2] == ("refused", "limit_exceeded")
        assert all(event[0] != "refused" for event in ear.events)


def test_nearly_a_mebibyte_is_taken(server: Server, connect: Any, ear: Any) -> None:
    link = connect(ear=ear)
    link.subscribe("lab:temp", ear)
    link.publish("lab:temp", b'"' + b"x" * (2**20 - 1024) + b'"')
    ear.wait(lambda ear: bool(ear.messages))
    assert len(ear.data[0]) == 2**20 - 1024


def test_what_its_envelope_makes_too_large_is_refused_at_once(server: Server, connect: Any, ear: Any) -> None:
    link = connect(ear=ear)
    assert link.wait_connected(10)
    room = 2**20 - len('{"type":"publish","topic":"lab:temp","data":""}')
    with pytest.raises(MessageTooLarge):
        link.publish("lab:temp", b'"' + b"x" * room + b'"')
    assert link.status.state is LinkState.CONNECTED


def test_a_hundred_thousand_publishes_right_after_connecting_lose_none(
    server: Server, connect: Any, ear: Any
) -> None:
    link = connect()
    link.subscribe("lab:temp", ear)
    for number in range(100_000):
        link.publish("lab:temp", b"%d" % number)
    ear.wait(lambda ear: len(ear.messages) >= 100_000)
    assert ear.data == list(range(100_000))
    assert link.status.dropped == 0


def test_a_restarted_server_is_found_on_its_new_port(connect: Any, ear: Any) -> None:
    first = serve()
    link = connect(ear=ear)
    link.subscribe("lab:temp", ear)
    ear.wait_for_event("subscribed", 1)
    first.close()
    ear.wait_for_state("reconnecting")
    with serve() as second:
        assert second.url != first.url
        ear.wait_for_state("connected")
        assert link.status.url == f"{second.url}/ws"
        link.publish("lab:temp", b"1")
        ear.wait_for_data(1)


def test_another_process_server_is_found_and_followed(connect: Any, ear: Any) -> None:
    # What another process left is read from the directory, and has to prove itself.
    with serve():
        discovery.set_local(None)
        link = connect(ear=ear)
        link.subscribe("lab:temp", ear)
        ear.wait_for_event("subscribed", 1)
    ear.wait_for_state("reconnecting")
    with serve() as second:
        discovery.set_local(None)
        ear.wait_for_state("connected")
        assert link.status.url == f"{second.url}/ws"


def test_a_network_that_breaks_again_and_again_loses_no_subscription(
    server: Server, connect: Any, ear: Any
) -> None:
    with FaultyNetwork(server.url) as network:
        link = connect(network.url, server.token("ada"), ear=ear)
        link.subscribe("lab:temp", ear)
        ear.wait_for_event("subscribed", 1)
        for size in range(1, 300, 23):
            before = ear.events.count(("offline",))
            network.cut(after_bytes=size)
            # Whatever is on its way is cut somewhere; publishing keeps something on its way.
            while ear.events.count(("offline",)) == before:
                link.publish("lab:temp", b'"noise"')
                threading.Event().wait(0.01)
            ear.wait_for_state("connected")
        network.restore()
        link.publish("lab:temp", b'"the end"')
        ear.wait(lambda ear: "the end" in ear.data)
    assert set(ear.data) <= {"noise", "the end"}


def test_the_server_that_closes_is_expected_back(server: Server, connect: Any, ear: Any) -> None:
    link = connect(server.url, server.token("ada"), ear=ear)
    link.subscribe("lab:temp", ear)
    ear.wait_for_event("subscribed", 1)
    port = server.port
    server.close()
    ear.wait_for_state("reconnecting")
    with serve(port, secret=SECRET):
        ear.wait_for_state("connected")
        link.publish("lab:temp", b"1")
        ear.wait_for_data(1)
    assert link.status.state in (LinkState.CONNECTED, LinkState.RECONNECTING)
