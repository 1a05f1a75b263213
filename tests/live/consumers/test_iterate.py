"""``async for`` and ``await next()``, in an event loop of a test's own."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import Any

import pytest

from nbrealtime.errors import RealtimeError, Refused
from nbrealtime.live.connection import Connection
from nbrealtime.live.topic import LiveTopic

from ..fakes import FakeLink


@pytest.fixture
def temp(connection: Connection, link: FakeLink) -> LiveTopic:
    topic = connection.topic("lab:temp")
    link.confirm("lab:temp")
    return topic


async def take(iterator: Any, count: int) -> list[Any]:
    return [(await anext(iterator)).data for _ in range(count)]


def test_async_for_gets_every_message_in_order(temp: LiveTopic, link: FakeLink) -> None:
    async def read() -> list[Any]:
        out = []
        iterator = aiter(temp)
        teller = threading.Thread(target=lambda: [link.say("lab:temp", n) for n in range(100)])
        teller.start()
        async for message in iterator:
            out.append(message.data)
            if len(out) == 100:
                break
        teller.join()
        return out

    assert asyncio.run(read()) == list(range(100))


def test_it_begins_when_it_is_made(temp: LiveTopic, link: FakeLink) -> None:
    async def read() -> list[Any]:
        link.say("lab:temp", "before")
        iterator = aiter(temp)
        link.say("lab:temp", "after")
        return await take(iterator, 1)

    assert asyncio.run(read()) == ["after"]


def test_next_is_the_next_that_comes(temp: LiveTopic, link: FakeLink) -> None:
    async def read() -> Any:
        link.say("lab:temp", "before")
        waiting = asyncio.ensure_future(temp.next())
        await asyncio.sleep(0)
        link.say("lab:temp", "now")
        return (await waiting).data

    assert asyncio.run(read()) == "now"


def test_closing_the_topic_ends_it_after_what_is_queued(temp: LiveTopic, link: FakeLink) -> None:
    async def read() -> list[Any]:
        iterator = aiter(temp)
        link.say("lab:temp", 1, 2)
        temp.close()
        return [message.data async for message in iterator]

    assert asyncio.run(read()) == [1, 2]


def test_closing_wakes_who_waits(temp: LiveTopic) -> None:
    async def read() -> list[Any]:
        threading.Timer(0.02, temp.close).start()
        return [message async for message in temp]

    assert asyncio.run(read()) == []


def test_next_on_a_closed_topic_says_so(temp: LiveTopic) -> None:
    temp.close()
    with pytest.raises(RealtimeError, match="closed"):
        asyncio.run(temp.next())


def test_a_refused_topic_raises_why(temp: LiveTopic, link: FakeLink) -> None:
    link.sinks("lab:temp")[0].refused("forbidden", "not allowed to subscribe")
    with pytest.raises(Refused, match="not allowed"):
        asyncio.run(temp.next())


def test_a_slow_reader_loses_the_oldest_and_they_are_counted(temp: LiveTopic, link: FakeLink) -> None:
    async def read() -> tuple[list[Any], int]:
        slow, quick = aiter(temp), aiter(temp)
        link.say("lab:temp", *range(10_003))
        return await take(slow, 2), slow.dropped + quick.dropped

    assert asyncio.run(read()) == ([3, 4], 6)
    assert temp.dropped == 6


def test_cancelling_a_wait_loses_nothing(temp: LiveTopic, link: FakeLink) -> None:
    async def read() -> list[Any]:
        iterator = aiter(temp)
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(iterator), 0.001)
        link.say("lab:temp", 1)
        return await take(iterator, 1)

    assert asyncio.run(read()) == [1]


def test_two_tasks_may_share_one(temp: LiveTopic, link: FakeLink) -> None:
    async def read() -> list[Any]:
        iterator = aiter(temp)
        tasks = [asyncio.ensure_future(take(iterator, 1)) for _ in range(2)]
        await asyncio.sleep(0)
        link.say("lab:temp", 1, 2)
        return sorted(data for taken in await asyncio.gather(*tasks) for data in taken)

    assert asyncio.run(read()) == [1, 2]


def test_aclose_ends_it(temp: LiveTopic, link: FakeLink) -> None:
    async def read() -> list[Any]:
        iterator = aiter(temp)
        link.say("lab:temp", 1)
        await iterator.aclose()
        link.say("lab:temp", 2)
        return [message.data async for message in iterator]

    assert asyncio.run(read()) == [1]


def test_an_iterator_that_is_dropped_leaves(temp: LiveTopic, link: FakeLink) -> None:
    async def read() -> None:
        async for _ in temp:
            break

    before = len(temp.feed._taps)

    async def run() -> None:
        reading = asyncio.ensure_future(read())
        await asyncio.sleep(0)
        link.say("lab:temp", 1)
        await reading

    asyncio.run(run())
    gc.collect()
    assert len(temp.feed._taps) == before


def test_a_loop_that_is_gone_does_not_hurt_the_stream(temp: LiveTopic, link: FakeLink) -> None:
    iterator = aiter(temp)
    loop = asyncio.new_event_loop()
    waiting = loop.create_task(anext(iterator))  # type: ignore[arg-type]
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    link.say("lab:temp", 1)
    assert temp.count == 1
    waiting._log_destroy_pending = False  # type: ignore[attr-defined]
