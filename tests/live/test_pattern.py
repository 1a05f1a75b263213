"""A topic on a pattern: one stream for callbacks, one ring, one line and one place for each of its topics."""

from __future__ import annotations

import numpy as np
import pytest

from nbrealtime.client import Message
from nbrealtime.live.connection import Connection
from nbrealtime.live.patternfeed import MAX_STRANDS, PatternFeed
from nbrealtime.live.topic import LiveTopic
from nbrealtime.widgets.audience import Viewing
from nbrealtime.widgets.plots.part import PlotPart, Source
from nbrealtime.wire.v2 import Position

from .fakes import NOW, Ear, FakeLink

WIDE = Viewing(width=800)


@pytest.fixture
def lab(connection: Connection, link: FakeLink) -> LiveTopic:
    topic = connection.topic("lab:*", notify_hz=1000)
    link.confirm("lab:*", 0, recovered=True)
    return topic


def play(link: FakeLink, name: str, *data: object, **more: object) -> None:
    link.say(name, *data, pattern="lab:*", **more)  # type: ignore[arg-type]


def test_messages_say_which_topic_they_are_of(lab: LiveTopic, link: FakeLink) -> None:
    ear = Ear()
    lab.on_message(ear)
    play(link, "lab:a", 1)
    play(link, "lab:b", 2)
    play(link, "lab:a", 3)
    assert [(message.topic, message.data) for message in ear.wait(3)] == [
        ("lab:a", 1),
        ("lab:b", 2),
        ("lab:a", 3),
    ]
    assert lab.topics == ("lab:a", "lab:b")
    assert (lab.count, lab.value, lab.message.topic) == (3, 3, "lab:a")


def test_one_batch_may_hold_several_topics(lab: LiveTopic, link: FakeLink) -> None:
    a = link.say("lab:a", 1, 2, pattern="nobody")
    b = link.say("lab:b", {"x": 5}, pattern="nobody")
    (sink,) = link.sinks("lab:*")
    sink.received([a[0], b[0], a[1]])
    assert [view.count for view in map(lab.by_topic, lab.topics)] == [2, 1]
    assert lab.fields == ("value", "x")


def test_each_topic_can_be_looked_at_by_itself(lab: LiveTopic, link: FakeLink) -> None:
    play(link, "lab:a", 1, 2, offset=41)
    play(link, "lab:b", {"x": 5.0}, offset=7)
    a, b = lab.by_topic("lab:a"), lab.by_topic("lab:b")
    assert (a.name, a.value, a.count, a.offset, a.timestamp) == ("lab:a", 2, 2, 42, NOW + 1)
    assert (b.value, b.fields, b.position) == ({"x": 5.0}, ("x",), Position("k1", 7))
    assert a.to_numpy()["value"].tolist() == [1, 2]
    assert b["x"].value == 5.0
    assert b["x"].name == "lab:b"
    assert a.connection is lab.connection
    assert repr(a).startswith("'lab:a' of 'lab:*': 2 messages, last 2")
    assert lab.offset is None
    assert lab.position == {"lab:a": Position("k1", 42), "lab:b": Position("k1", 7)}


def test_a_topic_can_be_looked_at_before_it_comes(lab: LiveTopic, link: FakeLink) -> None:
    later = lab.by_topic("lab:later")
    assert (later.value, later.count, later.offset, lab.topics) == (None, 0, None, ())
    assert repr(later) == "'lab:later' of 'lab:*': no message yet"
    play(link, "lab:later", 4)
    assert (later.value, lab.topics) == (4, ("lab:later",))


def test_what_a_pattern_does_not_match_is_no_topic_of_it(lab: LiveTopic, connection: Connection) -> None:
    with pytest.raises(ValueError, match="does not match 'shop:a'"):
        lab.by_topic("shop:a")
    plain = connection.topic("lab:temp")
    assert plain.by_topic("lab:temp").name == "lab:temp"
    with pytest.raises(ValueError, match="is no pattern"):
        plain.by_topic("lab:a")


