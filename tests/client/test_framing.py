"""Plain frames, which the library never sees: the same comes of them, and of everything beside them."""

from __future__ import annotations

import os
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN, State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from nbrealtime.client import websocket as module
from nbrealtime.client.framing import Framer, Splitter

from .clock import run
from .wire import Wire, on_a_loop, text

LIMIT = 200
HIDDEN = text(b"!").serialize(mask=False)  # looks like a frame where it is a payload


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    ends = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(ends) if start < end]


class Library:
    """What websockets alone makes of the same bytes."""

    def __init__(self) -> None:
        self.protocol = ClientProtocol(parse_uri("ws://x/ws"), max_size=LIMIT)
        self.protocol.send_request(self.protocol.connect())
        server = ServerProtocol()
        server.receive_data(b"".join(self.protocol.data_to_send()))
        (request,) = server.events_received()
        assert isinstance(request, Request)
        server.send_response(server.accept(request))
        self.protocol.receive_data(b"".join(server.data_to_send()))
        assert self.protocol.state is OPEN
        self.protocol.events_received()
        self.texts: list[bytes] = []
        self.parts: list[bytes] | None = None
        self.said = b""

    def hear(self, data: bytes) -> None:
        self.protocol.receive_data(data)
        for frame in self.protocol.events_received():
            assert isinstance(frame, Frame)
            if frame.opcode is Opcode.TEXT:
                self.parts = []
            if frame.opcode in (Opcode.TEXT, Opcode.CONT) and self.parts is not None:
                self.parts.append(bytes(frame.data))
                if frame.fin:
                    self.texts.append(b"".join(self.parts))
                    self.parts = None
        self.said += b"".join(self.protocol.data_to_send())


def answers(said: bytes) -> list[tuple[Opcode, bytes]]:
    """The frames that a client wrote, without their masks, which are random."""
    server = ServerProtocol(max_size=None, state=OPEN)
    server.receive_data(said)
    return [(frame.opcode, bytes(frame.data)) for frame in server.events_received()]  # type: ignore[union-attr]


def raw(first: int, second: int, rest: bytes) -> bytes:
    return bytes([first, second]) + rest


payloads = st.binary(max_size=LIMIT + 5)
small = st.binary(max_size=4)
frames = st.one_of(
    st.builds(lambda data: text(data).serialize(mask=False), payloads),
    st.builds(lambda data: text(data).serialize(mask=False), small),
    st.builds(lambda data, fin: text(data, fin=fin).serialize(mask=False), small, st.booleans()),
    st.builds(lambda data, fin: text(data, Opcode.CONT, fin=fin).serialize(mask=False), small, st.booleans()),
    st.builds(lambda data: text(data, Opcode.BINARY).serialize(mask=False), small),
    st.builds(lambda data: Frame(Opcode.PING, data).serialize(mask=False), small),
    st.builds(
        lambda code: Frame(Opcode.CLOSE, Close(code, "").serialize()).serialize(mask=False), st.just(1001)
    ),
    # A length in more bytes than it needs, a mask, reserved bits, any two bytes.
    st.builds(lambda data: b"\x81\x7e" + len(data).to_bytes(2, "big") + data, small),
    st.builds(lambda data: b"\x81\x7f" + len(data).to_bytes(8, "big") + data, small),
    st.builds(lambda data: text(data).serialize(mask=True), small),
    st.builds(raw, st.integers(0, 255), st.integers(0, 255), small),
)


@settings(max_examples=300)
@given(stream=st.lists(frames, max_size=8), cuts=st.lists(st.integers(0, 2000), max_size=6))
def test_whatever_comes_in_whatever_parts_the_same_comes_of_it_as_of_the_library_alone(
    stream: list[bytes], cuts: list[int]
) -> None:
    async def check() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "MAX_MESSAGE_BYTES", LIMIT)
            wire, library = Wire().accept(), Library()
            for part in pieces(b"".join(stream), cuts):
                wire.socket.data_received(part)
                library.hear(part)
        ours = wire.socket._protocol
        begun = wire.socket._splitter.take_begun()
        assert [one for read in wire.reads for one in read] == library.texts
        # Up to nine bytes of a header that is no whole one wait, so that its violation may not be known yet.
        if not begun:
            assert answers(b"".join(wire.transport.written)) == answers(library.said)
            assert (ours.state, ours.close_rcvd, ours.close_sent) == (
                library.protocol.state,
                library.protocol.close_rcvd,
                library.protocol.close_sent,
            )

    run(check())


@on_a_loop
async def test_whole_text_frames_are_not_parsed_by_the_library_and_nothing_else_is_passed_by() -> None:
    wire = Wire().accept()
    seen: list[bytes] = []
    wire.socket._protocol.receive_data = seen.append  # type: ignore[method-assign,assignment]
    one, ping = text(b"one").serialize(mask=False), Frame(Opcode.PING, b"").serialize(mask=False)
    wire.socket.data_received(one)
    wire.socket.data_received(one + ping + one)
    assert wire.reads == [[b"one"], [b"one", b"one"]]
    assert seen == [ping]
    cut = text(b"x" * 300).serialize(mask=False)
    for at in (1, 3, 4, 200):
        seen.clear()
        wire.socket.data_received(cut[:at])
        wire.socket.data_received(cut[at:] + one)
        assert b"".join(seen) in (cut, b"")
        assert wire.reads[-1][-1] == b"one", "it knows where the next frame begins"


