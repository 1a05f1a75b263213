"""The socket by itself: what it makes of bytes, and which bytes it makes."""

from __future__ import annotations

import asyncio
import gc
import os
import socket as sockets
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

import pytest
from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from nbrealtime.client import websocket as module
from nbrealtime.client.websocket import Closing, HandshakeRefused, WebSocket, open_websocket

from .clock import faults, now, run, turn


class Transport(asyncio.Transport):
    """Remembers what was written, one entry for each write, and how it ended."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.ends: list[tuple[str, float]] = []

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high = high

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        assert name == "socket"
        return self

    def fileno(self) -> int:
        return 1_000_000

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def close(self) -> None:
        self.ends.append(("close", round(now(), 3)))

    def abort(self) -> None:
        self.ends.append(("abort", round(now(), 3)))


class Wire:
    """A socket, what it says, and a server at the other end that says what it is told to."""

    def __init__(self, url: str = "ws://x/ws", *, subprotocol: str | None = None) -> None:
        self.reads: list[list[bytes]] = []
        self.writable: list[bool] = []
        self.socket = WebSocket(url, self._read, self._room, subprotocol=subprotocol)
        self.transport = Transport()
        self.server = ServerProtocol(max_size=None)
        self.socket.connection_made(self.transport)
        self.request = self.heard()[0]

    def _read(self, frames: list[bytes]) -> None:
        assert not self.socket.closed.done(), "its end was told before what came first"
        self.reads.append(frames)

    def _room(self) -> None:
        self.writable.append(self.socket.writable)

    def heard(self) -> list[Any]:
        """What came to the server since the last time."""
        written, self.transport.written = b"".join(self.transport.written), []
        self.server.receive_data(written)
        return self.server.events_received()

    def accepted(self) -> bytes:
        assert isinstance(self.request, Request)
        self.server.send_response(self.server.accept(self.request))
        return b"".join(self.server.data_to_send())

    def accept(self) -> Wire:
        self.socket.data_received(self.accepted())
        self.reads.clear()
        return self

    def say(self, *frames: Frame) -> None:
        """All in one read."""
        self.socket.data_received(b"".join(frame.serialize(mask=False) for frame in frames))


def text(data: bytes, opcode: Opcode = Opcode.TEXT, *, fin: bool = True) -> Frame:
    return Frame(opcode, data, fin)


def goodbye(code: int, reason: str = "") -> Frame:
    return Frame(Opcode.CLOSE, Close(code, reason).serialize())


def on_a_loop(check: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Makes a test of what has to run on a loop."""

    def test() -> None:
        run(check())

    test.__name__, test.__doc__ = check.__name__, check.__doc__
    return test


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


# -- reading


@on_a_loop
async def test_what_one_read_brought_is_told_at_once_and_in_order() -> None:
    wire = Wire().accept()
    wire.say(text(b"one"), text(b"two"), text(b"three"))
    wire.say(text(b"four"))
    assert wire.reads == [[b"one", b"two", b"three"], [b"four"]]


@on_a_loop
async def test_a_read_that_completed_nothing_is_told_too() -> None:
    wire = Wire().accept()
    data = text(b"whole").serialize(mask=False)
    wire.socket.data_received(data[:3])
    wire.socket.data_received(data[3:])
    wire.say(Frame(Opcode.PING, b"are you there"))
    assert wire.reads == [[], [b"whole"], []]


@on_a_loop
async def test_what_comes_with_the_acceptance_is_heard() -> None:
    wire = Wire()
    wire.socket.data_received(wire.accepted() + text(b"hi").serialize(mask=False))
    assert wire.socket.opened.done()
    assert wire.reads == [[b"hi"]]


@on_a_loop
async def test_what_comes_with_the_goodbye_is_told_before_the_end() -> None:
    wire = Wire().accept()
    wire.say(text(b"last"), goodbye(4001, "moved"))
    assert wire.reads == [[b"last"]]
    assert not wire.socket.closed.done()
    wire.socket.connection_lost(None)
    assert wire.socket.closed.result() == Closing(4001, "moved")


@on_a_loop
async def test_a_ping_is_answered() -> None:
    wire = Wire().accept()
    wire.say(Frame(Opcode.PING, b"x"))
    assert [(frame.opcode, bytes(frame.data)) for frame in wire.heard()] == [(Opcode.PONG, b"x")]


@on_a_loop
async def test_fragments_are_one_message_and_binary_ones_are_none() -> None:
    wire = Wire().accept()
    wire.say(text(b"a", fin=False), text(b"b", Opcode.CONT, fin=False), text(b"c", Opcode.CONT))
    wire.say(
        text(b"x", Opcode.BINARY), text(b"x", Opcode.BINARY, fin=False), text(b"y", Opcode.CONT), text(b"z")
    )
    assert wire.reads == [[b"abc"], [b"z"]]


