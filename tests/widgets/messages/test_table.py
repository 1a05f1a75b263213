"""A table keeps messages as rows, or the newest of each key, and streams what changed."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest

from nbrealtime.client import Message
from nbrealtime.live import views
from nbrealtime.live.field import FieldView
from nbrealtime.live.patternfeed import PatternFeed
from nbrealtime.widgets.audience import Viewing
from nbrealtime.widgets.messages.table import LiveTable
from nbrealtime.widgets.messages.tablerows import (
    FRAME_BYTES,
    FRAME_ROWS,
    KEPT_BYTES,
    MOST_COLUMNS,
    TablePart,
    TableRows,
)

pytestmark = pytest.mark.usefixtures("comms")

WIDE = Viewing(800)


def read(frame):
    """A frame's header, and its rows."""
    header, buffers = frame
    assert all(type(buffer) is bytes for buffer in buffers)
    return header, [row for buffer in buffers for row in msgspec.json.decode(buffer)]


def news(table):
    """What a tick would send."""
    return read(table._stream.frame(0.0, WIDE))


def snapshot(table):
    """What a new view is answered."""
    return read(table._stream.snapshot(0.0, WIDE))


def cells(rows):
    return [row[4:] for row in rows]


def messages(*values, topic="lab:temp"):
    return [Message(topic, value, 1e9, None) for value in values]


def test_fields_become_columns_as_they_come(topic):
    table = LiveTable(topic)
    topic.hear({"a": 1, "b": "x"}, {"b": "y", "c": True})
    header, rows = news(table)
    assert header["columns"] == ["a", "b", "c"]
    assert cells(rows) == [[1, "x"], [None, "y", True]]
    assert rows[0][:4] == [1, 1, 1_000_000_000_000, "lab:temp"]


def test_a_cell_is_what_came_and_anything_nested_is_its_json(topic):
    table = LiveTable(topic, columns=["v"])
    values = [1.5, "<b>", False, None, [1, {"x": 2}], 2**60, b"\x00", "long" * 100, np.arange(2.0)]
    topic.hear(*({"v": value} for value in values))
    shown = [cell for [cell] in cells(news(table)[1])]
    assert shown[:4] == [1.5, "<b>", False, ["null"]]
    assert shown[4:7] == [['[1,{"x":2}]'], ["1152921504606846976"], ['{"$bytes":"AA=="}']]
    assert len(shown[7]) == 200
    assert shown[8] == ["[0.0,1.0]"]


def test_a_payload_that_is_no_object_is_the_column_value(topic):
    table = LiveTable(topic)
    topic.hear(21.5, "warm", [1, 2])
    header, rows = news(table)
    assert header["columns"] == ["value"]
    assert cells(rows) == [[21.5], ["warm"], [["[1,2]"]]]


def test_columns_are_chosen_by_name_or_by_path(topic):
    table = LiveTable(topic, columns=["pos.x", "a.b", "none"])
    topic.hear({"pos": {"x": 3, "y": 4}, "a.b": 5, "more": 6}, {"pos": 1})
    header, rows = news(table)
    assert header["columns"] == ["pos.x", "a.b", "none"]
    assert cells(rows) == [[3, 5, None], [None, None, None]]


def test_by_key_a_row_keeps_its_place_and_its_cells_change(topic):
    table = LiveTable(topic, key="sensor")
    topic.hear({"sensor": "a", "v": 1}, {"sensor": "b", "v": 2})
    assert [(row[0], row[5]) for row in news(table)[1]] == [(1, 1), (2, 2)]
    topic.hear({"sensor": "a", "v": 3}, {"sensor": "a", "v": 4})
    header, rows = news(table)
    assert [(row[0], row[5]) for row in rows] == [(1, 4)]
    assert header["came"] == 4
    assert sorted((row[0], row[5]) for row in snapshot(table)[1]) == [(1, 4), (2, 2)]


def test_a_message_without_the_key_is_counted_and_left_out(topic):
    table = LiveTable(topic, key="pump.id")
    topic.hear({"pump": {"id": 1}}, {"pump": {"id": True}}, {"pump": 3}, 4, {"pump": {"id": [1]}})
    header, rows = news(table)
    assert (header["unkeyed"], len(rows)) == (3, 2)


def test_the_topic_can_be_the_key(topic, connection):
    other = connection.topic("lab:other")
    table = LiveTable(topic, other, key="topic")
    topic.hear(1, 2)
    other.hear(3)
    assert [(row[3], row[4]) for row in news(table)[1]] == [("lab:temp", 2), ("lab:other", 3)]


