"""Holes in a stream: counted, told between the messages where they are, and not smeared over."""

from __future__ import annotations

import numpy as np
import pytest

from nbrealtime.live.connection import Connection
from nbrealtime.live.gap import Gap
from nbrealtime.live.topic import LiveTopic
from nbrealtime.wire.v2 import Position

from .fakes import NOW, Ear, FakeLink


@pytest.fixture
def temp(connection: Connection, link: FakeLink) -> LiveTopic:
    topic = connection.topic("lab:temp", notify_hz=1000)
    link.confirm("lab:temp")
    return topic


def test_a_gap_is_counted_and_told(temp: LiveTopic, link: FakeLink) -> None:
    told, seen = Ear(), Ear()
    assert temp.on_gap(told) is told
    temp.observe(seen, "gaps")
    link.miss("lab:temp", "slow", 45)
    assert told.wait(1) == [Gap("lab:temp", 45, "slow")]
    assert seen.wait(1)[0].new == 1
    assert temp.gaps == 1


def test_a_gap_is_told_between_the_messages_where_it_is(temp: LiveTopic, link: FakeLink) -> None:
    ear = Ear()
    temp.on_message(ear)
    temp.on_gap(ear)
    temp.pause()
    link.say("lab:temp", 1, 2)
    link.miss("lab:temp", "unrecoverable", None)
    link.say("lab:temp", 9)
    temp.resume()
    heard = ear.wait(4)
    assert [getattr(item, "data", item) for item in heard] == [
        1,
        2,
        Gap("lab:temp", None, "unrecoverable"),
        9,
    ]


def test_gaps_are_told_without_a_listener_for_messages(temp: LiveTopic, link: FakeLink) -> None:
    told = Ear()
    temp.on_gap(told)
    link.say("lab:temp", 1)
    link.miss("lab:temp", "slow", 1)
    link.say("lab:temp", 2)
    link.miss("lab:temp", "slow", 2)
    assert [gap.missed for gap in told.wait(2)] == [1, 2]


def test_on_gap_can_be_given_when_subscribing_and_taken_back(connection: Connection, link: FakeLink) -> None:
    told, second = Ear(), Ear()
    topic = connection.topic("lab:other", on_gap=told)
    assert connection.topic("lab:other", on_gap=second) is topic
    link.miss("lab:other", "slow", 1)
    told.wait(1)
    second.wait(1)
    topic.off_gap(told)
    topic.off_gap(told)
    link.miss("lab:other", "slow", 2)
    assert [gap.missed for gap in second.wait(2)] == [1, 2]
    assert len(told.heard) == 1


def test_who_stops_listening_to_messages_still_hears_of_gaps(temp: LiveTopic, link: FakeLink) -> None:
    messages, told = Ear(), Ear()
    temp.on_message(messages)
    temp.on_gap(told)
    temp.pause()
    link.say("lab:temp", 1)
    link.miss("lab:temp", "slow", 1)
    temp.off_message(messages)
    temp.resume()
    assert [gap.missed for gap in told.wait(1)] == [1]
    assert messages.heard == []


def test_a_callback_that_fails_is_kept_in_errors(temp: LiveTopic, link: FakeLink) -> None:
    errors = Ear()
    temp.observe(errors, "errors")

    @temp.on_gap
    def fail(gap: Gap) -> None:
        raise RuntimeError(gap.reason)

    link.miss("lab:temp", "slow", 1)
    assert str(errors.wait(1)[0].new[0]) == "slow"


@pytest.mark.parametrize("callback", [None, 3])
def test_on_gap_takes_a_function(temp: LiveTopic, callback: object) -> None:
    with pytest.raises(TypeError, match="on_gap takes a function"):
        temp.on_gap(callback)  # type: ignore[type-var]


def test_what_was_recovered_is_no_gap(temp: LiveTopic, link: FakeLink) -> None:
    link.sinks("lab:temp")[0].offline()
    link.confirm("lab:temp", recovered=True, replayed=3)
    assert (temp.gaps, temp.state) == (0, "live")


def test_what_could_not_be_is_one_gap_and_not_two(temp: LiveTopic, link: FakeLink) -> None:
    link.sinks("lab:temp")[0].offline()
    link.confirm("lab:temp", recovered=False)
    link.miss("lab:temp", "unrecoverable", None)
    assert temp.gaps == 1


def test_without_a_history_an_interruption_is_a_gap_that_nobody_can_measure(
    temp: LiveTopic, link: FakeLink
) -> None:
    told = Ear()
    temp.on_gap(told)
    link.sinks("lab:temp")[0].offline()
    link.confirm("lab:temp")
    assert told.wait(1) == [Gap("lab:temp", None, "offline")]
    assert temp.gaps == 1


def test_nobody_is_told_after_the_topic_was_closed(temp: LiveTopic, link: FakeLink) -> None:
    told = Ear()
    temp.on_gap(told)
    (sink,) = link.sinks("lab:temp")
    temp.close()
    sink.gap("slow", 3)
    assert (told.heard, temp.gaps) == ([], 0)


def test_samples_after_a_gap_are_not_spread_over_it(temp: LiveTopic, link: FakeLink) -> None:
    link.say("lab:temp", [1, 2], at=NOW)
    link.say("lab:temp", [3, 4], at=NOW + 1)
    link.miss("lab:temp", "slow", 60)
    link.say("lab:temp", [5, 6], at=NOW + 61)
    np.testing.assert_allclose(temp.to_numpy()["t"][-4:], [NOW + 0.5, NOW + 1, NOW + 60.5, NOW + 61])


# Positions.


def test_the_position_is_that_of_the_newest_message(temp: LiveTopic, link: FakeLink) -> None:
    assert (temp.offset, temp.position) == (None, None)
    link.say("lab:temp", 1, 2, offset=41)
    assert (temp.offset, temp.position) == (42, Position("k1", 42))


def test_a_retained_value_moves_no_position(temp: LiveTopic, link: FakeLink) -> None:
    link.say("lab:temp", 20, offset=7, retained=True)
    assert (temp.value, temp.offset, temp.position) == (20, None, None)
    link.say("lab:temp", 21, offset=9)
    link.say("lab:temp", 20, offset=7, retained=True)
    assert temp.offset == 9


def test_a_paused_topic_keeps_its_position(temp: LiveTopic, link: FakeLink) -> None:
    link.say("lab:temp", 1, offset=1)
    temp.pause()
    link.say("lab:temp", 2, offset=2)
    assert temp.offset == 1
    temp.resume()
    assert temp.offset == 2


def test_what_the_publisher_says_about_the_time_is_plotted(temp: LiveTopic, link: FakeLink) -> None:
    link.say("lab:temp", 1, at=NOW + 100, time=NOW)
    link.say("lab:temp", 2, at=NOW + 101)
    assert temp.to_numpy()["t"].tolist() == [NOW, NOW + 101]
    assert temp.timestamp == NOW + 101
