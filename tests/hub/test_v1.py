"""What the first dialect makes of a message."""

from __future__ import annotations


def test_whoever_asks_again_gets_the_full_answer_and_nobody_else_hears_it(bench):
    ada, bob = bench.join("ada"), bench.join("bob")
    for one in (ada, bob):
        bench.say(one, type="subscribe", topic="a")
    first = bench.heard(bob)
    bench.heard(ada)
    bench.say(bob, type="subscribe", topic="a")
    assert bench.heard(bob) == first[1:]
    assert bench.heard(ada) == []


def test_to_leave_what_one_does_not_follow_is_answered_all_the_same(bench):
    ada = bench.join("ada")
    bench.heard(ada)
    bench.say(ada, type="unsubscribe", topic="a")
    [answer] = bench.heard(ada)
    assert (answer["type"], answer["topic"]) == ("unsubscribed", "a")
