"""Whether a turn of the loop was brought by one thing alone."""

from __future__ import annotations

import asyncio
import contextlib
import selectors
import socket
import sys

import pytest

from nbrealtime import turns
from nbrealtime.server import serve
from nbrealtime.server.turn import Selector, Turn, new_loop


@pytest.fixture
def pairs():
    with contextlib.ExitStack() as stack:
        yield [tuple(stack.enter_context(end) for end in socket.socketpair()) for _ in range(2)]


@pytest.fixture
def turn():
    return Turn()


@pytest.fixture
def selector(pairs, turn):
    with Selector(turn) as selector:
        for here, _ in pairs:
            selector.register(here, selectors.EVENT_READ)
        yield selector


@pytest.mark.parametrize("timeout", [None, 10])
def test_after_a_wait_for_one_thing_it_is_alone(selector, turn, pairs, timeout):
    pairs[0][1].send(b"x")
    selector.select(timeout)
    assert turn.alone


def test_of_two_none_is_alone(selector, turn, pairs):
    for _, there in pairs:
        there.send(b"x")
    selector.select(10)
    assert not turn.alone


def test_a_wait_for_nothing_brought_nothing(selector, turn):
    selector.select(0.001)
    assert not turn.alone


def test_who_did_not_wait_had_other_work(selector, turn, pairs):
    pairs[0][1].send(b"x")
    selector.select(10)
    for _ in range(3):
        selector.select(0)
        assert not turn.alone


@pytest.mark.skipif(sys.platform == "win32", reason="nothing is known of the loop there")
def test_a_loop_tells_in_the_turn_that_it_is_about(pairs):
    loop, turn = new_loop()
    assert isinstance(loop, turns.Loop)
    alone = []

    def read(here):
        here.recv(1)
        alone.append(turn.alone)
        if len(alone) == 3:
            loop.stop()

    try:
        for here, _ in pairs:
            loop.add_reader(here, read, here)
        first, second = (there for _, there in pairs)
        loop.call_later(0.001, first.send, b"x")
        loop.call_later(0.05, lambda: (first.send(b"x"), second.send(b"x")))
        loop.run_forever()
    finally:
        loop.close()
    assert alone == [True, False, False]


def test_a_server_looks_at_the_turns_of_its_own_loop():
    with serve() as server:
        assert isinstance(server._loop, asyncio.SelectorEventLoop)
        service = server._service
        assert service is not None
        assert server._loop._selector._turn is service.flusher._turn
