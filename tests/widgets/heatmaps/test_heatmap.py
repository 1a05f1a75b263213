"""A heatmap makes columns of arrays, bounded in time and bytes, and streams each of them once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbrealtime.client import Message
from nbrealtime.live import views
from nbrealtime.live.feed import Feed
from nbrealtime.live.field import FieldView
from nbrealtime.live.patternfeed import PatternFeed
from nbrealtime.widgets.audience import Viewing
from nbrealtime.widgets.heatmaps.arrays import Arrays
from nbrealtime.widgets.heatmaps.grid import MOST_BYTES, MOST_ROWS, HeatGrid, bin_width
from nbrealtime.widgets.heatmaps.heatmap import LiveHeatmap
from nbrealtime.widgets.heatmaps.past import follow_from_past
from nbrealtime.widgets.heatmaps.spectrogram import Spectrogram

pytestmark = pytest.mark.usefixtures("comms")

WIDE = Viewing(800)


def read(frame):
    """A frame's header, and its columns by time."""
    header, buffers = frame
    assert all(type(buffer) is bytes for buffer in buffers)
    if not buffers:
        return header, {}
    _bins, times, values = (
        np.frombuffer(b, dtype) for b, dtype in zip(buffers, ("f8", "f8", "f4"), strict=True)
    )
    columns = values.reshape(len(times), header["rows"])
    return header, {time: column.tolist() for time, column in zip(times.tolist(), columns, strict=True)}


def news(heatmap):
    return read(heatmap._stream.frame(0.0, WIDE))


def snapshot(heatmap):
    return read(heatmap._stream.snapshot(0.0, WIDE))


def hear(topic, *columns, start=1000.0, step=1.0):
    for i, data in enumerate(columns):
        topic.hear(data, timestamp=start + i * step)


def hole(column):
    return [None if np.isnan(value) else value for value in column]


def test_each_list_is_a_column(topic):
    heatmap = LiveHeatmap(topic)
    hear(topic, [1, 2, 3], [4.5, None, 6])
    header, columns = news(heatmap)
    assert (header["rows"], header["came"], header["whole"]) == (3, 2, True)
    assert columns[1000.0] == [1, 2, 3]
    assert hole(columns[1001.0]) == [4.5, None, 6]
    assert header["axis"] == {"positions": [0, 2], "unit": ""}
    assert header["interval"] == 1.0


def test_a_frame_has_what_is_new_and_a_snapshot_all_that_is_kept(topic):
    heatmap = LiveHeatmap(topic)
    hear(topic, [1, 2], [3, 4])
    news(heatmap)
    hear(topic, [5, 6], start=1002)
    assert list(snapshot(heatmap)[1]) == [1000.0, 1001.0, 1002.0]
    header, columns = news(heatmap)
    # The newest column that was sent may have changed since: it comes again.
    assert (list(columns), header["whole"]) == ([1001.0, 1002.0], False)
    assert list(news(heatmap)[1]) == [1002.0]


def test_what_falls_on_one_column_is_averaged(topic):
    heatmap = LiveHeatmap(topic, window=600)
    hear(topic, [1, 10], [3, None], [5, 30], step=0.01)
    [column] = news(heatmap)[1].values()
    assert column == [3, 20]


def test_only_the_window_is_kept():
    grid = HeatGrid(10.0)
    grid.shape(2)
    for n in range(1000):
        grid.add(1000 + n * 0.1, np.array([n, n], dtype=np.float32))
    times = np.frombuffer(grid.whole()[1])
    assert times[-1] - times[0] <= 10 + 2 * grid.width
    assert len(times) == pytest.approx(100, abs=2)


def test_many_rows_get_wider_bins_so_that_a_snapshot_stays_small():
    assert bin_width(60, 100) == 0.1
    grid = HeatGrid(60.0)
    grid.shape(MOST_ROWS)
    for n in range(700):
        grid.add(1000 + n * 0.1, np.zeros(MOST_ROWS, dtype=np.float32))
    assert sum(map(len, grid.whole())) <= MOST_BYTES + 2 * 4 * MOST_ROWS


