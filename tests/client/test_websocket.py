"""The socket by itself: what it makes of bytes, and which bytes it makes."""

from __future__ import annotations

import asyncio
import os
import socket as sockets

import pytest
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import State

from nbrealtime.client import websocket as module
from nbrealtime.client.websocket import Closing

from .clock import run
from .wire import Wire, goodbye, on_a_loop, text

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
