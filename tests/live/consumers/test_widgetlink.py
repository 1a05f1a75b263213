"""A real ipywidget that follows a topic, from whatever thread."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from ipywidgets import FloatText, Label

from nbrealtime.live.connection import Connection
from nbrealtime.live.consumers import widgetlink
from nbrealtime.live.topic import LiveTopic

from ..fakes import Ear, FakeKernel, FakeLink


@pytest.fixture
def temp(connection: Connection, link: FakeLink) -> LiveTopic:
    topic = connection.topic("lab:temp", notify_hz=1000)
    link.confirm("lab:temp")
    return topic


def follow(widget: Any, trait: str = "value") -> Ear:
    ear = Ear()
    widget.observe(ear, trait)
    return ear


def test_a_widget_follows_the_value(temp: LiveTopic, link: FakeLink) -> None:
    widget = FloatText()
    seen = follow(widget)
    temp.link(widget)
    link.say("lab:temp", 21.5)
    seen.wait(1)
    assert widget.value == 21.5


def test_it_begins_with_the_value_there_is(temp: LiveTopic, link: FakeLink) -> None:
    link.say("lab:temp", 21.5)
    widget = FloatText()
    temp.link(widget)
    assert widget.value == 21.5


def test_a_value_is_transformed(temp: LiveTopic, link: FakeLink) -> None:
    widget = Label()
    seen = follow(widget)
    with temp.link(widget, "value", "{:.1f} °C".format):
        link.say("lab:temp", 21.49)
        seen.wait(1)
    assert widget.value == "21.5 °C"
    assert not temp._registered


def test_a_closed_link_follows_no_more(temp: LiveTopic, link: FakeLink) -> None:
    widget, other = FloatText(), FloatText()
    linked = temp.link(widget)
    linked.close()
    linked.close()
    seen = follow(other)
    temp.link(other)
    link.say("lab:temp", 5)
    seen.wait(1)
    assert widget.value == 0.0


def test_what_a_widget_does_not_take_goes_to_errors(
    temp: LiveTopic, link: FakeLink, capsys: pytest.CaptureFixture[str]
) -> None:
    widget = FloatText()
    seen = follow(widget)
    temp.link(widget)
    counts = follow(temp, "count")
    link.say("lab:temp", "hot")
    counts.wait(1)
    link.say("lab:temp", 3)
    seen.wait(1)
    assert widget.value == 3
    assert "FloatText" in str(temp.errors[0])


def test_a_transform_that_fails_goes_to_errors(temp: LiveTopic, link: FakeLink) -> None:
    widget = FloatText()
    seen = follow(widget)
    temp.link(widget, "value", lambda value: 1 / value)
    counts = follow(temp, "count")
    link.say("lab:temp", 0)
    counts.wait(1)
    link.say("lab:temp", 4)
    seen.wait(1)
    assert widget.value == 0.25
    assert isinstance(temp.errors[0], ZeroDivisionError)


def test_an_attribute_that_is_none_is_named(temp: LiveTopic) -> None:
    with pytest.raises(AttributeError, match="colour"):
        temp.link(FloatText(), "colour")


@pytest.mark.parametrize("hold", ["hold_sync", "hold_trait_notifications"])
def test_a_widget_that_is_held_is_left_alone_and_gets_the_last_value_after_the_cell(
    kernel: FakeKernel, temp: LiveTopic, link: FakeLink, hold: str
) -> None:
    widget = FloatText()
    seen = follow(widget)
    counts = follow(temp, "count")
    temp.link(widget)
    with kernel.busy():
        with getattr(widget, hold)():
            link.say("lab:temp", 1)
            link.say("lab:temp", 2)
            counts.wait_until(lambda heard: heard[-1].new == 2)
            assert widget.value == 0.0
        assert seen.heard == []
    seen.wait_until(lambda heard: heard[-1].new == 2)
    assert seen.threads[-1] == "kernel"


def test_what_was_written_beside_a_cell_is_sent_again_after_it(
    kernel: FakeKernel, temp: LiveTopic, link: FakeLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    widget = FloatText()
    sent = Ear()
    seen = follow(widget)
    monkeypatch.setattr(FloatText, "send_state", lambda self, key=None: sent(key))
    temp.link(widget)
    with kernel.busy():
        link.say("lab:temp", 7)
        seen.wait(1)
        assert seen.threads == ["nbrealtime-delivery"]
    sent.wait(1)
    assert (sent.heard[-1], sent.threads[-1]) == ("value", "kernel")


def test_nobody_waits_for_somebody_elses_write(temp: LiveTopic, link: FakeLink) -> None:
    widget = FloatText()
    seen = follow(widget)
    counts = follow(temp, "count")
    temp.link(widget)
    taken, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with widgetlink._writes:
            taken.set()
            leave.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    assert taken.wait(10)
    link.say("lab:temp", 1)
    counts.wait(1)
    assert seen.heard == []
    leave.set()
    holder.join()
    seen.wait(1)
    assert widget.value == 1


def test_a_closed_widget_ends_its_link(kernel: FakeKernel, temp: LiveTopic, link: FakeLink) -> None:
    widget = FloatText()
    temp.link(widget)
    widget.close()
    counts = follow(temp, "count")
    with kernel.busy():
        link.say("lab:temp", 1)
        counts.wait(1)
    kernel.settle()
    assert len(temp._registered) == 1  # ours


def test_two_threads_writing_through_two_links_agree_in_the_end(temp: LiveTopic, link: FakeLink) -> None:
    widget = FloatText()
    seen = follow(widget)
    temp.link(widget)
    temp.link(widget, "value", lambda value: value)
    for at in range(200):
        link.say("lab:temp", at)
    seen.wait_until(lambda heard: heard[-1].new == 199)
