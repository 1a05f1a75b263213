"""Waiting for a topic's messages, on a link that the test plays."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from nbrealtime.errors import RealtimeError, Refused
from nbrealtime.live.topic import LiveTopic

from ..fakes import FakeLink


def test_wait_counts_what_came_before_it(temp: LiveTopic, link: FakeLink) -> None:
    link.say("lab:temp", 1, 2, 3)
    assert temp.wait(n=2, timeout=5).data == 3
    assert temp.wait(timeout=5).data == 3
    with pytest.raises(TimeoutError, match=r"0 of 1 message came within 0\.01 s"):
        temp.wait(timeout=0.01)


def test_wait_waits_for_what_comes(temp: LiveTopic, link: FakeLink) -> None:
    teller = threading.Timer(0.02, lambda: link.say("lab:temp", "now"))
    teller.start()
    assert temp.wait(timeout="5s").data == "now"
    teller.join()


def test_a_timeout_says_how_many_came(temp: LiveTopic, link: FakeLink) -> None:
    link.say("lab:temp", 1, 2)
    with pytest.raises(TimeoutError, match=r"lab:temp: 2 of 5 messages came within 0\.01 s \(live"):
        temp.wait(n=5, timeout=0.01)
    with pytest.raises(TimeoutError, match="2 of 3"):
        temp.wait(n=3, timeout=0)


@pytest.mark.parametrize("n", [0, -1, True, 1.5])
def test_wait_takes_a_number_of_messages(temp: LiveTopic, n: Any) -> None:
    with pytest.raises(ValueError, match="at least one"):
        temp.wait(n)


def test_wait_ends_with_the_topic(temp: LiveTopic, link: FakeLink) -> None:
    threading.Timer(0.02, temp.close).start()
    with pytest.raises(RealtimeError, match="is closed"):
        temp.wait(timeout=10)


def test_wait_on_a_refused_topic_says_why(temp: LiveTopic, link: FakeLink) -> None:
    link.sinks("lab:temp")[0].refused("forbidden", "not allowed to subscribe")
    with pytest.raises(Refused, match="not allowed to subscribe"):
        temp.wait(timeout=10)


def test_waiting_goes_on_while_paused(temp: LiveTopic, link: FakeLink) -> None:
    temp.pause()
    link.say("lab:temp", 1)
    assert temp.wait(timeout=5).data == 1
