"""A heatmap makes columns of arrays, bounded in time and bytes, and streams each of them once."""

from __future__ import annotations

import numpy as np
import pytest

from nbrealtime.client import Message
from nbrealtime.live import views
from nbrealtime.live.field import FieldView
from nbrealtime.live.patternfeed import PatternFeed
from nbrealtime.widgets.heatmaps.arrays import Arrays
from nbrealtime.widgets.heatmaps.grid import MOST_BYTES, MOST_ROWS, HeatGrid, bin_width
from nbrealtime.widgets.heatmaps.heatmap import LiveHeatmap
from nbrealtime.widgets.heatmaps.spectrogram import Spectrogram

from .frames import FAR, hear, hole, news, snapshot

pytestmark = pytest.mark.usefixtures("comms")


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
def test_a_spectrogram_goes_on_past_one(topic, far):
    shown = Spectrogram(topic, nperseg=8, fs=8, overlap=0)
    times = 1e9 + np.arange(40) / 8
    topic.hear({"t": times[:20].tolist(), "value": [1.0] * 20})
    topic.hear({"t": [far], "value": [1.0]})
    topic.hear({"t": times[20:].tolist(), "value": [1.0] * 20})
    assert len(snapshot(shown)[1]) == 5
