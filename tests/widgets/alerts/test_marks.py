"""A plot's frames say what the alerts on its topics are, once, and where they fired."""

from __future__ import annotations

import pytest

from nbrealtime.live.alerts.book import watch_alerts
from nbrealtime.live.connection import Connection
from nbrealtime.widgets.alerts import marks as module
from nbrealtime.widgets.audience import Viewing
from nbrealtime.widgets.plots.plot import LivePlot, plot
from tests.live.fakes import NOW, FakeLink

pytestmark = pytest.mark.usefixtures("comms", "own_delivery")

WIDE = Viewing(800)
ABOVE = {"value": 30.0, "label": "above 30", "level": "warning"}


@pytest.fixture
def wire():
    return FakeLink()


@pytest.fixture
def source(wire):
    connection = Connection(wire)
    yield connection
    connection.close()


def frame(made):
    return made._stream.frame(NOW, WIDE)[0]


def test_a_line_and_a_mark_are_told_once_and_in_every_snapshot(source, wire):
    temp = source.topic("lab:temp")
    made = plot(temp)
    assert "lines" in frame(made), "the first frame is whole"
    temp.alert(above=30)
    told = frame(made)
    assert (told["lines"], told["marks"]) == ([ABOVE], [])
    assert "lines" not in frame(made)
    wire.say("lab:temp", 31)
    snapshot = made._stream.snapshot(NOW, WIDE)[0]
    told = frame(made)
    assert told["marks"] == snapshot["marks"]
    assert told["marks"] == [{"t": NOW, "text": "above 30: 31", "level": "warning", "series": "lab:temp"}]
    wire.say("lab:temp", 20, at=NOW + 1)
    assert len(frame(made)["marks"]) == 1
    made._dispose()


def test_alerts_that_were_there_before_the_plot_are_shown(source, wire):
    temp = source.topic("lab:temp")
    temp.alert(above=30, below=10, name="Odd", level="critical")
    wire.say("lab:temp", 5)
    made = plot(temp)
    told = frame(made)
    assert [(line["value"], line["label"]) for line in told["lines"]] == [(30, "Odd"), (10, "Odd")]
    assert told["marks"][0]["text"] == "Odd: 5"
    assert told["marks"][0]["level"] == "critical"
    made._dispose()


def test_an_alert_that_fires_while_it_is_being_made_has_one_line(source):
    temp = source.topic("lab:temp")
    made = plot(temp)
    marks = made._stream.marks.__self__
    concerns = marks._concerns

    def meanwhile(alert):
        # The client's thread comes in between.
        marks._concerns = concerns
        marks._hear(alert, None)
        return concerns(alert)

    marks._concerns = meanwhile
    temp.alert(above=30)
    assert frame(made)["lines"] == [ABOVE]
    made._dispose()


def test_only_what_is_drawn_counts(source, wire):
    temp, other = source.topic("lab:temp"), source.topic("lab:other")
    made = plot(temp["x"])
    other.alert(above=30)
    temp["y"].alert(above=30)
    alert = temp.alert(above=31)
    wire.say("lab:temp", {"x": 40, "y": 41})
    told = frame(made)
    assert [line["value"] for line in told["lines"]] == [31]
    assert [mark["series"] for mark in told["marks"]] == ["lab:temp x"]
    alert.close()
    assert frame(made)["lines"] == []
    made._dispose()


def test_a_pattern_and_one_of_its_topics_share_their_alerts(source, wire):
    every = source.topic("lab:*")
    wire.say("lab:a", 1, pattern="lab:*")
    one = LivePlot(every.by_topic("lab:a"))
    every.alert(above=30)
    wire.say("lab:a", 31, pattern="lab:*")
    wire.say("lab:b", 32, pattern="lab:*")
    assert [mark["series"] for mark in frame(one)["marks"]] == ["lab:a"]
    both = plot(every)
    assert [mark["series"] for mark in frame(both)["marks"]] == ["lab:a", "lab:b"]
    one._dispose()
    both._dispose()


def test_a_closed_topic_s_last_picture_keeps_them(source, wire):
    temp = source.topic("lab:temp")
    made = plot(temp)
    temp.alert(above=30)
    wire.say("lab:temp", 31)
    temp.close()
    told = frame(made)
    assert "closed" in told
    assert told["lines"] == [ABOVE]
    assert len(told["marks"]) == 1
    made._dispose()


def test_marks_are_bounded_and_a_closed_plot_hears_no_more(source, wire, monkeypatch):
    monkeypatch.setattr(module, "MOST_MARKS", 3)
    temp = source.topic("lab:temp")
    made = plot(temp)
    temp.alert(above=30)
    wire.say("lab:temp", *[31, 20] * 5)
    assert [mark["t"] - NOW for mark in frame(made)["marks"]] == [4, 6, 8]
    seen = []
    unwatch = watch_alerts(lambda *_: seen.append(1))
    made.close()
    temp.alert(above=40)
    unwatch()
    assert len(frame(made)["lines"]) == 1
    made._dispose()
