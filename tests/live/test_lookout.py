"""What a topic says of itself, on a link that the test plays."""

from __future__ import annotations

import pytest

from nbrealtime.client import Message
from nbrealtime.live.connection import Connection
from nbrealtime.live.patternfeed import PatternFeed
from nbrealtime.live.topic import LiveTopic

from .fakes import Ear, FakeLink


def test_the_text_says_state_count_value_and_age(temp: LiveTopic, link: FakeLink) -> None:
    assert repr(temp) == "LiveTopic 'lab:temp': live, no message yet"
    link.say("lab:temp", *range(41), 21.5)
    began = temp.feed._clock()
    temp.feed._clock = lambda: began + 2
    assert repr(temp) == "LiveTopic 'lab:temp': live, 42 messages, last 21.5 (2 s ago)"
    temp.pause()
    assert "live, paused, 42 messages" in repr(temp)
    temp.close()
    assert repr(temp).startswith("LiveTopic 'lab:temp': closed")


def test_a_long_value_is_cut(temp: LiveTopic, link: FakeLink) -> None:
    link.say("lab:temp", "x" * 10_000)
    assert len(repr(temp)) < 160


def test_a_refused_topic_says_why_and_once_below_the_cell(
    temp: LiveTopic, link: FakeLink, capsys: pytest.CaptureFixture[str]
) -> None:
    sink = link.sinks("lab:temp")[0]
    sink.refused("forbidden", "not allowed to subscribe")
    sink.refused("forbidden", "not allowed to subscribe")
    assert repr(temp) == "LiveTopic 'lab:temp': refused (not allowed to subscribe)"
    ear = Ear()
    temp.on_message(ear)
    link.say("lab:temp", 1)
    ear.wait(1)
    temp.delivery.stop(5)
    assert capsys.readouterr().err == "lab:temp was refused: not allowed to subscribe\n"


def test_unequal_lists_of_a_patterns_topic_are_said_with_its_name() -> None:
    feed = PatternFeed("lab:*")
    for name in ("lab:a", "lab:b"):
        feed.received([Message(name, {"x": [1, 2], "y": [3]}, 1000.0)])
    assert feed.unequal == "(lab:a) carries lists of unequal length (x: 2, y: 1)"


def test_unequal_lists_are_said_once(
    temp: LiveTopic, link: FakeLink, capsys: pytest.CaptureFixture[str]
) -> None:
    ear = Ear()
    temp.on_message(ear)
    link.say("lab:temp", {"x": [1, 2], "y": [3]})
    link.say("lab:temp", {"x": [1, 2], "y": [3, 4, 5]})
    ear.wait(2)
    temp.delivery.stop(5)
    assert capsys.readouterr().err == (
        "lab:temp carries lists of unequal length (x: 2, y: 1): such messages are not plotted\n"
    )


def test_a_time_that_cannot_be_one_is_said_once(
    temp: LiveTopic, link: FakeLink, capsys: pytest.CaptureFixture[str]
) -> None:
    ear = Ear()
    temp.on_message(ear)
    link.say("lab:temp", {"t": 1.79e18, "x": 1})
    link.say("lab:temp", {"t": 1e308, "x": 1})
    ear.wait(2)
    temp.delivery.stop(5)
    assert capsys.readouterr().err == (
        "lab:temp carries a time outside of the years 1678 to 2261 (t: 1.79e+18 s; "
        'time_unit="ns" would fit): such samples are not plotted\n'
    )


def test_a_topic_that_hears_nothing_names_those_that_carry_data(
    connection: Connection, link: FakeLink, temp: LiveTopic
) -> None:
    began = temp.feed._began
    temp.feed._clock = lambda: began + 12
    assert repr(temp) == "LiveTopic 'lab:temp': live, has heard nothing for 12 s"
    connection.topic("lab:tmp")
    link.say("lab:tmp", 1)
    assert repr(temp) == "LiveTopic 'lab:temp': live, has heard nothing for 12 s; lab:tmp carries data"
    assert temp.feed.status().reason == "has heard nothing for 12 s; lab:tmp carries data"
