"""A connection's traits, its topics, and what it says below the cell."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from traitlets import TraitError

from nbrealtime.client import LinkState
from nbrealtime.discovery import finding
from nbrealtime.errors import ConnectionClosed, InvalidTopic
from nbrealtime.live import connection as module
from nbrealtime.live.connection import Connection, connections, default_connection

from .fakes import URL, Ear, FakeLink


def test_its_traits_follow_the_link(connection: Connection, link: FakeLink) -> None:
    assert (connection.state, connection.url, connection.user) == ("connected", URL, "ada")
    link.change(
        state=LinkState.RECONNECTING, attempts=3, queued=7, dropped=2, error="no answer", latency=0.01
    )
    assert (connection.state, connection.attempts, connection.queued, connection.dropped) == (
        "reconnecting",
        3,
        7,
        2,
    )
    assert (connection.error, connection.latency) == ("no answer", 0.01)
    assert set(connection.trait_names()) == {
        *("state", "url", "user", "latency", "attempts", "queued", "dropped", "uncertain", "error", "errors")
    }


def test_its_traits_cannot_be_assigned(connection: Connection) -> None:
    with pytest.raises(TraitError, match="cannot be assigned"):
        connection.state = "connected"


def test_changes_are_told_and_never_on_the_client_thread(connection: Connection, link: FakeLink) -> None:
    states = Ear()
    connection.observe(states, "state")
    link.change(state=LinkState.RECONNECTING)
    states.wait(1)
    link.change(state=LinkState.CONNECTED)
    states.wait_until(lambda heard: heard[-1].new == "connected")
    assert (states.heard[0].old, states.heard[0].new) == ("connected", "reconnecting")
    assert set(states.threads) == {"nbrealtime-delivery"}


def test_trouble_is_said_once(
    connection: Connection, link: FakeLink, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):
        link.change(error="nothing listens there")
    link.report("37 messages to lab:temp dropped while offline")
    states = Ear()
    connection.observe(states, "attempts")
    link.change(attempts=1)
    states.wait(1)
    connection._delivery.stop(5)
    assert capsys.readouterr().err.splitlines() == [
        "ws://127.0.0.1:1/ws: nothing listens there",
        "37 messages to lab:temp dropped while offline",
    ]


def test_one_topic_for_a_name_as_long_as_it_is_open(connection: Connection, link: FakeLink) -> None:
    topic = connection.topic("lab:temp", notify_hz=20)
    assert connection.topic("lab:temp") is topic
    assert connection.topic("lab:temp", notify_hz=20) is topic
    assert (len(link.subscriptions), connection.topics) == (1, (topic,))
    topic.close()
    assert connection.topics == ()
    assert connection.topic("lab:temp") is not topic


@pytest.mark.parametrize(
    ("option", "value"),
    [("notify_hz", 20), ("deliver", "thread"), ("time_field", None), ("time_unit", "ms"), ("history", 10)],
)
def test_other_options_for_an_open_topic_are_named(connection: Connection, option: str, value: Any) -> None:
    connection.topic("lab:temp")
    with pytest.raises(ValueError, match=f"lab:temp is open with {option}="):
        connection.topic("lab:temp", **{option: value})  # type: ignore[arg-type]


def test_an_unknown_option_is_a_type_error_whether_the_topic_is_open_or_not(connection: Connection) -> None:
    for _ in range(2):
        with pytest.raises(TypeError, match="speed"):
            connection.topic("lab:temp", speed=3)  # type: ignore[call-arg]
        connection.topic("lab:temp")


@pytest.mark.parametrize(
    "options", [{"notify_hz": 0}, {"deliver": "soon"}, {"time_unit": "h"}, {"history": 0}]
)
def test_an_option_that_is_none_leaves_no_topic_behind(
    connection: Connection, link: FakeLink, options: Any
) -> None:
    with pytest.raises(ValueError, match=r"."):
        connection.topic("lab:temp", **options)
    assert (connection.topics, link.subscriptions) == ((), [])


def test_a_name_that_is_no_topic_is_refused_at_once(connection: Connection, link: FakeLink) -> None:
    with pytest.raises(InvalidTopic):
        connection.topic(" lab")
    assert link.subscriptions == []


@pytest.mark.parametrize(
    ("data", "sent"),
    [
        (21.5, 21.5),
        (None, None),
        ({"x": [1, "a"]}, {"x": [1, "a"]}),
        (np.array([1.0, np.nan]), [1.0, None]),
        (b"\x00\x01", b"\x00\x01"),
    ],
)
def test_publish_takes_json_bytes_and_arrays(
    connection: Connection, link: FakeLink, data: Any, sent: Any
) -> None:
    connection.publish("lab:temp", data)
    assert link.published == [("lab:temp", sent)]


@pytest.mark.parametrize(("data", "error"), [(float("nan"), ValueError), (object(), TypeError)])
def test_publish_refuses_what_cannot_travel(
    connection: Connection, link: FakeLink, data: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        connection.publish("lab:temp", data)
    assert link.published == []


def test_a_pattern_cannot_be_published_to(connection: Connection) -> None:
    with pytest.raises(InvalidTopic):
        connection.publish("lab:*", 1)


def test_closing_ends_its_topics_and_is_harmless_when_repeated(
    connection: Connection, link: FakeLink
) -> None:
    topic = connection.topic("lab:temp")
    states = Ear()
    connection.observe(states, "state")
    with connection:
        assert connection in connections()
    connection.close()
    assert (connection.state, topic.state, link.subscriptions) == ("closed", "closed", [])
    assert connection not in connections()
    states.wait_until(lambda heard: heard[-1].new == "closed")
    with pytest.raises(ConnectionClosed):
        connection.topic("lab:temp")
    with pytest.raises(ConnectionClosed):
        connection.publish("lab:temp", 1)


def test_reconnect_and_wait_go_to_the_link(connection: Connection, link: FakeLink) -> None:
    connection.reconnect()
    assert link.reconnects == 1
    assert connection.wait_connected(1) is True
    assert connection.wait_connected("1s") is True
    assert connection.wait_connected(-0.1) is True, "what is left of a time that is over"


@pytest.mark.parametrize("value", ["soon", [], True, math.nan])
def test_what_is_no_time_is_not_waited_for(connection: Connection, value: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^timeout is seconds or a text like|is no duration"):
        connection.wait_connected(value)


def test_its_text(connection: Connection, link: FakeLink) -> None:
    link.change(latency=0.0012)
    assert repr(connection) == f"Connection '{URL}': connected as ada, 1.2 ms"
    link.change(state=LinkState.RECONNECTING, attempts=3, queued=4, dropped=1, error="no answer")
    assert repr(connection) == f"Connection '{URL}': reconnecting, attempt 3, 4 queued, 1 dropped (no answer)"
    link.change(uncertain=2, error=None)
    assert repr(connection).endswith("1 dropped, 2 uncertain")
    assert connection.uncertain == 2


def test_dir_shows_what_is_ours(connection: Connection) -> None:
    names = [name for name in dir(connection) if not name.startswith("_")]
    assert {"topic", "publish", "state", "observe"} <= set(names)
    assert "class_own_trait_events" not in names


def test_the_default_is_the_last_one_opened_and_stays(
    connection: Connection, link: FakeLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "_local", None)
    later = Connection(FakeLink())  # type: ignore[arg-type]
    try:
        assert default_connection() is later
        last = Connection(FakeLink())  # type: ignore[arg-type]
        assert default_connection() is later
        later.close()
        assert default_connection() is last
        last.close()
        assert default_connection() is connection
    finally:
        later.close()


def test_a_default_that_the_server_ended_is_replaced(connection: Connection, link: FakeLink) -> None:
    assert default_connection() is connection
    link.change(state=LinkState.CLOSED)
    other = Connection(FakeLink())  # type: ignore[arg-type]
    assert default_connection() is other
    other.close()


def test_a_kernels_own_server_comes_before_what_was_opened(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Connection(FakeLink())  # type: ignore[arg-type]
    monkeypatch.setattr(module, "local", lambda: object())
    monkeypatch.setattr(module, "open_connection", lambda: own)
    monkeypatch.setattr(module, "_default", None)
    assert default_connection() is own
    own.close()
