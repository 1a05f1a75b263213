"""Which topics a pattern stands for, now and later."""

from __future__ import annotations

from nbrealtime.hub import Limits

from .heard import code


def test_overlapping_subscriptions_each_get_a_message(bench):
    ada = bench.join_v2()
    for name in ("lab:a", "lab:*", "**"):
        bench.follow(ada, name)
    bench.publish(ada, "lab:a", 1)
    assert [message["subscription"] for message in bench.heard(ada)] == ["lab:a", "lab:*", "**"]


def test_a_pattern_has_a_position_for_every_topic(bench):
    ada, bob = bench.join_v2("ada"), bench.join_v2("bob")
    bench.publish(ada, "lab:a", 1, 2, 3)
    bench.publish(ada, "lab:b", 1, 2)
    bench.publish(ada, "other", 1)
    bench.hub.flush()
    topics = bench.follow(bob, "lab:*")["topics"]
    assert {name: (place["offset"], "recovered" in place) for name, place in topics.items()} == {
        "lab:a": (3, False),
        "lab:b": (2, False),
    }
    since = {"topics": {"lab:a": {"epoch": topics["lab:a"]["epoch"], "offset": 1}}}
    bench.ask(bob, type="subscribe", topic="lab:*", since=since)
    answer, *messages = bench.heard(bob)
    assert {
        name: (place["offset"], place["recovered"], place["replayed"])
        for name, place in answer["topics"].items()
    } == {"lab:a": (1, True, 2), "lab:b": (0, True, 2)}
    assert sorted((message["topic"], message["offset"]) for message in messages) == [
        ("lab:a", 2),
        ("lab:a", 3),
        ("lab:b", 1),
        ("lab:b", 2),
    ]


def test_a_topic_that_appears_begins_at_nought_and_names_its_epoch(bench, store):
    ada = bench.join_v2()
    assert bench.follow(ada, "lab:*")["topics"] == {}
    bench.publish(ada, "lab:new", 1)
    [message] = bench.heard(ada)
    assert (message["offset"], message["epoch"]) == (1, store.position("lab:new", 1).epoch)


def test_patterns_match_no_private_topics_and_count_nobody(bench):
    ada = bench.join_v2()
    bench.follow(ada, "**")
    bench.publish(ada, "user:ada", 1)
    assert bench.heard(ada) == []
    assert bench.hub.all_subscribers() == {}


def test_a_pattern_that_matches_too_much_is_refused_and_one_that_comes_to_is_ended(make_bench, store):
    bench = make_bench(Limits(pattern_topics=2), store)
    ada = bench.join_v2()
    bench.follow(ada, "lab:*")
    for name in ("a", "b", "c"):
        bench.publish(ada, f"lab:{name}", 1)
        bench.hub.flush()
    *messages, end = bench.heard(ada)
    assert len(messages) == 2
    assert (end["type"], end["resubscribe"]) == ("unsubscribed", True)
    bench.ask(ada, type="subscribe", topic="lab:*")
    assert code(bench.heard(ada)) == "limit_exceeded"


def test_a_store_holds_what_is_followed_and_nothing_else(bench, store):
    ada = bench.join_v2()
    bench.publish(ada, "lab:a", 1)
    bench.follow(ada, "lab:*")
    bench.follow(ada, "lab:a")
    bench.follow(ada, "lab:b", since={"count": 3})
    assert store.held == {"lab:a": 1, "lab:b": 1}
    bench.hub.close(ada, 5)
    assert set(store.held.values()) == {0}
    assert len(bench.hub._topics) == 0
