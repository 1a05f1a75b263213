"""The panels on a real server and a real client, up to the frames that a browser would get."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from nbrealtime.live.connection import Connection, default_connection, open_connection
from nbrealtime.testing import FaultyNetwork, running_server
from nbrealtime.widgets.audience import Viewing
from nbrealtime.widgets.badge import ConnectionBadge
from nbrealtime.widgets.card import card
from nbrealtime.widgets.heatmaps.heatmap import LiveHeatmap
from nbrealtime.widgets.presence import PresenceBar
from nbrealtime.widgets.publish import PublishBox

pytestmark = pytest.mark.usefixtures("comms")

_views = itertools.count()


@pytest.fixture
def server() -> Iterator[Any]:
    with running_server() as running:
        yield running


@pytest.fixture
def mine(server: Any) -> Iterator[Connection]:
    with open_connection(server.url, server.token("ada", name="Ada")) as connection:
        assert connection.wait_connected(10)
        yield connection


class Page:
    """One view of a panel in a browser: says hello, and waits for frames."""

    def __init__(self, widget: Any) -> None:
        self.widget = widget
        self.comm = widget.hub.comm
        self.view = f"view-{next(_views)}"
        self.said = len(self.comm.sent)
        self.tell(
            {
                "type": "hello",
                "view": self.view,
                "page": "page",
                "part": widget.part,
                "visible": True,
                "width": 600,
            }
        )

    def tell(self, content: dict[str, Any]) -> None:
        self.comm.handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})

    def frames(self) -> list[dict[str, Any]]:
        contents = [m["data"].get("content", {}) for m in self.comm.sent[self.said :] if m["data"]]
        return [
            part
            for content in contents
            for part in content.get("parts", [])
            if part["key"] == self.widget.part and part["view"] in (None, self.view)
        ]

    def wait(self, until: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The newest frame, as soon as it is as wished."""

        def found() -> bool:
            frames = self.frames()
            return bool(frames) and until(frames[-1])

        with self.comm.arrived:
            assert self.comm.arrived.wait_for(found, 10), self.frames()[-3:]
        return self.frames()[-1]


def test_a_second_users_heatmap_begins_with_what_the_server_remembers(server, mine):
    scan = mine.topic("lab:scan")
    for n in range(20):
        mine.publish("lab:scan", [n, n + 0.5], time=1000.0 + n, ack=True).wait(10)
    scan.wait(n=20, timeout=10)
    with open_connection(server.url, server.token("bob", name="Bob")) as theirs:
        # Made at once, and made after the server has told: both begin where the history does.
        told = theirs.topic("lab:scan", since=20)
        early = LiveHeatmap(told)
        told.wait(n=20, timeout=10)
        for heatmap in (early, LiveHeatmap(told), LiveHeatmap(scan)):
            frame = Page(heatmap).wait(lambda part: part.get("came") == 20)
            assert (frame["rows"], frame["late"]) == (2, 0)
            assert len(columns(heatmap)) == 20


def columns(heatmap: LiveHeatmap) -> list[float]:
    _header, [_bins, times, _values] = heatmap._stream.snapshot(0.0, Viewing(600))
    return np.frombuffer(times).tolist()


def test_presence_changes_when_a_second_client_joins_and_leaves(server, mine):
    page = Page(PresenceBar(mine.topic("lab:temp")))
    page.wait(lambda frame: frame["count"] == 1)
    with open_connection(server.url, server.token("bob")) as other:
        other.topic("lab:temp")
        page.wait(lambda frame: frame["count"] == 2)
    page.wait(lambda frame: frame["count"] == 1)


def test_a_view_that_opens_later_gets_what_is_now_at_once(mine):
    bar = PresenceBar(mine.topic("lab:temp"))
    Page(bar).wait(lambda frame: frame["state"] == "live")
    late = Page(bar)
    first = late.wait(lambda frame: frame["view"] == late.view)
    assert (first["state"], first["count"]) == ("live", 1)


