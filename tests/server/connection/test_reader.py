"""What comes in: frames made into messages, at most as many in a turn as it can write."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from websockets.frames import Opcode

from nbrealtime.hub import Grants, Session, User
from nbrealtime.server.connection.intake import Hold, Intake
from nbrealtime.server.connection.reader import Reader
from nbrealtime.server.heartbeat import Pulse

from .opening import frame, opened, text
from .transport import Transport


class Bench:
    """A reader with everything around it. ``log`` is what happened, in order."""

    def __init__(self):
        self.log = []
        self.pulse = Pulse(0.0, None)
        self.pulse.answered = False
        self.later = []
        self.flusher = SimpleNamespace(
            busy=False, later=self.later.append, conclude=lambda now: self.after_reading()
        )
        self.intake = Intake(Transport())
        self.is_hello = False
        self.core = opened()
        hub = SimpleNamespace(
            receive=lambda session, message, now: self.log.append(message),
            receive_binary=lambda session, now: self.log.append("binary"),
        )
        introduction = SimpleNamespace(
            hear=lambda message: self.log.append(("introduction", message)),
            hear_binary=lambda: self.log.append(("introduction", "binary")),
            overhear=self._overhear,
        )
        throttle = SimpleNamespace(slow_down=lambda: self.log.append("throttle"))
        self.reader = Reader(self, self.core, hub, self.flusher, self.intake, introduction, throttle)
        self.when_read = lambda: None

    def _overhear(self, message):
        self.log.append(("overheard", message))
        return self.is_hello

    def begin(self, *, fresh=False):
        self.reader.begin(Session(User("ada", "Ada"), Grants.usual()), fresh=fresh)

    def after_reading(self):
        self.log.append("read")
        self.when_read()

    def turn(self):
        """What was put off for later turns comes up."""
        later = self.later[:]
        self.later.clear()
        for act in later:
            act()

    @property
    def heard(self):
        """The messages alone."""
        return [one for one in self.log if one not in ("read", "throttle")]


@pytest.fixture
def bench():
    bench = Bench()
    bench.begin()
    return bench


@pytest.fixture
def stranger():
    """Nobody knows who speaks."""
    return Bench()


# -- messages


def test_a_message_is_handed_over_on_the_spot(bench):
    bench.reader.receive(text("one") + text("two"))
    assert bench.log == [b"one", b"two", "read", "throttle"]


def test_messages_that_come_one_by_one_are_each_handed_over(bench):
    for message in ("the first", "the second", "the third"):
        bench.reader.receive(text(message))
        assert bench.log == [message.encode(), "read", "throttle"]
        bench.log.clear()


def test_a_message_that_comes_in_bits_is_handed_over_once_it_is_whole(bench):
    data = text("one")
    for byte in data[:-1]:
        bench.reader.receive(bytes([byte]))
    assert bench.heard == []
    bench.reader.receive(data[-1:])
    assert bench.heard == [b"one"]


def test_a_message_in_several_frames_is_one(bench):
    bench.reader.receive(text("o", fin=False))
    bench.reader.receive(frame(Opcode.CONT, b"n", fin=False) + frame(Opcode.PONG))
    assert bench.heard == []
    bench.reader.receive(frame(Opcode.CONT, b"e") + text("two"))
    assert bench.heard == [b"one", b"two"]


def test_what_is_binary_is_named_and_not_passed_on(bench):
    bench.reader.receive(frame(Opcode.BINARY, b"abc"))
    bench.reader.receive(frame(Opcode.BINARY, b"a", fin=False) + frame(Opcode.CONT, b"b"))
    assert bench.heard == ["binary", "binary"]


def test_a_pong_is_an_answer_and_nothing_else_is(bench):
    bench.reader.receive(text("one") + frame(Opcode.PING))
    assert not bench.pulse.answered
    bench.reader.receive(frame(Opcode.PONG))
    assert bench.pulse.answered
    assert bench.heard == [b"one"]


def test_until_there_is_a_session_messages_are_for_the_introduction(stranger):
    stranger.reader.receive(text("one") + frame(Opcode.BINARY, b"two"))
    assert stranger.heard == [("introduction", b"one"), ("introduction", "binary")]
    stranger.begin()
    stranger.reader.receive(text("three"))
    assert stranger.heard[2:] == [b"three"]


# -- hello after a greeting


def test_the_first_message_of_who_was_greeted_may_be_hello(stranger):
    stranger.begin(fresh=True)
    stranger.is_hello = True
    stranger.reader.receive(text('{"type":"HELLO"}'))
    assert stranger.heard == [("overheard", b'{"type":"HELLO"}')]


def test_if_it_is_not_it_is_for_the_hub(stranger):
    stranger.begin(fresh=True)
    stranger.reader.receive(text('{"data":"hello"}'))
    assert stranger.heard == [("overheard", b'{"data":"hello"}'), b'{"data":"hello"}']


@pytest.mark.parametrize(
    "first",
    [text("something"), text("hello?"), frame(Opcode.BINARY, b"hello")],
    ids=["else", "no hello", "binary"],
)
def test_only_the_first_message_may(stranger, first):
    stranger.begin(fresh=True)
    stranger.reader.receive(first)
    before = len(stranger.heard)
    stranger.is_hello = True
    stranger.reader.receive(text("hello"))
    assert stranger.heard[before:] == [b"hello"]


def test_what_has_no_hello_in_it_is_for_the_hub_at_once(stranger):
    stranger.begin(fresh=True)
    stranger.reader.receive(text('{"type":"subscribe","topic":"a"}'))
    assert stranger.heard == [b'{"type":"subscribe","topic":"a"}']


def test_who_said_hello_is_not_asked_again(bench):
    bench.is_hello = True
    bench.reader.receive(text("hello"))
    assert bench.heard == [b"hello"]


# -- no turn reads more than it can write


def test_what_a_busy_turn_brings_is_put_off_and_nothing_more_is_read(bench):
    bench.flusher.busy = True
    bench.reader.receive(text("one"))
    assert bench.log == []
    assert bench.intake.held(Hold.POSTPONED)
    bench.flusher.busy = False
    bench.turn()
    assert bench.log == [b"one", "read", "throttle"]
    assert not bench.intake.held(Hold.POSTPONED)
    assert bench.later == []


def test_what_comes_in_after_something_that_was_put_off_waits_behind_it(bench):
    bench.flusher.busy = True
    bench.reader.receive(text("one"))
    bench.flusher.busy = False
    bench.reader.receive(text("two"))
    assert bench.heard == []
    assert len(bench.later) == 1
    bench.turn()
    assert bench.heard == [b"one", b"two"]
    bench.reader.receive(text("three"))
    assert bench.heard == [b"one", b"two", b"three"]


def test_while_the_turns_stay_busy_it_stays_put_off(bench):
    bench.flusher.busy = True
    bench.reader.receive(text("one"))
    for _ in range(3):
        bench.turn()
        assert bench.heard == []
        assert bench.intake.held(Hold.POSTPONED)
    bench.flusher.busy = False
    bench.turn()
    assert bench.heard == [b"one"]


def test_it_is_read_on_only_after_what_was_put_off_is_done(bench):
    bench.flusher.busy = True
    bench.reader.receive(text("one"))
    bench.flusher.busy = False
    held = []
    bench.when_read = lambda: held.append(bench.intake.held(Hold.POSTPONED))
    bench.turn()
    assert held == [True]


def test_at_the_end_what_was_put_off_is_done_however_busy(bench):
    bench.flusher.busy = True
    bench.reader.receive(text("one"))
    bench.reader.catch_up(anyway=True)
    assert bench.heard == [b"one"]
    bench.turn()
    bench.reader.catch_up(anyway=True)
    assert bench.heard == [b"one"], "once"


# -- the end


def test_what_comes_in_after_the_end_is_heard_by_nobody(bench):
    bench.reader.close()
    bench.reader.receive(text("one") + frame(Opcode.BINARY) + frame(Opcode.PONG))
    assert bench.log == ["read"]
    assert not bench.pulse.answered


def test_a_message_that_ends_the_connection_is_the_last(bench):
    bench.when_read = bench.reader.close
    bench.reader.receive(text("the first"))
    bench.reader.receive(text("the second"))
    assert bench.log == [b"the first", "read", "read"], "and the throttle has nobody to slow down"


def test_after_the_end_the_core_still_hears_the_other_ends_goodbye(bench):
    bench.core.send_close(1001, "")
    bench.reader.close()
    bench.reader.receive(frame(Opcode.CLOSE, (1001).to_bytes(2, "big")))
    assert bench.core.close_rcvd is not None
