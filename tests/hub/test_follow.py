"""How a subscription of v2 changes."""

from __future__ import annotations


def test_subscribing_again_goes_on_with_other_options(bench):
    ada = bench.join_v2()
    bench.follow(ada, "a")
    bench.publish(ada, "a", 1)
    bench.heard(ada)
    ada.blocked = True
    assert bench.follow(ada, "a", policy="conflate")["offset"] == 1
    bench.publish(ada, "a", 2, 3)
    answer = bench.follow(ada, "a")
    assert (answer["offset"], "recovered" in answer) == (1, False)
    assert bench.hub.all_subscribers() == {"a": 1}
