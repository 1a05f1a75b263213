"""What is kept in memory takes no more of it than it may, also while nobody looks."""

from __future__ import annotations

import re

import pytest

from nbrealtime.server.stores import History, HistoryRules, MemoryStore
from nbrealtime.server.stores.history import MESSAGE_OVERHEAD

from .conftest import entry

ONE = MESSAGE_OVERHEAD + 1


def held(store: MemoryStore) -> int:
    """How many messages of one byte it keeps."""
    found = re.search(r"(\d+) bytes", repr(store))
    assert found is not None
    assert int(found[1]) % ONE == 0
    return int(found[1]) // ONE


def of(**bounds: float | None) -> MemoryStore:
    return MemoryStore(HistoryRules(History(**bounds)))  # type: ignore[arg-type]


@pytest.mark.parametrize("bounds", [{"messages": 8}, {"bytes": 8 * ONE}], ids=["messages", "bytes"])
@pytest.mark.parametrize("topics", ["a" * 50, "a" * 20 + "b" * 20, "ab" * 25, "a" * 20 + "b"])
def test_a_batch_leaves_each_of_its_topics_at_most_an_eighth_over_its_bounds(bounds, topics):
    store = of(**bounds)
    told = store.publish([entry(topic) for topic in topics], 1000).result()
    for topic in set(topics):
        kept = store.position(topic, 1000)
        assert kept is not None
        assert kept.offset == topics.count(topic)
    assert [one.offset for one in told] == [
        topics[: place + 1].count(topic) for place, topic in enumerate(topics)
    ]
    assert held(store) <= sum(min(topics.count(topic), 9) for topic in set(topics))


def test_a_topic_that_gives_way_in_the_middle_of_a_batch_begins_anew_in_it():
    store = MemoryStore(HistoryRules(), topics=1)
    first, _, last = store.publish([entry("a"), entry("b"), entry("a")], 1000).result()
    assert (first.offset, last.offset) == (1, 1)
    assert first.epoch != last.epoch
    assert held(store) == 1


def test_what_is_too_old_is_dropped_while_others_publish():
    store = of(seconds=10)
    store.publish([entry("a", at=1000)] * 5, 1000)
    for now in range(2000, 20_000, 500):
        store.publish([entry("b", at=now)], now)
    # Twenty of the last ten seconds, and what came since it was looked after last.
    assert 20 <= held(store) <= 24


def test_keys_that_had_their_time_are_dropped_while_others_publish():
    store = MemoryStore(key_seconds=5)
    store.publish([entry("a", key="k")], 1000)
    for now in range(2000, 20_000, 500):
        store.publish([entry("b", user="bob", at=now)], now)
    assert not store._keys._users


def test_a_topic_that_was_published_to_again_is_not_the_longest_idle():
    store = MemoryStore(HistoryRules(), topics=3)
    store.publish([entry("a"), entry("b"), entry("c")], 1000)
    store.publish([entry("a"), entry("a")], 2000)
    store.publish([entry("d")], 3000)
    assert set(store.topics(3000)) == {"a", "c", "d"}
