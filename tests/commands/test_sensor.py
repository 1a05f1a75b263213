"""`nbrealtime sensor host`: one feed for a server, for as long as both are there."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator

import psutil
import pytest
from websockets.sync.client import ClientConnection, connect

from nbrealtime.cli import main
from nbrealtime.server import Server, serve
from tests.commands.conftest import Process

Start = Callable[..., Process]


def subscribe(client: ClientConnection, *topics: str) -> None:
    for topic in topics:
        client.send(json.dumps({"type": "subscribe", "topic": topic}))


def next_of(client: ClientConnection, topic: str) -> dict[str, float | None]:
    """Waits for the next message on a topic."""
    while True:
        message = json.loads(client.recv())
        if message["type"] == "message" and message.get("topic") == topic:
            data: dict[str, float | None] = message["data"]
            return data


@pytest.fixture
def client(server: Server) -> Iterator[ClientConnection]:
    with connect(f"{server.url}/ws?token={server.token('reader')}") as client:
        yield client


def test_it_feeds_four_topics_with_numbers(client: ClientConnection, start: Start) -> None:
    subscribe(client, "host:cpu", "host:memory", "host:network", "host:disk")
    start("sensor", "host")
    cores = len(psutil.cpu_times(percpu=True))
    assert set(next_of(client, "host:cpu")) == {"total", *(f"core{core}" for core in range(cores))}
    assert set(next_of(client, "host:memory")) == {"used", "swap"}
    assert set(next_of(client, "host:network")) == {"received", "sent"}
    assert set(next_of(client, "host:disk")) == {"read", "written"}


def test_the_slow_topics_have_at_most_five_samples_a_second(client: ClientConnection, start: Start) -> None:
    subscribe(client, "host:cpu", "host:memory")
    start("sensor", "host", "--hz", "20")
    next_of(client, "host:memory")
    between = 0
    while True:
        message = json.loads(client.recv())
        if message["type"] != "message":
            continue
        if message["topic"] == "host:memory":
            break
        between += 1
    assert between == 4, "one of memory for four of cpu, whatever the machine's speed"


def test_it_waits_for_a_server_and_survives_its_restart(start: Start) -> None:
    feeding = start("sensor", "host")
    feeding.hears("Waiting for a server")
    with serve() as first:
        feeding.hears(f"Feeding {first.url} with 20 samples/s")
    feeding.hears(f"Waiting for {first.url}")
    with serve() as second:
        feeding.hears(f"Feeding {second.url}")
        with connect(f"{second.url}/ws?token={second.token('reader')}") as client:
            subscribe(client, "host:cpu")
            next_of(client, "host:cpu")


def test_a_second_one_finds_the_first_and_ends(
    server: Server, client: ClientConnection, start: Start
) -> None:
    start("sensor", "host").hears("Feeding")
    second = start("sensor", "host")
    second.hears("Another sensor feeds")
    assert second.ends() == 0


def test_a_mark_without_data_does_not_keep_it_from_feeding(client: ClientConnection, start: Start) -> None:
    subscribe(client, "sensor:host", "host:cpu")
    start("sensor", "host").hears("Feeding")
    next_of(client, "host:cpu")


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly_while_feeding(server: Server, start: Start, ending: signal.Signals) -> None:
    feeding = start("sensor", "host")
    feeding.hears("Feeding")
    feeding.send(ending)
    assert feeding.ends() == 0
    assert feeding.stderr.read() == ""


def test_it_stops_cleanly_while_waiting(start: Start) -> None:
    waiting = start("sensor", "host")
    waiting.hears("Waiting for a server")
    waiting.send(signal.SIGINT)
    assert waiting.ends() == 0


@pytest.mark.parametrize("serving", [True, False])
def test_it_ends_with_its_parent(start: Start, serving: bool, request: pytest.FixtureRequest) -> None:
    if serving:
        request.getfixturevalue("server")
    feeding = start("sensor", "host", "--exit-with-parent")
    feeding.hears("Feeding" if serving else "Waiting")
    feeding.stdin.close()
    assert feeding.ends() == 0


def test_a_token_that_may_not_mark_is_a_failure(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    token = server.token("robot", topics=["lab:*"])
    assert main(["sensor", "host", "--url", server.url, "--token", token]) == 1
    assert "sensor:host" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["sensor"], ["sensor", "oven"], ["sensor", "host", "--hz", "0"]])
def test_a_wrong_call_says_what_is_right(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "nbrealtime sensor: error:" in capsys.readouterr().err
