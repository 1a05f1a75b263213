"""What is published reaches everybody after it was confirmed, in each dialect, once."""

from __future__ import annotations

import json

from .heard import offsets, values
from .stores import PatientStore


def test_v1_and_v2_share_a_topic_each_in_his_dialect(bench):
    old, new = bench.join("old"), bench.join_v2("new")
    bench.say(old, type="subscribe", topic="a")
    bench.follow(new, "a")
    bench.heard(old)
    bench.publish(old, "a", 1)
    bench.publish(new, "a", 2, time=7)
    assert [set(message) for message in bench.heard(old)] == [
        {"type", "topic", "data", "timestamp", "messageId"}
    ] * 2
    first, second = bench.heard(new)
    assert (first["offset"], first["user"], first["subscription"]) == (1, {"id": "old", "name": "old"}, "a")
    assert (second["offset"], second["time"], second["user"]["id"]) == (2, 7, "new")


def test_nothing_is_told_before_the_store_has_confirmed(make_bench):
    store = PatientStore()
    bench = make_bench(None, store)
    old, new = bench.join("old"), bench.join_v2("new")
    bench.say(old, type="subscribe", topic="a")
    bench.follow(new, "a")
    bench.heard(old)
    told = []
    bench.ask(new, type="publish", topic="a", data=1, ack=True)
    bench.hub.publish(new.user, new.grants, "a", b"2", bench.now, done=told.append)
    assert bench.heard(old) == bench.heard(new) == told == []
    store.answer()
    assert values(bench.heard(old)) == [1, 2]
    assert [message["type"] for message in bench.heard(new)] == ["message", "message", "ack"]
    assert [result.offset for result in told] == [2]


def test_what_is_published_in_one_turn_is_one_batch(bench, store):
    ada = bench.join_v2()
    bench.publish(ada, "a", *range(50))
    bench.publish(ada, "b", *range(50))
    bench.hub.flush()
    assert store.batches == 1


def test_a_repeat_is_acknowledged_as_a_duplicate_and_reaches_nobody(bench):
    ada, bob = bench.join_v2("ada"), bench.join_v2("bob")
    bench.follow(bob, "a")
    for _ in range(2):
        bench.ask(ada, type="publish", topic="a", data=1, ack=True, key="k")
    first, second = bench.heard(ada)
    assert (first["offset"], first["duplicate"]) == (1, False)
    assert (second["offset"], second["duplicate"]) == (1, True)
    assert second["messageId"] == first["messageId"]
    assert values(bench.heard(bob)) == [1]


def test_repeats_among_what_is_new_take_nothing_with_them(bench):
    ada, bob, old = bench.join_v2("ada"), bench.join_v2("bob", None, "batch"), bench.join("old")
    bench.follow(bob, "a")
    bench.say(old, type="subscribe", topic="a")
    bench.heard(old)
    bench.publish(ada, "a", 1, key="k1")
    bench.heard(bob)
    for value, key in ((2, "k2"), (1, "k1"), (2, "k2"), (3, "k3"), (4, "k4"), (3, "k3")):
        bench.publish(ada, "a", value, key=key)
    heard = bench.heard(bob)
    assert (values(heard), offsets(heard)) == ([2, 3, 4], [2, 3, 4])
    assert values(bench.heard(old)) == [1, 2, 3, 4]


def test_topics_that_take_turns_keep_their_order_for_everybody(bench):
    ada, bob, eve = bench.join_v2("ada"), bench.join_v2("bob", None, "batch"), bench.join_v2("eve")
    for topic in ("a", "b"):
        bench.follow(bob, topic)
    bench.follow(eve, "b")
    for number in range(6):
        bench.publish(ada, "aabbab"[number], number)
    heard = bench.heard(bob)
    assert [(message["topic"], message["offset"], message["data"]) for message in heard] == [
        ("a", 1, 0),
        ("a", 2, 1),
        ("b", 1, 2),
        ("b", 2, 3),
        ("a", 3, 4),
        ("b", 3, 5),
    ]
    assert values(bench.heard(eve)) == [2, 3, 5]


