"""How a socket comes to be open: what it asks for, which answers are none, and what an attempt leaves behind."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest

from nbrealtime.client.handshake import HandshakeRefused
from nbrealtime.client.websocket import WebSocket, open_websocket

from .clock import faults, run, turn
from .wire import Transport, Wire, on_a_loop

# -- the handshake


@on_a_loop
async def test_it_asks_for_an_upgrade_with_what_is_offered_and_without_compression() -> None:
    wire = Wire("ws://host:81/ws?token=a+b", subprotocol="nbrealtime.v2")
    headers = wire.request.headers
    assert wire.request.path == "/ws?token=a+b"
    assert headers["Host"] == "host:81"
    assert headers["Sec-WebSocket-Protocol"] == "nbrealtime.v2"
    assert "Sec-WebSocket-Extensions" not in headers
    assert "Sec-WebSocket-Protocol" not in Wire().request.headers


@on_a_loop
async def test_it_is_open_when_the_server_has_accepted() -> None:
    wire = Wire()
    assert not wire.socket.is_open
    wire.socket.send([b"too early"])
    wire.socket.data_received(wire.accepted())
    assert wire.socket.opened.result() is None
    assert wire.socket.is_open
    assert wire.heard() == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (HTTPStatus.UNAUTHORIZED, "token refused (HTTP 401)"),
        (HTTPStatus.FORBIDDEN, "token refused (HTTP 403)"),
        (HTTPStatus.NOT_FOUND, "the server answered HTTP 404 Not Found"),
    ],
)
def test_another_answer_is_a_refusal_with_its_status(status: HTTPStatus, words: str) -> None:
    async def check() -> None:
        wire = Wire()
        wire.server.send_response(wire.server.reject(status, "no\n"))
        wire.socket.data_received(b"".join(wire.server.data_to_send()))
        fault = wire.socket.opened.exception()
        assert isinstance(fault, HandshakeRefused)
        assert (fault.status, fault.dropped, str(fault)) == (status, False, words)

    run(check())


def end_of(wire: Wire) -> HandshakeRefused:
    wire.socket.eof_received()
    wire.socket.connection_lost(None)
    fault = wire.socket.opened.exception()
    assert isinstance(fault, HandshakeRefused)
    assert fault.status is None
    return fault


@on_a_loop
async def test_who_ends_it_without_an_answer_has_dropped_it() -> None:
    fault = end_of(Wire())
    assert fault.dropped
    assert str(fault) == "the server ended the connection without an answer"
    reset = Wire()
    reset.socket.connection_lost(ConnectionResetError())
    assert reset.socket.opened.exception().dropped


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 101", b"\x00\xff" * 40])
def test_who_says_something_else_has_answered_and_speaks_no_websocket(said: bytes) -> None:
    async def check() -> None:
        wire = Wire()
        wire.socket.data_received(said)
        fault = end_of(wire)
        assert not fault.dropped
        assert "does not speak WebSocket" in str(fault) or "ended the connection" in str(fault)

    run(check())


@on_a_loop
async def test_who_breaks_off_in_the_middle_of_an_answer_has_answered() -> None:
    wire = Wire()
    wire.socket.data_received(b"HTTP/1.1 101")
    wire.socket.connection_lost(ConnectionResetError())
    assert not wire.socket.opened.exception().dropped


@on_a_loop
async def test_a_wrong_key_is_named() -> None:
    wire = Wire()
    right = wire.accepted()
    wire.socket.data_received(right.replace(b"Sec-WebSocket-Accept: ", b"Sec-WebSocket-Accept: x"))
    fault = wire.socket.opened.exception()
    assert str(fault).startswith("whoever answers there does not speak WebSocket: ")
    assert wire.transport.ends == [("close", 0)]


@on_a_loop
async def test_a_refusal_that_nobody_waits_for_any_more_is_no_fault_to_log() -> None:
    wire = Wire()
    wire.socket.connection_lost(None)
    del wire
    gc.collect()  # who is forgotten with a fault that nobody saw says so then
    assert faults() == []


# -- from the address


class Connecting:
    """Stands for the loop's `create_connection`."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.transport = Transport()
        asyncio.get_running_loop().create_connection = self  # type: ignore[method-assign,assignment]

    async def __call__(self, factory: Callable[[], Any], host: str, port: int, *, ssl: Any) -> None:
        self.asked.append((host, port, ssl is not None))
        factory().connection_made(self.transport)


def opening(url: str, told: list[WebSocket]) -> asyncio.Task[WebSocket]:
    return asyncio.ensure_future(
        open_websocket(url, on_frames=lambda _: None, on_writable=lambda: None, on_socket=told.append)
    )


@pytest.mark.parametrize(
    ("url", "asked"), [("ws://host/ws", ("host", 80, False)), ("wss://host:8443/ws", ("host", 8443, True))]
)
def test_a_socket_is_told_of_before_the_server_has_accepted(url: str, asked: tuple[Any, ...]) -> None:
    async def check() -> None:
        connecting, told = Connecting(), []
        task = opening(url, told)
        await turn()
        assert connecting.asked == [asked]
        assert not task.done()
        told[0].opened.set_result(None)
        assert await task is told[0]
        assert connecting.transport.ends == []

    run(check())


@pytest.mark.parametrize("way", ["cancelled", "refused"])
def test_an_attempt_that_fails_leaves_no_connection_behind(way: str) -> None:
    async def check() -> None:
        connecting, told = Connecting(), []
        task = opening("ws://host/ws", told)
        await turn()
        if way == "cancelled":
            task.cancel()
        else:
            told[0].opened.set_exception(HandshakeRefused(401, "token refused"))
        with pytest.raises((asyncio.CancelledError, HandshakeRefused)):
            await task
        assert connecting.transport.ends == [("abort", 0)]

    run(check())
