"""How a connection is, and who is told of it when."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from nbrealtime.client import notices as module
from nbrealtime.client.message import Message
from nbrealtime.client.notices import Listener, Notices
from nbrealtime.client.session import Report
from nbrealtime.client.status import LinkState, Status

from .clock import faults, now, run

CONNECTED = Status(state=LinkState.CONNECTED)


class Board:
    """Notices, what they are told, and one who listens: each status with when it was told."""

    def __init__(self) -> None:
        self.notices = Notices(CONNECTED)
        self.status = CONNECTED
        self.told: list[tuple[float, Any]] = []
        self.listener = Listener(lambda status: self.told.append((round(now(), 3), status)), None)
        self.notices.add(self.listener)
        self.told.clear()
        self.composed = 0

    def say(self, **changes: Any) -> None:
        self.status = msgspec.structs.replace(self.status, **changes)
        self.notices.update(self._compose)

    def _compose(self) -> Status:
        self.composed += 1
        return self.status

    @property
    def queued(self) -> list[tuple[float, int]]:
        return [(at, status.queued) for at, status in self.told]


def test_a_newcomer_is_told_how_it_is_and_then_every_change() -> None:
    async def check() -> None:
        told: list[Status] = []
        notices = Notices(CONNECTED)
        notices.add(Listener(told.append, None))
        assert told == [CONNECTED]
        closed = Status(state=LinkState.CLOSED)
        notices.update(lambda: closed)
        assert told == [CONNECTED, closed]
        assert notices.status is closed

    run(check())


def test_what_is_no_news_is_told_to_nobody() -> None:
    async def check() -> None:
        board = Board()
        board.say(state=LinkState.CONNECTED)
        await asyncio.sleep(1)
        assert board.told == []

    run(check())


@pytest.mark.parametrize("change", [{"state": LinkState.RECONNECTING}, {"error": "it is gone"}])
def test_a_change_of_state_or_of_the_error_is_told_at_once(change: dict[str, Any]) -> None:
    async def check() -> None:
        board = Board()
        board.say(queued=1)
        board.say(**change)
        assert board.told[-1] == (0.0, board.status)
        assert board.notices.status is board.status

    run(check())


def test_counters_alone_are_told_a_while_later_and_as_they_are_by_then() -> None:
    async def check() -> None:
        board = Board()
        for number in range(1, 6):
            board.say(queued=number)
        assert board.queued == [(0.0, 1)]
        await asyncio.sleep(1)
        assert board.queued == [(0.0, 1), (0.1, 5)]
        assert board.composed == 6, "once for all that waited"
        board.say(queued=6)
        assert board.queued[2:] == [(1.0, 6)], "after a pause at once"
        board.say(queued=7)
        await asyncio.sleep(1)
        assert board.queued[3:] == [(1.1, 7)]

    run(check())


def test_what_was_told_meanwhile_is_not_told_again() -> None:
    async def check() -> None:
        board = Board()
        board.say(queued=1)
        board.say(queued=2)
        board.say(error="it is gone")
        await asyncio.sleep(1)
        assert board.queued == [(0.0, 1), (0.0, 2)]

    run(check())


def test_who_is_removed_is_told_nothing_more() -> None:
    async def check() -> None:
        board = Board()
        board.notices.remove(board.listener)
        board.notices.remove(board.listener)
        board.say(state=LinkState.CLOSED)
        assert board.told == []

    run(check())


def test_a_listener_that_fails_or_leaves_costs_the_others_nothing() -> None:
    async def check() -> None:
        notices = Notices(CONNECTED)
        told: list[Any] = []

        def leave(_: object) -> None:
            notices.remove(fleeting)

        def fail(_: object) -> None:
            raise RuntimeError

        fleeting = Listener(leave, None)
        for listener in (
            Listener(fail, fail),
            Listener(None, None),
            fleeting,
            Listener(told.append, told.append),
        ):
            notices._listeners.append(listener)
        notices.update(lambda: Status(state=LinkState.CLOSED))
        notices.report([Report("a sentence")])
        assert told == [Status(state=LinkState.CLOSED), "a sentence"]
        assert [type(fault) for fault in faults()] == [RuntimeError, RuntimeError]

    run(check())


def test_a_newcomer_that_fails_is_a_listener_like_others() -> None:
    async def check() -> None:
        notices, told = Notices(CONNECTED), []

        def hear(status: Status) -> None:
            told.append(status.state)
            if len(told) == 1:
                raise RuntimeError

        notices.add(Listener(hear, None))
        notices.update(lambda: Status(state=LinkState.CLOSED))
        assert told == ["connected", "closed"]
        assert len(faults()) == 1

    run(check())


def test_sentences_are_told_to_everybody_who_wants_them_and_nothing_else_is() -> None:
    one, two = [], []
    notices = Notices(CONNECTED)
    for told in (one, two):
        notices.add(Listener(None, told.append))
    notices.report([Message("a", 1, 0.0), Report("first"), Report("second")])
    assert one == two == ["first", "second"]


def test_after_the_end_nobody_is_told_anything() -> None:
    async def check() -> None:
        board = Board()
        board.notices.add(Listener(None, board.told.append))
        board.say(queued=1)
        board.say(queued=2)  # a while later
        board.notices.close()
        board.say(error="it is gone")
        board.notices.report([Report("a sentence")])
        await asyncio.sleep(1)
        assert board.queued == [(0.0, 1)]

    run(check())


def test_after_the_end_nothing_is_composed_later() -> None:
    async def check() -> None:
        board = Board()
        board.say(queued=1)
        board.say(queued=2)
        board.notices.close()
        await asyncio.sleep(1)
        assert board.composed == 2

    run(check())


# -- waiting, on any other thread


def waiting(notices: Notices, until: Callable[[], bool], timeout: float | None) -> Callable[[], bool]:
    """Waits on a thread of its own; returns how to get what came of it."""
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(notices.wait(until, timeout)), daemon=True)
    thread.start()

    def answer() -> bool:
        thread.join(10)
        return answers[0]

    return answer


def test_what_holds_is_not_waited_for() -> None:
    assert Notices(CONNECTED).wait(lambda: True, 0)


@pytest.mark.parametrize("timeout", [0, 0.01])
def test_what_never_holds_is_waited_for_so_long_and_no_longer(timeout: float) -> None:
    assert not Notices(CONNECTED).wait(lambda: False, timeout)


@pytest.mark.parametrize("timeout", [None, 60])
def test_a_change_wakes_who_waits_for_it(monkeypatch: pytest.MonkeyPatch, timeout: float | None) -> None:
    monkeypatch.setattr(module, "_SLICE_SECONDS", 60)
    notices, asked = Notices(CONNECTED), threading.Event()

    def until() -> bool:
        asked.set()
        return notices.status.state is LinkState.CLOSED

    answer = waiting(notices, until, timeout)
    assert asked.wait(10)

    async def end() -> None:
        notices.update(lambda: Status(state=LinkState.CLOSED))

    run(end())
    assert answer()


@pytest.mark.parametrize("timeout", [None, 60])
def test_what_comes_true_without_a_notice_is_noticed_too(
    monkeypatch: pytest.MonkeyPatch, timeout: float | None
) -> None:
    monkeypatch.setattr(module, "_SLICE_SECONDS", 0.001)
    truth = iter([False, False, True])
    assert waiting(Notices(CONNECTED), lambda: next(truth), timeout)()
