"""The event loop that asks for events less often: nothing is lost, and nothing waits for long."""

from __future__ import annotations

import asyncio
import selectors
import socket
import time

import pytest

from nbrealtime.turns import Loop, Selector


@pytest.fixture
def ends():
    here, there = socket.socketpair()
    with here, there:
        yield here, there


class Clock:
    now = 0.0


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def selector(ends, clock):
    with Selector(clock=lambda: clock.now) as selector:
        selector.register(ends[0], selectors.EVENT_READ)
        yield selector


def test_after_a_wait_the_first_question_without_one_is_skipped_and_no_other(selector, ends):
    selector.select(0.001)
    ends[1].send(b"x")
    assert selector.select(0) == [], "it was asked a moment ago"
    assert all(selector.select(0) for _ in range(5))


def test_a_loop_that_never_waits_is_answered_always(selector, ends):
    ends[1].send(b"x")
    assert all(selector.select(0) for _ in range(5))


def test_an_answer_holds_for_a_moment_only(selector, ends, clock):
    selector.select(0.001)
    ends[1].send(b"x")
    clock.now = 0.1
    assert selector.select(0)


def test_who_waits_always_asks(selector, ends):
    ends[1].send(b"x")
    assert all(selector.select(0.01) for _ in range(3))


def test_a_loop_that_always_has_work_hears_what_comes(ends):
    here, there = ends
    here.setblocking(False)
    there.setblocking(False)

    async def busy(until: asyncio.Event) -> int:
        turns = 0
        while not until.is_set():
            await asyncio.sleep(0)
            turns += 1
        return turns

    async def work() -> None:
        loop, came = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(here, came.set)
        turns = asyncio.create_task(busy(came))
        await loop.sock_sendall(there, b"x")
        async with asyncio.timeout(10):
            await turns

    loop = Loop()
    try:
        loop.run_until_complete(work())
    finally:
        loop.close()


def test_its_time_is_the_monotonic_clock_and_its_timers_go_by_it():
    loop = Loop()
    try:
        before = time.monotonic()
        assert before <= loop.time() <= time.monotonic()
        came: list[float] = []

        async def work() -> None:
            done = asyncio.Event()
            loop.call_at(before + 0.05, lambda: (came.append(time.monotonic()), done.set()))
            async with asyncio.timeout(10):
                await done.wait()

        loop.run_until_complete(work())
        assert came[0] >= before + 0.04
    finally:
        loop.close()
