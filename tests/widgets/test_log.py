"""A message log keeps the newest messages as text, and streams each of them once."""

from __future__ import annotations

import pytest

from nbrealtime.client import LinkState, Message
from nbrealtime.live import views
from nbrealtime.widgets.log import MessageLog
from nbrealtime.widgets.logrows import FRAME_BYTES, FULL_BYTES, KEPT_BYTES, LINE_BYTES, LogPart, LogRows
from nbrealtime.widgets.pacing import Viewing

pytestmark = pytest.mark.usefixtures("comms")

WIDE = Viewing(800)


def frame(log):
    """What a tick would send."""
    return log._stream.frame(0.0, WIDE)[0]


def snapshot(log):
    """What a new view is answered."""
    return log._stream.snapshot(0.0, WIDE)[0]


def texts(header):
    return [row[3] for row in header["rows"]]


def messages(*values, topic="lab:temp"):
    return [Message(topic, value, 1e9, None) for value in values]


def test_text_is_text_and_everything_else_is_compact_json(topic):
    log = MessageLog(topic)
    topic.hear("a <b>b</b>", "42", 42, {"x": [1, None]}, b"\x00", True, None)
    rows = frame(log)["rows"]
    assert [row[2:4] for row in rows] == [
        [1, "a <b>b</b>"],
        [1, "42"],
        [0, "42"],
        [0, '{"x":[1,null]}'],
        [0, '{"$bytes":"AA=="}'],
        [0, "true"],
        [0, "null"],
    ]
    assert [row[0] for row in rows] == [1, 2, 3, 4, 5, 6, 7]
    assert {row[1] for row in rows} == {1_000_000_000_000}
    assert {len(row) for row in rows} == {5}


def test_a_frame_has_what_is_new_and_a_snapshot_all_that_is_kept(topic):
    log = MessageLog(topic)
    topic.hear("a")
    assert texts(frame(log)) == ["a"]
    topic.hear("b")
    assert texts(snapshot(log)) == ["a", "b"]
    after = frame(log)
    assert texts(after) == ["b"]
    assert not after["whole"]
    assert texts(frame(log)) == []
    assert texts(snapshot(log)) == ["a", "b"]


def test_it_begins_with_the_newest_message_that_the_topic_knows(topic):
    topic.hear("old", "newest")
    log = MessageLog(topic)
    topic.hear("next")
    header = frame(log)
    assert (texts(header), header["came"]) == (["newest", "next"], 2)


def test_a_message_that_is_told_while_it_joins_is_one_row(topic):
    topic.hear("newest")
    log = MessageLog(topic)
    for tap in topic.feed._taps:
        tap([topic.feed.newest.message])
    assert texts(frame(log)) == ["newest"]


def test_it_keeps_the_newest_rows_and_counts_all(topic):
    log = MessageLog(topic, rows=3)
    for value in range(5):
        topic.hear(value)
        frame(log)
    header = snapshot(log)
    assert (texts(header), header["came"], header["skipped"]) == (["2", "3", "4"], 5, 0)


def test_what_comes_faster_than_it_is_shown_is_skipped_and_counted(topic):
    log = MessageLog(topic, rows=3)
    topic.hear(*range(10))
    header = frame(log)
    assert (texts(header), header["came"], header["skipped"]) == (["7", "8", "9"], 10, 7)


def test_a_flood_is_sent_a_bounded_frame_at_a_time():
    marked = []
    rows = LogRows(10_000)
    part = LogPart(rows, dict, lambda: marked.append(1), topics=False)
    rows.put(messages(*["x" * LINE_BYTES] * 300))
    sizes = []
    while not sizes or rows.waiting():
        sizes.append(len(texts(part.frame(0.0, WIDE)[0])))
    assert sum(sizes) == 300
    assert max(sizes) * LINE_BYTES <= FRAME_BYTES
    assert len(marked) == len(sizes) - 1


