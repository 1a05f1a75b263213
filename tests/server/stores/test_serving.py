"""Stores behind a real server."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from nbrealtime.errors import AddressInUse, StoreError
from nbrealtime.server import Server, serve


class Client:
    """A v2 connection that asks and waits for the answer."""

    def __init__(self, server: Server) -> None:
        self._stack = contextlib.ExitStack()
        self.socket: Any = self._stack.enter_context(
            connect(f"{server.url}/ws", subprotocols=["nbrealtime.v2"])
        )  # type: ignore[list-item]
        self.welcome = self.ask(
            type="hello", version=2, client="c", token=server.token("ada"), capabilities=["ack"]
        )

    def ask(self, **message: Any) -> dict[str, Any]:
        self.socket.send(json.dumps({"id": 1, **message}))
        answer: dict[str, Any] = json.loads(self.socket.recv(timeout=10))
        return answer

    def close(self) -> None:
        self._stack.close()

    def publish(self, data: Any, key: str | None = None, topic: str = "lab:a") -> dict[str, Any]:
        return self.ask(type="publish", topic=topic, data=data, ack=True, **({"key": key} if key else {}))


def test_a_server_goes_on_where_the_last_one_on_its_file_stopped(tmp_path: Path):
    address = f"sqlite:///{tmp_path}/lab.db"
    with serve(store=address, advertise=False) as server:
        first = Client(server)
        told = first.publish(1, "k1")
        assert (told["type"], told["offset"], told["duplicate"]) == ("ack", 1, False)
        first.close()
    with serve(store=address, advertise=False) as server:
        second = Client(server)
        assert second.welcome["keyMemory"] == first.welcome["keyMemory"]
        again = second.publish(1, "k1")
        assert (again["epoch"], again["offset"], again["duplicate"]) == (told["epoch"], 1, True)
        assert second.publish(2)["offset"] == 2
        history = second.ask(type="history", topic="lab:a")
        assert [item["data"] for item in history["items"]] == [1, 2]
        second.close()


def test_history_is_given_by_pattern():
    with serve(history={"quiet:*": 0}, advertise=False) as server:
        client = Client(server)
        assert "offset" not in client.publish(1, topic="quiet:a")
        assert client.publish(1, topic="lab:a")["offset"] == 1
        client.close()


def test_a_file_that_cannot_be_used_stops_a_server_from_starting(tmp_path: Path):
    (tmp_path / "notes").write_text("not a word of SQL")
    with pytest.raises(StoreError, match="no SQLite database"):
        serve(store=f"sqlite:///{tmp_path}/notes", advertise=False)


def test_a_bad_address_is_a_callers_mistake():
    with pytest.raises(ValueError, match="is no store"):
        serve(store="postgres://localhost", advertise=False)
    with pytest.raises(ValueError, match="negative"):
        serve(history=-1, advertise=False)


def test_a_server_that_could_not_start_leaves_its_file_free(tmp_path: Path):
    address = f"sqlite:///{tmp_path}/lab.db"
    with serve(advertise=False) as other, pytest.raises(AddressInUse):
        serve(other.port, store=address, advertise=False)
    serve(store=address, advertise=False).close()
