"""`nbrealtime serve`: it says where it listens, is found, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import jwt
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from nbrealtime import discovery
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