def test_a_list_of_another_length_begins_anew(topic):
    heatmap = LiveHeatmap(topic)
    hear(topic, [1, 2])
    layout = news(heatmap)[0]["layout"]
    hear(topic, [1, 2, 3], start=1001)
    header, columns = news(heatmap)
    assert (header["rows"], header["whole"], list(columns)) == (3, True, [1001.0])
    assert header["layout"] > layout


def test_what_comes_too_late_is_counted(topic):
    heatmap = LiveHeatmap(topic)
    hear(topic, [1, 2], [3, 4])
    hear(topic, [5, 6], start=990)
    header, columns = news(heatmap)
    assert (header["late"], list(columns)) == (1, [1000.0, 1001.0])


def test_of_an_object_it_takes_the_field_or_the_first_list(topic):
    hear(topic, {"name": "x", "a": [1, 2], "deep": {"b": [3, 4, 5]}})
    for options, expected in (({}, [1, 2]), ({"field": "deep.b"}, [3, 4, 5])):
        [column] = news(LiveHeatmap(topic, **options))[1].values()
        assert column == expected
    [column] = news(views.make("heatmap", FieldView(topic, "a")))[1].values()
    assert column == [1, 2]


def test_numbers_of_an_object_are_rows_by_name(topic):
    heatmap = LiveHeatmap(topic)
    hear(topic, {"x": 1, "y": 2, "note": "n"}, {"y": 3, "z": 4})
    header, columns = news(heatmap)
    assert header["axis"]["names"] == ["x", "y", "z"]
    assert [hole(column) for column in columns.values()] == [[1, 2, None], [None, 3, 4]]


def test_topics_of_a_pattern_are_rows(connection):
    pattern = connection.topic("lab:*")
    pattern.feed = PatternFeed("lab:*")
    heatmap = LiveHeatmap(pattern)
    pattern.feed.received([Message("lab:a", 1.0, 1000.0), Message("lab:b", 2.0, 1000.01)])
    header, columns = news(heatmap)
    assert header["axis"]["names"] == ["lab:a", "lab:b"]
    [column] = columns.values()
    assert column == [1, 2]


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


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (21.5, "carries single numbers"),
        ("warm", "carries text"),
        (["1", "2"], "not all numbers"),
        ([[1], [2]], "not all numbers"),
        ([[1, 2], [3]], "not all numbers"),
        ([], "between 1 and 4,096"),
        ([0] * 4097, "between 1 and 4,096"),
        ({"a": "x"}, "carries no numbers"),
    ],
)
def test_it_says_what_it_cannot_draw(topic, data, note):
    heatmap = LiveHeatmap(topic)
    topic.hear(data)
    header, columns = news(heatmap)
    assert note in header["note"]
    assert columns == {}
    topic.hear([1, 2])
    assert news(heatmap)[0]["note"] == ""


def test_positions_must_fit_the_rows(topic):
    heatmap = LiveHeatmap(topic, y=[1, 10, 100], y_units="Hz")
    topic.hear([1, 2])
    assert news(heatmap)[0]["note"] == "y has 3 positions, and a list 2 numbers"
    topic.hear([1, 2, 3])
    assert news(heatmap)[0]["axis"] == {"positions": [1, 10, 100], "unit": "Hz"}


def test_a_flood_is_taken_a_frame_at_a_time_and_bounded():
    arrays = Arrays(60.0)
    arrays.put([Message("lab:x", [float(n)] * 64, 1000 + n / 100) for n in range(3_000)])
    rounds = 1
    while arrays.collect():
        rounds += 1
    assert rounds > 1
    assert (arrays._waiting.dropped, arrays.came) == (0, 3_000)
    assert sum(map(len, arrays.grid.whole())) <= MOST_BYTES


