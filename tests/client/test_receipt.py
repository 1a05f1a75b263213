"""Receipts: settled once, waited for from any thread and any loop."""

from __future__ import annotations

import asyncio
import threading

import pytest

from nbrealtime.client.receipt import Acknowledgement, Receipt
from nbrealtime.errors import ConnectionClosed, PublishTimeout

PLACE = Acknowledgement("e", 7, "m", duplicate=False)


def test_before_it_is_done_it_knows_nothing() -> None:
    receipt = Receipt("lab:temp")
    assert not receipt.done
    assert (receipt.epoch, receipt.offset, receipt.message_id, receipt.duplicate) == (None,) * 4
    assert "not acknowledged yet" in repr(receipt)


def test_a_wait_that_is_too_short_changes_nothing() -> None:
    receipt = Receipt("lab:temp")
    with pytest.raises(PublishTimeout) as caught:
        receipt.wait(0.01)
    assert caught.value.pending_bytes is None
    receipt.settle(PLACE)
    assert receipt.wait(0) is receipt
    assert (receipt.epoch, receipt.offset, receipt.message_id, receipt.duplicate) == ("e", 7, "m", False)


def test_what_comes_after_the_first_answer_is_passed_over() -> None:
    receipt = Receipt("lab:temp")
    receipt.fail(ConnectionClosed("ws://server"))
    receipt.settle(PLACE)
    assert receipt.offset is None
    with pytest.raises(ConnectionClosed):
        receipt.wait(0)


def test_several_threads_wait_for_one() -> None:
    receipt = Receipt("lab:temp")
    offsets: list[int | None] = []
    threads = [threading.Thread(target=lambda: offsets.append(receipt.wait(10).offset)) for _ in range(4)]
    for thread in threads:
        thread.start()
    receipt.settle(PLACE)
    for thread in threads:
        thread.join(10)
    assert offsets == [7] * 4


def test_a_loop_awaits_what_another_thread_settles() -> None:
    async def wait() -> int | None:
        receipt = Receipt("lab:temp")
        threading.Timer(0.01, receipt.settle, [PLACE]).start()
        return (await receipt).offset

    assert asyncio.run(wait()) == 7


def test_a_loop_that_gives_up_waiting_costs_the_receipt_nothing() -> None:
    receipt = Receipt("lab:temp")

    async def wait() -> None:
        async with asyncio.timeout(0.01):
            await receipt

    with pytest.raises(TimeoutError):
        asyncio.run(wait())
    receipt.settle(PLACE)
    assert receipt.wait(0).offset == 7
