"""Slots, claims and the take-over, on an event loop that a test keeps busy."""

from __future__ import annotations

import threading
import time

import pytest

from nbrealtime.live.delivery import TAKE_OVER_SECONDS, Delivery, Slot

from .fakes import Ear, FakeKernel


class Work:
    """A slot's deliveries: where they ran, and one that can be held."""

    def __init__(self, delivery: Delivery, mode: str = "auto") -> None:
        self.ran = Ear()
        self.hold: threading.Event | None = None
        self.entered = threading.Event()
        self.overlaps = 0
        self._inside = 0
        self.again: float | None = None
        self.slot: Slot = delivery.slot(self._deliver, mode)  # type: ignore[arg-type]

    def _deliver(self, until: float) -> float | None:
        self._inside += 1
        self.overlaps += self._inside > 1
        self.entered.set()
        if self.hold is not None:
            self.hold.wait(20)
        self._inside -= 1
        self.ran(threading.current_thread().name)
        again, self.again = self.again, None
        return again


def test_the_kernels_loop_delivers_while_it_has_time(kernel: FakeKernel, delivery: Delivery) -> None:
    work = Work(delivery)
    delivery.wake(work.slot)
    assert work.ran.wait(1) == ["kernel"]


def test_a_loop_that_does_not_answer_is_taken_over(kernel: FakeKernel, delivery: Delivery) -> None:
    work = Work(delivery)
    with kernel.busy():
        began = time.monotonic()
        delivery.wake(work.slot)
        assert work.ran.wait(1) == ["nbrealtime-delivery"]
        assert time.monotonic() - began >= TAKE_OVER_SECONDS


def test_once_taken_over_nothing_waits_until_the_marker_has_run(
    kernel: FakeKernel, delivery: Delivery
) -> None:
    first, second = Work(delivery), Work(delivery)
    with kernel.busy():
        delivery.wake(first.slot)
        first.ran.wait(1)
        # Without a wait of its own: what is queued for the loop would have to be taken over again.
        delivery.wake(second.slot)
        second.ran.wait(1)
        assert not delivery._there
    delivery.wake(second.slot)
    assert second.ran.wait(2) == ["nbrealtime-delivery", "kernel"]


def test_main_never_leaves_the_loop(kernel: FakeKernel, delivery: Delivery) -> None:
    main, auto = Work(delivery, "main"), Work(delivery)
    with kernel.busy():
        delivery.wake(main.slot)
        delivery.wake(auto.slot)
        auto.ran.wait(1)
        assert main.ran.heard == []
    assert main.ran.wait(1) == ["kernel"]


def test_thread_never_uses_the_loop(kernel: FakeKernel, delivery: Delivery) -> None:
    work = Work(delivery, "thread")
    delivery.wake(work.slot)
    assert work.ran.wait(1) == ["nbrealtime-delivery"]


def test_without_a_loop_auto_means_thread_and_main_is_refused(delivery: Delivery) -> None:
    work = Work(delivery)
    delivery.wake(work.slot)
    assert work.ran.wait(1) == ["nbrealtime-delivery"]
    with pytest.raises(ValueError, match="needs a Jupyter kernel"):
        delivery.slot(lambda until: None, "main")


def test_a_loop_that_comes_later_is_used_from_then_on(kernel: FakeKernel) -> None:
    loops = [None, kernel.loop]
    delivery = Delivery(lambda: loops.pop(0))
    early = Work(delivery)
    delivery.wake(early.slot)
    early.ran.wait(1)
    late = Work(delivery)
    for work in (early, late):
        delivery.wake(work.slot)
    assert early.ran.wait(2) == ["nbrealtime-delivery", "kernel"]
    assert late.ran.wait(1) == ["kernel"]
    delivery.stop(5)


def test_a_mode_that_is_none_is_named(delivery: Delivery) -> None:
    with pytest.raises(ValueError, match="'sometimes'"):
        delivery.slot(lambda until: None, "sometimes")  # type: ignore[arg-type]


