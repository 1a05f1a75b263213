"""Annotations: what is written on a plot travels with its frames, once, and again to who comes later."""

from __future__ import annotations

import datetime as dt
import threading

import pytest

from nbrealtime.widgets import LivePlot
from nbrealtime.widgets.audience import Viewing
from nbrealtime.widgets.plots.notes import MOST, Notes

pytestmark = pytest.mark.usefixtures("comms")
WIDE = Viewing(width=800)


@pytest.fixture
def live(topic):
    made = LivePlot(topic)
    yield made
    made._dispose()


def test_it_is_told_by_the_next_frame_and_not_again(live):
    stream = live._stream
    stream.frame(1e9, WIDE)
    live.annotate(1e9, "door opened")
    assert stream.frame(1e9, WIDE)[0]["annotations"] == [{"t": 1e9, "text": "door opened"}]
    assert "annotations" not in stream.frame(1e9, WIDE)[0]
    assert stream.snapshot(1e9, WIDE)[0]["annotations"] == [{"t": 1e9, "text": "door opened"}]


def test_a_view_that_says_hello_takes_no_news_from_the_others(live):
    stream = live._stream
    stream.frame(1e9, WIDE)
    live.annotate(1e9, "door opened")
    stream.snapshot(1e9, WIDE)
    assert "annotations" in stream.frame(1e9, WIDE)[0]


def test_it_can_be_taken_away_alone_or_with_all(live):
    stream = live._stream
    one, _two = live.annotate(1e9, "one"), live.annotate(1e9 + 1, "two")
    one.remove()
    one.remove()
    assert live.annotations == [{"t": 1e9 + 1, "text": "two"}]
    live.clear_annotations()
    assert stream.frame(1e9, WIDE)[0]["annotations"] == []


def test_time_is_seconds_a_datetime_or_the_newest_samples(live, topic):
    topic.hear(1, timestamp=1e9)
    when = dt.datetime(2026, 11, 22, 14, 2, 5, tzinfo=dt.UTC)
    assert live.annotate(when, "x").t == when.timestamp()
    assert live.annotate(None, "x").t == 1e9
    for wrong, error in [("soon", TypeError), (True, TypeError), (float("nan"), ValueError)]:
        with pytest.raises(error, match="time is"):
            live.annotate(wrong, "x")


def test_a_closed_plot_can_still_be_written_on(live, topic):
    topic.hear(1)
    live.close()
    live.annotate(1e9, "what it was")
    assert live._stream.frame(1e9, WIDE)[0]["annotations"][0]["text"] == "what it was"


def test_the_oldest_go_when_there_are_too_many_and_long_texts_are_cut():
    notes = Notes()
    for i in range(MOST + 5):
        notes.add(i, "x" * 1000)
    assert len(notes.kept) == MOST
    assert notes.kept[0].t == 5
    assert len(notes.kept[0].text) == 500


def test_any_thread_may_write_and_the_pump_hears_of_it(live, monkeypatch):
    heard = []
    live._stream.notes.changed = lambda: heard.append(threading.current_thread().name)
    thread = threading.Thread(target=live.annotate, args=(1e9, "x"), name="callback")
    thread.start()
    thread.join()
    live.clear_annotations()
    assert heard == ["callback", "MainThread"]
