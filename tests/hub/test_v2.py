"""The hub in the second dialect, rule by rule."""

from __future__ import annotations

import json

import pytest

from nbrealtime.hub import Grants, Limits

from .stores import PatientStore


@pytest.fixture
def store():
    return PatientStore(is_patient=False)


@pytest.fixture
def bench(make_bench, store):
    return make_bench(Limits(outbox_bytes=1000), store)


def values(messages):
    return [message["data"] for message in messages if message["type"] == "message"]


def offsets(messages):
    return [message["offset"] for message in messages if message["type"] == "message"]


def code(messages):
    [message] = messages
    assert message["type"] == "error", message
    return message["data"]["code"]


# -- messages and acks


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


# -- since


def test_a_position_gets_everything_after_it_and_then_what_comes(bench):
    ada, bob = bench.join_v2("ada"), bench.join_v2("bob")
    epoch = bench.follow(ada, "a")["epoch"]
    bench.publish(ada, "a", *range(1, 1001))
    bench.heard(ada)
    number = bench.ask(bob, type="subscribe", topic="a", since={"epoch": epoch, "offset": 400})
    bench.publish(ada, "a", 1001)
    answer, *messages = bench.heard(bob)
    assert (answer["id"], answer["offset"], answer["recovered"], answer["replayed"]) == (
        number,
        400,
        True,
        600,
    )
    assert offsets(messages) == list(range(401, 1002))
    assert all("retained" not in message for message in messages)


def test_a_replay_is_paced_by_who_reads_it(bench):
    ada, bob = bench.join_v2("ada"), bench.join_v2("bob")
    bench.publish(ada, "a", *range(5000))
    bench.hub.flush()
    bench.ask(bob, type="subscribe", topic="a", since={"count": 5000})
    for _ in range(20):
        bench.hub.flush()
    waiting = bob.outbox.size
    assert 0 < waiting < 400_000, "a page or so, not the whole history"
    assert len(values(bench.heard(bob))) == 5000


def test_a_position_that_cannot_be_had_is_not_recovered(bench, store):
    ada = bench.join_v2()
    epoch = bench.follow(ada, "a")["epoch"]
    bench.publish(ada, "a", *range(10))
    bench.heard(ada)
    store.trim("a", 3)
    for since in (
        {"epoch": "foreign", "offset": 2},
        {"epoch": epoch, "offset": 11},
        {"epoch": epoch, "offset": 6},
    ):
        answer = bench.follow(bench.join_v2(), "a", since=since)
        assert (answer["recovered"], answer["offset"], answer["replayed"]) == (False, 10, 0)
    for offset in (7, 10):
        answer = bench.follow(bench.join_v2(), "a", since={"epoch": epoch, "offset": offset})
        assert (answer["recovered"], answer["offset"], answer["replayed"]) == (True, offset, 10 - offset)


def test_the_newest_few(bench):
    ada = bench.join_v2()
    bench.publish(ada, "a", 1, 2, 3)
    bench.ask(ada, type="subscribe", topic="a", since={"count": 2})
    answer, *messages = bench.heard(ada)
    assert (answer["recovered"], answer["replayed"], answer["offset"]) == (True, 2, 1)
    assert values(messages) == [2, 3]


def test_the_retained_value_moves_no_position(bench):
    ada, bob = bench.join_v2("ada"), bench.join_v2("bob")
    bench.publish(ada, "a", "kept", retain=True)
    bench.publish(ada, "a", "later")
    bench.ask(bob, type="subscribe", topic="a", since="last")
    answer, message = bench.heard(bob)
    assert answer["offset"] == 2
    assert "recovered" not in answer
    assert (message["data"], message["retained"], message["offset"]) == ("kept", True, 1)


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