def test_indexing_is_a_field_of_every_topic(lab: LiveTopic, link: FakeLink) -> None:
    play(link, "lab:a", {"x": 1.0}, at=NOW)
    play(link, "lab:b", {"x": 2.0}, at=NOW + 5)
    assert lab["x"].value == 2.0
    assert [(row["topic"], row["x"]) for row in lab["x"].to_numpy()] == [("lab:a", 1.0), ("lab:b", 2.0)]


def test_tables_have_a_column_topic_and_are_in_the_order_of_time(lab: LiveTopic, link: FakeLink) -> None:
    play(link, "lab:a", 1.0, 2.0, at=NOW)
    play(link, "lab:b", {"value": 9.0, "x": 3.0}, at=NOW + 0.5)
    array = lab.to_numpy()
    assert array.dtype.names == ("t", "topic", "value", "x")
    assert array["topic"].tolist() == ["lab:a", "lab:b", "lab:a"]
    np.testing.assert_array_equal(array["t"], [NOW, NOW + 0.5, NOW + 1])
    np.testing.assert_array_equal(array["x"], [np.nan, 3, np.nan])
    assert lab.to_numpy(last=2)["value"].tolist() == [9, 2]
    assert lab.to_numpy(["x"]).dtype.names == ("t", "topic", "x")
    pandas = pytest.importorskip("pandas")
    frame = lab.to_pandas()
    assert list(frame.columns) == ["topic", "value", "x"]
    assert frame.groupby("topic", observed=True)["value"].mean().to_dict() == {"lab:a": 1.5, "lab:b": 9.0}
    assert frame.index[1] == pandas.Timestamp(NOW + 0.5, unit="s", tz="UTC")
    assert list(lab["x"].to_pandas().columns) == ["topic", "x"]


def test_polars_and_arrow_have_it_too(lab: LiveTopic, link: FakeLink) -> None:
    pytest.importorskip("polars")
    pytest.importorskip("pyarrow")
    play(link, "lab:a", {"topic": 1.0})
    assert lab.to_polars().columns == ["time", "topic", "topic_"]
    assert lab.to_polars()["topic"].to_list() == ["lab:a"]
    table = lab.to_arrow()
    assert table.column_names == ["time", "topic", "topic_"]
    assert table["topic"].to_pylist() == ["lab:a"]
    assert list(lab.to_pandas().columns) == ["topic", "topic_"]


def test_a_table_of_nothing_is_empty(lab: LiveTopic) -> None:
    pytest.importorskip("pandas")
    assert lab.to_numpy().dtype.names == ("t", "topic")
    assert (len(lab.to_numpy()), list(lab.to_pandas().columns), lab["x"].value) == (0, ["topic"], None)


def test_a_gap_is_its_topics_or_everybodys(lab: LiveTopic, link: FakeLink) -> None:
    told = Ear()
    lab.on_gap(told)
    play(link, "lab:a", 1)
    play(link, "lab:b", 1)
    link.miss("lab:*", "slow", 5, "lab:a")
    link.miss("lab:*", "unrecoverable", None)
    assert [(gap.topic, gap.missed, gap.reason) for gap in told.wait(2)] == [
        ("lab:a", 5, "slow"),
        ("lab:*", None, "unrecoverable"),
    ]
    assert (lab.gaps, lab.by_topic("lab:a").gaps, lab.by_topic("lab:b").gaps) == (2, 2, 1)


def test_a_topic_stands_where_its_pattern_does(lab: LiveTopic, link: FakeLink) -> None:
    play(link, "lab:a", 1)
    (strand,) = lab.feed.strands
    heard: list[str] = []
    strand.watch(lambda: heard.append(strand.status().state))
    link.sinks("lab:*")[0].offline()
    assert (strand.status().state, heard[-1]) == ("offline", "offline")
    lab.close()
    assert (strand.status().state, heard[-1]) == ("closed", "closed")


def test_pausing_and_clearing_reach_every_topic(lab: LiveTopic, link: FakeLink) -> None:
    play(link, "lab:a", 1)
    lab.pause()
    play(link, "lab:a", 2)
    assert (lab.value, lab.by_topic("lab:a").value, len(lab.to_numpy())) == (1, 1, 2)
    lab.resume()
    assert (lab.value, lab.by_topic("lab:a").value) == (2, 2)
    lab.clear()
    assert len(lab.to_numpy()) == 0