def test_the_rows_that_changed_last_are_kept(topic):
    table = LiveTable(topic, key="k", rows=2)
    for key in "abac":
        topic.hear({"k": key})
        news(table)
    assert [row[4] for row in snapshot(table)[1]] == ["a", "c"]
    topic.feed.clear()
    plain = LiveTable(topic, rows=3)
    topic.hear(*range(10))
    header, rows = news(plain)
    assert (cells(rows), header["came"], header["skipped"]) == ([[7], [8], [9]], 10, 7)
    # A browser keeps as many as the kernel, whose bound in bytes it cannot know.
    assert header["kept"] == 3


def test_one_that_is_made_late_has_what_one_has_that_was_made_early(topic):
    early = LiveTable(topic), LiveTable(topic, key="k")
    topic.hear({"k": "a", "v": 1}, {"k": "b", "v": 2}, {"v": 3})
    topic.feed.pause()
    topic.hear({"k": "a", "v": 4})
    late = LiveTable(topic), LiveTable(topic, key="k")
    topic.hear({"k": "c", "v": 5})
    for one, other in zip(early, late, strict=True):
        assert snapshot(other)[1] == snapshot(one)[1]
    header, rows = snapshot(late[1])
    assert (header["came"], header["unkeyed"], header["skipped"]) == (5, 1, 0)
    assert sorted(cells(rows)) == [["a", 4], ["b", 2], ["c", 5]]


def test_a_cleared_topic_has_no_past(topic):
    topic.hear({"k": "a"})
    topic.feed.clear()
    header, rows = snapshot(LiveTable(topic, key="k"))
    assert (rows, header["came"]) == ([], 0)


def test_its_limit_holds_for_the_past_and_nothing_of_it_is_called_skipped(topic):
    topic.hear(*range(400))
    table = LiveTable(topic, rows=3)
    topic.hear(400)
    header, rows = snapshot(table)
    assert (cells(rows), header["came"], header["skipped"]) == ([[398], [399], [400]], 401, 0)
    # By key, the oldest of them may be the newest of its key.
    topic.hear({"k": "rare"}, *({"k": "frequent", "n": n} for n in range(400)))
    header, rows = snapshot(LiveTable(topic, key="k", rows=3))
    assert cells(rows) == [["rare", None], ["frequent", 399]]


def test_a_batch_that_comes_while_it_joins_is_taken_once(topic, monkeypatch):
    tell = topic.feed._tell
    made = []

    def told(messages=()):
        if messages and not made:
            made.extend([LiveTable(topic), LiveTable(topic, key="k")])
        tell(messages)

    monkeypatch.setattr(topic.feed, "_tell", told)
    topic.hear({"k": "a"}, {"k": "b"})
    for table in made:
        header, rows = snapshot(table)
        assert (cells(rows), header["came"]) == ([["a"], ["b"]], 2)


def test_by_topic_a_pattern_begins_with_the_newest_of_each(connection):
    pattern = connection.topic("lab:*")
    pattern.feed = PatternFeed("lab:*")
    pattern.feed.received([Message("lab:slow", 1, 1000.0), Message("lab:slow", 2, 1001.0)])
    for n in range(600):
        pattern.feed.received([Message("lab:fast", n, 1002.0 + n)])
    header, rows = snapshot(LiveTable(pattern, key="topic"))
    assert [row[3:] for row in rows] == [["lab:slow", 2], ["lab:fast", 599]]
    assert header["came"] == 602


def test_a_snapshot_does_not_change_what_the_next_frame_says(topic):
    table = LiveTable(topic)
    topic.hear(1)
    assert cells(snapshot(table)[1]) == [[1]]
    header, rows = news(table)
    assert (cells(rows), header["whole"]) == ([[1]], False)
    header, rows = news(table)
    assert rows == []
    header, rows = snapshot(table)
    assert (cells(rows), header["whole"]) == ([[1]], True)


