"""The lobby, and deadlines of those in it, with a clock that is only a number."""

from __future__ import annotations

import asyncio

from nbrealtime.server.deadline import Deadline
from nbrealtime.server.lobby import Lobby


class Guest:
    def turn_away(self):
        pass


def test_a_full_lobby_has_no_room_until_somebody_leaves():
    lobby = Lobby(2)
    first, second = Guest(), Guest()
    lobby.enter(first, 1.0)
    assert lobby.room.is_set()
    lobby.enter(second, 2.0)
    assert not lobby.room.is_set()
    assert lobby.oldest == (first, 1.0)
    lobby.leave(first)
    lobby.leave(first)
    assert lobby.room.is_set()
    assert lobby.oldest == (second, 2.0)
    assert (first in lobby, second in lobby, len(lobby)) == (False, True, 1)
    assert lobby.guests() == [second]


class Loop:
    """As much of a loop as a deadline needs."""

    def __init__(self):
        self.now = 0.0
        self.lateness = 0.0
        self.late_seconds = 2.0
        self.loop = self
        self.pending = None

    def time(self):
        return self.now

    def call_later(self, seconds, callback):
        self.pending = asyncio.TimerHandle(self.now + seconds, callback, (), asyncio.new_event_loop())
        self.pending._loop.close()
        return self.pending

    def run(self, now):
        self.now = now
        if self.pending.when() <= now and not self.pending.cancelled():
            self.pending._callback()


def test_a_deadline_is_missed_when_its_time_is_over():
    loop, missed = Loop(), []
    Deadline(loop, 5, lambda: missed.append(loop.now))
    loop.run(4.9)
    loop.run(5.1)
    assert missed == [5.1]


def test_a_late_loop_moves_deadlines_by_its_lateness():
    loop, missed = Loop(), []
    Deadline(loop, 5, lambda: missed.append(loop.now))
    # It was held from 1 to 9, and its own account says so.
    loop.lateness = 7.5
    loop.run(9)
    loop.run(16)
    assert missed == []
    loop.run(16.6)
    assert missed == [16.6]


def test_a_deadline_notices_by_itself_that_it_is_late():
    loop, missed = Loop(), []
    Deadline(loop, 5, lambda: missed.append(loop.now))
    loop.run(8)
    assert missed == []
    loop.run(11.1)
    assert missed == [11.1]


def test_a_cancelled_deadline_is_never_missed():
    loop, missed = Loop(), []
    deadline = Deadline(loop, 5, lambda: missed.append(loop.now))
    deadline.cancel()
    deadline.cancel()
    loop.run(100)
    assert missed == []
