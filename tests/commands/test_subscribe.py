"""`nbrealtime subscribe`: JSON lines, and nothing but JSON lines, on stdout."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator

import pytest
from websockets.sync.client import ClientConnection, connect

from nbrealtime.cli import main
from nbrealtime.server import Server, serve
from tests.commands.conftest import Process

Start = Callable[..., Process]


@pytest.fixture
def publisher(server: Server) -> Iterator[ClientConnection]:
    with connect(f"{server.url}/ws?token={server.token('publisher')}") as client:
        yield client


def publish(publisher: ClientConnection, data: object) -> None:
    publisher.send(json.dumps({"type": "publish", "topic": "lab:temp", "data": data}))


def test_a_message_is_a_line_with_topic_data_time_and_id(publisher: ClientConnection, start: Start) -> None:
    subscribing = start("subscribe", "lab:temp")
    subscribing.hears("Subscribed to lab:temp")
    publish(publisher, {"volt": [1, None]})
    line = json.loads(subscribing.stdout.readline())
    assert (line["topic"], line["data"]) == ("lab:temp", {"volt": [1, None]})
    assert line["timestamp"] == pytest.approx(time.time() * 1000, abs=60_000)
    assert line["messageId"]


def test_it_ends_after_as_many_as_were_asked_for(publisher: ClientConnection, start: Start) -> None:
    subscribing = start("subscribe", "lab:temp", "--count", "2")
    subscribing.hears("Subscribed")
    for number in range(5):
        publish(publisher, number)
    assert subscribing.ends() == 0
    assert [json.loads(line)["data"] for line in subscribing.stdout] == [0, 1]


def test_ctrl_c_ends_it_cleanly(server: Server, start: Start) -> None:
    subscribing = start("subscribe", "lab:temp")
    subscribing.hears("Subscribed")
    subscribing.send(signal.SIGINT)
    assert subscribing.ends() == 0
    assert subscribing.stderr.read() == ""


def test_a_count_that_was_not_reached_is_no_success(server: Server, start: Start) -> None:
    subscribing = start("subscribe", "lab:temp", "--count", "1")
    subscribing.hears("Subscribed")
    subscribing.send(signal.SIGTERM)
    assert subscribing.ends() == 130


def test_a_reader_that_goes_away_ends_it_without_a_word(publisher: ClientConnection, start: Start) -> None:
    subscribing = start("subscribe", "lab:temp")
    subscribing.hears("Subscribed")
    subscribing.stdout.close()
    publish(publisher, 1)
    assert subscribing.ends() == 0
    assert subscribing.stderr.read() == ""


def test_a_server_that_stops_and_returns_loses_no_subscriber(start: Start) -> None:
    secret = "a secret of forty characters, more or less"
    with serve(secret=secret) as first:
        port = first.port
        subscribing = start(
            "subscribe", "lab:temp", NBREALTIME_URL=first.url, NBREALTIME_TOKEN=first.token("ada")
        )
        subscribing.hears("Subscribed")
    subscribing.hears("The connection was lost; trying again.")
    with serve(port, secret=secret) as second:
        subscribing.hears("Subscribed")
        with connect(f"{second.url}/ws?token={second.token('publisher')}") as publisher:
            publish(publisher, "again")
            assert json.loads(subscribing.stdout.readline())["data"] == "again"


def test_a_topic_that_the_token_does_not_open_is_a_failure(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    token = server.token("robot", topics=["lab:*"])
    assert main(["subscribe", "secret:plans", "--url", server.url, "--token", token]) == 1
    error = capsys.readouterr().err
    assert error.startswith("nbrealtime: secret:plans: ")


def test_without_a_server_it_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["subscribe", "lab:temp"]) == 1
    assert "no server runs here" in capsys.readouterr().err
