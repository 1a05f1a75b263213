"""What history costs: the server's CPU per publish with history on (in memory), beside history off.

    python benchmarks/history.py [--rounds 5] [--publishes 100000]

Two servers, each a process of its own, take turns at the same load: publishes of
100 bytes, 100 to a frame, the last of which is acknowledged. Two loads: nobody
subscribes, so that a publish costs as little as it can; and ten subscribers. The
ratio is on / off, the median of the rounds; 1.3 is the most that it may be.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.processor import spent
from benchmarks.store import PAYLOAD, Publisher, spawn

TOPIC = b"bench:history"
FRAME = 100
UNDER_WAY = 8  # frames

SERVER = """
import sys
from nbrealtime.server import serve
history = None if sys.argv[1] == "on" else 0
server = serve(history=history, advertise=False)
print(server.port, server.token("bench"), flush=True)
sys.stdin.read()
server.close()
"""


class Loader(Publisher):
    """Publishes a fixed number of messages, as fast as they are acknowledged."""

    def begin_round(self, publishes: int) -> asyncio.Future[None]:
        self.left = publishes // FRAME
        self.under_way = 0
        self.acknowledged = self.seen = 0
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.fill()
        return self.finished

    def fill(self) -> None:
        if not hasattr(self, "finished"):
            return
        self.under_way -= self.acknowledged - self.seen
        self.seen = self.acknowledged
        while self.left and self.under_way < UNDER_WAY:
            plain = b'{"type":"publish","topic":"%b","data":%b}' % (TOPIC, PAYLOAD)
            last = b'{"type":"publish","id":1,"topic":"%b","data":%b,"ack":true}' % (TOPIC, PAYLOAD)
            self._send(b"[" + (plain + b",") * (FRAME - 1) + last + b"]")
            self.left -= 1
            self.under_way += 1
        if not self.left and not self.under_way and not self.finished.done():
            self.finished.set_result(None)


class Follower(Publisher):
    """Subscribes, and drops what it gets."""

    def data_received(self, data: bytes) -> None:
        if not self.ready.done():
            super().data_received(data)
            if self.ready.done():
                self._send(b'{"type":"subscribe","id":1,"topic":"%b"}' % TOPIC)


@dataclass
class Subject:
    """One server under load."""

    process: subprocess.Popen[str]
    loader: Loader

    @classmethod
    async def start(cls, history: str, followers: int) -> Subject:
        process = spawn(SERVER, history)
        assert process.stdout is not None
        port, token = (await asyncio.to_thread(process.stdout.readline)).split()
        loop = asyncio.get_running_loop()
        make: Callable[[], Publisher] = lambda: Follower(token, "follower", FRAME)  # noqa: E731
        for _ in range(followers):
            _, follower = await loop.create_connection(make, "127.0.0.1", int(port))
            await asyncio.wait_for(follower.ready, 10)
        _, loader = await loop.create_connection(
            lambda: Loader(token, "loader", FRAME), "127.0.0.1", int(port)
        )
        await asyncio.wait_for(loader.ready, 10)
        return cls(process, loader)

    async def round(self, publishes: int) -> float:
        """Returns the server's CPU seconds per publish."""
        server = psutil.Process(self.process.pid)
        before = spent(server)
        await asyncio.wait_for(self.loader.begin_round(publishes), 120)
        return (spent(server) - before) / publishes

    def stop(self) -> None:
        self.loader.transport.close()
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(20)


async def compare(followers: int, rounds: int, publishes: int) -> float:
    on, off = await Subject.start("on", followers), await Subject.start("off", followers)
    try:
        await on.round(publishes // 10)
        await off.round(publishes // 10)
        costs = [(await on.round(publishes), await off.round(publishes)) for _ in range(rounds)]
    finally:
        on.stop()
        off.stop()
    ratio = statistics.median(a / b for a, b in costs)
    with_history, without = (statistics.median(pair[side] for pair in costs) * 1e6 for side in (0, 1))
    print(
        f"{followers:2} subscribers   on {with_history:6.2f} µs   off {without:6.2f} µs per publish   ratio {ratio:.2f}"
    )
    return ratio


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--publishes", type=int, default=100_000, help="in a round")
    options = parser.parse_args()
    for followers in (0, 10):
        await compare(followers, options.rounds, options.publishes)


if __name__ == "__main__":
    asyncio.run(main())
