"""What a received message costs, and what it takes from a cell that computes.

Two tables, each with its peers in the same run, on the same frames, from the
same feeder in a process of its own:

1. CPU time for each received message: our client (a `Link` and a sink that
   counts) beside ``await websockets.recv()`` and ``json.loads``. Both parse the
   whole message. In a burst, and one by one at 1,000 a second.
2. A pure-Python loop's speed while 100 messages a second arrive, as a part of
   its speed alone. Alone and together alternate, so that a busy machine spoils
   both; the median of the pairs counts.

Figures differ from machine to machine; read the ratios.

    python benchmarks/client_cpu.py [--messages 100000] [--rounds 9]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Frame, Opcode

from nbrealtime.client import Message, open_link

TOPIC = "lab:temp"


def message_frame(number: int) -> bytes:
    """One v1 message of about a hundred bytes, framed."""
    text = json.dumps(
        {
            "type": "message",
            "topic": TOPIC,
            "data": {"value": number, "unit": "K"},
            "timestamp": 1_790_000_000_000 + number,
            "messageId": f"m{number:08d}",
        },
        separators=(",", ":"),
    )
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


def feed(pipe: Connection) -> None:
    """The feeder's process: whoever subscribes with ``feed:<count>:<rate>`` gets so many messages, at that rate."""

    async def pour(socket: ServerConnection, count: int, rate: float) -> None:
        frames = [message_frame(number) for number in range(count)]
        if rate <= 0:
            # All of it at once: the transport holds what the reader has not taken.
            socket.transport.write(b"".join(frames))
            return
        begin = asyncio.get_running_loop().time()
        for number, frame in enumerate(frames):
            await asyncio.sleep(begin + number / rate - asyncio.get_running_loop().time())
            socket.transport.write(frame)

    async def converse(socket: ServerConnection) -> None:
        tasks = set()
        async for text in socket:
            said = json.loads(text)
            if said["type"] == "publish":
                tasks.add(asyncio.create_task(pour(socket, *said["data"])))

    async def main() -> None:
        async with serve(converse, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
            pipe.send(server.sockets[0].getsockname()[1])
            await asyncio.get_running_loop().run_in_executor(None, pipe.recv)

    asyncio.run(main())


@contextlib.contextmanager
def feeder() -> Iterator[str]:
    """Runs the feeder; yields its address."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=feed, args=(theirs,))
    process.start()
    yield f"ws://127.0.0.1:{ours.recv()}"
    ours.send("stop")
    process.join(10)


class Counter:
    """A sink that counts, and keeps the newest as a topic would."""

    def __init__(self) -> None:
        self.count = 0
        self.lists = 0
        self.target = 0
        self.done = threading.Event()
        self.newest: Message | None = None

    def received(self, messages: list[Message]) -> None:
        self.count += len(messages)
        self.lists += 1
        self.newest = messages[-1]
        if self.count >= self.target:
            self.done.set()

    def subscribed(self, count: int, recovered: bool | None = None, replayed: int = 0) -> None: ...
    def presence(self, count: int) -> None: ...
    def gap(self, reason: str, missed: int | None, topic: str | None = None) -> None: ...
    def refused(self, code: str, reason: str) -> None: ...
    def offline(self) -> None: ...
    def closed(self) -> None: ...


def ours(url: str, count: int, rate: float) -> float:
    """CPU seconds for each message, with our client."""
    sink = Counter()
    sink.target = count
    with open_link(url) as link:
        link.subscribe(TOPIC, sink)
        link.wait_connected(10)
        begin = time.process_time()
        link.publish(TOPIC, json.dumps([count, rate]).encode())
        sink.done.wait()
        return (time.process_time() - begin) / count


def theirs(url: str, count: int, rate: float) -> float:
    """CPU seconds for each message, with ``await recv`` and ``json``."""

    async def receive() -> float:
        async with connect(f"{url}/ws", compression=None, ping_interval=None) as socket:
            begin = time.process_time()
            await socket.send(json.dumps({"type": "publish", "topic": TOPIC, "data": [count, rate]}))
            newest: Any = None
            for _ in range(count):
                newest = json.loads(await socket.recv())
            assert newest["data"]["value"] == count - 1
            return (time.process_time() - begin) / count

    return asyncio.run(receive())


def compute(work: int) -> float:
    """Seconds that a pure-Python computation takes."""
    begin = time.perf_counter()
    value = 0
    for number in range(work):
        value = (value * 31 + number) % 1_000_003
    return time.perf_counter() - begin


def cell_speed(url: str, rounds: int, rate: float) -> tuple[float, list[float]]:
    """The loop's speed with messages arriving, relative to alone: the median, and each pair."""
    work = 4_000_000
    while compute(work) < 1.0:
        work *= 2
    ratios = []
    with open_link(url) as link:
        sink = Counter()
        link.subscribe(TOPIC, sink)
        link.wait_connected(10)
        for _ in range(rounds):
            alone = compute(work)
            count = int(rate * alone * 1.5)
            sink.target = sink.count + count
            sink.done.clear()
            link.publish(TOPIC, json.dumps([count, rate]).encode())
            while sink.count == sink.target - count:
                time.sleep(0.001)
            before = sink.count
            together = compute(work)
            assert sink.count - before >= rate * together * 0.5, "the messages came too late"
            ratios.append(alone / together)
            sink.done.wait()
    return statistics.median(ratios), ratios


def table(title: str, measure: Callable[[Callable[..., float]], float]) -> None:
    """One row of the first table: the best of some runs each, alternating."""
    mine, peers = [], []
    for _ in range(3):
        mine.append(measure(ours))
        peers.append(measure(theirs))
    one, other = min(mine), min(peers)
    print(f"{title:<28} {one * 1e6:8.2f} µs {other * 1e6:12.2f} µs {one / other:10.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=100_000, help="in a burst")
    parser.add_argument("--rounds", type=int, default=9, help="pairs of the computing cell")
    options = parser.parse_args()
    with feeder() as url:
        print(f"{'CPU per received message':<28} {'ours':>11} {'recv + json':>15} {'ratio':>10}")
        table("a burst", lambda client: client(url, options.messages, 0))
        table("one by one, 1,000/s", lambda client: client(url, 3_000, 1000.0))
        print()
        for rate in (100.0, 1000.0):
            median, ratios = cell_speed(url, options.rounds, rate)
            print(
                f"a computing cell, {rate:,.0f} messages/s: {median:.1%} of its speed alone "
                f"(pairs {min(ratios):.1%} … {max(ratios):.1%})"
            )


if __name__ == "__main__":
    main()
