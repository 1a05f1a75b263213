"""How a subscription ends that did not ask for it."""

from __future__ import annotations

from nbrealtime.hub import Grants

from .heard import code, values


def test_a_new_epoch_ends_v2_subscriptions_first_and_v1_goes_on(bench, store):
    old, named, pattern = bench.join("old"), bench.join_v2("named"), bench.join_v2("pattern")
    bench.say(old, type="subscribe", topic="a")
    bench.follow(named, "a")
    bench.follow(pattern, "*")
    bench.heard(old)
    bench.publish(old, "a", 1)
    for one in (old, named, pattern):
        bench.heard(one)
    store.forget("a")
    bench.publish(old, "a", 2)
    assert 2 in values(bench.heard(old))
    for one in (named, pattern):
        [message] = bench.heard(one)
        assert (message["type"], message["code"], message["resubscribe"]) == ("unsubscribed", 2001, True)


def test_other_grants_end_what_they_do_not_allow(bench):
    ada, bob = bench.join_v2("ada"), bench.join_v2("bob")
    for topic in ("lab:a", "lab:*", "other"):
        bench.follow(ada, topic)
    bench.publish(ada, "other", 1)
    bench.heard(ada)
    bench.hub.regrant(ada, ada.user, Grants.parse([{"match": "lab:*"}]), bench.now)
    [message] = bench.heard(ada)
    assert (message["topic"], message["code"], message["resubscribe"]) == ("other", 2003, False)
    bench.publish(bob, "lab:a", 2)
    assert values(bench.heard(ada)) == [2, 2]
    bench.publish(ada, "other", 3)
    assert code(bench.heard(ada)) == "forbidden"