@pytest.mark.parametrize("key", [None, "n"])
def test_a_flood_is_sent_a_bounded_frame_at_a_time(key):
    marked = []
    rows = TableRows(20_000, key=key)
    part = TablePart(rows, dict, lambda: marked.append(1))
    rows.put(messages(*({"n": n, "text": "x" * 190} for n in range(9_000))))
    frames = []
    while len(frames) <= len(marked):
        frames.append(read(part.frame(0.0, WIDE))[1])
        # Whole messages are held by few rows at any time.
        assert rows._unsent <= FRAME_ROWS
    assert sorted(row[0] for frame in frames for row in frame) == list(range(1, 9_001))
    assert max(map(len, frames)) <= min(FRAME_ROWS, FRAME_BYTES // 190)
    assert len(marked) == len(frames) - 1


def test_the_newest_of_each_key_is_kept_while_nobody_looks():
    rows = TableRows(1_000, key="k")
    rows.put(messages({"k": "rare", "v": 1}))
    for n in range(0, 40_000, 100):
        rows.put(messages(*({"k": k, "v": n} for k in range(100))))
    assert rows.skipped == 0
    assert rows._unsent <= FRAME_ROWS
    sent = read(TablePart(rows, dict, lambda: None).frame(0.0, WIDE))[1]
    assert {(row[4], row[5]) for row in sent} >= {("rare", 1), (0, 39_900), (99, 39_900)}


def test_what_a_key_overtakes_is_not_sent():
    rows = TableRows(100, key="k")
    part = TablePart(rows, dict, lambda: None)
    rows.put(messages(*({"k": n % 10, "n": n} for n in range(8_000))))
    _header, sent = read(part.frame(0.0, WIDE))
    assert [row[5] for row in sent] == list(range(7_990, 8_000))


def test_names_used_as_data_do_not_become_columns_without_end(topic):
    table = LiveTable(topic)
    topic.hear(*({f"name{n}": n} for n in range(100)))
    header, _rows = news(table)
    assert (len(header["columns"]), header["hidden"]) == (MOST_COLUMNS, 100 - MOST_COLUMNS)


def test_kept_cells_are_bounded_in_bytes():
    rows = TableRows(20_000, columns=[f"c{n}" for n in range(30)])
    part = TablePart(rows, dict, lambda: None)
    for _ in range(10):
        rows.put(messages(*[{f"c{n}": "x" * 190 for n in range(30)}] * 1_000))
        while rows.waiting() or rows._unsent:
            part.frame(0.0, WIDE)
    assert rows._bytes <= KEPT_BYTES
    assert sum(row.size for row in rows.kept.values()) == rows._bytes
    assert 0 < len(rows.kept) < 2_000


def test_closing_it_keeps_the_rows_and_leaves_the_topic_open(topic, link):
    table = LiveTable(topic)
    topic.feed.subscribed(1)
    topic.hear(1)
    table.close()
    table.close()
    assert (topic.feed._watchers, topic.feed._taps, link.listeners) == ((), (), [])
    topic.hear(2)
    header, rows = snapshot(table)
    assert (header["state"], cells(rows)) == ("closed", [[1]])
    assert topic.feed.record.state == "live"
    assert repr(table) == "LiveTable of lab:temp: closed, 1 message"


def test_messages_never_reach_its_synced_traits(topic, synced):
    table = LiveTable(topic, key="name", time_zone="UTC", title="Pumps")
    topic.hear({"name": "secret"})
    news(table)
    assert "secret" not in str(synced(table))
    assert (table.key, table.time_zone, table.title, table.rows) == ("name", "UTC", "Pumps", 1000)


def test_a_topic_and_a_field_make_one_by_name(topic):
    assert isinstance(views.make("table", topic, rows=10), LiveTable)
    table = views.make("table", FieldView(topic, "x"))
    topic.hear({"x": 1, "y": 2})
    assert news(table)[0]["columns"] == ["x"]


def test_it_takes_sane_options_only(topic):
    with pytest.raises(TypeError, match="a table needs at least one topic"):
        LiveTable()
    with pytest.raises(TypeError, match="columns is a list of names"):
        LiveTable(topic, columns=[1])
    for bad in (
        {"rows": 0},
        {"rows": 20_001},
        {"height": 100},
        {"key": ""},
        {"key": 3},
        {"columns": []},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../etc"},
    ):
        with pytest.raises(ValueError, match=r"rows is|height is|key is|columns, not|time zone"):
            LiveTable(topic, **bad)
    assert not topic.feed._taps


def test_a_time_zone_is_written_as_for_a_plot(topic):
    for given, meant in (
        ("utc", "UTC"),
        (dt.UTC, "UTC"),
        (ZoneInfo("Europe/Berlin"), "Europe/Berlin"),
        ("", ""),
    ):
        assert LiveTable(topic, time_zone=given).time_zone == meant
    with pytest.raises(ValueError, match="did you mean 'Europe/Berlin'"):
        LiveTable(topic, time_zone="Europe/Berlln")


@pytest.mark.parametrize("far", [1e305, -1e305, 1e15])
def test_a_message_at_no_date_at_all_has_a_row(topic, far):
    table = LiveTable(topic)
    topic.feed.received([Message(topic.name, {"a": 1}, 1e9, time=far)])
    last = 8_640_000_000_000_000
    assert news(table)[1] == [[1, 1, last if far > 0 else -last, "lab:temp", 1]]
