"""Deadlines, with a clock that is only a number: while the loop could not read, nobody was late."""

from __future__ import annotations

import pytest

from nbrealtime.server.deadline import Deadline

from .loop import Loop


class Clock:
    def __init__(self):
        self.loop = Loop()
        self.late_seconds = 2.0
        self.lateness = 0.0
        self.missed = []

    def miss(self):
        self.missed.append(self.loop.now - 1000)

    def held_until(self, second, noticed=0.0):
        """The loop turns again only now; its own account has ``noticed`` so much of it."""
        self.loop.now = 1000.0 + second
        self.lateness += noticed
        self.loop.turn()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def deadline(clock):
    return Deadline(clock, 5, clock.miss)


def test_it_is_missed_when_its_time_is_over(clock, deadline):
    clock.loop.advance(4.9)
    assert clock.missed == []
    clock.loop.advance(100)
    assert clock.missed == [5.0]


def test_the_loops_own_account_of_its_lateness_comes_on_top(clock, deadline):
    clock.held_until(9, noticed=7.5)
    clock.loop.advance(7.4)
    assert clock.missed == []
    clock.loop.advance(0.2)
    assert clock.missed == [16.5]


def test_lateness_comes_on_top_also_if_the_loop_is_on_time_at_the_end(clock, deadline):
    clock.held_until(4, noticed=3.0)
    clock.loop.advance(100)
    assert clock.missed == [8.0]


def test_it_notices_by_itself_that_it_is_late(clock, deadline):
    clock.held_until(8)
    clock.loop.advance(2.9)
    assert clock.missed == []
    clock.loop.advance(0.1)
    assert clock.missed == [11.0]


def test_a_little_lateness_is_none(clock, deadline):
    clock.held_until(7)
    assert clock.missed == [7]


def test_what_was_noticed_twice_is_given_once(clock, deadline):
    clock.held_until(9, noticed=4.5)
    assert clock.loop.alarms == [4.5]


def test_a_loop_that_is_late_again_moves_it_again(clock, deadline):
    clock.held_until(8)
    clock.held_until(20)
    assert clock.missed == []
    clock.loop.advance(100)
    assert clock.missed == [29.0]


def test_lateness_from_before_it_began_is_not_its_own(clock):
    clock.lateness = 50.0
    Deadline(clock, 5, clock.miss)
    clock.loop.advance(100)
    assert clock.missed == [5.0]


def test_cancelled_it_is_never_missed(clock, deadline):
    deadline.cancel()
    deadline.cancel()
    assert clock.loop.alarms == []
    clock.loop.advance(100)
    assert clock.missed == []


def test_it_is_cancelled_also_after_it_was_moved(clock, deadline):
    clock.held_until(8)
    deadline.cancel()
    clock.loop.advance(100)
    assert clock.missed == []
