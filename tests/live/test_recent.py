"""The newest messages of a topic are kept as they came, in bounded number and bytes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbrealtime.client import Message
from nbrealtime.live.feed import Feed
from nbrealtime.live.patternfeed import PatternFeed
from nbrealtime.live.recent import MOST_BYTES, MOST_MESSAGES, Recent


def told(*data: Any, topic: str = "lab:temp", start: float = 1000.0) -> list[Message]:
    return [Message(topic, value, start + at) for at, value in enumerate(data)]


def kept(feed: Feed) -> list[Any]:
    return [message.data for message in feed.heard().messages]


def test_messages_are_kept_in_their_order_and_are_the_same_objects() -> None:
    feed = Feed("lab:temp")
    assert feed.heard() == (None, 0, [])
    first, second = told(21.5, "warm"), told({"x": [1]})
    feed.received(first)
    feed.received(second)
    newest, came, messages = feed.heard()
    assert (newest is second[0], came) == (True, 3)
    assert all(one is other for one, other in zip(messages, [*first, *second], strict=True))


def test_a_pause_of_the_traits_stops_nothing() -> None:
    feed = Feed("lab:temp")
    feed.received(told(1))
    feed.pause()
    feed.received(told(2))
    assert kept(feed) == [1, 2]


@pytest.mark.parametrize("batch", [1, 7, 400, 1200])
def test_the_oldest_go_beyond_five_hundred(batch: int) -> None:
    feed, values = Feed("lab:temp"), list(range(1200))
    for at in range(0, 1200, batch):
        feed.received(told(*values[at : at + batch]))
    assert kept(feed) == values[-MOST_MESSAGES:]
    room = Recent(64 * MOST_BYTES)
    room.keep(told(*values[-MOST_MESSAGES:]))
    assert feed._recent.nbytes == room.nbytes
    assert feed.heard().came == 1200


def test_the_oldest_go_when_there_are_too_many_bytes() -> None:
    feed = Feed("lab:temp")
    for n in range(300):
        feed.received(told(f"{n} " + "x" * 10_000))
    assert 95 < len(kept(feed)) < 105
    assert kept(feed)[-1].startswith("299 ")
    assert feed._recent.nbytes <= MOST_BYTES


def test_a_small_history_keeps_less_and_always_the_newest() -> None:
    feed = Feed("lab:temp", max_bytes=64 * 10_000)
    feed.received(told(*("x" * 1000 for _ in range(20))))
    assert len(kept(feed)) == 7
    feed.received(told("y" * 50_000))
    assert kept(feed) == ["y" * 50_000]
    feed.received(told(1))
    assert kept(feed) == [1]


def test_clearing_forgets_them() -> None:
    feed = Feed("lab:temp")
    feed.received(told(1, 2))
    feed.clear()
    assert (kept(feed), feed.heard().came, feed._recent.nbytes) == ([], 0, 0)
    feed.received(told(3))
    assert (kept(feed), feed.heard().came) == ([3], 1)


def test_a_closed_topic_keeps_what_it_had() -> None:
    feed = Feed("lab:temp")
    feed.received(told(1))
    feed.closed()
    feed.received(told(2))
    assert (kept(feed), feed.heard().came) == ([1], 1)


def test_a_pattern_keeps_the_newest_of_all_and_the_newest_of_each() -> None:
    feed = PatternFeed("lab:*")
    feed.received(told("slow", topic="lab:slow"))
    feed.received(told("slower", topic="lab:slower", start=900.0))
    for n in range(600):
        feed.received(told(n, topic="lab:fast", start=2000.0 + n))
    assert kept(feed) == ["slower", "slow", *range(100, 600)]
    feed.received(told("again", topic="lab:slow", start=3000.0))
    assert kept(feed) == ["slower", *range(101, 600), "again"]
    assert feed.heard().came == 603
    feed.clear()
    assert kept(feed) == []


def test_each_topic_of_a_pattern_has_its_own_past_and_they_share_the_room() -> None:
    feed = PatternFeed("lab:*")
    for n in range(600):
        for name in "abcdefgh":
            feed.received(told(f"{n} " + name * 1000, topic=f"lab:{name}"))
    assert all(kept(strand)[-1].startswith("599 ") for strand in feed.strands)
    assert all(len(kept(strand)) > 30 for strand in feed.strands)
    assert sum(strand._recent.nbytes for strand in feed.strands) <= MOST_BYTES
    assert feed._recent.nbytes <= MOST_BYTES
    feed.clear()
    assert not any(kept(strand) for strand in feed.strands)


def test_of_more_topics_than_a_pattern_has_rings_for_only_so_many_are_remembered() -> None:
    recent = Recent(64 * MOST_BYTES, topics=2)
    for name in "abc":
        recent.keep(told(name, topic=name))
    recent.keep(told(*range(MOST_MESSAGES), topic="b"))
    assert [message.data for message in recent.all()] == ["a", *range(MOST_MESSAGES)]


@given(st.lists(st.lists(st.one_of(st.integers(), st.integers(0, 400_000).map("x".__mul__)), max_size=8)))
def test_what_is_kept_is_the_end_of_what_came_and_as_much_as_there_is_room_for(
    batches: list[list[Any]],
) -> None:
    recent, room = Recent(64 * MOST_BYTES), Recent(64 * MOST_BYTES)
    came: list[Message] = []
    for batch in batches:
        messages = told(*batch)
        recent.keep(messages)
        came += messages
    messages = recent.all()
    assert all(one is other for one, other in zip(reversed(messages), reversed(came), strict=False))
    assert bool(messages) == bool(came)
    assert recent.nbytes <= MOST_BYTES
    for message in came[-len(messages) - 1 :]:
        room.keep([message])
    assert room.all() == messages, "another one would have fitted"
    assert room.nbytes == recent.nbytes
