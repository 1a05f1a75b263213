from __future__ import annotations

from .heard import code


def test_the_list_of_topics_shows_what_is_granted_and_follows_what_happens(bench):
    ada = bench.join_v2("ada", [{"match": "lab:*"}])
    bob = bench.join_v2("bob")
    bench.publish(bob, "lab:a", 1)
    bench.publish(bob, "secret", 1)
    bench.hub.flush()
    bench.ask(ada, type="subscribe", topic="$sys/topics")
    answer, listed = bench.heard(ada)
    assert answer["type"] == "subscribed"
    assert listed["data"]["totalTopics"] == 1
    [line] = listed["data"]["topics"]
    assert (line["topic"], line["subscribers"], line["offset"]) == ("lab:a", 0, 1)
    bench.follow(bob, "lab:b")
    bench.now += 2000
    [again] = bench.heard(ada)
    assert [(line["topic"], line["subscribers"]) for line in again["data"]["topics"]] == [
        ("lab:a", 0),
        ("lab:b", 1),
    ]
    bench.publish(ada, "$sys/topics", 1)
    assert code(bench.heard(ada)) == "forbidden"
    bench.ask(ada, type="unsubscribe", topic="$sys/topics")
    bench.heard(ada)
    bench.follow(bob, "lab:c")
    bench.now += 5000
    assert bench.heard(ada) == []


def test_the_list_follows_what_is_published(bench):
    ada, bob = bench.join_v2("ada"), bench.join_v2("bob")
    bench.ask(ada, type="subscribe", topic="$sys/topics")
    bench.heard(ada)
    bench.now += 2000
    bench.heard(ada)
    assert bench.hub.due is None
    bench.publish(bob, "lab:a", 1, 2)
    bench.hub.flush(bench.now)
    if bench.hub.due is not None:
        bench.now = bench.hub.due
    [listed] = bench.heard(ada)
    assert [(line["topic"], line["offset"]) for line in listed["data"]["topics"]] == [("lab:a", 2)]
