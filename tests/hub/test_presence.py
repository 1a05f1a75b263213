from __future__ import annotations


def test_presence_is_for_who_asks_and_its_versions_have_no_gap(bench):
    ada, bob, old = bench.join_v2("ada"), bench.join_v2("bob"), bench.join("old")
    bench.ask(ada, type="subscribe", topic="a", presence=True)
    bench.follow(bob, "a")
    bench.say(old, type="subscribe", topic="a")
    bench.ask(bob, type="unsubscribe", topic="a")
    told = [message for message in bench.heard(ada) if message["type"] == "presence"]
    assert [(message["data"]["presenceCount"], message["data"]["userCount"]) for message in told] == [
        (1, 1),
        (2, 2),
        (3, 3),
        (2, 2),
    ]
    versions = [message["version"] for message in told]
    assert versions == list(range(versions[0], versions[0] + 4))
    assert not [message for message in bench.heard(bob) if message["type"] == "presence"]
