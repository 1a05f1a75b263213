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


def test_a_topic_that_may_be_published_to_once_may_not_become_another_one(bench):
    ada = bench.join()
    for number in range(3000):
        bench.say(ada, type="publish", topic=f"lab:{number}", data=1)
    bench.say(ada, type="publish", topic="$sys/x", data=1)
    bench.say(ada, type="publish", topic="lab:1", data=1)
    assert [message["type"] for message in bench.heard(ada)] == ["message", "error"]
    assert len(ada.publishable) <= 1024


def test_message_ids_are_unique_and_count_nobody_out(bench):
    ada = bench.join()
    bench.say(ada, type="subscribe", topic="a")
    bench.heard(ada)
    for _ in range(10):
        bench.say(ada, type="publish", topic="a", data=1)
    ids = [message["messageId"] for message in bench.heard(ada)]
    assert len(set(ids)) == 10
    assert bench.hub.messages_in == 11
    assert bench.hub.messages_out == 13
