"""`nbrealtime serve`: it says where it listens, is found, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import jwt
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from nbrealtime import discovery
from nbrealtime.cli import main
from tests.commands.conftest import Process

Start = Callable[..., Process]


def address_in(line: str) -> str:
    return line.removeprefix("Server running at ").strip()


def test_its_first_line_is_its_address_and_nothing_secret_follows(start: Start) -> None:
    serving = start("serve", NBREALTIME_SECRET="a secret of forty characters, more or less")
    assert serving.stdout.readline().startswith("Server running at ws://127.0.0.1:")
    serving.hears("Ctrl-C stops it")
    serving.send(signal.SIGTERM)
    assert serving.ends() == 0
    assert serving.stdout.read() == ""
    said = serving.stderr.read()
    assert "secret" not in said
    assert "eyJ" not in said


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_says_goodbye_and_removes_its_entry(start: Start, ending: signal.Signals) -> None:
    serving = start("serve")
    url = address_in(serving.stdout.readline())
    (entry,) = discovery.entries()
    assert (entry.url, entry.origin, entry.pid) == (url, "standalone", serving.pid)
    with connect(f"{url}/ws?token={entry.token}") as client:
        client.recv()
        serving.hears("1 connection")
        serving.send(ending)
        with pytest.raises(ConnectionClosed) as closed:
            client.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001
    serving.hears("Stopped.")
    assert serving.ends() == 0
    assert discovery.entries() == []


def test_a_secret_in_a_file_opens_it_to_tokens_of_that_secret(start: Start, tmp_path: Path) -> None:
    secret = "another secret of forty characters or so"
    file = tmp_path / "secret.txt"
    file.write_text(f"{secret}\n")
    file.chmod(0o600)
    url = address_in(start("serve", "--secret-file", str(file)).stdout.readline())
    token = jwt.encode({"sub": "ada"}, secret, algorithm="HS256")
    with connect(f"{url}/ws?token={token}") as client:
        assert "Connected" in str(client.recv())


def test_a_port_in_use_is_one_sentence(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        serving = start("serve", "--port", str(port))
        assert serving.ends() == 1
    assert serving.stdout.read() == ""
    (line,) = serving.stderr.read().splitlines()
    assert line.startswith(f"nbrealtime: port {port} on 127.0.0.1 is in use")


def test_a_server_for_other_machines_says_that_nothing_is_encrypted(start: Start) -> None:
    serving = start("serve", "--host", "0.0.0.0")
    assert serving.stdout.readline().startswith("Server running at ws://127.0.0.1:")
    serving.hears("not encrypted")


def test_the_secret_is_no_argument_that_ps_would_show(start: Start) -> None:
    serving = start("serve", NBREALTIME_SECRET="a secret of forty characters, more or less")
    serving.stdout.readline()
    if os.path.exists("/proc"):
        shown = Path(f"/proc/{serving.pid}/cmdline").read_bytes()
        assert b"forty" not in shown


def test_a_drain_asks_clients_to_come_back_and_then_ends_them(start: Start) -> None:
    serving = start("serve", "--drain", "0.3")
    url = address_in(serving.stdout.readline())
    (entry,) = discovery.entries()
    with connect(f"{url}/ws", subprotocols=[Subprotocol("nbrealtime.v2")]) as client:
        client.send(json.dumps({"type": "hello", "id": 1, "version": 2, "client": "c", "token": entry.token}))
        assert json.loads(client.recv())["type"] == "welcome"
        serving.hears("1 connection")
        serving.send(signal.SIGTERM)
        assert json.loads(client.recv()) == {"type": "drain", "delay": [0, 300]}
        assert json.loads(client.recv())["data"]["code"] == "draining"
        with pytest.raises(ConnectionClosed) as closed:
            client.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4001
    serving.hears("Stopped.")
    assert serving.ends() == 0


def test_history_in_a_file_outlives_the_server(start: Start, tmp_path: Path) -> None:
    words = ("serve", "--store", f"sqlite:///{tmp_path}/lab.db", "--history", "lab:*=5", "100,1h")
    answers = []
    for number in range(2):
        serving = start(*words)
        url = address_in(serving.stdout.readline())
        (entry,) = discovery.entries()
        with connect(f"{url}/ws", subprotocols=[Subprotocol("nbrealtime.v2")]) as client:
            for message in (
                {"type": "hello", "id": 1, "version": 2, "client": "c", "token": entry.token},
                {"type": "publish", "id": 2, "topic": "lab:a", "data": number, "ack": True},
            ):
                client.send(json.dumps(message))
                answer = json.loads(client.recv())
            answers.append((answer["type"], answer["offset"], answer["epoch"]))
        serving.send(signal.SIGTERM)
        assert serving.ends() == 0
    (first, second) = answers
    assert first == ("ack", 1, second[2])
    assert second == ("ack", 2, first[2])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--store", "lab.db"], "is no store"),
        (["--origin", "lab.example"], "not a web origin"),
        (["--jwks", "http://idp.example/keys"], "https"),
        (["--algorithm", "RS256"], "needs a key"),
        (["--algorithm", "none"], "needs a key"),
        (["--algorithm", "HS256", "HS999"], "algorithms"),
        (["--tls-key", "key.pem"], "tls_key needs tls_cert"),
        (["--tls-cert", "nowhere.pem"], "TLS cannot be had"),
        (["--key-file", "key.pem"], "--algorithm RS256"),
    ],
)
def test_an_option_that_makes_no_sense_is_one_sentence(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", *words]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert sentence in line
