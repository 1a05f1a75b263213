"""When the client thread is called for what others leave it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nbrealtime.client import portal
from nbrealtime.client.inbox import PUT_OFF, Inbox
from nbrealtime.client.session import Publish

LATE, PROMPT = 0.005, 0.0001


class Settles:
    """Stands for a receipt: somebody waits."""


def publish(receipt: object = None) -> Publish:
    return Publish("lab:temp", b"1", 10, receipt=receipt)


class Timer:
    def __init__(self, due: float, call: Callable[[], None]) -> None:
        self.due, self.call = due, call
        self.is_over = False

    def fire(self) -> None:
        self.is_over = True
        self.call()

    def cancel(self) -> None:
        assert not self.is_over, "it has come already"
        self.call = lambda: None


class Player:
    """An inbox, the calls for the client thread that it makes, and a clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.calls: list[Callable[[], None]] = []
        self.taken: list[Publish] = []
        self.emptied = 0
        monkeypatch.setattr(portal, "call", self.calls.append)
        monkeypatch.setattr(portal, "assert_on_thread", lambda: None)
        self.timers: list[Timer] = []
        self.inbox = Inbox(self._empty, clock=lambda: self.now, at=self._at)

    def _empty(self) -> None:
        self.emptied += 1
        self.inbox.empty(self.taken.append)

    def _at(self, due: float, call: Callable[[], None]) -> Timer:
        self.timers.append(Timer(due, call))
        return self.timers[-1]

    def answer(self, late: float) -> None:
        """The client thread does what it was called for, so much later."""
        self.now += late
        calls, self.calls[:] = list(self.calls), []
        for call in calls:
            call()
        for timer in list(self.timers):
            if timer.due <= self.now:
                self.timers.remove(timer)
                timer.fire()

    def stream(self, late: float, *, count: int = 40) -> None:
        """A publish each 10 ms."""
        for _ in range(count):
            self.inbox.post(publish())
            self.answer(late)
            self.now += 0.01 - late


@pytest.fixture
def player(monkeypatch):
    return Player(monkeypatch)


def test_a_free_interpreter_takes_each_publish_at_once(player):
    player.stream(PROMPT)
    assert len(player.taken) == player.emptied == 40


def test_beside_a_computing_cell_a_stream_is_taken_over_together(player):
    player.stream(LATE, count=100)
    assert player.emptied < 50, "thirty times a second, once the contention was found"
    player.inbox.post(publish())
    assert player.inbox.publishes > 0
    assert player.inbox.waiting == 0, "nobody is to read that publishes are queued while all is well"
    assert not player.calls
    player.now += PUT_OFF
    player.answer(LATE)
    assert player.inbox.publishes == 0
    assert len(player.taken) == 101


@pytest.mark.parametrize("late", [0.003, 0.006, 0.009])
def test_that_each_turn_comes_late_does_not_make_them_fewer(player, late):
    player.stream(late, count=100)
    before = player.emptied
    player.stream(late, count=100)
    assert player.emptied - before == pytest.approx(1 / PUT_OFF, abs=1)


@pytest.mark.parametrize("item", [publish(Settles()), lambda: None], ids=["acknowledged", "errand"])
def test_what_somebody_waits_for_is_not_put_off_and_takes_the_others_along_in_order(player, item):
    player.stream(LATE)
    player.inbox.post(publish())
    assert player.inbox.publishes
    assert not player.calls
    player.inbox.post(item)
    player.answer(LATE)
    assert player.inbox.publishes == 0
    if isinstance(item, Publish):
        assert player.taken[-1] is item


def test_a_publish_after_a_pause_goes_at_once(player):
    player.stream(LATE)
    for _ in range(3):
        player.now += PUT_OFF
        player.answer(LATE)
    assert player.inbox.publishes == 0
    assert not any(timer.due > player.now for timer in player.timers), "nothing wakes up for nothing"
    player.inbox.post(publish())
    assert len(player.calls) == 1
    player.answer(LATE)
    assert player.inbox.publishes == 0
    assert not any(timer.due > player.now for timer in player.timers), "one publish is no stream"
