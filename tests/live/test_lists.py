"""The lists of a topic are kept as they came, in bounded bytes, and nothing else is."""

from __future__ import annotations

import math

import pytest

from nbrealtime.client import Message
from nbrealtime.live.feed import Feed
from nbrealtime.live.lists import LONGEST
from nbrealtime.live.patternfeed import PatternFeed


def told(*data, topic="lab:scan"):
    return [Message(topic, value, 1000.0 + at) for at, value in enumerate(data)]


def kept(feed):
    return [
        {name: list(column) for name, column in message.data.items()}
        if isinstance(message.data, dict)
        else message.data.tolist()
        for message in feed.past()[1]
    ]


def test_lists_of_numbers_are_kept_in_their_order():
    feed = Feed("lab:scan")
    feed.received(told([1, 2.5, True], 3.0, [4]))
    feed.received(told({"a": [1, 2], "b": 3, "note": "n"}))
    assert kept(feed) == [[1, 2.5, 1], [4], {"a": [1, 2]}]
    assert feed.past()[0] is feed.newest.message


def test_a_gap_is_not_a_number():
    feed = Feed("lab:scan")
    feed.received(told([1, None, 10**400]))
    [[one, *gaps]] = kept(feed)
    assert one == 1
    assert all(map(math.isnan, gaps))


@pytest.mark.parametrize(
    "data",
    [
        21.5,
        "text",
        None,
        {"x": 1, "y": 2},
        {"x": {"y": "1"}},
        [],
        ["1", "2"],
        [[1], [2]],
        [0.0] * (LONGEST + 1),
        {"t": [1.0, 2.0], "value": [3.0, 4.0]},
    ],
)
def test_nothing_else_is_kept(data):
    feed = Feed("lab:scan")
    feed.received(told(data))
    assert (kept(feed), feed._lists.nbytes) == ([], 0)


def test_nested_numbers_are_kept_as_they_came():
    feed = Feed("lab:scan")
    feed.received(told({"x": 1, "deep": {"a": 2.5, "on": True, "note": "n", "list": [1, 2]}}))
    [message] = feed.past()[1]
    assert message.data["deep"].pop("list").tolist() == [1, 2]
    assert message.data == {"deep": {"a": 2.5, "on": True}}


def test_beside_times_only_what_lies_deeper_is_kept():
    feed = Feed("lab:scan")
    feed.received(told({"t": [1.0, 2.0], "value": [3.0, 4.0], "deep": {"a": [5.0]}}))
    [message] = feed.past()[1]
    assert list(message.data) == ["deep"]
    assert message.data["deep"]["a"].tolist() == [5]


def test_nested_numbers_have_no_more_room_than_lists():
    feed = Feed("lab:scan", max_bytes=400_000)
    for n in range(2_000):
        feed.received(told({"deep": {"n": n, "m": 0.5}}))
    assert feed._lists.nbytes <= 100_000
    assert 50 < len(feed._lists) < 150
    assert feed.past()[1][-1].data == {"deep": {"n": 1_999, "m": 0.5}}


def test_a_list_that_cannot_be_drawn_keeps_its_place():
    feed = Feed("lab:scan")
    feed.received(told({"words": ["a"], "numbers": [1]}))
    assert kept(feed) == [{"words": [], "numbers": [1]}]


def test_an_object_that_cannot_be_drawn_is_no_list():
    feed = Feed("lab:scan")
    feed.received(told({"words": {"a": "b"}, "numbers": [1]}))
    assert kept(feed) == [{"numbers": [1]}]


def test_a_payload_of_any_depth_does_no_harm():
    feed, deep = Feed("lab:scan"), {"x": [1]}
    for _ in range(5_000):
        deep = {"x": deep}
    feed.received(told(deep))
    assert kept(feed) == []


def test_the_oldest_go_when_there_are_too_many_bytes():
    feed = Feed("lab:scan", max_bytes=4_000_000)
    for n in range(300):
        feed.received(told([float(n)] * 1000))
    assert feed._lists.nbytes <= 1_000_000
    lists = kept(feed)
    assert lists[-1][0] == 299
    assert 200 < len(lists) < 250
    feed.clear()
    assert (kept(feed), feed._lists.nbytes) == ([], 0)


def test_the_topics_of_a_pattern_share_the_room():
    feed = PatternFeed("lab:*", max_bytes=4_000_000)
    for n in range(8):
        for _ in range(100):
            feed.received(told([0.0] * 1000, topic=f"lab:{n}"))
    assert kept(feed) == []
    assert sum(strand._lists.nbytes for strand in feed.strands) <= 1_000_000
    assert all(kept(strand) for strand in feed.strands)