def test_what_is_written_into_the_box_arrives_on_the_topic(mine, say):
    topic = mine.topic("lab:temp")
    shown = Page(card(topic))
    shown.wait(lambda frame: frame["state"] == "live")
    box = PublishBox(topic)
    [answer] = say(
        box,
        {"type": "publish", "box": "b", "id": 1, "topic": "lab:temp", "mode": "json", "text": '{"x": 21.5}'},
    )
    assert (answer["outcome"], answer["says"]) == ("sent", "Sent to lab:temp")
    frame = shown.wait(lambda frame: frame["count"] == 1)
    assert frame["value"] == {"is": "fields", "fields": [["x", 21.5]], "more": 0}


def test_what_the_server_refuses_comes_back_to_the_box(server, say):
    token = server.token("eve", topics=["lab:*"], allow=["subscribe"])
    with open_connection(server.url, token) as connection:
        assert connection.wait_connected(10)
        box = PublishBox("lab:temp", connection=connection)
        page = Page(box)
        say(box, {"type": "publish", "box": "b", "id": 1, "topic": "lab:temp", "mode": "json", "text": "1"})
        frame = page.wait(lambda frame: bool(frame["refusals"]))
        assert "publish" in frame["refusals"]["lab:temp"]


def test_the_badge_follows_a_connection_that_is_lost_and_its_button_brings_it_back(server, say):
    with (
        FaultyNetwork(server.url) as network,
        open_connection(network.url, server.token("ada", name="Ada")) as connection,
    ):
        badge = ConnectionBadge(connection)
        page = Page(badge)
        page.wait(lambda frame: frame["state"] == "connected" and frame["user"] is not None)
        network.refuse()
        page.wait(lambda frame: frame["state"] == "reconnecting" and frame["attempts"] > 0)
        network.restore()
        say(badge, {"type": "reconnect"})
        page.wait(lambda frame: frame["state"] == "connected")


def test_closing_the_connection_closes_what_shows_it(mine):
    pages = [
        Page(widget)
        for widget in (ConnectionBadge(mine), PublishBox("lab:temp", connection=mine), card(mine))
    ]
    topic = mine.topic("lab:temp")
    pages += [Page(PresenceBar(topic)), Page(card(topic))]
    for page in pages:
        page.wait(lambda frame: frame["state"] in ("connected", "live"))
    mine.close()
    for page in pages:
        page.wait(lambda frame: frame["state"] == "closed")


def test_a_closed_panel_says_closed_to_views_that_open_afterwards(mine):
    badge = ConnectionBadge(mine)
    Page(badge).wait(lambda frame: frame["state"] == "connected")
    badge.close()
    Page(badge).wait(lambda frame: frame["state"] == "closed")


def test_a_topic_that_hears_nothing_names_those_that_carry_data(mine):
    busy, silent = mine.topic("host:cpu"), mine.topic("lab:temp")
    shown = Page(card(silent))
    shown.wait(lambda frame: frame["state"] == "live")
    Page(card(busy)).wait(lambda frame: frame["state"] == "live")
    mine.publish("host:cpu", 1.0)
    Page(card(busy)).wait(lambda frame: frame["count"] == 1)
    silent.feed._began -= 12
    mine.neighbours.refresh(silent.feed.touch)
    shown.tell({"type": "look", "view": shown.view, "page": "page", "part": shown.widget.part})
    frame = shown.wait(lambda frame: "host:cpu" in frame["note"])
    assert frame["note"].startswith("Has heard nothing for 1")


def test_they_are_what_the_package_exports(mine):
    import nbrealtime

    assert nbrealtime.PresenceBar is PresenceBar
    assert nbrealtime.PublishBox is PublishBox
    assert nbrealtime.ConnectionBadge is ConnectionBadge


def test_a_topic_shows_its_card_beside_its_text(mine):
    topic = mine.topic("lab:temp")
    data, _ = card(topic)._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == card(topic).model_id
    bundle = topic._repr_mimebundle_()
    bundle = bundle[0] if isinstance(bundle, tuple) else bundle
    assert bundle["text/plain"] == repr(topic)
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == card(topic).model_id


def test_a_name_means_the_default_connection(server):
    with default_connection() as connection:
        assert PresenceBar("lab:temp").topic == "lab:temp"
        assert [topic.name for topic in connection.topics] == ["lab:temp"]
        assert ConnectionBadge()._link is PublishBox()._link is connection.link