def test_a_claimed_slot_is_queued_again_by_its_holder_and_never_overlaps(
    kernel: FakeKernel, delivery: Delivery
) -> None:
    work = Work(delivery)
    work.hold = threading.Event()
    delivery.wake(work.slot)
    assert work.entered.wait(10)
    # The loop is in the delivery now, and the thread must not begin another one beside it.
    for _ in range(5):
        delivery.wake(work.slot)
    other = Work(delivery)
    delivery.wake(other.slot)
    assert other.ran.wait(1) == ["nbrealtime-delivery"]
    assert work.ran.heard == []
    work.hold.set()
    assert work.ran.wait(2)[0] == "kernel"
    kernel.settle()
    assert (len(work.ran.heard), work.overlaps) == (2, 0)


def test_what_waits_for_a_thread_that_is_held_up_goes_back_to_the_loop(
    kernel: FakeKernel, delivery: Delivery
) -> None:
    stuck, other = Work(delivery), Work(delivery)
    stuck.hold = threading.Event()
    with kernel.busy():
        delivery.wake(stuck.slot)
        assert stuck.entered.wait(10)
        delivery.wake(other.slot)
    assert other.ran.wait(1) == ["kernel"]
    stuck.hold.set()
    assert stuck.ran.wait(1) == ["nbrealtime-delivery"]


def test_a_slot_woken_for_later_runs_then(kernel: FakeKernel, delivery: Delivery) -> None:
    work = Work(delivery)
    due = time.monotonic() + 0.05
    delivery.wake(work.slot, due)
    delivery.wake(work.slot, due + 30)
    work.ran.wait(1)
    assert time.monotonic() >= due
    assert len(work.ran.heard) == 1


def test_an_earlier_wake_is_not_held_up_by_a_later_one(delivery: Delivery) -> None:
    work = Work(delivery)
    delivery.wake(work.slot, time.monotonic() + 60)
    delivery.wake(work.slot, time.monotonic() + 0.02)
    work.ran.wait(1)


def test_a_delivery_says_when_it_wants_to_come_again(delivery: Delivery) -> None:
    work = Work(delivery)
    work.again = 0.0
    delivery.wake(work.slot)
    assert len(work.ran.wait(2)) == 2


def test_a_closed_loop_leaves_everything_to_the_thread(kernel: FakeKernel, delivery: Delivery) -> None:
    kernel.close()
    work = Work(delivery)
    delivery.wake(work.slot)
    assert work.ran.wait(1) == ["nbrealtime-delivery"]
    assert not delivery.call_on_loop(lambda: None)
    kernel.__init__()  # type: ignore[misc]  # for the fixture to close


def test_many_wakers_never_overlap_a_slot_and_lose_no_wake(kernel: FakeKernel, delivery: Delivery) -> None:
    works = [Work(delivery, mode) for mode in ("auto", "main", "thread", "auto")]
    wanted = [0] * len(works)
    seen = [0] * len(works)
    inside = [0] * len(works)
    overlaps: list[int] = []
    done = threading.Event()

    def deliver(index: int, until: float) -> None:
        inside[index] += 1
        if inside[index] > 1:
            overlaps.append(index)
        seen[index] = wanted[index]
        inside[index] -= 1
        if all(s == 2000 for s in seen):
            done.set()

    for index, work in enumerate(works):
        work.slot.deliver = lambda until, index=index: deliver(index, until)  # type: ignore[misc]

    def hammer(index: int) -> None:
        for _ in range(2000):
            wanted[index] += 1
            delivery.wake(works[index].slot)

    hammers = [threading.Thread(target=hammer, args=(index,)) for index in range(len(works))]
    for thread in hammers:
        thread.start()
    with kernel.busy():
        time.sleep(0)
    for thread in hammers:
        thread.join()
    assert done.wait(10)
    assert overlaps == []


def test_stopping_waits_for_a_callback_but_not_for_ever(delivery: Delivery) -> None:
    work = Work(delivery)
    work.hold = threading.Event()
    delivery.wake(work.slot)
    assert work.entered.wait(10)
    delivery.stop(0.01)
    work.hold.set()
    delivery.stop(10)
    assert delivery._thread is not None
    assert not delivery._thread.is_alive()
    delivery.wake(work.slot)
    assert len(work.ran.heard) == 1
