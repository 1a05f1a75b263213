"""Every message to every callback, and to none that has left."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest

from nbrealtime.client import Message
from nbrealtime.live.consumers.callbacks import Faults
from nbrealtime.live.consumers.handout import Handout


@pytest.fixture
def handout() -> Handout:
    return Handout(Faults())


def messages(*data: Any) -> list[Message]:
    return [Message("lab:temp", value, 0.0) for value in data]


def run(handout: Handout) -> None:
    handout.run(math.inf, lambda: True)


def test_every_callback_gets_every_message_in_order(handout: Handout) -> None:
    heard: list[Any] = []
    handout.add(lambda message: heard.append(("a", message.data)))
    handout.add(lambda message: heard.append(("b", message.data)))
    handout.put(messages(1, 2))
    assert handout.waiting
    run(handout)
    assert heard == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]
    assert not handout.waiting


def test_what_comes_before_anybody_listens_is_not_kept(handout: Handout) -> None:
    heard: list[Any] = []
    assert handout.put(messages(1)) == 0
    handout.add(heard.append)
    run(handout)
    assert heard == []


def test_one_that_left_gets_nothing_of_what_waited_for_it(handout: Handout) -> None:
    heard: list[Any] = []
    handout.add(heard.append)
    handout.put(messages(1))
    handout.remove(heard.append)
    assert not handout.waiting
    handout.add(heard.append)
    run(handout)
    assert heard == []


def test_one_that_another_one_removes_is_not_called_for_the_same_message(handout: Handout) -> None:
    heard: list[Any] = []

    def second(message: Message) -> None:
        heard.append(message.data)

    handout.add(lambda message: handout.remove(second))
    handout.add(second)
    handout.put(messages(1))
    run(handout)
    assert heard == []


def test_it_stops_when_its_time_is_over_or_it_may_not_go_on_and_keeps_the_rest(handout: Handout) -> None:
    heard: list[Any] = []
    handout.add(lambda message: heard.append(message.data))
    handout.put(messages(1, 2, 3))
    handout.run(time.monotonic() - 1, lambda: True)
    assert heard == []
    handout.run(math.inf, lambda: len(heard) < 2)
    assert heard == [1, 2]
    run(handout)
    assert heard == [1, 2, 3]


def test_clearing_forgets_messages_and_callbacks(handout: Handout) -> None:
    heard: list[Any] = []
    handout.add(heard.append)
    handout.put(messages(1))
    handout.clear()
    handout.put(messages(2))
    run(handout)
    assert heard == []