@on_a_loop
async def test_a_text_between_fragments_is_a_violation() -> None:
    wire = Wire().accept()
    wire.say(text(b"a", fin=False))
    wire.say(text(b"b"))
    (close,) = wire.heard()
    assert Close.parse(close.data).code == 1002
    assert wire.reads == [[], []]


@on_a_loop
async def test_what_comes_after_a_goodbye_is_nothing() -> None:
    wire = Wire().accept()
    wire.say(Frame(Opcode.CLOSE, Close(1001, "").serialize()), text(b"late"))
    wire.say(text(b"later"))
    assert wire.reads == [[], []]


@on_a_loop
async def test_what_comes_while_the_goodbye_is_not_answered_is_heard() -> None:
    wire = Wire().accept()
    wire.socket.close()
    wire.say(text(b"last"))
    assert wire.reads == [[b"last"]]


def test_the_answer_to_the_handshake_may_come_in_any_parts_and_with_parts_of_what_follows() -> None:
    async def check(*cuts: int) -> None:
        wire = Wire()
        said = wire.accepted() + text(HIDDEN).serialize(mask=False) + text(b"x" * 130).serialize(mask=False)
        for part in pieces(said, list(cuts)):
            wire.socket.data_received(part)
        assert wire.socket.opened.done()
        assert [one for read in wire.reads for one in read] == [HIDDEN, b"x" * 130]

    async def length() -> int:
        return len(Wire().accepted())

    end = run(length())
    for first in range(end - 5, end + 2):
        for second in range(first + 1, end + 10):
            run(check(first, second))
    run(check(*range(end + 200)))


def test_a_refusal_s_body_is_heard_to_its_end_whatever_it_holds() -> None:
    async def check(at: int) -> None:
        wire = Wire()
        said = b"HTTP/1.1 401 No\r\nContent-Length: 5\r\n\r\n\x81\r\n\r\n"
        wire.socket.data_received(said[:at])
        assert not wire.socket.opened.done()
        wire.socket.data_received(said[at:])
        assert "401" in str(wire.socket.opened.exception())

    for at in range(30, 43):
        run(check(at))


@pytest.mark.parametrize("size", [0, 1, 125, 126, 0xFFFF, 0x10000])
def test_every_length_is_read_whole_and_written_whole(size: int) -> None:
    payload = os.urandom(size)
    assert answers(Framer().frame_text(payload)) == [(Opcode.TEXT, payload)]
    frame = text(payload).serialize(mask=False)
    ((piece, start),) = Splitter(0x10000).split(frame)
    assert (piece, piece[start:]) == (frame, payload)


def test_a_payload_beyond_the_limit_is_not_plain() -> None:
    frame = text(b"x" * 5).serialize(mask=False)
    assert Splitter(5).split(frame) == [(frame, 2)]
    assert Splitter(4).split(frame) == [(frame, 0)]


def test_no_more_of_a_header_waits_than_a_header_has() -> None:
    splitter = Splitter(LIMIT)
    frame = b"\x81\x7f" + (300).to_bytes(8, "big") + b"x" * 300
    assert [splitter.split(frame[at : at + 1]) for at in range(9)] == [[]] * 9
    assert splitter.split(frame[9:10]) == [(frame[:10], 0)]
    assert splitter.split(frame[10:] + b"\x81") == [(frame[10:], 0)]
    assert splitter.take_begun() == b"\x81"
    assert splitter.take_begun() == b""


def test_no_mask_is_used_twice_and_all_are_random() -> None:
    given_out: list[bytes] = []

    def random(size: int) -> bytes:
        given_out.append(os.urandom(size))
        return given_out[-1]

    framer = Framer(random)
    # Of an empty payload the frame ends with its mask.
    used = [framer.frame_text(b"")[-4:] for _ in range(600)]
    assert b"".join(used) == b"".join(given_out)[: 4 * 600]
    assert len(given_out) == 3
    assert Framer().frame_text(b"")[-4:] != Framer().frame_text(b"")[-4:]


@pytest.mark.parametrize("at", [1, 2, 3])
def test_an_end_within_a_frame_is_the_library_s_to_judge(at: int) -> None:
    async def check() -> None:
        wire, library = Wire().accept(), Library()
        begun = text(b"x" * 200).serialize(mask=False)[:at]
        wire.socket.data_received(begun)
        wire.socket.eof_received()
        library.hear(begun)
        library.protocol.receive_eof()
        assert wire.socket._protocol.state is library.protocol.state is State.CLOSED
        assert str(wire.socket._protocol.parser_exc) == str(library.protocol.parser_exc)

    run(check())
