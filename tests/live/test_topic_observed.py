"""Who observes a topic is told what changed, not too often, on a link that the test plays."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest
from traitlets import HasTraits, Unicode, dlink, observe

from nbrealtime.live.connection import Connection
from nbrealtime.live.topic import LiveTopic

from .fakes import Ear, FakeKernel, FakeLink


def test_value_notifies_when_it_differs_and_count_with_every_batch(temp: LiveTopic, link: FakeLink) -> None:
    values, counts = Ear(), Ear()
    temp.observe(values, "value")
    temp.observe(counts, "count")
    link.say("lab:temp", 1)
    counts.wait_until(lambda heard: heard[-1].new == 1)
    link.say("lab:temp", 1)
    counts.wait_until(lambda heard: heard[-1].new == 2)
    link.say("lab:temp", 2)
    counts.wait_until(lambda heard: heard[-1].new == 3)
    values.wait_until(lambda heard: heard[-1].new == 2)
    assert [(change.old, change.new) for change in values.heard] == [(None, 1), (1, 2)]
    assert values.heard[0].owner is temp


def test_neither_an_equal_value_nor_the_same_one_is_told_again(temp: LiveTopic, link: FakeLink) -> None:
    values, counts = Ear(), Ear()
    temp.observe(values, "value")
    temp.observe(counts, "count")
    # A NaN is not equal to itself, and a number that came again is another object.
    for count, value in enumerate([float("1e3"), float("1e3"), math.nan, math.nan, 1], 1):
        link.say("lab:temp", value)
        counts.wait_until(lambda heard, count=count: heard[-1].new == count)
    values.wait_until(lambda heard: heard[-1].new == 1)
    assert repr(values.new) == "[1000.0, nan, 1]"


def test_notifications_are_coalesced(connection: Connection, link: FakeLink) -> None:
    topic = connection.topic("lab:temp", notify_hz=10)
    counts = Ear()
    topic.observe(counts, "count")
    began = time.monotonic()
    for at in range(500):
        link.say("lab:temp", at)
    counts.wait_until(lambda heard: heard[-1].new == 500)
    assert len(counts.heard) <= 2 + (time.monotonic() - began) * 10


def test_every_trait_notifies(temp: LiveTopic, link: FakeLink) -> None:
    changes = Ear()
    temp.observe(changes)
    link.say("lab:temp", 7)
    link.sinks("lab:temp")[0].presence(9)
    changes.wait_until(
        lambda heard: (
            {"value", "count", "message", "timestamp", "rate", "presence_count"} <= {c.name for c in heard}
        )
    )
    temp.close()
    changes.wait_until(lambda heard: any(c.name == "state" and c.new == "closed" for c in heard))


def test_rate_goes_on_notifying_when_nothing_comes(
    temp: LiveTopic, link: FakeLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = Ear()
    temp.observe(rates, "rate")
    link.say("lab:temp", 1, 2, 3)
    rates.wait(1)
    rates.wait(2)
    assert rates.heard[-1].new <= rates.heard[0].new


def test_an_observer_can_be_unregistered_by_its_function(temp: LiveTopic, link: FakeLink) -> None:
    gone, stays = Ear(), Ear()
    temp.observe(gone, "value")
    temp.observe(stays, "value")
    temp.unobserve(gone, "value")
    temp.unobserve(gone, "value")
    link.say("lab:temp", 1)
    stays.wait(1)
    assert gone.heard == []


def test_a_subclass_observes_by_decorator(connection: Connection, link: FakeLink) -> None:
    seen = Ear()

    class Watched(LiveTopic):
        @observe("value")
        def _on_value(self, change: Any) -> None:
            seen(change)
            raise RuntimeError("of a subclass")

    topic = Watched(connection, "lab:temp")
    topic.open()
    link.say("lab:temp", 3)
    assert seen.wait(1)[0].new == 3
    link.say("lab:temp", 4)
    seen.wait(2)
    assert "of a subclass" in str(topic.errors[0])
    topic.close()


def test_traitlets_own_links_work(temp: LiveTopic, link: FakeLink) -> None:
    class Label(HasTraits):
        text = Unicode()

    label = Label()
    ear = Ear()
    label.observe(ear, "text")
    linked = dlink((temp, "value"), (label, "text"), str)
    link.say("lab:temp", 21.5)
    ear.wait_until(lambda heard: heard[-1].new == "21.5")
    linked.unlink()
    link.say("lab:temp", 22)
    counts = Ear()
    temp.observe(counts, "count")
    link.say("lab:temp", 23)
    counts.wait(1)
    assert label.text == "21.5"


def test_holding_notifications_in_a_cell_swallows_nothing(
    kernel: FakeKernel, temp: LiveTopic, link: FakeLink
) -> None:
    values = Ear()
    temp.observe(values, "value")
    with temp.hold_trait_notifications():
        link.say("lab:temp", 1)
        values.wait(1)
    link.say("lab:temp", 2)
    values.wait(2)
    assert values.new == [1, 2]
