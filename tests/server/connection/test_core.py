"""The library's state machine with our goodbyes, and the plain frames that pass it by."""

from __future__ import annotations

from itertools import pairwise
from types import FunctionType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN

from nbrealtime.server.connection.core import UNFRAMEABLE, Core
from nbrealtime.server.hello import Goodbye
from nbrealtime.wire.messages import ErrorCode

from .opening import frame, opened, text


def begun(message_bytes: int | None = 2**20) -> Core:
    """A core that has read a message, and waits for the next one to begin."""
    core = opened(message_bytes)
    core.receive_data(text("hello"))
    core.events_received()
    return core


# -- what passes the library by


@pytest.mark.parametrize("size", [2, 125, 126, 127, 65_535])
def test_a_whole_text_frame_passes_the_library_by(size):
    core = begun()
    message = bytes(number % 251 for number in range(size))
    assert core.take_text(text(message)) == message
    assert (core.events_received(), core.data_to_send(), core.state) == ([], [], OPEN)
    core.receive_data(text("next"))
    [heard] = core.events_received()
    assert isinstance(heard, Frame)
    assert heard.data == b"next"


LEFT = {
    "nothing": b"",
    "half a head": b"\x81",
    "empty": text(""),
    "one byte": text("x"),
    "a fragment": text("abc", fin=False),
    "a part": text("abc")[:-1],
    "one and the head of another": text("abc") + b"\x81",
    "two": text("abc") + text("def"),
    "a part of a longer one": text(b"x" * 126)[:-1],
    "a longer one and more": text(b"x" * 126) + b"\x00",
    "one with eight octets of length": text(b"x" * 65_536),
    "one with a length of 127, and as many bytes": b"\x81\xff" + bytes(4) + b"x" * 127,
    "compressed": b"\xc1" + text("compressed")[1:],
    "unmasked": Frame(Opcode.TEXT, b"unmasked").serialize(mask=False),
    "unmasked, and as many bytes as a mask has": (
        Frame(Opcode.TEXT, b"unmasked").serialize(mask=False) + 2 * b"\x81\x00"
    ),
    "binary": frame(Opcode.BINARY, b"abc"),
    "continued": frame(Opcode.CONT, b"abc"),
    "a ping": frame(Opcode.PING, b"abc"),
    "a goodbye": frame(Opcode.CLOSE, b"\x03\xe8abc"),
}


@pytest.mark.parametrize("data", LEFT.values(), ids=LEFT)
def test_everything_else_is_left_to_it(data):
    core = begun()
    assert core.take_text(data) is None
    assert core.reader.buffer == b""


def test_a_text_frame_is_left_to_it_while_it_has_part_of_another():
    whole = text("the rest")
    for cut in range(1, len(whole)):
        core = begun()
        core.receive_data(text("one") + whole[:cut])
        assert core.take_text(text("abcdef")) is None
        core.receive_data(whole[cut:])
        assert core.take_text(text("abcdef")) == b"abcdef"


def test_a_text_frame_is_left_to_it_within_a_message_of_fragments():
    core = begun()
    core.receive_data(text("abc", fin=False))
    assert core.take_text(text("abcdef")) is None
    core.receive_data(frame(Opcode.PING))
    assert core.take_text(text("abcdef")) is None
    core.receive_data(frame(Opcode.CONT, b"d"))
    assert core.take_text(text("abcdef")) == b"abcdef"


def test_a_text_frame_is_left_to_it_after_the_handshake_until_it_has_had_one():
    core = opened()
    assert core.take_text(text("abcdef")) is None


@pytest.mark.parametrize(
    "end",
    [
        lambda core: core.end(1000, "", Goodbye(1000, ErrorCode.UNAVAILABLE, "bye")),
        lambda core: core.fail(1002, "wrong"),
        lambda core: core.receive_data(frame(Opcode.CLOSE, b"\x03\xe8")),
        lambda core: core.receive_data(text("abc") + frame(Opcode.CONT, b"wrong")),
    ],
    ids=["ours", "a fault", "theirs", "a violation"],
)
def test_nothing_passes_it_by_after_the_end(end):
    core = begun()
    end(core)
    assert core.state is not OPEN
    assert core.take_text(text("abcdef")) is None


def test_a_message_over_the_limit_is_left_to_it_and_ends_the_connection():
    core = begun(100)
    assert core.take_text(text(b"x" * 100)) == b"x" * 100
    data = text(b"x" * 101)
    assert core.take_text(data) is None
    core.receive_data(data)
    assert core.close_sent is not None
    assert core.close_sent.code == UNFRAMEABLE
    assert begun(None).take_text(text(b"x" * 50_000)) is not None


def test_of_the_library_it_reads_nothing_that_had_another_name_in_release_15():
    functions = [function for function in vars(Core).values() if isinstance(function, FunctionType)]
    read = {name for function in functions for name in function.__code__.co_names}
    assert not read & {"current_size", "max_message_size", "max_fragment_size"}


# -- it sees the same as without


def hear(core: Core, data: bytes) -> list[object]:
    """What the reader hears of ``data``."""
    message = core.take_text(data)
    if message is not None:
        return [(Opcode.TEXT, True, message)]
    return hear_all(core, data)


def hear_all(core: Core, data: bytes) -> list[object]:
    core.receive_data(data)
    return [
        (event.opcode, event.fin, bytes(event.data))
        for event in core.events_received()
        if isinstance(event, Frame)
    ]


PLAIN = st.binary(max_size=140).map(text)
FRAMES = st.one_of(
    PLAIN,
    PLAIN,
    st.builds(
        frame,
        st.sampled_from([Opcode.TEXT, Opcode.BINARY, Opcode.CONT]),
        st.binary(max_size=100),
        fin=st.booleans(),
    ),
    st.builds(frame, st.sampled_from([Opcode.PING, Opcode.PONG]), st.binary(max_size=100)),
    st.sampled_from(
        [
            frame(Opcode.CLOSE, b"\x03\xe8"),
            text(b"x" * 300),
            Frame(Opcode.TEXT, b"unmasked").serialize(mask=False),
            b"\x91" + text("reserved")[1:],
            b"\x09" + frame(Opcode.PING)[1:],
        ]
    ),
)


@given(
    frames=st.lists(st.tuples(FRAMES, st.booleans()), max_size=12),
    cuts=st.lists(st.integers(1, 400), max_size=4),
)
@example(frames=[(text("one"), True), (text("two"), True), (text("three"), True)], cuts=[])
def test_every_stream_is_heard_and_answered_as_if_nothing_passed_it_by(frames, cuts):
    """Reads end behind some of the frames, and anywhere."""
    stream, places = b"", set(cuts)
    for data, ends_a_read in frames:
        stream += data
        if ends_a_read:
            places.add(len(stream))
    inside = sorted(place for place in places if place < len(stream))
    core, oracle = opened(200), opened(200)
    for start, stop in pairwise([0, *inside, len(stream)]):
        data = stream[start:stop]
        assert hear(core, data) == hear_all(oracle, data)
        assert core.state is oracle.state
        assert _without_times(core.data_to_send()) == _without_times(oracle.data_to_send())
        if core.state is not OPEN:
            return
    core.receive_eof()
    oracle.receive_eof()
    assert core.state is oracle.state
    assert _without_times(core.data_to_send()) == _without_times(oracle.data_to_send())


def _without_times(parts: list[bytes]) -> list[bytes]:
    """An error says when it was."""
    return [part.split(b'"timestamp"')[0] for part in parts]