def test_what_nobody_looks_at_for_an_hour_is_kept():
    arrays = Arrays(3600.0)
    for n in range(36_000):
        arrays.put([Message("lab:x", [1.0, float(n)], 1000 + n / 10)])
    assert len(arrays._waiting) <= 1_000
    assert arrays._waiting.dropped == 0
    while arrays.collect():
        pass
    times = np.frombuffer(arrays.grid.whole()[1])
    assert (times[0] - 1000 < 2 * arrays.grid.width, round(times[-1])) == (True, 4600)


def test_what_float32_cannot_hold_does_no_harm(topic):
    heatmap = LiveHeatmap(topic)
    topic.hear([1, 10**400, 1e300])
    [column] = news(heatmap)[1].values()
    assert column[0] == 1
    assert not np.isfinite(column[1:]).any()


def test_closing_it_keeps_the_picture_and_leaves_the_topic_open(topic, link):
    heatmap = LiveHeatmap(topic)
    topic.feed.subscribed(1)
    topic.hear([1, 2])
    heatmap.close()
    heatmap.close()
    assert (topic.feed._watchers, topic.feed._taps, link.listeners) == ((), (), [])
    topic.hear([3, 4])
    header, columns = snapshot(heatmap)
    assert (header["state"], list(columns.values())) == ("closed", [[1, 2]])
    assert topic.feed.record.state == "live"
    assert repr(heatmap) == "LiveHeatmap of lab:temp: closed"


def test_values_never_reach_its_synced_traits(topic, synced):
    heatmap = LiveHeatmap(topic, title="Scan", units="°C", value_range=(0, 40))
    topic.hear([12345.5, 2])
    news(heatmap)
    assert "12345" not in str(synced(heatmap))
    assert (heatmap.title, heatmap.units, heatmap.value_range) == ("Scan", "°C", (0.0, 40.0))


def test_it_takes_sane_options_only(topic):
    for bad in (
        {"window": 0.01},
        {"window": "2d"},
        {"value_range": (1, 1)},
        {"value_range": (0, float("inf"))},
        {"colors": "jet"},
        {"height": 100},
        {"y": [1]},
        {"y": [1, 3, 2]},
        {"time_zone": "Nowhere"},
    ):
        with pytest.raises(
            ValueError, match=r"window is|2d|value_range is|colors is|height is|y is|time zone"
        ):
            LiveHeatmap(topic, **bad)
    with pytest.raises(TypeError, match="a topic is a name"):
        LiveHeatmap(42)
    assert not topic.feed._taps


FAR = [1e305, -1e305, 1e18]


@pytest.mark.parametrize("far", FAR)
def test_a_time_that_cannot_be_one_makes_no_column_and_says_so(topic, far):
    heatmap = LiveHeatmap(topic)
    hear(topic, [1, 2])
    hear(topic, [3, 4], start=far)
    header, columns = news(heatmap)
    assert (list(columns), header["late"]) == ([1000.0], 0)
    assert header["note"].startswith("the topic carries a time outside of the years")
    hear(topic, [5, 6], start=1001)
    header, columns = news(heatmap)
    assert (list(columns), header["note"]) == ([1000.0, 1001.0], "")


@pytest.mark.parametrize("far", FAR)
@pytest.mark.parametrize("data", [[1, 2], {"x": 1, "y": 2}])
def test_the_past_begins_also_behind_one(topic, far, data):
    hear(topic, data)
    hear(topic, data, start=far)
    columns = snapshot(LiveHeatmap(topic))[1]
    assert list(columns.values()) == [[1, 2]]


@pytest.mark.parametrize("far", FAR)
def test_a_spectrogram_goes_on_past_one(topic, far):
    shown = Spectrogram(topic, nperseg=8, fs=8, overlap=0)
    times = 1e9 + np.arange(40) / 8
    topic.hear({"t": times[:20].tolist(), "value": [1.0] * 20})
    topic.hear({"t": [far], "value": [1.0]})
    topic.hear({"t": times[20:].tolist(), "value": [1.0] * 20})
    assert len(snapshot(shown)[1]) == 5


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
