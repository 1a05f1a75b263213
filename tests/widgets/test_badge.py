"""The badge shows a connection as it is, and its button asks for another attempt."""

from __future__ import annotations

import pytest

from nbrealtime.client import LinkState
from nbrealtime.widgets.badge import ConnectionBadge

pytestmark = pytest.mark.usefixtures("comms")


def test_it_shows_where_to_as_whom_and_how_quick(connection):
    badge = ConnectionBadge(connection)
    assert badge._read() == {
        "state": "connected",
        "url": "ws://127.0.0.1:43121",
        "user": "Ada",
        "latency": 1.2,
        "attempts": 0,
        "queued": 0,
        "dropped": 0,
        "error": None,
    }
    assert repr(badge) == "ConnectionBadge of ws://127.0.0.1:43121: connected"


def test_it_takes_a_topic_for_its_connection(topic, link):
    badge = ConnectionBadge(topic)
    link.become(state=LinkState.RECONNECTING, attempts=3, queued=2, error="connection refused")
    state = badge._read()
    assert [state[key] for key in ("state", "attempts", "queued", "error")] == [
        "reconnecting",
        3,
        2,
        "connection refused",
    ]


def test_its_button_tries_now_when_there_is_no_connection(connection, link, say):
    badge = ConnectionBadge(connection)
    link.become(state=LinkState.RECONNECTING)
    say(badge, {"type": "reconnect"})
    assert link.reconnects == 1


@pytest.mark.parametrize("content", [{"type": "reconnect"}, {"type": "other"}, "reconnect", None, 7, []])
def test_a_button_of_a_view_that_is_behind_changes_nothing(connection, link, say, content):
    say(ConnectionBadge(connection), content)
    assert link.reconnects == 0


def test_a_closed_badge_does_nothing(connection, link, say):
    badge = ConnectionBadge(connection)
    badge.close()
    link.become(state=LinkState.RECONNECTING)
    say(badge, {"type": "reconnect"})
    assert link.reconnects == 0
    assert badge._read()["state"] == "closed"
    assert not link.listeners


def test_it_takes_nothing_but_connections():
    with pytest.raises(TypeError, match=r"a connection is what rt.connect"):
        ConnectionBadge("ws://127.0.0.1:1")


def test_it_keeps_data_out_of_its_synced_traits(connection, link, synced):
    badge = ConnectionBadge(connection)
    link.become(user="somebody", queued=7777)
    assert "somebody" not in str(synced(badge))
    assert "7777" not in str(synced(badge))