def test_trimming_that_overtakes_a_replay_ends_it(make_bench):
    store = PatientStore()
    bench = make_bench(None, store)
    ada = bench.join_v2()
    bench.publish(ada, "a", *range(600))
    bench.hub.flush()
    store.answer()
    bench.ask(ada, type="subscribe", topic="a", since={"count": 600})
    store.answer()
    bench.hub.flush()
    store.answer()
    bench.hub.flush()
    assert ada.outbox.size
    ada.outbox.clear()
    store.trim("a", 10)
    bench.hub.drained(ada)
    bench.hub.flush()
    store.answer()
    [message] = bench.heard(ada)
    assert (message["type"], message["code"], message["resubscribe"]) == ("unsubscribed", 2002, True)


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


# -- patterns


def test_overlapping_subscriptions_each_get_a_message(bench):
    ada = bench.join_v2()
    for name in ("lab:a", "lab:*", "**"):
        bench.follow(ada, name)
    bench.publish(ada, "lab:a", 1)
    assert [message["subscription"] for message in bench.heard(ada)] == ["lab:a", "lab:*", "**"]


def test_a_pattern_has_a_position_for_every_topic(bench):
    ada, bob = bench.join_v2("ada"), bench.join_v2("bob")
    bench.publish(ada, "lab:a", 1, 2, 3)
    bench.publish(ada, "lab:b", 1, 2)
    bench.publish(ada, "other", 1)
    bench.hub.flush()
    topics = bench.follow(bob, "lab:*")["topics"]
    assert {name: (place["offset"], "recovered" in place) for name, place in topics.items()} == {
        "lab:a": (3, False),
        "lab:b": (2, False),
    }
    since = {"topics": {"lab:a": {"epoch": topics["lab:a"]["epoch"], "offset": 1}}}
    bench.ask(bob, type="subscribe", topic="lab:*", since=since)
    answer, *messages = bench.heard(bob)
    assert {
        name: (place["offset"], place["recovered"], place["replayed"])
        for name, place in answer["topics"].items()
    } == {"lab:a": (1, True, 2), "lab:b": (0, True, 2)}
    assert sorted((message["topic"], message["offset"]) for message in messages) == [
        ("lab:a", 2),
        ("lab:a", 3),
        ("lab:b", 1),
        ("lab:b", 2),
    ]


def test_a_topic_that_appears_begins_at_nought_and_names_its_epoch(bench, store):
    ada = bench.join_v2()
    assert bench.follow(ada, "lab:*")["topics"] == {}
    bench.publish(ada, "lab:new", 1)
    [message] = bench.heard(ada)
    assert (message["offset"], message["epoch"]) == (1, store.position("lab:new", 1).epoch)


def test_patterns_match_no_private_topics_and_count_nobody(bench):
    ada = bench.join_v2()
    bench.follow(ada, "**")
    bench.publish(ada, "user:ada", 1)
    assert bench.heard(ada) == []
    assert bench.hub.all_subscribers() == {}


def test_a_pattern_that_matches_too_much_is_refused_and_one_that_comes_to_is_ended(make_bench, store):
    bench = make_bench(Limits(pattern_topics=2), store)
    ada = bench.join_v2()
    bench.follow(ada, "lab:*")
    for name in ("a", "b", "c"):
        bench.publish(ada, f"lab:{name}", 1)
        bench.hub.flush()
    *messages, end = bench.heard(ada)
    assert len(messages) == 2
    assert (end["type"], end["resubscribe"]) == ("unsubscribed", True)
    bench.ask(ada, type="subscribe", topic="lab:*")
    assert code(bench.heard(ada)) == "limit_exceeded"


def test_a_store_holds_what_is_followed_and_nothing_else(bench, store):
    ada = bench.join_v2()
    bench.publish(ada, "lab:a", 1)
    bench.follow(ada, "lab:*")
    bench.follow(ada, "lab:a")
    bench.follow(ada, "lab:b", since={"count": 3})
    assert store.held == {"lab:a": 1, "lab:b": 1}
    bench.hub.close(ada, 5)
    assert set(store.held.values()) == {0}
    assert len(bench.hub._topics) == 0


