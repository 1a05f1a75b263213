"""A topic: what is read of it, and what is done with it, on a link that the test plays."""

from __future__ import annotations

from typing import Any

import pytest
from traitlets import TraitError

from nbrealtime.live.connection import Connection
from nbrealtime.live.record import TopicState
from nbrealtime.live.topic import LiveTopic

from .fakes import NOW, Ear, FakeLink

TRAITS = {
    *(
        "name",
        "state",
        "value",
        "message",
        "timestamp",
        "offset",
        "count",
        "rate",
        "presence_count",
        "members",
    ),
    *("gaps", "dropped", "paused", "error", "errors"),
}


def test_before_anything_came(connection: Connection) -> None:
    topic = connection.topic("lab:temp")
    assert (topic.name, topic.state, topic.count, topic.rate) == ("lab:temp", "subscribing", 0, 0.0)
    assert (topic.value, topic.message, topic.timestamp, topic.offset) == (None, None, None, None)
    assert (topic.presence_count, topic.members, topic.gaps, topic.dropped) == (None, None, 0, 0)
    assert (topic.paused, topic.error, topic.errors) == (False, None, ())


def test_reading_is_fresh(temp: LiveTopic, link: FakeLink) -> None:
    *_, last = link.say("lab:temp", 20, 21.5)
    assert (temp.state, temp.value, temp.count, temp.timestamp) == ("live", 21.5, 2, NOW + 1)
    assert temp.message is not None
    assert temp.message.id == last.id
    assert temp.presence_count == 2
    assert temp.rate > 0


@pytest.mark.parametrize("data", [None, 0, False, "", [], {}])
def test_every_payload_is_a_value(temp: LiveTopic, link: FakeLink, data: Any) -> None:
    link.say("lab:temp", data)
    assert (temp.value, temp.count) == (data, 1)


@pytest.mark.parametrize("trait", ["value", "count", "state", "message", "paused", "name", "errors"])
def test_assigning_a_trait_names_publish(temp: LiveTopic, trait: str) -> None:
    with pytest.raises(TraitError, match="publish"):
        setattr(temp, trait, 3)
    with pytest.raises(TraitError, match="publish"):
        temp.set_trait(trait, 3)


def test_every_trait_of_the_design_is_a_trait(temp: LiveTopic) -> None:
    assert set(temp.trait_names()) == TRAITS
    assert all(temp.traits()[name].help for name in temp.trait_names())


def test_states_follow_the_link(temp: LiveTopic, link: FakeLink) -> None:
    (sink,) = link.sinks("lab:temp")
    sink.offline()
    assert temp.state == "offline"
    sink.subscribed(1)
    assert (temp.state, temp.gaps) == ("live", 1)
    sink.refused("forbidden", "not allowed to subscribe")
    assert (temp.state, temp.error) == ("refused", "not allowed to subscribe")
    sink.closed()
    assert temp.state == "closed"
    sink.subscribed(1)
    assert temp.state == "closed"


def test_a_topic_that_was_never_live_stays_subscribing_while_offline(
    connection: Connection, link: FakeLink
) -> None:
    topic = connection.topic("lab:temp")
    link.sinks("lab:temp")[0].offline()
    assert (topic.state, topic.gaps) == ("subscribing", 0)


def test_while_paused_the_traits_stand_still_and_the_ring_goes_on(temp: LiveTopic, link: FakeLink) -> None:
    ear, values = Ear(), Ear()
    temp.on_message(ear)
    temp.observe(values, "value")
    link.say("lab:temp", 1)
    ear.wait(1)
    values.wait(1)
    temp.pause()
    link.say("lab:temp", 2, 3, at=NOW + 10)
    assert (temp.value, temp.count, temp.paused) == (1, 1, True)
    assert len(temp.to_numpy()) == 3
    assert temp.feed.status().pending == 2
    assert ear.data == [1]
    temp.resume()
    ear.wait(3)
    values.wait_until(lambda heard: heard[-1].new == 3)
    assert ear.data == [1, 2, 3]
    assert values.new == [1, 3]
    assert (temp.value, temp.count, temp.paused) == (3, 3, False)


def test_clear_forgets_the_samples_and_not_the_stream(temp: LiveTopic, link: FakeLink) -> None:
    link.say("lab:temp", 1, 2)
    temp.clear()
    assert len(temp.to_numpy()) == 0
    assert (temp.value, temp.count) == (2, 2)


def test_dir_shows_what_is_ours(temp: LiveTopic) -> None:
    names = [name for name in dir(temp) if not name.startswith("_")]
    assert {"value", "on_message", "plot", "observe", "to_pandas"} <= set(names)
    assert "class_own_trait_events" not in names
    assert hasattr(temp, "class_own_trait_events")


def test_one_field_of_it(temp: LiveTopic, link: FakeLink) -> None:
    link.say("lab:temp", {"x": 1, "y": 2}, {"x": 3, "y": None})
    x, y = temp["x"], temp["y"]
    assert (x.value, y.value, temp["z"].value) == (3.0, 2.0, None)
    assert x.to_numpy().dtype.names == ("t", "x")
    assert x.feed is temp.feed
    assert (x.name, x.field) == ("lab:temp", "x")
    assert "'x' of LiveTopic 'lab:temp'" in repr(x)
    assert temp.fields == ("x", "y")
    with pytest.raises(TypeError, match="field"):
        temp[0]  # type: ignore[index]


def test_publish_goes_through_the_connection(temp: LiveTopic, link: FakeLink) -> None:
    temp.publish({"x": 1})
    assert link.published == [("lab:temp", {"x": 1})]


def test_closing_is_harmless_when_repeated_and_keeps_the_samples(temp: LiveTopic, link: FakeLink) -> None:
    link.say("lab:temp", 1)
    with temp:
        pass
    temp.close()
    assert link.subscriptions == []
    assert temp.feed.newest.state is TopicState.CLOSED
    assert len(temp.to_numpy()) == 1
