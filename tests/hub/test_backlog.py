"""What a subscription does whose connection is slow, or wants less."""

from __future__ import annotations

from .heard import offsets, values


def test_drop_oldest_says_what_was_lost_in_its_place(bench):
    ada, bob = bench.join_v2("ada"), bench.join_v2("bob")
    bench.follow(bob, "a", policy="drop_oldest")
    bench.publish(ada, "a", 1)
    assert values(bench.heard(bob)) == [1]
    bob.blocked = True
    bench.publish(ada, "a", *range(2, 51))
    bench.hub.flush()
    bob.blocked = False
    bench.hub.drained(bob)
    lost, *messages = bench.heard(bob)
    assert (lost["type"], lost["from"], lost["to"]) == ("lost", 2, messages[0]["offset"] - 1)
    assert offsets(messages) == list(range(lost["to"] + 1, 51))
    assert 1 < len(messages) < 15


def test_without_history_what_is_lost_is_counted(bench):
    ada, bob = bench.join_v2("ada"), bench.join_v2("bob")
    bench.follow(bob, "silent:a", policy="drop_oldest")
    bob.blocked = True
    bench.publish(ada, "silent:a", *range(50))
    bench.hub.flush()
    bob.blocked = False
    bench.hub.drained(bob)
    lost, *messages = bench.heard(bob)
    assert lost["count"] + len(messages) == 50


def test_conflate_keeps_the_newest_and_counts_what_it_skipped(bench):
    ada, bob = bench.join_v2("ada"), bench.join_v2("bob")
    bench.follow(bob, "lab:*", policy="conflate")
    bob.blocked = True
    bench.publish(ada, "lab:a", *range(1, 101))
    bench.publish(ada, "lab:b", 1)
    bench.hub.flush()
    bob.blocked = False
    bench.hub.drained(bob)
    first, second = bench.heard(bob)
    assert (first["topic"], first["offset"], first["skipped"]) == ("lab:a", 100, 99)
    assert (second["topic"], "skipped" in second) == ("lab:b", False)


def test_a_rate_delays_and_with_conflate_drops(bench):
    ada = bench.join_v2()
    bench.follow(ada, "a", maxRate=10)
    bench.follow(ada, "b", maxRate=10, policy="conflate")
    for topic in "ab":
        bench.publish(ada, topic, 1)
    assert values(bench.heard(ada)) == [1, 1]
    for topic in "ab":
        bench.publish(ada, topic, 2, 3)
    assert bench.heard(ada) == []
    assert bench.hub.due == bench.now + 100
    bench.now += 100
    heard = bench.heard(ada)
    assert [(message["topic"], message["data"]) for message in heard] == [("a", 2), ("b", 3)]
    bench.now += 100
    assert values(bench.heard(ada)) == [3]
    bench.now += 100
    assert bench.heard(ada) == []
    assert bench.hub.due is None


def test_what_drops_nothing_and_waits_too_long_is_for_the_face_to_end(bench):
    ada = bench.join_v2()
    bench.follow(ada, "a", maxRate=1)
    bench.publish(ada, "a", *range(50))
    assert ada in bench.hub.flush(bench.now)
    assert ada.overrun


def test_who_is_overrun_is_named_to_the_face_although_nothing_goes_out_to_him(bench):
    ada, bob = bench.join_v2("ada"), bench.join_v2("bob")
    bench.follow(bob, "a", maxRate=1)
    bob.blocked = True
    bench.publish(ada, "a", *["x" * 100] * 20)
    assert bob in bench.hub.flush(bench.now)
    assert bob.overrun
    assert bob not in bench.hub.flush(bench.now)