def test_what_waits_for_the_store_is_counted_until_it_is_told(make_bench):
    store = PatientStore()
    bench = make_bench(None, store)
    ada = bench.join_v2()
    bench.publish(ada, "a", 111, 222)
    assert bench.hub.pending_bytes == 6
    bench.hub.flush()
    bench.publish(ada, "a", 3)
    assert (bench.hub.pending_bytes, bench.hub.committing, bench.hub.pending) == (7, True, False)
    store.answer()
    assert (bench.hub.pending_bytes, bench.hub.committing, bench.hub.pending) == (1, False, True)
    bench.hub.flush()
    store.answer()
    assert (bench.hub.pending_bytes, bench.hub.pending) == (0, False)


def test_keys_are_a_users_own(bench):
    ada, bob = bench.join_v2("ada"), bench.join_v2("bob")
    for one in (ada, bob):
        bench.ask(one, type="publish", topic="a", data=1, ack=True, key="k")
    assert [bench.heard(one)[0]["duplicate"] for one in (ada, bob)] == [False, False]


def test_without_echo_the_sender_alone_does_not_get_it(bench):
    ada, bob, old = bench.join_v2("ada"), bench.join_v2("bob", None, "batch"), bench.join("old")
    for topic in ("a", "*"):
        bench.follow(ada, topic)
        bench.follow(bob, topic)
    bench.say(old, type="subscribe", topic="a")
    bench.heard(old)
    bench.publish(ada, "a", 1, echo=False)
    bench.publish(ada, "a", 2)
    assert values(bench.heard(ada)) == [2, 2]
    assert values(bench.heard(bob)) == [1, 2, 1, 2]
    assert values(bench.heard(old)) == [1, 2]


def test_without_history_there_are_no_positions(bench):
    ada = bench.join_v2()
    answer = bench.follow(ada, "silent:a", since={"epoch": "e", "offset": 3})
    assert answer["recovered"] is False
    assert not {"epoch", "offset"} & set(answer)
    bench.ask(ada, type="publish", topic="silent:a", data=1, ack=True)
    message, ack = bench.heard(ada)
    assert "offset" not in message
    assert not {"epoch", "offset"} & set(ack)


def test_messages_of_one_turn_come_in_one_frame_to_who_takes_arrays(bench):
    ada = bench.join_v2("ada", None, "batch")
    bench.follow(ada, "a")
    bench.publish(ada, "a", 1, 2, 3)
    bench.hub.flush()
    [line] = ada.outbox.take().splitlines()
    assert values(json.loads(line)) == [1, 2, 3]


def test_a_failed_batch_is_refused_and_what_follows_waits_for_it(make_bench):
    store = PatientStore()
    bench = make_bench(None, store)
    ada = bench.join_v2()
    store.fails = True
    bench.publish(ada, "a", 1, key="k1", ack=True, id=1)
    bench.hub.flush()
    bench.publish(ada, "a", 2, key="k2", ack=True, id=2)  # while the first is with the store
    bench.publish(ada, "b", 3, key="k3", ack=True, id=3)
    store.answer()
    bench.publish(ada, "a", 4, key="k4", ack=True, id=4)
    bench.hub.flush()
    store.answer()
    heard = bench.heard(ada)
    assert [(message["type"], message["id"]) for message in heard] == [
        ("error", 1),
        ("error", 2),
        ("error", 4),
        ("ack", 3),
    ]
    assert all(message["data"]["retry"] for message in heard[:3])
    for number in (1, 2, 4):
        bench.publish(ada, "a", number, key=f"k{number}", ack=True, id=number + 10)
    bench.hub.flush()
    store.answer()
    assert [(message["id"], message["offset"]) for message in bench.heard(ada)] == [(11, 1), (12, 2), (14, 3)]


def test_what_fails_late_still_goes_before_what_was_refused_at_once(make_bench):
    store = PatientStore()
    bench = make_bench(None, store)
    ada = bench.join_v2()
    store.fails = True
    bench.publish(ada, "a", 1, key="k1", ack=True, id=1)
    bench.hub.flush()
    bench.publish(ada, "a", 2, key="k2", ack=True, id=2)
    ada.gate = lambda now: 1.5
    bench.publish(ada, "a", 3, key="k3", ack=True, id=3)  # refused before the first one fails
    ada.gate = None
    store.answer()
    assert [message["id"] for message in bench.heard(ada)] == [3, 1, 2]
    for number in (1, 2, 3):
        bench.publish(ada, "a", number, key=f"k{number}", ack=True, id=number + 10)
    bench.hub.flush()
    store.answer()
    assert [(message["id"], message.get("offset")) for message in bench.heard(ada)] == [
        (11, 1),
        (12, 2),
        (13, 3),
    ]
