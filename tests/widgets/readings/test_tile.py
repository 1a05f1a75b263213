"""A tile shows one number: what it is, how old, what it means, and what it did in the last minute."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import traitlets

from nbrealtime.client import LinkState, Message
from nbrealtime.live import views
from nbrealtime.live.field import FieldView
from nbrealtime.live.patternfeed import PatternFeed
from nbrealtime.live.samples.ring import Ring
from nbrealtime.widgets import StatTile
from nbrealtime.widgets.audience import Viewing
from nbrealtime.widgets.pump import pump
from nbrealtime.widgets.readings.levels import threshold_at
from nbrealtime.widgets.readings.trend import Trend

pytestmark = pytest.mark.usefixtures("comms")

WIDE = Viewing(300)
START = 1e9


def frame(tile, now=START):
    """What a tick would send."""
    return tile._stream.frame(now, WIDE)


def header(tile, now=START):
    return frame(tile, now)[0]


def rows(buffers):
    """The bins of a trend: mean, minimum, maximum."""
    return np.frombuffer(b"".join(buffers), dtype=np.float32).reshape(-1, 3).tolist()


def heard(topic, *pairs):
    """Samples at times after START."""
    topic.feed.received([Message(topic.name, value, START + at, None) for at, value in pairs])


def test_it_shows_the_newest_value_its_age_and_whether_it_is_connected(topic):
    tile = StatTile(topic, units="°C")
    assert header(tile)["value"] is None
    topic.feed.subscribed(1)
    heard(topic, (0, 20.5), (1, 21.5))
    now = header(tile, START + 1.25)
    assert [now[key] for key in ("field", "value", "connected", "closed", "paused", "reason")] == [
        "value",
        21.5,
        True,
        None,
        None,
        "",
    ]
    assert now["interval"] == 1.0
    json.dumps(now)


def test_the_age_of_what_was_there_before_is_its_messages_own(topic):
    heard(topic, (0, 20.5))
    assert header(StatTile(topic), START + 90)["age"] == 90.0


@pytest.mark.parametrize(("payload", "field"), [({"x": 1, "y": 2}, "x"), ({"value": 3, "a": 1}, "value")])
def test_of_named_numbers_it_takes_value_or_the_first(topic, payload, field):
    tile = StatTile(topic)
    topic.hear(payload)
    assert (header(tile)["field"], tile.value) == (field, payload[field])


def test_a_field_keeps_its_number_while_others_come(topic):
    tile = StatTile(FieldView(topic, "x"))
    topic.hear({"x": 1.5}, {"y": 2}, {"y": 3}, {"x": None})
    assert header(tile)["value"] == 1.5
    assert repr(tile) == "StatTile of lab:temp x: 1.5, stale"
    with pytest.raises(ValueError, match="another"):
        StatTile(FieldView(topic, "x"), field="y")


def test_of_equal_thresholds_the_gravest_counts(topic):
    limits = [60, {"value": 80, "level": "bad", "label": "too hot"}, (20, 25), {"value": 60, "level": "info"}]
    tile = StatTile(topic, thresholds=limits, units="°C")
    seen = []
    for value in (10, 20, 25, 26, 60, 79, 80, 1e9, -5):
        topic.hear(value)
        seen.append(header(tile)["level"])
    assert seen == [None, "good", "good", None, "warn", "warn", "bad", "bad", None]
    topic.hear(80.0)
    assert (header(tile)["label"], tile.level) == ("too hot", "bad")
    assert repr(tile) == "StatTile of lab:temp: 80 °C, too hot (bad), stale"
    tile.thresholds = []
    assert header(tile)["level"] is None


def test_of_equals_the_last_names_the_level():
    lines = [{"value": 1.0, "label": "a", "level": "warn"}, {"value": 2.0, "label": "b", "level": "warn"}]
    assert [(threshold_at(lines, at) or {}).get("label") for at in (0.5, 1.0, 3.0)] == [None, "a", "b"]
    assert threshold_at(lines, None) is None


def test_it_says_why_nothing_comes(topic, link):
    tile = StatTile(topic)
    link.become(state=LinkState.RECONNECTING, attempts=2)
    topic.feed.offline()
    assert header(tile)["reason"] == "reconnecting, attempt 2"
    assert header(tile)["refused"] is False
    topic.feed.refused("forbidden", "not allowed to subscribe")
    assert (header(tile)["refused"], header(tile)["reason"]) == (True, "not allowed to subscribe")
    assert tile.state == "empty"


def test_text_is_no_number_and_it_says_what_to_use(topic):
    tile = StatTile(topic)
    topic.feed.subscribed(1)
    topic.hear("warm")
    assert header(tile)["text"] == "lab:temp carries text; use .log()"


def test_a_field_that_does_not_come_is_told_with_those_that_do(topic):
    tile = StatTile(topic, field="celcius")
    topic.feed.subscribed(1)
    assert header(tile)["text"] == ""
    topic.hear({"celsius": 21.5, "a": 1, "b": 2, "c": 3, "d": 4})
    assert header(tile)["text"] == "lab:temp has no field celcius so far, only celsius, a, b, c, …"
    topic.hear({"celcius": 21.5})
    assert (header(tile)["text"], header(tile)["value"]) == ("", 21.5)


def test_a_topic_that_is_paused_stands_still_here_too(topic):
    tile = StatTile(topic)
    heard(topic, (0, 1.0))
    frame(tile)
    topic.feed.pause()
    heard(topic, (1, 2.0), (2, 3.0))
    now, buffers = frame(tile)
    assert (now["value"], now["paused"], buffers, tile.state) == (1.0, 2, [], "paused")
    topic.feed.resume()
    assert header(tile)["value"] == 3.0


def test_the_trend_is_sent_once_and_a_new_view_gets_all_of_it(topic):
    tile = StatTile(topic, window=60)
    heard(topic, (0.1, 1.0), (0.2, 3.0), (1.1, 5.0))
    first, buffers = frame(tile)
    assert first["trend"] == {"first": 2_000_000_000, "width": 0.5, "window": 60.0, "whole": True}
    assert rows(buffers)[0] == [2.0, 1.0, 3.0]
    assert all(map(math.isnan, rows(buffers)[1]))
    assert rows(buffers)[2] == [5.0, 5.0, 5.0]
    assert "trend" not in header(tile)
    heard(topic, (1.3, 7.0), (2.1, 0.0))
    news, buffers = frame(tile)
    assert (news["trend"]["first"], news["trend"]["whole"]) == (2_000_000_002, False)
    assert rows(buffers)[0] == [6.0, 5.0, 7.0]
    again, buffers = tile._stream.snapshot(START, WIDE)
    assert (again["trend"]["first"], again["trend"]["whole"], len(rows(buffers))) == (2_000_000_000, True, 5)
    assert "trend" not in header(tile)


def test_a_tile_without_a_window_has_no_trend(topic):
    tile = StatTile(topic, window=None)
    topic.hear(1)
    assert ("trend" in header(tile), frame(tile)[1], tile.window) == (False, [], None)


def test_a_trend_is_what_its_samples_are_however_they_came():
    rng = np.random.default_rng(4)
    ring, trend, seen = Ring(), Trend(10.0), {}
    times = START + np.sort(rng.uniform(0, 30, 3000))
    values = rng.normal(size=3000)
    values[::7] = np.nan
    late = rng.permutation(3000)[:300]
    on_time = np.setdiff1d(np.arange(3000), late)
    for part in np.array_split(on_time, 40):
        mine = np.sort(np.concatenate((part, late[(late >= part[0] - 30) & (late < part[0])])))
        ring.append(times[mine], {"value": values[mine]})
        head, body = trend.news(ring, "value")
        seen = {} if head["whole"] else seen
        seen.update(enumerate(rows([body]), head["first"]))
        assert trend.news(ring, "value") is None
    head, body = trend.whole(ring, "value")
    assert head["whole"]
    assert len(rows([body])) <= 10 / trend.width + 2
    for index, row in enumerate(rows([body]), head["first"]):
        np.testing.assert_allclose(seen[index], row, rtol=1e-5)


def test_a_new_view_of_a_paused_tile_sees_the_trend_as_it_was(topic):
    tile = StatTile(topic)
    heard(topic, (0.1, 1.0))
    frame(tile)
    topic.feed.pause()
    heard(topic, (5.1, 9.0))
    assert rows(tile._stream.snapshot(START, WIDE)[1]) == [[1.0, 1.0, 1.0]]
    topic.feed.resume()
    assert rows(frame(tile)[1]) == [[9.0, 9.0, 9.0]]


def test_a_cleared_topic_empties_its_trend(topic):
    tile = StatTile(topic)
    topic.hear(1.0)
    frame(tile)
    topic.feed.clear()
    cleared, buffers = frame(tile)
    assert (cleared["value"], cleared["trend"]["whole"], buffers) == (None, True, [])
    topic.hear(2.0)
    assert rows(frame(tile)[1]) == [[2.0, 2.0, 2.0]]


def test_closing_it_keeps_what_it_shows_and_leaves_the_topic_open(topic, link):
    tile = StatTile(topic, units="°C")
    topic.feed.subscribed(1)
    topic.hear(21.5)
    tile.close()
    tile.close()
    topic.hear(99)
    now, buffers = tile._stream.snapshot(START, WIDE)
    assert (now["value"], len(rows(buffers))) == (21.5, 1)
    assert now["closed"] > 1e12
    assert not topic.feed.watched
    assert not link.listeners
    assert topic.feed.record.state == "live"
    assert repr(tile) == "StatTile of lab:temp: 21.5 °C, closed"


def test_it_closes_with_its_topic(topic):
    tile = StatTile(topic)
    topic.hear(1)
    topic.feed.closed()
    assert header(tile)["closed"] == header(tile)["closed"] is not None
    assert (tile.state, tile.value) == ("closed", 1)


def test_data_never_reach_its_synced_traits(topic, synced):
    tile = StatTile(topic, title="Lab")
    topic.hear(777_777)
    frame(tile)
    assert "777777" not in str(synced(tile))
    assert (tile.topic, tile.title, tile.window) == ("lab:temp", "Lab", 60.0)


def test_a_topic_a_field_and_one_topic_of_a_pattern_make_one(topic, connection):
    assert isinstance(views.make("tile", topic, units="°C"), StatTile)
    assert isinstance(FieldView(topic, "x").tile(), StatTile)
    pattern = connection.topic("lab:*")
    pattern.feed = PatternFeed("lab:*")
    with pytest.raises(ValueError, match=r"a tile shows one topic.*by_topic"):
        StatTile(pattern)


def test_what_cannot_be_meant_is_refused_and_leaves_nothing(topic):
    before = dict(pump()._parts)
    for bad in ({"window": 0.5}, {"window": "soon"}):
        with pytest.raises(ValueError, match=r"window is between|no duration"):
            StatTile(topic, **bad)
    for bad in ({"digits": 1}, {"thresholds": [(2, 1)]}, {"units": 3}):
        with pytest.raises(traitlets.TraitError):
            StatTile(topic, **bad)
    with pytest.raises(TypeError, match="a topic is a name"):
        StatTile(42)
    assert pump()._parts == before
    assert not topic.feed.watched


def test_a_picture_says_what_it_shows_and_of_when_it_is(topic):
    tile = StatTile(topic, title="Lab <1>", units="°C", thresholds={"too hot": {"value": 21, "level": "bad"}})
    empty = tile.to_svg()
    assert "No data yet" in empty
    heard(topic, (0, 20.5), (1, 19.0), (2, 21.5))
    svg = tile.to_svg(width=320)
    for words in (
        "Lab &lt;1&gt;",
        ">21.5<",
        ">°C<",
        "too hot",
        "As of ",
        "19 – 21.5 °C in 60 s",
        'width="320"',
    ):
        assert words in svg
    tile.close()
    assert "Closed " in tile.to_svg()
    assert tile.to_png()[:4] == b"\x89PNG"


def test_a_picture_has_the_thresholds_that_its_sparkline_reaches(topic):
    limits = [{"from": 0, "to": 20, "level": "good"}, {"value": 20, "level": "bad"}, 99]
    tile = StatTile(topic, thresholds=limits)
    heard(topic, (0, 19.0), (1, 21.0))
    assert tile.to_svg().count("stroke-dasharray") == 2
    tile.thresholds = ()
    assert "stroke-dasharray" not in tile.to_svg()


def test_where_its_output_was_a_picture_is_left(topic, monkeypatch):
    tile = StatTile(topic)
    topic.hear(21.5)
    kept = []
    shown = type(
        "Shown",
        (),
        {"anywhere": True, "replace": lambda _self, bundle, for_good: kept.append((bundle[0], for_good))},
    )
    monkeypatch.setattr(tile, "_shown", shown())
    tile._refresh_left()
    tile._refresh_left()
    tile.close()
    tile.close()
    assert [for_good for _, for_good in kept] == [False, True]
    assert {"image/svg+xml", "image/png"} <= kept[0][0].keys()
    assert kept[0][0]["text/plain"].startswith("lab:temp: 21.5, As of ")


@pytest.mark.parametrize("far", [1e308, -1e308, 1e18])
def test_a_number_whose_time_cannot_be_one_is_not_shown_and_said(topic, far):
    tile = StatTile(topic)
    topic.feed.subscribed(1)
    heard(topic, (0, 1.0))
    frame(tile)
    topic.hear({"t": far, "value": 7.0}, timestamp=START + 1)
    shown = header(tile)
    assert (shown["value"], shown["newest"]) == (1.0, START)
    assert shown["reason"].startswith("carries a time outside of the years")
    heard(topic, (2, 3.0))
    shown, buffers = frame(tile)
    assert (shown["value"], shown["reason"]) == (3.0, "")
    assert not np.isnan(rows(buffers)).all()
