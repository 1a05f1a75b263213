"""What waits goes out as fast as the other end reads, and not faster: with a transport that says stop."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from nbrealtime.hub import Grants, Options, Session, User
from nbrealtime.server.connection.intake import Hold, Intake
from nbrealtime.server.connection.writer import _TRANSPORT_BYTES, Writer
from nbrealtime.wire.messages import ErrorCode

from ..loop import Loop
from .transport import Transport

PORTION = _TRANSPORT_BYTES
LIMIT = 8 * PORTION


class Bench:
    """A writer with everything around it."""

    def __init__(self, limit=LIMIT, flush_ms=0.0):
        self.loop = Loop()
        self.transport = Transport()
        self.intake = Intake(self.transport)
        self.core = SimpleNamespace(parts=[], data_to_send=self._take_core)
        self.drained = []
        self.scheduled = 0
        self.goodbyes = []
        self.writer = Writer(
            self.transport,
            self.core,
            SimpleNamespace(drained=self.drained.append),
            SimpleNamespace(schedule=self._schedule),
            self.intake,
            self.goodbyes.append,
            self.loop,
            limit=limit,
        )
        self.transport.pause, self.transport.resume = self.writer.pause, self.writer.resume
        self.session = self.begin(flush_ms)

    def begin(self, flush_ms=0.0):
        session = Session(User("ada", "Ada"), Grants.usual(), version=2, options=Options(flush_ms=flush_ms))
        self.writer.begin(session)
        return session

    def _take_core(self):
        parts, self.core.parts = self.core.parts, []
        return parts

    def _schedule(self):
        self.scheduled += 1

    def say(self, data, *, urgent=False):
        """Something for the client: data, or what is ``urgent``, an answer say."""
        self.session.outbox.put(data)
        self.session.urgent = self.session.urgent or urgent
        self.writer.drain()

    @property
    def written(self):
        return self.transport.written


@pytest.fixture
def make():
    return Bench


@pytest.fixture
def bench():
    return Bench()


# -- only while the transport takes it


def test_what_waits_leaves_as_one_write(bench):
    for part in (b"a", b"b", b"c"):
        bench.session.outbox.put(part)
    bench.writer.drain()
    bench.writer.drain()
    assert bench.transport.parts == [b"abc"]


def test_nothing_is_handed_over_while_the_transport_takes_no_more(bench):
    bench.transport.fill()
    bench.say(b"one")
    bench.say(b"two")
    assert bench.written == b""
    assert bench.session.outbox.size == 6
    bench.transport.deliver()
    assert bench.written == b"onetwo"


def test_a_backlog_goes_in_portions_so_that_the_rest_can_still_be_counted(bench):
    for letter in b"abc":
        bench.session.outbox.put(bytes([letter]) * PORTION)
    bench.session.outbox.put(b"d")
    bench.writer.drain()
    # A portion fills the transport, one more makes it say stop.
    assert [part[:1] for part in bench.transport.parts] == [b"a", b"b"]
    assert bench.session.outbox.size == PORTION + 1
    assert bench.writer.waiting == 3 * PORTION + 1
    bench.transport.deliver()
    assert [part[:1] for part in bench.transport.parts] == [b"a", b"b", b"c", b"d"]


def test_frames_are_never_cut(bench):
    parts = [bytes([letter]) * (PORTION // 2 + 1) for letter in b"abcd"]
    for part in parts:
        bench.session.outbox.put(part)
    bench.writer.drain()
    while bench.session.outbox.size:
        bench.transport.deliver()
    assert bench.transport.parts == parts


def test_the_hub_knows_whether_the_transport_takes_more(bench):
    bench.transport.fill()
    assert bench.session.blocked
    bench.transport.deliver()
    assert not bench.session.blocked


def test_a_transport_that_closes_gets_nothing(bench):
    bench.transport.closing = True
    bench.core.parts = [b"goodbye"]
    bench.writer.write_core()
    bench.say(b"a")
    bench.writer.finish()
    assert bench.written == b""


def test_before_there_is_a_session_there_is_nothing_to_write(bench):
    bench.writer.finish()
    bench.writer.drain()
    bench.writer.pause()
    bench.writer.resume()
    bench.writer.make_way()
    bench.writer.finish()
    assert bench.writer.waiting == 0


# -- who waits for the outbox to be empty


def test_the_hub_hears_that_the_outbox_is_empty_while_more_waits_for_that(bench):
    bench.say(b"a")
    assert bench.drained == []
    bench.session.waiting["a replay"] = None
    bench.say(b"b")
    assert bench.drained == [bench.session]
    assert bench.scheduled == 1


def test_the_hub_does_not_hear_so_while_something_is_left(bench):
    bench.session.waiting["a replay"] = None
    bench.transport.fill()
    bench.say(b"a")
    assert bench.drained == []
    bench.transport.deliver()
    assert bench.drained == [bench.session]


# -- who does not read


def test_who_does_not_read_is_not_read_until_he_does(bench):
    bench.transport.fill()
    bench.say(b"a" * (LIMIT // 4))
    assert bench.writer.choked
    assert bench.intake.held(Hold.UNREAD)
    assert bench.goodbyes == []
    bench.transport.deliver()
    bench.transport.deliver()
    assert not bench.writer.choked
    assert not bench.intake.held(Hold.UNREAD)


def test_a_little_that_waits_is_no_reason_not_to_read(bench):
    bench.transport.fill()
    bench.say(b"a" * (LIMIT // 4 - PORTION - 1))
    assert not bench.writer.choked


def test_he_is_read_again_only_when_half_of_that_is_left(bench):
    bench.transport.fill()
    bench.say(b"a" * PORTION)
    bench.say(b"a" * (PORTION // 2))
    bench.transport.deliver()
    assert LIMIT // 8 < bench.writer.waiting < LIMIT // 4
    assert bench.writer.choked
    bench.transport.deliver()
    assert not bench.writer.choked


def test_who_is_too_slow_is_parted_from_with_words(bench):
    bench.transport.fill()
    bench.say(b"a" * (LIMIT - PORTION - 1))
    assert bench.goodbyes == []
    bench.say(b"b")
    [goodbye] = bench.goodbyes
    assert (goodbye.close, goodbye.code, goodbye.reconnect) == (4008, ErrorCode.SLOW_CONSUMER, True)
    assert f"{LIMIT:,} bytes" in goodbye.reason


def test_a_burst_that_the_transport_takes_costs_nobody_his_connection(bench):
    bench.transport.high = 10 * LIMIT
    bench.say(b"a" * 2 * LIMIT)
    assert bench.goodbyes == []
    assert not bench.writer.choked


def test_without_a_limit_any_number_may_wait(make):
    bench = make(limit=None)
    bench.transport.fill()
    bench.say(b"a" * 3 * LIMIT)
    assert bench.goodbyes == []
    assert not bench.writer.choked


@pytest.mark.parametrize("limit", [LIMIT, None])
def test_an_overrun_subscription_ends_it_before_anything_is_written(make, limit):
    bench = make(limit=limit)
    bench.session.overrun = True
    bench.say(b"a")
    assert [goodbye.close for goodbye in bench.goodbyes] == [4008]
    assert bench.written == b""


# -- who asked not to be woken too often


def test_data_comes_when_it_is_due(make):
    bench = make(flush_ms=500)
    bench.say(b"a")
    bench.say(b"b")
    bench.say(b"c")
    assert bench.written == b"a", "after a quiet time at once"
    assert bench.loop.alarms == [0.5]
    bench.loop.advance(0.5)
    assert bench.transport.parts == [b"a", b"bc"]
    bench.loop.advance(0.5)
    bench.say(b"d")
    assert bench.written == b"abcd"


def test_what_is_not_data_goes_at_once_and_takes_the_data_along(make):
    bench = make(flush_ms=500)
    bench.say(b"a")
    bench.say(b"b")
    bench.say(b"!", urgent=True)
    assert bench.transport.parts == [b"a", b"b!"]
    assert bench.loop.alarms == []
    bench.say(b"c")
    assert bench.written == b"ab!", "what comes then is data again"
    bench.loop.advance(0.5)
    assert bench.written == b"ab!c"


def test_a_lot_of_data_is_not_held_back(make):
    bench = make(flush_ms=500)
    bench.say(b"a")
    bench.say(b"b" * PORTION)
    assert len(bench.written) == 1 + PORTION


def test_a_timer_that_is_early_writes_all_the_same(make):
    bench = make(flush_ms=500)
    bench.say(b"a")
    bench.say(b"b")
    [timer] = bench.loop._timers
    bench.loop.now += 0.499
    timer.run()
    assert bench.written == b"ab"
    assert bench.session.outbox.size == 0


def test_what_was_to_go_at_once_goes_as_soon_as_the_transport_takes_it(make):
    bench = make(flush_ms=60_000)
    bench.transport.fill()
    bench.say(b"!", urgent=True)
    bench.transport.deliver()
    assert bench.written == b"!"


def test_what_the_transport_left_of_a_flush_is_not_held_back_again(make):
    bench = make(flush_ms=60_000)
    for letter in b"ab":
        bench.session.outbox.put(bytes([letter]) * PORTION)
    bench.say(b"!", urgent=True)
    assert b"!" not in bench.written
    bench.transport.deliver()
    assert bench.written.endswith(b"!")
    bench.say(b"c")
    assert bench.written.endswith(b"!"), "what comes then is data again"


def test_data_that_was_due_while_the_transport_was_full_goes_when_it_is_not(make):
    bench = make(flush_ms=500)
    bench.say(b"a")
    bench.transport.fill()
    bench.say(b"b")
    bench.loop.advance(0.5)
    assert bench.written == b""
    bench.transport.deliver()
    assert bench.written == b"b"


# -- beginning and ending


def test_what_was_left_for_an_earlier_session_comes_first(bench):
    bench.transport.fill()
    bench.say(b"greeting")
    bench.session = bench.begin()
    bench.say(b"welcome")
    bench.transport.deliver()
    assert bench.written == b"greetingwelcome"


def test_a_session_that_begins_while_the_transport_is_full_is_blocked(bench):
    bench.transport.fill()
    later = bench.begin()
    assert later.blocked
    bench.transport.deliver()
    assert not later.blocked


def test_at_the_end_what_the_transport_takes_is_written_and_the_rest_dropped(bench):
    for letter in b"abcd":
        bench.session.outbox.put(bytes([letter]) * PORTION)
    bench.writer.finish()
    assert [part[:1] for part in bench.transport.parts] == [b"a", b"b"]
    outbox = bench.session.outbox
    assert (outbox.size, outbox.closed) == (0, True)
    bench.transport.deliver()
    assert len(bench.transport.parts) == 2


def test_at_the_end_nothing_is_held_back(make):
    bench = make(flush_ms=500)
    bench.say(b"a")
    bench.say(b"b")
    bench.writer.finish()
    assert bench.written == b"ab"
    assert bench.loop.alarms == []


def test_at_the_end_it_is_read_so_that_it_can_say_goodbye(bench):
    bench.transport.fill()
    bench.say(b"a" * (LIMIT // 4))
    assert bench.transport.asked == ["pause"]
    bench.writer.finish()
    assert bench.transport.asked == ["pause", "resume"]


def test_what_stands_in_the_way_of_a_goodbye_is_dropped_and_only_then(bench):
    bench.session.outbox.put(b"a")
    bench.writer.make_way()
    assert bench.session.outbox.size == 1
    bench.transport.fill()
    bench.writer.make_way()
    assert bench.session.outbox.size == 0


def test_what_the_core_says_is_written_and_its_end_ends_our_direction(bench):
    bench.core.parts = [b"goodbye", b""]
    bench.writer.write_core()
    assert bench.written == b"goodbye"
    assert bench.transport.asked == ["eof"]


def test_where_one_direction_cannot_end_alone_both_do(bench):
    bench.transport.ends_half = False
    bench.core.parts = [b"goodbye", b"", b"too late"]
    bench.writer.write_core()
    assert bench.written == b"goodbye"
    assert bench.transport.asked == ["close"]
