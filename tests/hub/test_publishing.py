"""What is taken to be published, and what is refused."""

from __future__ import annotations

from nbrealtime.hub import Limits

from .heard import code


def test_who_publishes_too_fast_is_told_when_to_come_again(bench):
    ada = bench.join_v2()
    ada.gate = lambda now: 1.5
    bench.publish(ada, "a", 1, id=1)
    [error] = bench.heard(ada)
    assert (error["data"]["code"], error["data"]["retryAfter"]) == ("rate_limited", 1.5)
    ada.gate = None
    bench.publish(ada, "a", 2, id=2)
    assert code(bench.heard(ada)) == "unavailable"
    bench.publish(ada, "a", 1, id=1, ack=True)
    assert bench.heard(ada)[0]["type"] == "ack"


def test_there_are_only_so_many_topics(make_bench, store):
    bench = make_bench(Limits(all_topics=2), store)
    ada = bench.join_v2()
    bench.publish(ada, "a", 1)
    bench.follow(ada, "b")
    bench.publish(ada, "c", 1)
    assert code(bench.heard(ada)) == "limit_exceeded"
    bench.ask(ada, type="subscribe", topic="c")
    assert code(bench.heard(ada)) == "limit_exceeded"
    bench.publish(ada, "a", 2, ack=True, id=9)
    assert bench.heard(ada)[0]["type"] == "ack"
