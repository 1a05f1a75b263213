"""What is said to one session alone is not held back."""

from __future__ import annotations


def test_control_is_urgent_and_data_is_not(bench):
    ada, bob = bench.join_v2("ada"), bench.join_v2("bob")
    bench.follow(ada, "a")
    ada.urgent = False
    bench.publish(bob, "a", 1)
    bench.hub.flush()
    assert not ada.urgent
    bench.say(ada, type="ping")
    bench.hub.flush()
    assert ada.urgent
