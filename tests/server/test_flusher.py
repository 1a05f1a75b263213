"""What the hub says is written once per turn of the loop, with everything that the turn brings."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from nbrealtime.server import flusher as flusher_module
from nbrealtime.server.flusher import Flusher
from nbrealtime.server.turn import Turn

from .loop import Loop


class Hub:
    """Notes when it was flushed; ``then`` comes up meanwhile."""

    def __init__(self):
        self.pending = False
        self.pending_bytes = 0
        self.committing = False
        self.due = None
        self.flushes = []
        self.touched = ()
        self.then = lambda: None

    def flush(self, now):
        self.flushes.append(now)
        self.pending = False
        self.then()
        return self.touched


def session(drain):
    return SimpleNamespace(face=SimpleNamespace(writer=SimpleNamespace(drain=drain)))


@pytest.fixture
def loop(monkeypatch):
    loop = Loop()
    monkeypatch.setattr(flusher_module, "milliseconds", lambda: round(loop.now * 1000))
    return loop


@pytest.fixture
def hub():
    return Hub()


@pytest.fixture
def turn():
    return Turn()


@pytest.fixture
def flusher(hub, loop, turn):
    return Flusher(hub, loop, turn)


# -- once per turn


def test_everything_that_a_turn_brings_is_one_flush(flusher, hub, loop):
    for _ in range(3):
        hub.pending = True
        flusher.schedule()
    assert hub.flushes == []
    loop.turn()
    assert hub.flushes == [1_000_000]
    loop.turn()
    assert len(hub.flushes) == 1


def test_each_turn_that_brings_something_is_flushed(flusher, hub, loop):
    for count in (1, 2, 3):
        hub.pending = True
        flusher.schedule()
        loop.turn()
        assert len(hub.flushes) == count


def test_a_hub_with_nothing_to_say_is_left_alone(flusher, hub, loop):
    flusher.schedule()
    loop.turn()
    assert hub.flushes == []


def test_everybody_who_got_something_writes_it(flusher, hub):
    drained = []
    hub.touched = (session(lambda: drained.append("ada")), session(lambda: drained.append("bob")))
    flusher.flush()
    assert drained == ["ada", "bob"]


def test_a_flush_within_a_flush_does_nothing_and_what_comes_up_waits_for_its_own_turn(flusher, hub, loop):
    written = []

    def drain():
        hub.pending = len(hub.flushes) == 1
        flusher.flush()
        written.append(len(hub.flushes))

    hub.touched = (session(drain), session(drain))
    flusher.flush()
    assert written == [1, 1]
    loop.turn()
    assert written == [1, 1, 2, 2]
    loop.turn()
    assert len(hub.flushes) == 2


def test_what_a_turn_brings_alone_is_flushed_in_it(flusher, hub, loop, turn):
    turn.alone = True
    hub.pending = True
    flusher.conclude(999_999)
    assert hub.flushes == [999_999], "the time of the reading"
    loop.turn()
    assert len(hub.flushes) == 1


def test_a_reading_with_others_in_its_turn_waits_for_what_they_bring(flusher, hub, loop, turn):
    for turn.alone in (False, True):
        hub.pending = True
        flusher.conclude(999_999)
        assert hub.flushes == []
    loop.turn()
    assert len(hub.flushes) == 1


def test_a_reading_alone_that_gave_the_hub_nothing_to_say_flushes_nothing(flusher, hub, loop, turn):
    turn.alone = True
    flusher.conclude(999_999)
    loop.turn()
    assert hub.flushes == []


def test_of_a_loop_that_does_not_tell_every_turn_may_bring_more(hub, loop):
    flusher = Flusher(hub, loop)
    hub.pending = True
    flusher.conclude(999_999)
    assert hub.flushes == []
    loop.turn()
    assert len(hub.flushes) == 1


def test_a_flush_that_fails_does_not_end_all_flushing(flusher, hub):
    def fail():
        raise RuntimeError("a fault of ours")

    hub.then = fail
    with pytest.raises(RuntimeError):
        flusher.flush()
    hub.then = lambda: None
    flusher.flush()
    assert len(hub.flushes) == 2


def test_a_flush_that_fails_in_a_reading_s_turn_is_the_loop_s_to_log_and_not_the_reader_s(
    flusher, hub, loop, turn
):
    fault = RuntimeError("a fault of ours")

    def fail():
        raise fault

    turn.alone = True
    hub.pending = True
    hub.then = fail
    flusher.conclude(999_999)
    assert loop.faults == [fault]
    hub.pending = True
    hub.then = lambda: None
    flusher.conclude(999_999)
    assert len(hub.flushes) == 2


# -- what nobody brings


def test_what_is_due_later_rings_an_alarm(flusher, hub, loop):
    hub.due = 1_000_500
    hub.then = lambda: setattr(hub, "due", None if loop.now >= 1000.5 else hub.due)
    flusher.flush()
    flusher.flush()
    assert loop.alarms == [0.5], "the same moment twice is one alarm"
    loop.advance(0.4)
    assert len(hub.flushes) == 2
    loop.advance(0.1)
    assert hub.flushes[2:] == [1_000_500]
    assert loop.alarms == []


def test_the_alarm_follows_what_is_due(flusher, hub, loop):
    hub.due = 1_000_500
    flusher.flush()
    hub.due = 1_000_200
    flusher.flush()
    assert loop.alarms == [0.2]
    hub.due = None
    flusher.flush()
    assert loop.alarms == []


def test_what_is_overdue_is_done_in_the_next_turn(flusher, hub, loop):
    hub.due = 900_000
    flusher.flush()
    assert loop.alarms == [0.0]


def test_an_alarm_that_rings_before_its_time_is_set_again(flusher, hub, loop, monkeypatch):
    hub.due = 1_000_500
    flusher.flush()
    # The wire's clock was set back meanwhile: it is not due yet.
    monkeypatch.setattr(flusher_module, "milliseconds", lambda: 1_000_490)
    loop.advance(0.5)
    assert len(hub.flushes) == 2
    assert loop.alarms == [0.01]


def test_after_close_no_alarm_rings_and_what_is_flushed_is_still_written(flusher, hub, loop):
    drained = []
    hub.due = 1_000_500
    hub.touched = (session(lambda: drained.append(1)),)
    flusher.flush()
    flusher.close()
    assert loop.alarms == []
    hub.due = 1_000_200
    hub.pending = True
    flusher.schedule()
    loop.turn()
    assert drained == [1, 1]
    assert loop.alarms == []


# -- who asks


def test_a_turn_is_busy_above_a_megabyte(flusher, hub):
    hub.pending_bytes = 2**20
    assert not flusher.busy
    hub.pending_bytes += 1
    assert flusher.busy


def test_later_is_the_next_turn(flusher, loop):
    done = []
    flusher.later(lambda: done.append(loop.now))
    assert done == []
    loop.turn()
    assert done == [1000.0]


def test_later_leaves_a_store_that_commits_a_moment(flusher, hub, loop):
    done = []
    hub.committing = True
    flusher.later(lambda: done.append(1))
    loop.turn()
    assert done == []
    loop.advance(0.01)
    assert done == [1]
