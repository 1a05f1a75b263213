"""`nbrealtime list`: what runs here, and whether it is what it claims."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

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
    assert head.split() == ["URL", "KIND", "PID", "UP", "STATE", "WHERE"]
    assert {tuple(row.split()[:2]) for row in rows} == {(server.url, "kernel"), (other.url, "standalone")}
    assert all("  verified  " in row for row in rows)


def test_each_server_is_known_by_where_it_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with serve() as script, serve(kind="standalone"):
        rewrite(script, birthplace={"notebook": str(tmp_path / "rig.ipynb")})
        main(["list"])
        head, *rows = capsys.readouterr().out.splitlines()
        main(["list", "--json"])
        told = json.loads(capsys.readouterr().out)
    assert sorted(row[head.index("WHERE") :] for row in rows) == ["nbrealtime serve in ~", "~/rig.ipynb"]
    kernel, standalone = sorted(told, key=lambda row: row["kind"])
    assert (kernel["where"], kernel["notebook"]) == ("~/rig.ipynb", str(tmp_path / "rig.ipynb"))
    assert (kernel["program"], kernel["directory"]) == (None, None)
    assert (standalone["program"], standalone["directory"]) == ("nbrealtime serve", str(tmp_path))
    assert standalone["started"] == pytest.approx(time.time(), abs=30)


def test_an_older_releases_server_is_a_row_as_well(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    rewrite(server, birthplace={}, since=None)
    main(["list"])
    _, row = capsys.readouterr().out.splitlines()
    assert row.split()[-2:] == ["verified", "—"]


def rewrite(server: Server, **changes: Any) -> None:
    """Another hand in a server's entry."""
    assert server.entry is not None
    path = Path(server.entry.path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


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
