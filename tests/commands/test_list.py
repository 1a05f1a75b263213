"""`nbrealtime list`: what runs here, and whether it is what it claims."""

from __future__ import annotations

import json
import socket

import pytest

from nbrealtime import discovery
from nbrealtime.cli import main
from nbrealtime.server import Server, serve


def test_where_nothing_runs_it_says_how_to_start_something(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    assert "No server runs here. Start one" in capsys.readouterr().out


def test_where_nothing_runs_the_json_is_an_empty_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_each_server_is_a_row(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    with serve(kind="standalone") as other:
        assert main(["list"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["URL", "KIND", "PID", "UP", "STATE"]
    assert {tuple(row.split()[:2]) for row in rows} == {(server.url, "kernel"), (other.url, "standalone")}
    assert all(row.endswith("verified") for row in rows)


def test_neither_key_nor_token_is_shown(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert server.entry is not None
    main(["list", "--json"])
    main(["list"])
    shown = capsys.readouterr().out
    assert server.entry.token not in shown
    assert server.entry.key not in shown


def test_an_address_that_cannot_prove_its_entry_is_untrusted(capsys: pytest.CaptureFixture[str]) -> None:
    with serve(advertise=False) as other:
        discovery.advertise(other.url, "token", "not its key", kind="kernel")
        main(["list", "--json"])
    (row,) = json.loads(capsys.readouterr().out)
    assert row["state"] == "untrusted"


def test_an_address_that_nobody_listens_on_is_unreachable(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"ws://127.0.0.1:{gone.getsockname()[1]}"
    discovery.advertise(url, "token", "key", kind="kernel")
    main(["list", "--json"])
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["url"], row["state"]) == (url, "unreachable")
