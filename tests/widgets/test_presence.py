"""The presence bar says who is here, and only while it knows."""

from __future__ import annotations

import pytest

from nbrealtime.client import LinkState
from nbrealtime.errors import InvalidTopic
from nbrealtime.widgets.presence import PresenceBar
from nbrealtime.wire.topics import check_topic

pytestmark = pytest.mark.usefixtures("comms")


def test_it_counts_the_connections_of_a_live_topic(topic):
    bar = PresenceBar(topic)
    topic.feed.subscribed(3)
    assert bar._read() == {"topic": "lab:temp", "state": "live", "count": 3, "why": ""}
    topic.feed.presence(4)
    assert bar._read()["count"] == 4


def test_it_does_not_show_an_old_number_when_the_connection_is_lost(topic, link):
    bar = PresenceBar(topic)
    topic.feed.subscribed(3)
    link.become(state=LinkState.RECONNECTING, attempts=2)
    topic.feed.offline()
    assert bar._read() == {
        "topic": "lab:temp",
        "state": "offline",
        "count": None,
        "why": "reconnecting, attempt 2",
    }


def test_it_says_why_it_was_refused(topic):
    bar = PresenceBar(topic)
    topic.feed.refused("forbidden", "not allowed to subscribe")
    state = bar._read()
    assert (state["state"], state["why"]) == ("refused", "not allowed to subscribe")


def test_it_keeps_data_out_of_its_synced_traits(topic, synced):
    bar = PresenceBar(topic)
    topic.feed.subscribed(7777)
    assert "7777" not in str(synced(bar))
    assert bar.topic == "lab:temp"
    assert bar._model_module == "anywidget"


def test_it_takes_a_name_on_the_default_connection(connection, monkeypatch):
    monkeypatch.setattr("nbrealtime.widgets.subjects.connection_of", lambda subject=None: connection)
    bar = PresenceBar("lab:other")
    assert bar.topic == "lab:other"


def test_it_takes_nothing_else():
    with pytest.raises(TypeError, match=r"a topic is a name or what rt.subscribe"):
        PresenceBar(42)
    with pytest.raises(InvalidTopic):
        check_topic("lab::temp")


def test_closing_it_lets_go_of_the_topic_and_leaves_it_open(topic, link):
    bar = PresenceBar(topic)
    topic.feed.subscribed(3)
    assert topic.feed._watchers
    assert link.listeners
    bar.close()
    bar.close()
    assert not topic.feed._watchers
    assert not link.listeners
    assert (bar._read()["state"], bar._read()["count"]) == ("closed", None)
    assert topic.feed.record.state == "live"
    assert repr(bar) == "PresenceBar of lab:temp: closed"


def test_it_shows_a_topic_whose_connection_is_closed_already(topic, link):
    link.become(state=LinkState.CLOSED)
    topic.feed.closed()
    assert PresenceBar(topic)._read()["state"] == "closed"


def test_a_state_change_marks_it_for_the_pump(topic, monkeypatch):
    bar = PresenceBar(topic)
    marked = []
    monkeypatch.setattr(bar, "_mark", lambda: marked.append(1))
    bar._told({"type": "look"})
    assert marked == [1]
    bar._told({"type": "something else"})
    assert marked == [1]