def test_the_topics_share_the_memory(link: FakeLink) -> None:
    feed = PatternFeed("lab:*", max_bytes=1 << 20)
    for number in range(40):
        feed.strand(f"lab:{number}").ring.append(NOW + np.arange(100_000), {"value": np.zeros(100_000)})
    assert sum(strand.ring.nbytes for strand in feed.strands) <= 1 << 20


def test_topics_beyond_the_limit_have_no_ring_and_are_counted(connection: Connection, link: FakeLink) -> None:
    lab = connection.topic("lab:*")
    for number in range(MAX_STRANDS + 5):
        play(link, f"lab:{number}", 1)
    assert (len(lab.topics), lab.count, lab.dropped) == (MAX_STRANDS, MAX_STRANDS + 5, 5)
    with pytest.raises(ValueError, match="subscribe to lab:1004 by itself"):
        lab.by_topic("lab:1004")


def test_text_among_numbers_is_no_reason_and_text_alone_is_one(lab: LiveTopic, link: FakeLink) -> None:
    play(link, "lab:a", None)
    assert (lab.feed.status().numeric, lab.feed.status().reason) == (None, "")
    play(link, "lab:note", "hello")
    assert (lab.feed.status().numeric, lab.feed.status().reason) == (False, "carries text")
    play(link, "lab:a", None)
    assert lab.feed.status().numeric is False, "null tells nothing"
    play(link, "lab:a", 1)
    play(link, "lab:note", "hello")
    assert (lab.feed.status().numeric, lab.feed.status().reason) == (True, "")


def test_a_history_is_a_single_topics(lab: LiveTopic) -> None:
    with pytest.raises(ValueError, match="by_topic"):
        lab.history()


# The plot.


def test_a_plot_draws_each_topic_as_it_appears(lab: LiveTopic, link: FakeLink) -> None:
    part = PlotPart([Source(lab.name, lab.feed)], window=60)
    header, _ = part.frame(NOW, WIDE)
    assert (header["series"], header["topics"], part.state) == ([], ["lab:*"], "empty")
    play(link, "lab:a", 1, 2)
    header, _ = part.frame(NOW + 1, WIDE)
    assert header["whole"]
    assert header["series"] == [{"label": "lab:a", "topic": "lab:a", "field": "value"}]
    play(link, "lab:b", {"x": 5, "y": 6}, at=NOW + 2)
    header, _ = part.frame(NOW + 2, WIDE)
    assert header["whole"]
    assert [series["label"] for series in header["series"]] == ["lab:a", "lab:b x", "lab:b y"]
    play(link, "lab:b", {"x": 5, "y": 6}, at=NOW + 3)
    header, _ = part.frame(NOW + 3, WIDE)
    assert not header["whole"]
    assert [(entry["series"], entry["n"]) for entry in header["data"]] == [(1, 1), (2, 1)]
    assert (header["newest"], header["count"], header["connected"]) == (NOW + 3, 4, True)


def test_a_plot_of_chosen_fields_leaves_topics_without_them_out(lab: LiveTopic, link: FakeLink) -> None:
    part = PlotPart([Source(lab.name, lab.feed, ["x"])], window=60, labels={"lab:b.x": "Boiler"})
    play(link, "lab:a", 1)
    play(link, "lab:b", {"x": 5})
    header, _ = part.frame(NOW, WIDE)
    assert [series["label"] for series in header["series"]] == ["Boiler"]


def test_a_plot_of_a_pattern_closes_with_it(lab: LiveTopic, link: FakeLink) -> None:
    part = PlotPart([Source(lab.name, lab.feed)], window=60)
    play(link, "lab:a", 1)
    part.frame(NOW, WIDE)
    lab.close()
    header, _ = part.frame(NOW + 1, WIDE)
    assert (header["closed"], part.state) == ((NOW + 1) * 1000, "closed")
    assert [series["label"] for series in header["series"]] == ["lab:a"]


def test_a_time_that_cannot_be_one_is_said_of_the_topic_that_carries_it() -> None:
    feed = PatternFeed("lab:*")
    feed.received([Message("lab:a", 1, NOW), Message("lab:b", {"t": 1e18, "x": 1}, NOW)])
    assert feed.untimely.startswith("(lab:b) carries a time outside of the years")