# -- slow consumers


def test_drop_oldest_says_what_was_lost_in_its_place(bench):
    ada, bob = bench.join_v2("ada"), bench.join_v2("bob")
    bench.follow(bob, "a", policy="drop_oldest")
    bench.publish(ada, "a", 1)
    assert values(bench.heard(bob)) == [1]
    bob.blocked = True
    bench.publish(ada, "a", *range(2, 51))
    bench.hub.flush()
    bob.blocked = False
    bench.hub.drained(bob)
    lost, *messages = bench.heard(bob)
    assert (lost["type"], lost["from"], lost["to"]) == ("lost", 2, messages[0]["offset"] - 1)
    assert offsets(messages) == list(range(lost["to"] + 1, 51))
    assert 1 < len(messages) < 15


def test_without_history_what_is_lost_is_counted(bench):
    ada, bob = bench.join_v2("ada"), bench.join_v2("bob")
    bench.follow(bob, "silent:a", policy="drop_oldest")
    bob.blocked = True
    bench.publish(ada, "silent:a", *range(50))
    bench.hub.flush()
    bob.blocked = False
    bench.hub.drained(bob)
    lost, *messages = bench.heard(bob)
    assert lost["count"] + len(messages) == 50


def test_conflate_keeps_the_newest_and_counts_what_it_skipped(bench):
    ada, bob = bench.join_v2("ada"), bench.join_v2("bob")
    bench.follow(bob, "lab:*", policy="conflate")
    bob.blocked = True
    bench.publish(ada, "lab:a", *range(1, 101))
    bench.publish(ada, "lab:b", 1)
    bench.hub.flush()
    bob.blocked = False
    bench.hub.drained(bob)
    first, second = bench.heard(bob)
    assert (first["topic"], first["offset"], first["skipped"]) == ("lab:a", 100, 99)
    assert (second["topic"], "skipped" in second) == ("lab:b", False)


def test_a_replay_is_conflated_too(bench):
    ada, bob = bench.join_v2("ada"), bench.join_v2("bob")
    bench.publish(ada, "a", *range(1, 1001))
    bench.hub.flush()
    bench.ask(bob, type="subscribe", topic="a", since={"count": 1000}, policy="conflate")
    answer, message = bench.heard(bob)
    assert answer["replayed"] == 1000
    assert (message["offset"], message["skipped"]) == (1000, 999)


def test_a_rate_delays_and_with_conflate_drops(bench):
    ada = bench.join_v2()
    bench.follow(ada, "a", maxRate=10)
    bench.follow(ada, "b", maxRate=10, policy="conflate")
    for topic in "ab":
        bench.publish(ada, topic, 1)
    assert values(bench.heard(ada)) == [1, 1]
    for topic in "ab":
        bench.publish(ada, topic, 2, 3)
    assert bench.heard(ada) == []
    assert bench.hub.due == bench.now + 100
    bench.now += 100
    heard = bench.heard(ada)
    assert [(message["topic"], message["data"]) for message in heard] == [("a", 2), ("b", 3)]
    bench.now += 100
    assert values(bench.heard(ada)) == [3]
    bench.now += 100
    assert bench.heard(ada) == []
    assert bench.hub.due is None


def test_what_drops_nothing_and_waits_too_long_is_for_the_face_to_end(bench):
    ada = bench.join_v2()
    bench.follow(ada, "a", maxRate=1)
    bench.publish(ada, "a", *range(50))
    assert ada in bench.hub.flush(bench.now)
    assert ada.overrun


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


# -- history


