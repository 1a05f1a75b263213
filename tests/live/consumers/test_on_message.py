"""A topic's callbacks, however they behave, on a link that the test plays."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from nbrealtime.live.connection import Connection
from nbrealtime.live.topic import LiveTopic

from ..fakes import Ear, FakeKernel, FakeLink


def test_on_message_gets_every_message_in_order(temp: LiveTopic, link: FakeLink) -> None:
    ear = Ear()
    assert temp.on_message(ear) is ear
    for at in range(0, 1000, 10):
        link.say("lab:temp", *range(at, at + 10))
    ear.wait(1000)
    assert ear.data == list(range(1000))


def test_on_message_is_a_decorator_and_registers_once(temp: LiveTopic, link: FakeLink) -> None:
    calls: list[Any] = []
    done = Ear()

    @temp.on_message
    def hot(message: Any) -> None:
        calls.append(message.data)

    temp.on_message(hot)
    temp.on_message(done)
    link.say("lab:temp", 1)
    done.wait(1)
    assert calls == [1]


def test_off_message_stops_it(temp: LiveTopic, link: FakeLink) -> None:
    gone, stays = Ear(), Ear()
    temp.on_message(gone)
    temp.on_message(stays)
    temp.off_message(gone)
    temp.off_message(gone)
    link.say("lab:temp", 1)
    stays.wait(1)
    assert gone.heard == []


def test_a_callback_takes_a_function(temp: LiveTopic) -> None:
    with pytest.raises(TypeError, match="function"):
        temp.on_message(3)  # type: ignore[type-var]


def test_an_exception_is_kept_and_shown_once_and_stops_nothing(
    temp: LiveTopic, link: FakeLink, capsys: pytest.CaptureFixture[str]
) -> None:
    ear = Ear()

    @temp.on_message
    def broken(message: Any) -> None:
        raise ValueError(f"boom {message.data}")

    temp.on_message(ear)
    link.say("lab:temp", *range(150))
    ear.wait(150)
    assert len(temp.errors) == 100
    assert str(temp.errors[-1]) == "boom 149"
    said = capsys.readouterr().err
    assert said.count("ValueError: boom") == 1
    assert "callbacks.py" not in said
    assert "broken raised this" in said


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_not_even_an_exit_ends_the_delivery(
    temp: LiveTopic, link: FakeLink, error: type[BaseException]
) -> None:
    ear = Ear()

    @temp.on_message
    def leave(message: Any) -> None:
        raise error

    temp.on_message(ear)
    link.say("lab:temp", 1, 2)
    ear.wait(2)
    assert [type(kept) for kept in temp.errors] == [error, error]


def test_an_observers_exception_is_kept_too_and_does_not_harm_the_others(
    temp: LiveTopic, link: FakeLink
) -> None:
    ear = Ear()
    temp.observe(lambda change: 1 / 0, "value")
    temp.observe(ear, "value")
    link.say("lab:temp", 1)
    ear.wait(1)
    assert isinstance(temp.errors[0], ZeroDivisionError)


def test_a_callback_that_lasts_is_named_once(
    temp: LiveTopic, link: FakeLink, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nbrealtime.live.consumers.callbacks.SLOW_SECONDS", 0.01)
    ear = Ear()

    @temp.on_message
    def slow(message: Any) -> None:
        time.sleep(0.02)

    temp.on_message(ear)
    link.say("lab:temp", 1, 2)
    ear.wait(2)
    assert capsys.readouterr().err.count("slow took") == 1


def test_callbacks_of_one_topic_never_overlap_though_the_loop_is_busy_and_free_by_turns(
    kernel: FakeKernel, temp: LiveTopic, link: FakeLink
) -> None:
    ear = Ear()
    inside = 0
    overlaps: list[Any] = []

    @temp.on_message
    def count(message: Any) -> None:
        nonlocal inside
        inside += 1
        if inside > 1:
            overlaps.append(message)
        inside -= 1
        ear(message)

    for at in range(0, 600, 100):
        with kernel.busy():
            link.say("lab:temp", *range(at, at + 50))
            ear.wait(at + 50)
        link.say("lab:temp", *range(at + 50, at + 100))
        ear.wait(at + 100)
    assert ear.data == list(range(600))
    assert overlaps == []
    assert set(ear.threads) == {"kernel", "nbrealtime-delivery"}


def test_a_callback_may_do_anything_with_its_topic(
    temp: LiveTopic, link: FakeLink, connection: Connection
) -> None:
    ear = Ear()

    @temp.on_message
    def busybody(message: Any) -> None:
        temp.publish(message.data)
        connection.topic("lab:other").on_message(ear)
        temp.off_message(busybody)
        temp.close()

    temp.on_message(ear)
    link.say("lab:temp", 1, 2, 3)
    states = Ear()
    temp.observe(states, "state")
    while temp.state != "closed":
        time.sleep(0.001)
    link.say("lab:other", "later")
    ear.wait(1)
    assert link.published == [("lab:temp", 1)]
    assert ear.data == ["later"]


def test_a_topic_closed_by_another_thread_while_delivering_calls_nothing_more(
    temp: LiveTopic, link: FakeLink
) -> None:
    entered, leave = threading.Event(), threading.Event()
    ear = Ear()

    @temp.on_message
    def held(message: Any) -> None:
        ear(message)
        entered.set()
        leave.wait(10)

    closed = Ear()
    temp.observe(closed, "state")
    link.say("lab:temp", *range(10))
    assert entered.wait(10)
    temp.close()
    leave.set()
    closed.wait_until(lambda heard: heard[-1].new == "closed")
    assert ear.data == [0]


def test_a_callback_that_cannot_keep_up_loses_the_oldest_and_they_are_counted(
    temp: LiveTopic, link: FakeLink
) -> None:
    entered, leave = threading.Event(), threading.Event()
    ear = Ear()

    @temp.on_message
    def held(message: Any) -> None:
        entered.set()
        leave.wait(10)
        ear(message)

    link.say("lab:temp", "first")
    assert entered.wait(10)
    link.say("lab:temp", *range(10_050))
    assert temp.dropped == 50
    leave.set()
    ear.wait(10_001)
    assert ear.data[0] == "first"
    assert ear.data[1:] == list(range(50, 10_050))