def test_a_long_payload_is_cut_in_its_row_and_comes_further_when_it_is_expanded(topic):
    log = MessageLog(topic)
    topic.hear("é" * 50_000)
    [row] = frame(log)["rows"]
    assert (len(row[3].encode()), row[4]) == (LINE_BYTES, 100_000)
    log._stream.told({"type": "expand", "row": row[0]})
    [[number, text, size]] = frame(log)["full"]
    assert (number, len(text.encode()), size) == (row[0], FULL_BYTES, 100_000)
    assert "full" not in frame(log)


def test_a_view_may_ask_for_what_is_not_there(topic):
    log = MessageLog(topic)
    log._stream.told({"type": "expand", "row": 99})
    log._stream.told({"type": "expand", "row": "x"})
    log._stream.told({"type": "nonsense"})
    assert frame(log)["full"] == []


def test_kept_text_is_bounded_in_bytes():
    rows = LogRows(10_000)
    for _ in range(100):
        rows.put(messages("x" * 1_000_000))
        rows.drain(10, FRAME_BYTES)
    assert len(rows.kept) == KEPT_BYTES // (FULL_BYTES + 120)
    assert sum(len(row.kept) for row in rows.kept) <= KEPT_BYTES


def test_several_topics_share_a_log_and_rows_say_whose_they_are(topic, connection):
    other = connection.topic("lab:other")
    log = MessageLog([topic, other], topic)
    topic.hear("a")
    other.hear("b")
    assert log.topics == ["lab:temp", "lab:other"]
    assert [row[5] for row in frame(log)["rows"]] == ["lab:temp", "lab:other"]


def test_it_says_why_nothing_comes(topic, connection, link):
    log = MessageLog(topic, connection.topic("lab:other"))
    for source, _link in log._sources:
        source.subscribed(1)
    assert (log._read()["state"], log._read()["why"]) == ("live", "")
    link.become(state=LinkState.RECONNECTING, attempts=2)
    topic.feed.offline()
    assert (log._read()["state"], log._read()["why"]) == ("offline", "lab:temp: reconnecting, attempt 2")
    topic.feed.refused("forbidden", "not allowed to subscribe")
    assert (log._read()["state"], log._read()["why"]) == ("refused", "lab:temp: not allowed to subscribe")


def test_closing_it_keeps_the_rows_and_leaves_the_topic_open(topic, link):
    log = MessageLog(topic)
    topic.feed.subscribed(1)
    topic.hear("a")
    log.close()
    log.close()
    assert not topic.feed._watchers
    assert not topic.feed._taps
    assert not link.listeners
    topic.hear("b")
    header = snapshot(log)
    assert (header["state"], texts(header)) == ("closed", ["a"])
    assert header["closed"] > 1e12
    assert topic.feed.record.state == "live"
    assert repr(log) == "MessageLog of lab:temp: closed, 1 message"


def test_it_closes_with_its_topic(topic):
    log = MessageLog(topic)
    topic.feed.closed()
    assert log._read()["state"] == "closed"
    assert log._read()["closed"] == log._read()["closed"] is not None


def test_messages_never_reach_its_synced_traits(topic, synced):
    log = MessageLog(topic, rows=20, height=200)
    topic.hear("secret")
    frame(log)
    assert "secret" not in str(synced(log))
    assert (log.rows, log.height) == (20, 200)


def test_a_topic_makes_one_by_name(topic):
    assert isinstance(views.make("log", topic, rows=10), MessageLog)


def test_it_takes_topics_and_sane_bounds_only(topic):
    with pytest.raises(TypeError, match="at least one topic"):
        MessageLog()
    with pytest.raises(TypeError, match=r"a topic is a name or what rt.subscribe"):
        MessageLog(42)
    for bad in ({"rows": 0}, {"rows": 10_001}, {"height": 100}, {"time_zone": "Nowhere"}):
        with pytest.raises(
            ValueError,
            match=r"rows is a whole number between|height is a whole number of at least 160|time zone",
        ):
            MessageLog(topic, **bad)
    assert not topic.feed._taps
