"""One socket for each server and identity."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import pytest

from nbrealtime.client import LinkState, open_link, portal
from nbrealtime.errors import ConnectionClosed, NoServer


def test_the_same_server_and_token_share_a_socket(other: Any, connect: Any, ear: Any) -> None:
    one, two = connect(other.url, "t"), connect(f"http://127.0.0.1:{other.port}/ws", "t")
    assert one.wait_connected(10)
    assert two.wait_connected(10)
    assert len(other.requests) == 1
    two.subscribe("lab:temp", ear)
    one.publish("lab:temp", b"1")
    ear.wait_for_data(1)


def test_another_token_is_another_socket(other: Any, connect: Any) -> None:
    links = [connect(other.url, token) for token in ("one", "two")]
    assert all(link.wait_connected(10) for link in links)
    assert len(other.requests) == 2


def test_the_socket_closes_with_its_last_user(other: Any, connect: Any, ear: Any, new_ear: Any) -> None:
    mine, theirs = new_ear(), new_ear()
    one, two = connect(other.url, "t", ear=mine), connect(other.url, "t", ear=theirs)
    one.subscribe("lab:mine", mine)
    two.subscribe("lab:theirs", theirs)
    mine.wait_for_event("subscribed", 1)
    theirs.wait_for_event("subscribed", 1)
    one.close()
    mine.wait_for_state("closed")
    other.wait(lambda server: server.said("unsubscribe") == ["lab:mine"])
    assert two.status.state is LinkState.CONNECTED
    assert other.connected == 1
    two.close()
    other.wait(lambda server: server.connected == 0)
    assert other.closings == [1000]


def test_many_threads_open_and_close_one_socket(other: Any) -> None:
    keeper = open_link(other.url, "t")

    def work() -> None:
        for _ in range(50):
            with open_link(other.url, "t") as link:
                link.publish("lab:temp", b"1")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.wait(lambda server: len(server.said("publish")) == 400)
    assert len(other.requests) == 1
    keeper.close()


def test_opening_never_waits_for_the_network(connect: Any) -> None:
    begin = time.monotonic()
    # A documentation address (RFC 5737): nobody answers, not even to refuse.
    link = connect("ws://192.0.2.1:9", "t")
    assert time.monotonic() - begin < 5
    assert link.status.state is LinkState.CONNECTING


def test_opening_says_at_once_that_there_is_no_server(connect: Any) -> None:
    with pytest.raises(NoServer):
        connect()


def test_what_cannot_be_meant_opens_nothing(other: Any) -> None:
    for value in ("a", None, -1, 2.5, True):
        with pytest.raises(
            (TypeError, ValueError), match=r"^queue_bytes is a whole number of at least 0, not "
        ):
            open_link(other.url, "t", queue_bytes=value)
    with pytest.raises(ValueError, match="on_full"):
        open_link(other.url, "t", on_full="wait")  # type: ignore[call-overload]
    # What would have been left behind is one user too many: the socket stays when the last one goes.
    link = open_link(other.url, "t")
    assert link.wait_connected(10)
    link.close()
    other.wait(lambda server: server.connected == 0)


def test_one_thread_serves_every_connection(other: Any, connect: Any) -> None:
    for token in "abc":
        assert connect(other.url, token).wait_connected(10)
    ours = [thread for thread in threading.enumerate() if thread.name.startswith("nbrealtime-client")]
    assert [thread.name for thread in ours] == ["nbrealtime-client"]
    assert ours[0].daemon


def test_a_function_that_fetches_the_token_runs_off_the_client_thread(other: Any, connect: Any) -> None:
    names = []

    def fetch() -> str:
        names.append((threading.current_thread().name, portal.on_thread()))
        return "fetched"

    assert connect(other.url, fetch).wait_connected(10)
    assert names == [("nbrealtime-client-call", False)]
    assert other.requests == ["/ws?token=fetched"]


def test_a_name_is_looked_up_off_the_client_thread(other: Any, connect: Any) -> None:
    assert connect(f"ws://localhost:{other.port}", "t").wait_connected(10)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("asyncio")]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_leaves_the_parents_connection_alone(other: Any, connect: Any, ear: Any) -> None:
    link = connect(other.url, "t", ear=ear)
    subscription = link.subscribe("lab:temp", ear)
    ear.wait_for_event("subscribed", 1)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            assert link.status.state is LinkState.CLOSED
            with pytest.raises(ConnectionClosed):
                link.publish("lab:temp", b"0")
            subscription.close()
            link.close()
            fresh = open_link(other.url, "child")
            assert fresh.wait_connected(10)
            fresh.publish("lab:temp", b'"from the child"')
            fresh.close()
            portal.stop(5)
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    ear.wait_for_data("from the child")
    link.publish("lab:temp", b'"from the parent"')
    ear.wait_for_data("from the parent")
    assert len(other.requests) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_does_not_keep_the_parents_socket_open(other: Any, connect: Any, ear: Any) -> None:
    link = connect(other.url, "t", ear=ear)
    assert link.wait_connected(10)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    try:
        portal.call(link._connection._socket.abort)
        other.wait(lambda server: len(server.closings) == 1)
    finally:
        os.close(writer)
        os.waitpid(child, 0)
        os.close(reader)
