"""A server for tests, and a network that fails."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from nbrealtime import discovery
from nbrealtime.client import open_link, portal
from nbrealtime.testing import FaultyNetwork, running_server


def test_a_running_server_is_found_by_this_process_and_no_other() -> None:
    with running_server() as server:
        assert discovery.find().url == server.url
        assert discovery.entries() == []
        with open_link() as link:
            assert link.wait_connected(10)
    assert discovery.local() is None
    assert server.closed


def test_a_running_server_can_be_advertised() -> None:
    with running_server(advertise=True) as server:
        assert [entry.url for entry in discovery.entries()] == [server.url]
    assert discovery.entries() == []


def test_a_running_server_takes_the_options_of_serve() -> None:
    with running_server(secret="known to the test, and to nobody else") as server:
        assert server.token("ada")


class Echo:
    """Sends everything back."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"tcp://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    def _echo(self, connection: socket.socket) -> None:
        with connection:
            try:
                while chunk := connection.recv(65536):
                    connection.sendall(chunk)
            except OSError:
                pass

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.fixture
def network() -> Iterator[FaultyNetwork]:
    echo = Echo()
    with FaultyNetwork(echo.url) as network:
        yield network
    echo.close()


def dial(network: FaultyNetwork) -> socket.socket:
    return socket.create_connection(("127.0.0.1", network.port), timeout=20)


def exchange(connection: socket.socket, data: bytes) -> bytes:
    """What comes back until as much has come as was sent, or it ends."""
    sender = threading.Thread(target=_send, args=(connection, data))
    sender.start()
    answer = bytearray()
    while len(answer) < len(data) and (chunk := connection.recv(65536)):
        answer += chunk
    sender.join(20)
    return bytes(answer)


def _send(connection: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):
        connection.sendall(data)


def test_a_calm_network_passes_everything_on(network: FaultyNetwork) -> None:
    data = bytes(range(256)) * 20_000
    with dial(network) as connection:
        assert exchange(connection, data) == data
        assert network.connections == 1
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b"", "a goodbye is passed on too"


def test_a_cut_ends_every_connection_and_welcomes_new_ones(network: FaultyNetwork) -> None:
    with dial(network) as connection:
        assert exchange(connection, b"x") == b"x"
        network.cut()
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    with dial(network) as connection:
        assert exchange(connection, b"y") == b"y"


def test_a_cut_can_come_in_the_middle(network: FaultyNetwork) -> None:
    network.cut(after_bytes=7)
    with dial(network) as connection:
        connection.sendall(b"0123456789")
        # A reset may overtake what was not read yet; beyond the seventh byte nothing comes.
        answer = bytearray()
        with contextlib.suppress(ConnectionResetError):
            while chunk := connection.recv(1):
                answer += chunk
    assert b"0123456".startswith(bytes(answer))
    with dial(network) as connection:
        assert exchange(connection, b"0123456789") == b"0123456789"


def test_refusing_ends_connections_and_lets_none_in_until_restored(network: FaultyNetwork) -> None:
    with dial(network) as connection:
        assert exchange(connection, b"x") == b"x"
        network.refuse()
        network.refuse()
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    with pytest.raises(ConnectionRefusedError):
        dial(network)
    network.restore()
    with dial(network) as connection:
        assert exchange(connection, b"y") == b"y"


def test_a_black_hole_holds_everything_until_restored(network: FaultyNetwork) -> None:
    with dial(network) as connection:
        assert exchange(connection, b"x") == b"x"
        network.black_hole()
        connection.sendall(b"held")
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.settimeout(20)
        network.restore()
        answer = b""
        while len(answer) < 4:
            answer += connection.recv(4)
        assert answer == b"held"


def test_a_delay_is_no_limit_of_the_rate(network: FaultyNetwork) -> None:
    network.delay(0.1)
    data = b"x" * 2_000_000
    with dial(network) as connection:
        begin = time.monotonic()
        assert exchange(connection, b"x") == b"x"
        assert time.monotonic() - begin >= 0.2, "each way"
        assert exchange(connection, data) == data


def test_a_closed_network_is_gone(network: FaultyNetwork) -> None:
    with dial(network) as connection:
        assert exchange(connection, b"x") == b"x"
        network.close()
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    with pytest.raises(ConnectionRefusedError):
        dial(network)


def test_the_address_keeps_its_scheme_and_path() -> None:
    with FaultyNetwork("ws://127.0.0.1:9/user/x/ws?a=b") as network:
        assert network.url == f"ws://127.0.0.1:{network.port}/user/x/ws?a=b"


def test_what_is_no_address_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="no address"):
        FaultyNetwork("nowhere")


def test_a_connection_that_is_cut_before_anything_was_done_for_it_ends_too(network: FaultyNetwork) -> None:
    async def cut_as_soon_as_it_is_there() -> None:
        # In the turn after it was accepted, before its task's first step.
        while not network._flows:  # noqa: ASYNC110 - the turn itself is what is waited for
            await asyncio.sleep(0)
        network._cut()

    cutting = portal.run(cut_as_soon_as_it_is_there())
    with dial(network) as connection:
        cutting.result(20)
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    assert network.connections == 0


def test_a_storm_hurts_one_connection_after_the_other_until_it_is_over(network: FaultyNetwork) -> None:
    network.storm(seed=1, every=0.01, jitter=0.001, hole_seconds=0.02)
    while sum(network.faults.values()) < 20:
        with dial(network) as connection, contextlib.suppress(OSError):
            answer = exchange(connection, b"0123456789" * 500)
            # Late, in pieces, or cut off; never altered.
            assert (b"0123456789" * 500).startswith(answer)
    assert len(network.faults) >= 3, network.faults
    network.restore()
    with dial(network) as connection:
        assert exchange(connection, b"calm") == b"calm"
        assert network.connections >= 1
