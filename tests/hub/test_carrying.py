"""Topics that carry data are known for a while, followed or not."""

from __future__ import annotations


def test_topics_that_carry_data_are_known_for_a_minute_whoever_follows_them(bench):
    ada = bench.join()
    bench.say(ada, type="publish", topic="unfollowed", data=1)
    bench.say(ada, type="subscribe", topic="silent")
    bench.say(ada, type="publish", topic="$mine", data=1)
    assert bench.hub.carrying(1000) == ["unfollowed"]
    assert bench.hub.carrying(61_000) == ["unfollowed"]
    assert bench.hub.carrying(61_001) == []


def test_only_so_many_topics_are_remembered_and_the_newest_are(bench):
    ada = bench.join()
    for number in range(2000):
        bench.hub.publish(ada.user, ada.grants, f"t{number:04d}", b"1", 1000 + number)
    carrying = bench.hub.carrying(3000)
    assert 256 <= len(carrying) <= 512
    assert carrying[-1] == "t1999"


def test_every_topic_of_a_moment_is_known_and_every_moment_of_a_topic(bench):
    ada = bench.join_v2()
    bench.publish(ada, "a", 1, 2)
    bench.publish(ada, "b", 1)
    bench.publish(ada, "a", 3)
    assert bench.hub.carrying(1000) == ["a", "b"]
    bench.now += 60_001
    bench.publish(ada, "a", 4)
    assert bench.hub.carrying(bench.now) == ["a"]
