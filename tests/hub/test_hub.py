"""What the hub does in either dialect, and without a history."""

from __future__ import annotations

import json

import pytest

from nbrealtime.hub import Limits


@pytest.fixture
def bench(make_bench):
    return make_bench()


def kinds(messages):
    return [message["type"] for message in messages]


def test_a_session_is_greeted_first(bench):
    ada = bench.join()
    assert bench.heard(ada) == [
        {"type": "message", "data": {"message": "Connected to WebSocket server"}, "timestamp": 1000}
    ]


def test_flush_names_those_who_got_something_and_nobody_else(bench):
    ada, bob = bench.join("ada"), bench.join("bob")
    assert set(bench.hub.flush()) == {ada, bob}
    bench.say(ada, type="ping")
    assert bench.hub.pending
    assert bench.hub.flush() == (ada,)
    assert not bench.hub.pending
    assert bench.hub.flush() == ()


def test_whoever_unsubscribes_still_gets_what_was_published_before_and_nothing_after(bench):
    ada, bob = bench.join("ada"), bench.join("bob")
    bench.say(ada, type="subscribe", topic="a")
    bench.heard(ada)
    bench.say(bob, type="publish", topic="a", data=1)
    bench.say(ada, type="unsubscribe", topic="a")
    bench.say(bob, type="publish", topic="a", data=2)
    assert [(message["type"], message.get("data")) for message in bench.heard(ada)] == [
        ("message", 1),
        ("unsubscribed", None),
    ]


def test_a_frame_is_built_once_for_everybody(bench):
    built = []
    bench.hub._voice.frame = lambda message: built.append(message) or message
    crowd = [bench.join(str(number)) for number in range(50)]
    for one in crowd:
        bench.say(one, type="subscribe", topic="a")
    bench.hub.flush()
    for one in crowd:
        one.outbox.clear()
    built.clear()
    bench.say(crowd[0], type="publish", topic="a", data=1)
    bench.say(crowd[0], type="publish", topic="a", data=2)
    bench.hub.flush()
    assert len(built) == 2
    parts = [one.outbox.take() for one in crowd]
    assert all(part is parts[0] for part in parts), "everybody shares the very same bytes"


def test_those_who_follow_the_same_topics_share_one_buffer(bench):
    crowd = [bench.join(str(number)) for number in range(10)]
    for one in crowd:
        bench.say(one, type="subscribe", topic="a")
        bench.say(one, type="subscribe", topic="b")
    for one in crowd:
        bench.heard(one)
    for number in range(6):
        bench.say(crowd[0], type="publish", topic="ab"[number % 2], data=number)
    bench.hub.flush()
    parts = [one.outbox.take() for one in crowd]
    assert all(part is parts[0] for part in parts)
    assert [json.loads(line)["data"] for line in parts[0].splitlines()] == list(range(6))


def test_closing_leaves_every_topic_and_tells_those_who_stay(bench):
    ada, bob = bench.join("ada"), bench.join("bob")
    for session in (ada, bob):
        for topic in ("a", "b"):
            bench.say(session, type="subscribe", topic=topic)
    bench.heard(bob)
    bench.hub.close(ada, 2000)
    bench.hub.close(ada, 3000)
    assert bench.heard(bob) == [
        {"type": "presence", "topic": topic, "data": {"presenceCount": 1}, "timestamp": 2000}
        for topic in "ab"
    ]
    assert bench.hub.all_subscribers() == {"a": 1, "b": 1}
    bench.hub.close(bob, 4000)
    assert bench.hub.all_subscribers() == {}


def test_the_hub_is_full_at_its_limit(make_bench):
    bench = make_bench(Limits(connections=2))
    ada = bench.join()
    assert not bench.hub.full
    bench.join()
    assert bench.hub.full
    bench.hub.close(ada, 1)
    assert not bench.hub.full


def test_limits_can_be_switched_off(make_bench):
    bench = make_bench(Limits(topics=None, connections=None, message_bytes=None, outbox_bytes=None))
    ada = bench.join()
    for number in range(300):
        bench.say(ada, type="subscribe", topic=f"t{number}")
    bench.say(ada, type="publish", topic="t1", data="x" * 2**21)
    messages = bench.heard(ada)
    assert "error" not in kinds(messages)
    assert messages[-1]["type"] == "message"


def test_what_is_due_first_is_due(bench):
    ada = bench.join_v2()
    assert bench.hub.due is None
    bench.follow(ada, "slow", maxRate=1)
    bench.publish(ada, "slow", 1, 2)
    bench.heard(ada)
    delayed = bench.hub.due
    assert delayed == bench.now + 1000
    bench.now += 500
    bench.ask(ada, type="subscribe", topic="$sys/topics")
    bench.heard(ada)
    bench.publish(ada, "other", 1)
    bench.heard(ada)
    assert bench.hub.due == delayed, "before the list of topics may be told again"
    bench.now = delayed
    bench.heard(ada)
    assert bench.hub.due is not None
    assert delayed < bench.hub.due <= delayed + 1000, "the list alone"
    bench.publish(ada, "slow", 3)
    bench.heard(ada)
    assert bench.hub.due < delayed + 1000, "before the next delayed one"
