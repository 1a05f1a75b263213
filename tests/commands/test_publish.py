"""`nbrealtime publish`: status 0 means that the server has it."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Callable, Iterator

import pytest
from websockets.sync.client import ClientConnection, connect

from nbrealtime.cli import main
from nbrealtime.server import Server
from tests.commands.conftest import Process

Start = Callable[..., Process]


@pytest.fixture
def listener(server: Server) -> Iterator[ClientConnection]:
    """A plain WebSocket client that is subscribed to lab:temp."""
    with connect(f"{server.url}/ws?token={server.token('listener')}") as client:
        client.send(json.dumps({"type": "subscribe", "topic": "lab:temp"}))
        while json.loads(client.recv())["type"] != "presence":
            pass
        yield client


def data_of(listener: ClientConnection) -> object:
    message = json.loads(listener.recv())
    assert (message["type"], message["topic"]) == ("message", "lab:temp")
    return message["data"]


@pytest.mark.parametrize(
    ("arguments", "data"),
    [
        (["21.5"], 21.5),
        (["-5"], -5),
        (["0"], 0),
        (["null"], None),
        (['{"volt": 3.3}'], {"volt": 3.3}),
        (["hello"], "hello"),
        ([""], ""),
        (["42", "--text"], "42"),
        (['"42"', "--json"], "42"),
    ],
)
def test_data_is_json_if_it_is_json_else_text(
    listener: ClientConnection, arguments: list[str], data: object
) -> None:
    assert main(["publish", "lab:temp", *arguments]) == 0
    assert data_of(listener) == data


def test_what_is_no_json_is_refused_if_json_is_asked_for(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["publish", "lab:temp", "hello", "--json"]) == 1
    assert "'hello' is no JSON" in capsys.readouterr().err


def test_each_line_of_stdin_is_a_message_in_order(listener: ClientConnection, start: Start) -> None:
    publishing = start("publish", "lab:temp")
    for number in range(3):
        publishing.stdin.write(f"{number}\n\n")
        publishing.stdin.flush()
        assert data_of(listener) == number, "a line is sent when it is there, not when stdin ends"
    publishing.stdin.write("last, without a newline")
    publishing.stdin.close()
    assert data_of(listener) == "last, without a newline"
    assert publishing.ends() == 0
    assert publishing.stderr.read() == ""


def test_ten_thousand_lines_all_arrive(listener: ClientConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{number}\n" for number in range(10_000))))
    assert main(["publish", "lab:temp"]) == 0
    assert [data_of(listener) for _ in range(10_000)] == list(range(10_000))


def test_a_line_that_is_no_json_names_its_number(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("1\n{\n"))
    assert main(["publish", "lab:temp", "--json"]) == 1
    assert "line 2: '{' is no JSON" in capsys.readouterr().err


def test_a_publish_that_the_server_refuses_is_a_failure(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    token = server.token("reader", topics=["lab:*"], allow=["subscribe"])
    assert main(["publish", "lab:temp", "1", "--url", server.url, "--token", token]) == 1
    error = capsys.readouterr().err
    assert error.startswith("nbrealtime: ")
    assert "not allowed" in error


def test_a_token_that_may_only_publish_is_enough(listener: ClientConnection, server: Server) -> None:
    token = server.token("robot", topics=["lab:*"], allow=["publish"])
    assert main(["publish", "lab:temp", "1", "--url", server.url, "--token", token]) == 0
    assert data_of(listener) == 1


def test_the_environment_names_the_server_and_the_token(
    listener: ClientConnection, server: Server, start: Start
) -> None:
    token = server.token("robot")
    publishing = start("publish", "lab:temp", "7", NBREALTIME_URL=server.url, NBREALTIME_TOKEN=token)
    assert publishing.ends() == 0
    assert data_of(listener) == 7


def one_sentence(capsys: pytest.CaptureFixture[str]) -> str:
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert line.startswith("nbrealtime: ")
    return line


def test_without_a_server_it_says_how_to_start_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["publish", "lab:temp", "1"]) == 1
    assert "no server runs here" in one_sentence(capsys)


def test_a_server_that_is_not_there_is_said_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"ws://127.0.0.1:{gone.getsockname()[1]}"
    assert main(["publish", "lab:temp", "1", "--url", url]) == 1
    assert url in one_sentence(capsys)


def test_a_token_that_is_not_the_servers_is_said_and_not_shown(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["publish", "lab:temp", "1", "--url", server.url, "--token", "forged.to.ken"]) == 1
    assert "forged" not in one_sentence(capsys)


def test_an_address_that_is_none_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["publish", "lab:temp", "1", "--url", "here"]) == 1
    assert "'here' is no address" in one_sentence(capsys)


def test_a_message_over_the_limit_is_a_sentence(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["publish", "lab:temp", "x" * 2**20]) == 1
    assert "is over the limit" in one_sentence(capsys)


def test_a_pattern_is_no_topic_to_publish_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["publish", "lab:*", "1"])
    assert ended.value.code == 2
    assert "'lab:*' is no topic" in capsys.readouterr().err