def test_history_is_a_request(bench):
    ada = bench.join_v2()
    bench.publish(ada, "a", *range(1, 201))
    bench.ask(ada, type="history", topic="a")
    [answer] = bench.heard(ada)
    assert (answer["offset"], offsets(answer["items"])) == (200, list(range(1, 101)))
    since = {"epoch": answer["epoch"], "offset": 197}
    bench.ask(ada, type="history", topic="a", since=since, reverse=True)
    [answer] = bench.heard(ada)
    assert offsets(answer["items"]) == [200, 199, 198]
    assert set(answer["items"][0]) == {"type", "topic", "data", "offset", "timestamp", "messageId", "user"}
    for bad in ({"epoch": "foreign", "offset": 1}, {"epoch": answer["epoch"], "offset": 201}):
        bench.ask(ada, type="history", topic="a", since=bad)
        assert code(bench.heard(ada)) == "unrecoverable"


def test_asking_for_the_history_of_nothing_brings_nothing_into_being(bench, store):
    ada = bench.join_v2()
    bench.ask(ada, type="history", topic="nothing")
    [answer] = bench.heard(ada)
    assert answer["items"] == []
    assert "nothing" not in store.topics(1)


def test_an_answer_of_history_is_bounded_in_bytes(make_bench, store):
    bench = make_bench(Limits(message_bytes=10_000), store)
    ada = bench.join_v2()
    bench.publish(ada, "a", *["x" * 1000] * 50)
    bench.ask(ada, type="history", topic="a")
    bench.hub.flush()
    frame = ada.outbox.take()
    assert len(frame) <= 10_001
    assert len(json.loads(frame)["items"]) > 5


# -- grants


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


# -- presence


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


# -- the list of topics


def test_the_list_of_topics_shows_what_is_granted_and_follows_what_happens(bench):
    ada = bench.join_v2("ada", [{"match": "lab:*"}])
    bob = bench.join_v2("bob")
    bench.publish(bob, "lab:a", 1)
    bench.publish(bob, "secret", 1)
    bench.hub.flush()
    bench.ask(ada, type="subscribe", topic="$sys/topics")
    answer, listed = bench.heard(ada)
    assert answer["type"] == "subscribed"
    assert listed["data"]["totalTopics"] == 1
    [line] = listed["data"]["topics"]
    assert (line["topic"], line["subscribers"], line["offset"]) == ("lab:a", 0, 1)
    bench.follow(bob, "lab:b")
    bench.now += 2000
    [again] = bench.heard(ada)
    assert [(line["topic"], line["subscribers"]) for line in again["data"]["topics"]] == [
        ("lab:a", 0),
        ("lab:b", 1),
    ]
    bench.publish(ada, "$sys/topics", 1)
    assert code(bench.heard(ada)) == "forbidden"
    bench.ask(ada, type="unsubscribe", topic="$sys/topics")
    bench.heard(ada)
    bench.follow(bob, "lab:c")
    bench.now += 5000
    assert bench.heard(ada) == []


# -- bounds and bad requests


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


@pytest.mark.parametrize(
    "request_",
    [
        {"type": "subscribe", "topic": "a", "since": {"topics": {}}},
        {"type": "subscribe", "topic": "*", "since": {"epoch": "e", "offset": 1}},
        {"type": "subscribe", "topic": "a**"},
        {"type": "subscribe"},
        {"type": "subscribe", "topic": "a", "policy": "never"},
        {"type": "subscribe", "topic": "a", "maxRate": 0},
        {"type": "publish", "topic": "lab:*", "data": 1},
        {"type": "publish", "topic": "a"},
        {"type": "publish", "topic": "a", "data": 1, "key": ""},
        {"type": "history", "topic": "*"},
        {"type": "history", "topic": "a", "since": {"count": 1}},
        {"type": "hello"},
    ],
)
def test_what_makes_no_sense_is_a_bad_request_with_its_id(bench, request_):
    ada = bench.join_v2()
    number = bench.ask(ada, **request_)
    [error] = bench.heard(ada)
    assert (error["id"], error["data"]["code"]) == (number, "bad_request")
