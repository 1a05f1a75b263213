"""What a subscription of v2 needs to be granted."""

from __future__ import annotations

import pytest

from .heard import code, values


def test_a_pattern_needs_one_grant_that_contains_it(bench):
    ada = bench.join_v2("ada", [{"match": "lab:*"}, {"match": "x:a"}, {"match": "x:b"}])
    assert "topics" in bench.follow(ada, "lab:*")
    for pattern in ("lab:**", "x:*", "**", "user:*"):
        bench.ask(ada, type="subscribe", topic=pattern)
        assert code(bench.heard(ada)) == "forbidden"


@pytest.mark.parametrize("pattern", ["user:*", "user:**", "user:bob:*", "$sys:*", "$sys/*"])
def test_nobody_follows_private_topics_by_pattern(bench, pattern):
    ada = bench.join_v2()
    bench.ask(ada, type="subscribe", topic=pattern)
    assert code(bench.heard(ada)) == "forbidden"


def test_his_own_private_topics_may_be_followed_by_pattern(bench):
    ada = bench.join_v2("ada")
    bench.follow(ada, "user:ada:**")
    bench.publish(ada, "user:ada:x", 1)
    assert values(bench.heard(ada)) == [1]


def test_without_history_granted_only_the_last_minutes_are_recovered(bench):
    grants = [{"match": "**", "allow": ["subscribe", "publish"]}]
    ada = bench.join_v2("ada", grants)
    epoch = bench.follow(ada, "a")["epoch"]
    bench.publish(ada, "a", 1)
    bench.heard(ada)
    bench.now += 299_000
    bench.publish(ada, "a", 2)
    bench.heard(ada)
    since = {"epoch": epoch, "offset": 0}
    assert bench.follow(bench.join_v2("ada", grants), "a", since=since)["recovered"]
    bench.now += 2000
    assert not bench.follow(bench.join_v2("ada", grants), "a", since=since)["recovered"]
    assert bench.follow(bench.join_v2("ada", grants), "a", since={"epoch": epoch, "offset": 1})["recovered"]
    for request in (
        {"type": "subscribe", "topic": "a", "since": {"count": 1}},
        {"type": "history", "topic": "a"},
        {"type": "subscribe", "topic": "a", "presence": True},
    ):
        bench.ask(ada, **request)
        assert code(bench.heard(ada)) == "forbidden"