@on_a_loop
async def test_fragments_without_end_end_the_connection() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MAX_FRAGMENTS", 5)
        wire = Wire().accept()
        wire.say(text(b"", fin=False), *[text(b"", Opcode.CONT, fin=False)] * 4)
        assert wire.socket.is_open
        wire.say(text(b"", Opcode.CONT, fin=False))
    assert not wire.socket.is_open
    (said,) = wire.heard()
    assert Close.parse(said.data).code == 1009
    wire.socket.connection_lost(None)
    assert wire.socket.closed.result() == Closing(1006, "too many fragments")


@on_a_loop
async def test_a_message_beyond_the_limit_ends_the_connection_before_it_is_there() -> None:
    wire = Wire().accept()
    wire.socket.data_received(b"\x81\x7f" + (module.MAX_MESSAGE_BYTES + 1).to_bytes(8, "big"))
    (said,) = wire.heard()
    assert Close.parse(said.data).code == 1009
    wire.socket.connection_lost(None)
    code, reason = wire.socket.closed.result()
    assert code == 1006
    assert reason


@on_a_loop
async def test_an_end_without_a_word_has_the_code_for_that() -> None:
    wire = Wire().accept()
    wire.socket.connection_lost(ConnectionResetError())
    assert wire.socket.closed.result() == Closing(1006, "")


# -- writing


@on_a_loop
async def test_frames_are_one_write() -> None:
    wire = Wire().accept()
    wire.socket.send([b"one", b"two"])
    assert len(wire.transport.written) == 1
    assert [bytes(frame.data) for frame in wire.heard()] == [b"one", b"two"]


@on_a_loop
async def test_room_is_told_once_there_is_some() -> None:
    wire = Wire().accept()
    assert wire.transport.high == module.WRITE_HIGH
    wire.socket.pause_writing()
    assert not wire.socket.writable
    wire.socket.resume_writing()
    assert wire.writable == [True]
    wire.socket.pause_writing()
    wire.socket.connection_lost(None)
    assert wire.socket.writable, "nobody waits for a socket that is gone"


# -- ending


@on_a_loop
async def test_a_goodbye_comes_after_what_was_written_and_is_waited_for_but_not_long() -> None:
    wire = Wire().accept()
    wire.socket.send([b"last"])
    wire.socket.close(1000, "done")
    wire.socket.send([b"too late"])
    last, close = wire.heard()
    assert bytes(last.data) == b"last"
    assert Close.parse(close.data) == Close(1000, "done")
    assert wire.transport.ends == []
    await asyncio.sleep(10)
    assert wire.transport.ends == [("abort", 2)]


@on_a_loop
async def test_a_server_that_says_goodbye_and_stays_is_left() -> None:
    wire = Wire().accept()
    wire.say(goodbye(1001))
    await asyncio.sleep(10)
    assert wire.transport.ends == [("abort", 2)]
    assert wire.server.state is not State.CLOSED


@on_a_loop
async def test_a_goodbye_that_is_answered_is_not_waited_for_longer() -> None:
    wire = Wire().accept()
    wire.socket.close()
    await asyncio.sleep(1)
    wire.say(goodbye(1000))
    await asyncio.sleep(10)
    assert wire.transport.ends == [("abort", 2)]


@on_a_loop
async def test_an_end_that_comes_in_time_is_not_brought_about() -> None:
    wire = Wire().accept()
    wire.socket.close()
    wire.socket.connection_lost(None)
    await asyncio.sleep(10)
    assert wire.transport.ends == []
    wire.socket.abort()
    wire.socket.close()
    wire.socket.leave(1000)
    assert wire.transport.ends == [], "there is nothing any more to end"


@on_a_loop
async def test_a_server_that_may_be_gone_is_told_and_not_waited_for() -> None:
    wire = Wire().accept()
    wire.socket.leave(4012, "silent")
    (close,) = wire.heard()
    assert Close.parse(close.data) == Close(4012, "silent")
    assert wire.transport.ends == [("close", 0)]
    await asyncio.sleep(10)
    assert wire.transport.ends == [("close", 0), ("abort", 2)], "it does not even take the goodbye"


@on_a_loop
async def test_before_the_handshake_there_is_nothing_to_say() -> None:
    wire = Wire()
    wire.socket.close()
    assert wire.transport.ends == [("abort", 0)]
    assert wire.transport.written == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is inherited here")
def test_a_forked_child_lets_go_of_the_socket_and_keeps_its_number() -> None:
    ours, theirs = sockets.socketpair()

    async def check() -> None:
        wire = Wire()
        wire.socket.fileno = ours.fileno()
        wire.socket.forget()

    run(check())
    theirs.settimeout(10)
    assert theirs.recv(1) == b"", "the other end sees the end"
    assert os.fstat(ours.fileno()).st_rdev == os.stat(os.devnull).st_rdev
    ours.detach()
    theirs.close()


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
