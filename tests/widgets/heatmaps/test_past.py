"""A heatmap that is made late is the one that was made early, whatever came before."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbrealtime.client import Message
from nbrealtime.live.feed import Feed
from nbrealtime.live.patternfeed import PatternFeed
from nbrealtime.widgets.heatmaps.arrays import Arrays
from nbrealtime.widgets.heatmaps.grid import bin_width
from nbrealtime.widgets.heatmaps.heatmap import LiveHeatmap
from nbrealtime.widgets.heatmaps.past import follow_from_past

from .frames import FAR, hear, hole, snapshot

pytestmark = pytest.mark.usefixtures("comms")


def test_one_that_is_made_late_begins_with_the_window_that_came_before(topic):
    hear(topic, *([n, n + 1, None] for n in range(100)))
    early = LiveHeatmap(topic, window=30)
    hear(topic, [100, 101, 102], start=1100)
    header, columns = snapshot(early)
    assert (header["came"], list(columns)) == (32, [1070.0 + n for n in range(31)])
    assert hole(columns[1070.0]) == [70, 71, None]
    assert columns[1100.0] == [100, 101, 102]
    # And the next one has what that one has, whoever looked at it.
    again = snapshot(LiveHeatmap(topic, window=30))[1]
    assert {time: hole(column) for time, column in again.items()} == {
        time: hole(column) for time, column in columns.items()
    }


def test_scalars_after_arrays_leave_the_picture_and_arrays_after_scalars_begin_it(topic):
    hear(topic, 21.5, [1, 2], [3, 4])
    assert list(snapshot(LiveHeatmap(topic))[1].values()) == [[1, 2], [3, 4]]
    hear(topic, 21.5, start=1003)
    header, columns = snapshot(LiveHeatmap(topic))
    assert list(columns.values()) == [[1, 2], [3, 4]]
    assert "carries single numbers" in header["note"]


def test_names_after_arrays_begin_anew_also_in_the_past(topic):
    hear(topic, [1, 2], [3, 4], {"x": 1, "y": 2}, {"x": 3, "y": None}, {"x": 5, "z": 6, "t": 1004.0})
    early = snapshot(LiveHeatmap(topic))
    assert early[0]["axis"]["names"] == ["x", "y", "z"]
    assert [hole(column) for column in early[1].values()] == [[1, 2, None], [3, None, None], [5, None, 6]]
    hear(topic, [7, 8], start=1005)
    assert list(snapshot(LiveHeatmap(topic))[1].values()) == [[1, 2], [3, 4], [7, 8]]


def test_a_pattern_begins_with_what_its_topics_carried(connection):
    pattern = connection.topic("lab:*")
    pattern.feed = PatternFeed("lab:*")
    for n in range(3):
        pattern.feed.received(
            [Message("lab:a", float(n), 1000.0 + n), Message("lab:b", 10.0 + n, 1000.0 + n)]
        )
    pattern.feed.received([Message("lab:text", "warm", 1003.0)])
    heatmap = LiveHeatmap(pattern)
    pattern.feed.received([Message("lab:c", 5.0, 1004.0)])
    header, columns = snapshot(heatmap)
    assert header["axis"]["names"] == ["lab:a", "lab:b", "lab:c"]
    assert [hole(column)[:2] for column in columns.values()] == [[0, 10], [1, 11], [2, 12], [None, None]]
    assert header["came"] == 7


def test_the_past_has_the_field_that_is_asked_for(topic):
    hear(topic, *({"name": "x", "a": [n, n], "deep": {"b": [n, 2, 3]}, "n": n} for n in range(3)))
    for options, expected in (({}, [1, 1]), ({"field": "deep.b"}, [1, 2, 3])):
        assert snapshot(LiveHeatmap(topic, **options))[1][1001.0] == expected
    assert snapshot(LiveHeatmap(topic, field="n"))[0]["note"] == (
        "field n carries single numbers; a heatmap needs lists of numbers"
    )


def test_a_batch_that_comes_while_it_joins_is_taken_once(topic, monkeypatch):
    hear(topic, [0, 0], start=999)
    received = topic.feed._tell
    made = []

    def tell(messages=()):
        if messages and not made:
            made.append(LiveHeatmap(topic))
        received(messages)

    monkeypatch.setattr(topic.feed, "_tell", tell)
    topic.feed.received([Message("lab:temp", [1, 2], 1000.0), Message("lab:temp", [3, 4], 1001.0)])
    header, columns = snapshot(made[0])
    assert (header["came"], list(columns.values())) == (3, [[0, 0], [1, 2], [3, 4]])


def test_a_long_past_is_there_within_a_few_frames(topic):
    hear(topic, *([float(n)] * 16 for n in range(12_000)), step=0.005)
    heatmap = LiveHeatmap(topic)
    hear(topic, [0.0] * 16, start=1060)
    for _ in range(4):
        header, columns = snapshot(heatmap)
    assert (header["late"], header["came"]) == (0, 12_001)
    assert max(columns) - min(columns) == pytest.approx(60, abs=0.2)


def test_a_topics_clearing_clears_the_past(topic):
    hear(topic, [1, 2], [3, 4])
    topic.feed.clear()
    assert list(snapshot(LiveHeatmap(topic))[1].values()) == [[3, 4]]


@pytest.mark.parametrize("far", FAR)
@pytest.mark.parametrize("data", [[1, 2], {"x": 1, "y": 2}])
def test_the_past_begins_also_behind_one(topic, far, data):
    hear(topic, data)
    hear(topic, data, start=far)
    columns = snapshot(LiveHeatmap(topic))[1]
    assert list(columns.values()) == [[1, 2]]


def test_of_an_objects_member_it_begins_with_the_numbers_that_came_before(topic):
    hear(topic, *({"n": n, "spectra": {"left": n, "right": -n}} for n in range(100)))
    heatmap = LiveHeatmap(topic, field="spectra", window=30)
    hear(topic, {"n": 0, "spectra": {"left": 7, "low": 8}}, start=1100)
    header, columns = snapshot(heatmap)
    assert header["axis"]["names"] == ["left", "right", "low"]
    assert list(columns) == [1070.0 + n for n in range(31)]
    assert hole(columns[1070.0]) == [70, -70, None]
    assert hole(columns[1100.0]) == [7, None, 8]


def test_of_a_path_into_a_patterns_topics_it_begins_with_what_came_before(connection):
    pattern = connection.topic("lab:*")
    pattern.feed = PatternFeed("lab:*")
    for n in range(3):
        pattern.feed.received(
            [
                Message(f"lab:{name}", {"spectra": {"left": n + shift}}, 1000.0 + n)
                for name, shift in (("a", 0), ("b", 10))
            ]
        )
    header, columns = snapshot(LiveHeatmap(pattern, field="spectra.left"))
    assert header["axis"]["names"] == ["lab:a", "lab:b"]
    assert list(columns.values()) == [[0, 10], [1, 11], [2, 12]]
    assert (header["came"], header["note"]) == (6, "")


def test_nested_numbers_do_not_hide_those_of_the_object_itself(topic):
    hear(topic, *({"x": n, "y": 2 * n, "meta": {"seq": n}} for n in range(3)))
    header, columns = snapshot(LiveHeatmap(topic))
    assert header["axis"]["names"] == ["x", "y"]
    assert list(columns.values()) == [[0, 0], [1, 2], [2, 4]]


numbers = st.integers(-100, 100) | st.none()
lists = st.lists(st.integers(-100, 100), min_size=2, max_size=2)
payloads = st.fixed_dictionaries(
    {
        "a": st.fixed_dictionaries(
            {
                "list": lists,
                "named": st.dictionaries(st.sampled_from("xyz"), numbers, min_size=1),
                "deep": st.fixed_dictionaries({"b": lists}),
            }
        )
    },
    optional={
        "t": st.lists(st.floats(1e9, 1e9 + 10), min_size=1, max_size=3),
        "n": numbers,
        "text": st.just("text"),
        "list": lists,
    },
)


@given(st.lists(payloads, min_size=1, max_size=12), st.data())
@settings(max_examples=60)
def test_of_whatever_field_one_made_late_is_the_one_that_was_made_early(heard, data):
    field = data.draw(st.sampled_from(["a", "a.list", "a.named", "a.deep", "a.deep.b"]))
    feed = Feed("lab:scan")
    early, late = (Arrays(20.0, field=field, time_field="t") for _ in range(2))
    follow_from_past(feed, early, field, topics=False)
    cut = data.draw(st.integers(0, len(heard)))
    for at, payload in enumerate(heard):
        if at == cut:
            follow_from_past(feed, late, field, topics=False)
        feed.received([Message("lab:scan", payload, 1000.0 + at)])
    if cut == len(heard):
        follow_from_past(feed, late, field, topics=False)
    for arrays in (early, late):
        assert not arrays.collect()
    assert late.grid.whole() == early.grid.whole()
    assert late.axis() == early.axis()


@given(
    st.integers(1_789_000_000, 1_790_000_000).map(float) | st.floats(1.789e9, 1.79e9),
    st.lists(st.floats(-0.005, 0.005), min_size=20, max_size=60),
)
@settings(max_examples=50)
def test_numbers_of_the_past_have_a_bin_each_as_they_do_when_they_come(start, strays):
    feed = Feed("lab:temp")
    early, late = Arrays(60.0), Arrays(60.0)
    follow_from_past(feed, early, None, topics=False)
    width = bin_width(60.0, 2)
    start = round(start / width) * width
    for at, stray in enumerate(strays):
        if at == len(strays) - 10:
            follow_from_past(feed, late, None, topics=False)
        feed.received([Message("lab:temp", {"x": float(at), "y": -1.0}, start + at * width + stray)])
    for arrays in (early, late):
        assert not arrays.collect()
    assert early.grid.late == late.grid.late == 0
    assert len(late.grid.whole()[0]) == len(strays) * 8
    assert late.grid.whole()[2] == early.grid.whole()[2]
