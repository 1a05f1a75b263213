"""What a plot's topics say of themselves, in one word for all of them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from nbrealtime.widgets.plots.source import Source
from nbrealtime.widgets.plots.standing import standing


def source(name="lab:temp", why="", **said) -> Source:
    status = {"name": name, "state": "live", "count": 3, "reason": "", "numeric": True, "error": None, **said}
    feed = SimpleNamespace(name=name, untroubled=None, status=lambda: SimpleNamespace(**status))
    return Source(name, feed, why=lambda: why)


def test_live_topics_have_nothing_to_say_but_how_much_came():
    assert standing([source(), source("lab:rh", count=4)]) == (False, True, 7, "", "", False)


def test_a_topic_that_simply_flows_is_asked_nothing_else():
    def flowing(count: int) -> Source:
        return Source("lab:temp", SimpleNamespace(name="lab:temp", untroubled=count, status=pytest.fail))

    assert standing([flowing(3), flowing(4)]) == (False, True, 7, "", "", False)
    quiet = source("lab:rh", reason="has heard nothing for 10 s", numeric=None, count=0)
    assert standing([flowing(3), quiet]) == (False, True, 3, "lab:rh has heard nothing for 10 s", "", False)


def test_a_plot_is_closed_with_its_last_topic_and_connected_with_its_first():
    closed = source(state="closed")
    assert standing([closed, closed]).closed
    assert not standing([closed, source("lab:rh", state="offline")]).closed
    assert standing([source("lab:rh", state="offline"), source()]).connected
    assert not standing([source(state="offline"), closed]).connected


def test_a_plot_is_refused_when_all_its_topics_are():
    refused = source(state="refused")
    assert standing([refused, refused]).refused
    assert not standing([refused, source("lab:rh", state="offline")]).refused
    assert not standing([]).refused


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"state": "refused", "error": "not allowed"}, "lab:temp: not allowed"),
        ({"state": "refused"}, "lab:temp: refused"),
        ({"state": "closed"}, "lab:temp is closed"),
        ({"state": "offline", "why": "reconnecting, attempt 3"}, "reconnecting, attempt 3"),
        ({"state": "offline", "reason": "has heard nothing for 10 s"}, "has heard nothing for 10 s"),
        ({"reason": "has heard nothing for 10 s", "numeric": None}, "has heard nothing for 10 s"),
        # Live, and the connection's word is of yesterday.
        ({"why": "reconnecting, attempt 3"}, ""),
        # That it carries text is said in another place.
        ({"reason": "carries text", "numeric": False}, ""),
    ],
)
def test_it_says_why_nothing_comes(said, expected):
    assert standing([source(**said)]).reason == expected


def test_of_several_the_first_that_has_a_reason_gives_it_with_its_name():
    quiet = source("lab:rh", reason="has heard nothing for 10 s", numeric=None)
    assert standing([source(), quiet, source("lab:p", state="closed")]).reason == (
        "lab:rh has heard nothing for 10 s"
    )


def test_of_what_cannot_be_drawn_the_first_says_what_to_do():
    said = standing([source(), source("log", reason="carries text", numeric=False)])
    assert said.text == "log carries text; use .log()"
    assert standing([source()]).text == ""
