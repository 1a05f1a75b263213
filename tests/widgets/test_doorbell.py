"""What one thread has done in another's loop: all of it, in order, whatever fails and however often it is asked."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Iterator

import pytest

from nbrealtime.widgets.doorbell import Doorbell


@pytest.fixture(params=["the system's", "sockets"], autouse=True)
def bells(request, monkeypatch) -> None:
    """Rings with what the system has for it, or with what is there everywhere."""
    if request.param == "sockets":
        monkeypatch.delattr(os, "eventfd", raising=False)


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """One that runs in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


def wait_for(bell: Doorbell) -> None:
    """Returns when all that was asked is done."""
    done = threading.Event()
    bell.ring(done.set)
    assert done.wait(5)


def test_what_is_asked_is_done_in_order_on_the_loops_thread(loop):
    bell, done = Doorbell(loop), []
    for number in range(100):
        bell.ring(lambda n: done.append((n, threading.current_thread())), number)
    wait_for(bell)
    assert [number for number, _ in done] == list(range(100))
    assert {where for _, where in done} != {threading.current_thread()}


def test_who_fails_keeps_nobody_waiting_and_is_told_of(loop):
    told = []
    loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
    bell = Doorbell(loop)
    bell.ring(int, "no number")
    wait_for(bell)
    assert [type(error) for error in told] == [ValueError]


def test_a_loop_that_is_busy_is_rung_more_often_than_its_socket_has_room_for(loop):
    bell, held, done = Doorbell(loop), threading.Event(), []
    bell.ring(held.wait)
    for number in range(20_000):
        bell.ring(done.append, number)
    held.set()
    wait_for(bell)
    assert done == list(range(20_000))


def test_a_loop_that_waits_for_no_socket_is_asked_in_its_own_way(loop, monkeypatch):
    def refuse(*_: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(loop, "add_reader", refuse)
    bell, done = Doorbell(loop), []
    for number in range(10):
        bell.ring(done.append, number)
    wait_for(bell)
    bell.ring(done.append, 10)
    wait_for(bell)
    assert done == list(range(11))
    bell.close()


def test_what_is_asked_right_before_the_loop_stops_is_done(loop):
    for _ in range(20):
        again, done = asyncio.new_event_loop(), []
        thread = threading.Thread(target=again.run_forever)
        thread.start()
        bell = Doorbell(again)
        bell.ring(done.append, 1)
        again.call_soon_threadsafe(again.stop)
        thread.join(5)
        again.close()
        assert done == [1]


def test_where_no_more_files_may_be_open_the_loop_is_asked_in_its_own_way(loop, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(24, "too many open files")

    monkeypatch.setattr(os, "eventfd", refuse, raising=False)
    bell, done = Doorbell(loop), []
    bell.ring(done.append, 1)
    wait_for(bell)
    assert done == [1]
    bell.close()


def test_who_is_closed_does_what_was_asked_and_lets_go_of_the_loop(loop):
    bell, done = Doorbell(loop), []
    wait_for(bell)
    bell.ring(done.append, 1)
    bell.close()
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0.01), loop).result(5)
    assert done == [1]
    watched = len(loop._selector.get_map())
    assert watched == 1  # the loop's own
    fileno = bell._bell.fileno()
    del bell
    gc.collect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fileno)
