"""A connection is read exactly while nothing stands against it."""

from __future__ import annotations

import pytest

from nbrealtime.server.connection.intake import Hold, Intake


class Transport:
    """Notes what it was asked for. Like asyncio's it would not be asked twice."""

    def __init__(self):
        self.asked = []
        self.closing = False

    def is_closing(self):
        return self.closing

    def pause_reading(self):
        self.asked.append("pause")

    def resume_reading(self):
        self.asked.append("resume")


@pytest.fixture
def transport():
    return Transport()


def test_it_is_read_again_when_the_last_reason_has_gone(transport):
    intake = Intake(transport)
    intake.hold(Hold.UNREAD)
    intake.hold(Hold.THROTTLED)
    intake.release(Hold.UNREAD)
    assert transport.asked == ["pause"]
    assert intake.held(Hold.THROTTLED)
    assert not intake.held(Hold.UNREAD)
    intake.release(Hold.THROTTLED)
    assert transport.asked == ["pause", "resume"]


def test_the_same_reason_twice_is_one(transport):
    intake = Intake(transport)
    for _ in range(2):
        intake.hold(Hold.POSTPONED)
    for _ in range(2):
        intake.release(Hold.POSTPONED)
    assert transport.asked == ["pause", "resume"]


def test_a_transport_that_closes_is_asked_for_nothing(transport):
    intake = Intake(transport)
    transport.closing = True
    intake.hold(Hold.UNREAD)
    intake.release(Hold.UNREAD)
    assert transport.asked == []
