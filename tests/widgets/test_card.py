"""The card: one for each object, and what it says of it."""

from __future__ import annotations

import gc
import json
import weakref

import pytest

from nbrealtime.client import LinkState
from nbrealtime.live import views
from nbrealtime.widgets.card import card, describe

pytestmark = pytest.mark.usefixtures("comms")


def test_one_object_has_one_card(topic, connection):
    assert card(topic) is card(topic)
    assert card(connection) is not card(topic)
    assert views.make("card", topic) is card(topic)


def test_it_is_found_by_its_name_in_the_views(topic):
    import nbrealtime.widgets  # noqa: F401 - provides it

    assert views.provided("card")


def test_a_topics_card_says_what_came(topic):
    shown = card(topic)
    topic.feed.subscribed(2)
    topic.hear(20.0, 21.5)
    state = shown._read()
    assert state["of"] == "topic"
    assert state["value"] == {"is": "number", "number": 21.5}
    assert (state["name"], state["state"], state["count"], state["presence"]) == ("lab:temp", "live", 2, 2)
    assert state["age"] > 0
    assert state["note"] == ""


def test_a_message_from_the_future_is_now(topic):
    topic.hear(1, timestamp=1e12)
    assert card(topic)._read()["age"] == 0


def test_a_topic_that_hears_nothing_says_who_does(topic):
    topic.feed.hint = lambda: "host:cpu and host:memory carry data"
    topic.feed.subscribed(1)
    topic.feed._began -= 12
    assert card(topic)._read()["note"] == "Has heard nothing for 12 s; host:cpu and host:memory carry data"


def test_a_refused_topic_says_why(topic):
    topic.feed.refused("forbidden", "not allowed to subscribe")
    state = card(topic)._read()
    assert (state["state"], state["note"], state["fault"]) == ("refused", "Not allowed to subscribe", True)


def test_an_offline_topic_keeps_its_value_and_says_what_is_tried(topic, link):
    topic.feed.subscribed(1)
    topic.hear(21.5)
    link.become(state=LinkState.RECONNECTING, attempts=3)
    topic.feed.offline()
    state = card(topic)._read()
    assert (state["state"], state["note"]) == ("offline", "Reconnecting, attempt 3")
    assert state["value"] == {"is": "number", "number": 21.5}


def test_a_paused_topic_counts_what_is_new(topic):
    topic.feed.subscribed(1)
    topic.hear(1)
    topic.feed.pause()
    topic.hear(*range(340))
    state = card(topic)._read()
    assert state["note"] == "Paused, 340 new"
    assert state["value"] == {"is": "number", "number": 1}


def test_text_is_shown_and_no_fault(topic):
    topic.feed.subscribed(1)
    topic.hear("door open")
    state = card(topic)._read()
    assert state["value"] == {"is": "text", "text": "door open"}
    assert state["note"] == ""


def test_a_connections_card_is_its_status(connection, link):
    shown = card(connection)
    link.become(queued=2, latency=0.5)
    state = shown._read()
    assert (state["of"], state["state"], state["queued"], state["latency"]) == (
        "connection",
        "connected",
        2,
        500,
    )


def test_its_text_is_the_objects_own(topic):
    assert repr(card(topic)) == "LiveTopic 'lab:temp'"


def test_it_keeps_data_out_of_its_synced_traits(topic, synced):
    shown = card(topic)
    topic.hear(7777.125)
    assert "7777" not in str(synced(shown))
    assert shown.title == "lab:temp"


def test_it_does_not_keep_its_object_alive(connection):
    topic = connection.topic("lab:gone")
    card(topic)
    gone = weakref.ref(topic)
    del topic
    gc.collect()
    assert gone() is None


def test_a_card_that_somebody_closed_for_good_is_made_anew(topic):
    first = card(topic)
    first._dispose()
    assert card(topic) is not first


@pytest.mark.parametrize(
    ("value", "described"),
    [
        (True, {"is": "other", "text": "true"}),
        (3, {"is": "number", "number": 3.0}),
        (float("nan"), {"is": "number", "number": None}),
        (10**400, {"is": "number", "number": None}),
        (None, {"is": "other", "text": "null"}),
        ("a\n b", {"is": "text", "text": "a b"}),
        (b"12345", {"is": "other", "text": "5 bytes"}),
        ([], {"is": "other", "text": "empty list"}),
        ([1, 2.25], {"is": "other", "text": "2 values, the last 2.25"}),
        ([{"a": 1}], {"is": "other", "text": "list of 1"}),
        ({}, {"is": "other", "text": "empty object"}),
        ({"a": "x"}, {"is": "other", "text": "object: a"}),
        ({"a": 1, "b": "x"}, {"is": "fields", "fields": [["a", 1.0]], "more": 1}),
    ],
)
def test_a_value_is_described_as_what_it_is(value, described):
    assert describe(value) == described


def test_a_huge_value_is_described_in_few_words():
    for value in (
        "x" * 10_000_000,
        {str(n): n for n in range(100_000)},
        {"y" * 10_000: 1},
        {"z" * 10_000: "z"},
    ):
        assert len(json.dumps(describe(value))) < 600
