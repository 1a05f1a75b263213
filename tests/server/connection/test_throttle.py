"""Slowing down, done to a publisher that only notes it; `tests/server/test_rate.py` has the arithmetic."""

from __future__ import annotations

import pytest

from nbrealtime.server.connection.intake import Hold, Intake
from nbrealtime.server.connection.throttle import Throttle
from nbrealtime.server.heartbeat import Pulse
from nbrealtime.wire.messages import ErrorCode

from ..loop import Loop
from .transport import Transport


class Publisher:
    def __init__(self, now):
        self.pulse = Pulse(now, 25.0)
        self.goodbyes = []

    def part(self, goodbye):
        self.goodbyes.append(goodbye)


@pytest.fixture
def loop():
    return Loop()


@pytest.fixture
def publisher(loop):
    return Publisher(loop.now)


@pytest.fixture
def intake():
    return Intake(Transport())


@pytest.fixture
def throttle(publisher, intake, loop):
    return Throttle(publisher, 10, intake, loop)


def read(throttle, publishes):
    """One reading with so many publishes; returns what each was told."""
    told = [throttle.take(0) for _ in range(publishes)]
    throttle.slow_down()
    return told


def test_a_burst_of_a_second_is_read_without_a_pause(throttle, intake, loop):
    read(throttle, 10)
    assert not intake.held(Hold.THROTTLED)
    assert loop.alarms == []


def test_who_goes_on_is_not_read_for_as_long_as_he_is_ahead(throttle, intake, loop):
    assert read(throttle, 15) == [0.0] * 15
    assert intake.held(Hold.THROTTLED)
    loop.advance(0.49)
    assert intake.held(Hold.THROTTLED)
    loop.advance(0.02)
    assert not intake.held(Hold.THROTTLED)


def test_what_was_read_already_makes_no_second_pause(throttle, intake, loop):
    read(throttle, 15)
    read(throttle, 3)
    assert loop.alarms == [0.5]
    loop.advance(0.5)
    assert not intake.held(Hold.THROTTLED)
    read(throttle, 1)
    assert intake.held(Hold.THROTTLED), "what came meanwhile is paid for at the next reading"


def test_who_was_not_read_is_not_blamed_for_silence(throttle, publisher, loop):
    publisher.pulse.heard, publisher.pulse.answered = 0.0, False
    read(throttle, 15)
    assert not publisher.pulse.answered
    loop.advance(0.5)
    assert publisher.pulse.heard == loop.now
    assert publisher.pulse.answered


def test_what_is_refused_is_told_when_to_come_again(throttle, intake):
    told = read(throttle, 21)
    assert told[-1] == pytest.approx(2.0)
    assert not intake.held(Hold.THROTTLED), "what is under way has to be answered"


def test_who_does_not_listen_is_parted_from_with_words(throttle, publisher, intake, loop):
    while not publisher.goodbyes and loop.now < 1100:
        read(throttle, 5)
        loop.advance(0.1)
    [goodbye] = publisher.goodbyes
    assert (goodbye.close, goodbye.code, goodbye.reconnect) == (4013, ErrorCode.RATE_LIMITED, True)
    assert goodbye.retry_after == 1.0
    assert "10 messages a second" in goodbye.reason
    assert not intake.held(Hold.THROTTLED)


def test_closed_it_holds_nothing_back_and_says_nothing_of_a_pulse(throttle, publisher, intake, loop):
    read(throttle, 15)
    heard = publisher.pulse.heard
    throttle.close()
    throttle.close()
    assert not intake.held(Hold.THROTTLED)
    assert loop.alarms == []
    loop.advance(10)
    assert publisher.pulse.heard == heard
