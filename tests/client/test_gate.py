"""Where fast publishers wait."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from nbrealtime.client.gate import Gate
from nbrealtime.errors import PublishTimeout


def test_what_fits_does_not_wait() -> None:
    gate = Gate(limit_bytes=100)
    gate.enter("a", 60)
    gate.enter("a", 40)
    assert gate.pending_bytes == 100


def test_who_is_not_admitted_is_not_counted() -> None:
    gate = Gate(limit_bytes=100)
    assert gate.admit(60)
    assert not gate.admit(41)
    assert gate.admit(40)
    assert gate.pending_bytes == 100
    gate.update(taken=100, held=0)
    assert gate.admit(1000), "one message has room when nothing else waits"
    gate.release()
    assert gate.admit(1000)


def test_what_does_not_fit_times_out_and_is_not_counted() -> None:
    gate = Gate(limit_bytes=100, patience=0.01)
    gate.enter("lab:a", 60)
    with pytest.raises(PublishTimeout) as caught:
        gate.enter("lab:a", 41)
    assert (caught.value.topic, caught.value.seconds, caught.value.pending_bytes) == ("lab:a", 0.01, 60)
    assert gate.pending_bytes == 60


def test_one_message_has_room_when_nothing_waits() -> None:
    gate = Gate(limit_bytes=100)
    gate.enter("a", 1000)
    assert gate.pending_bytes == 1000


def test_who_must_not_wait_is_told_at_once() -> None:
    gate = Gate(limit_bytes=100)
    gate.enter("a", 100)
    with pytest.raises(PublishTimeout):
        gate.enter("a", 1, may_wait=False)


@pytest.mark.parametrize("way", ["room", "release", "leave"])
def test_room_lets_the_next_one_in(way: str) -> None:
    gate = Gate(limit_bytes=100, patience=30)
    gate.enter("a", 100)
    thread = threading.Thread(target=gate.enter, args=("a", 50))
    thread.start()
    if way == "room":
        gate.update(taken=100, held=50)
    elif way == "leave":
        gate.leave(50)
    else:
        gate.release()
    thread.join(20)
    assert not thread.is_alive()


def test_what_is_held_counts_as_what_was_handed_in() -> None:
    gate = Gate(limit_bytes=100, patience=0.01)
    gate.enter("a", 10)
    gate.update(taken=10, held=95)
    with pytest.raises(PublishTimeout):
        gate.enter("a", 10)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals between threads")
def test_waiting_is_interruptible() -> None:
    gate = Gate(limit_bytes=100, patience=30)
    gate.enter("a", 100)
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        gate.enter("a", 1)
    timer.join()
