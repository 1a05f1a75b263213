"""A message log keeps the newest messages as text, and streams each of them once."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbrealtime.client import LinkState, Message
from nbrealtime.live import views
from nbrealtime.live.feed import Feed
from nbrealtime.widgets.audience import Viewing
from nbrealtime.widgets.messages.log import MessageLog
from nbrealtime.widgets.messages.logrows import (
    FRAME_BYTES,
    FULL_BYTES,
    KEPT_BYTES,
    LINE_BYTES,
    LogPart,
    LogRows,
)
from nbrealtime.widgets.stream import follow

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


def test_one_that_is_made_late_has_what_one_has_that_was_made_early(topic):
    early = MessageLog(topic)
    topic.hear("old", "older than the next")
    late = MessageLog(topic)
    topic.hear("next")
    assert frame(late)["rows"] == frame(early)["rows"]
    assert texts(snapshot(late)) == ["old", "older than the next", "next"]
    assert snapshot(late)["came"] == 3


def test_it_begins_with_the_past_also_while_the_topic_is_paused(topic):
    topic.hear("a")
    topic.feed.pause()
    topic.hear("b")
    log = MessageLog(topic)
    topic.hear("c")
    assert texts(frame(log)) == ["a", "b", "c"]


def test_a_cleared_topic_has_no_past(topic):
    topic.hear("a", "b")
    topic.feed.clear()
    log = MessageLog(topic)
    assert (texts(frame(log)), frame(log)["came"]) == ([], 0)
    topic.hear("c")
    assert (texts(frame(log)), frame(log)["came"]) == (["c"], 1)


def test_a_batch_that_comes_while_it_joins_is_taken_once(topic, monkeypatch):
    topic.hear("before")
    tell = topic.feed._tell
    made = []

    def told(messages=()):
        # Committed, and told to nobody yet: a log is made, and is told.
        if messages and not made:
            made.append(MessageLog(topic))
        tell(messages)

    monkeypatch.setattr(topic.feed, "_tell", told)
    topic.hear("a", "b")
    topic.hear("c")
    header = frame(made[0])
    assert (texts(header), header["came"]) == (["before", "a", "b", "c"], 4)


def test_a_batch_that_is_committed_and_told_while_it_joins_is_taken_once(topic, monkeypatch):
    topic.hear("before")
    heard = topic.feed.heard
    clients = []

    def hearing():
        # It waits for who joins, so it is told by a thread of its own.
        clients.append(threading.Thread(target=topic.hear, args=("a", "b")))
        clients[0].start()
        while topic.feed.newest.count < 3:
            clients[0].join(0.001)
        return heard()

    monkeypatch.setattr(topic.feed, "heard", hearing)
    log = MessageLog(topic)
    clients[0].join(10)
    topic.hear("c")
    header = frame(log)
    assert (texts(header), header["came"]) == (["before", "a", "b", "c"], 4)


def test_its_limit_holds_for_the_past_and_nothing_of_it_is_called_skipped(topic):
    topic.hear(*range(700))
    log = MessageLog(topic, rows=3)
    header = snapshot(log)
    assert (texts(header), header["came"], header["skipped"]) == (["697", "698", "699"], 700, 0)
    large = MessageLog(topic, rows=1000)
    topic.hear(*range(700, 1000))
    header = snapshot(large)
    assert (len(header["rows"]), header["came"], header["skipped"]) == (800, 1000, 0)


def test_what_comes_before_anybody_looks_skips_nothing_of_the_past(topic):
    topic.hear("a", "b", "c")
    log = MessageLog(topic, rows=3)
    topic.hear("d")
    header = snapshot(log)
    assert (texts(header), header["came"], header["skipped"]) == (["b", "c", "d"], 4, 0)


def test_the_past_of_several_topics_is_in_the_order_of_its_times(topic, connection):
    other = connection.topic("lab:other")
    for n in range(3):
        topic.hear(f"temp {n}", timestamp=1000.0 + n)
        other.hear(f"other {n}", timestamp=1000.5 + n)
    log = MessageLog(topic, other)
    topic.hear("next", timestamp=1003.0)
    assert texts(frame(log)) == ["temp 0", "other 0", "temp 1", "other 1", "temp 2", "other 2", "next"]


@given(st.lists(st.integers(0, 5), max_size=8), st.lists(st.integers(0, 5), max_size=4), st.integers(5, 12))
def test_whenever_it_is_made_it_has_the_newest_messages_once_each(before, after, rows):
    feed, numbers = Feed("lab:temp"), iter(range(100))

    def hear(size):
        feed.received(messages(*(next(numbers) for _ in range(size))))

    for size in before:
        hear(size)
    kept = LogRows(rows)
    [untap] = follow([feed], kept)
    for size in after:
        hear(size)
        kept.drain(100, FRAME_BYTES)
    untap()
    hear(1)
    kept.drain(100, FRAME_BYTES)
    came = sum(before) + sum(after)
    assert [row.line for row in kept.kept] == [str(n) for n in range(came)][-rows:]
    assert (kept.came, kept.skipped) == (came, 0)


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
