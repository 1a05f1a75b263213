"""The client thread."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from nbrealtime.client import portal


def test_calls_run_on_one_thread_in_their_order() -> None:
    seen: list[int] = []
    done = threading.Event()
    for number in range(100):
        portal.call(seen.append, number)
    portal.call(done.set)
    assert done.wait(10)
    assert seen == list(range(100))


def test_whoever_is_elsewhere_is_told_so() -> None:
    with pytest.raises(AssertionError, match="MainThread"):
        portal.assert_on_thread()

    async def check() -> None:
        portal.assert_on_thread()

    portal.run(check()).result(10)


def test_a_blocking_call_keeps_nobody_waiting() -> None:
    release = threading.Event()

    async def wait() -> bool:
        return await portal.blocking(lambda: release.wait(10))

    async def pass_by() -> str:
        return "meanwhile"

    slow = portal.run(wait())
    assert portal.run(pass_by()).result(10) == "meanwhile"
    release.set()
    assert slow.result(10) is True


def test_the_fault_of_a_blocking_call_is_raised_where_it_is_awaited() -> None:
    async def divide() -> float:
        return await portal.blocking(lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        portal.run(divide()).result(10)


def test_a_blocking_call_that_nobody_awaits_any_more_ends_quietly() -> None:
    release = threading.Event()

    async def give_up() -> None:
        async with asyncio.timeout(0.01):
            await portal.blocking(lambda: release.wait(10))

    with pytest.raises(TimeoutError):
        portal.run(give_up()).result(10)
    release.set()


def test_the_thread_is_back_after_it_was_stopped() -> None:
    portal.call(lambda: None)
    portal.stop(1)
    assert not [thread for thread in threading.enumerate() if thread.name == "nbrealtime-client"]
    portal.stop(1)
    assert portal.run(_answer()).result(10) == 42


async def _answer() -> int:
    return 42


def test_what_a_process_publishes_before_it_ends_arrives(other: Any) -> None:
    program = f"""
from nbrealtime.client import open_link
link = open_link({other.url!r}, "t")
for number in range(1000):
    link.publish("lab:temp", b"%d" % number)
"""
    subprocess.run([sys.executable, "-c", program], timeout=50, check=True)
    other.wait(lambda server: server.closings == [1000])
    assert other.said("publish") == list(range(1000))


def test_a_process_ends_although_a_name_server_and_a_user_hang() -> None:
    program = """
import time
from nbrealtime.client import open_link
def fetch():
    print("fetching", flush=True)
    time.sleep(600)
link = open_link("ws://127.0.0.1:9", fetch)
time.sleep(0.5)
"""
    begin = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "fetching\n", "")
    assert time.monotonic() - begin < 40
