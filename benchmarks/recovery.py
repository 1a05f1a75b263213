"""What it costs a server when clients come back: CPU, and how long its event loop is held.

    python -m benchmarks.recovery [--clients 500] [--missed 1000] [--store memory]

Two measurements, each in a server of its own. One client after the other comes
back having missed ``--missed`` messages of 100 bytes: the aim is less than 50 ms
of server CPU each (CPU as the operating system counts it for the process; the
handshake alone is measured beside it). Then ``--clients`` connections are cut at
once and all come back at once, each having missed 100 messages: all must get
exactly those, and the loop must never be held for more than 100 ms. That is
measured by a probe on the server's loop, which wants to run every 2 ms: how late
it was, and how long the loop's thread computed meanwhile (what else this
machine does counts in the first, not in the second).

It ends with 1 if an aim is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbrealtime.wire.replies import Reply, decode_replies
from nbrealtime.wire.v2 import Position, encode_batches, encode_hello, encode_publish, encode_subscribe

TOPIC = "bench:recovery"
PAYLOAD = json.dumps("x" * 98).encode()
CPU_AIM = 0.050
HELD_AIM = 0.100
MISSED_BY_EACH = 100

SERVER = """
import asyncio, json, sys, time
from nbrealtime.server import serve
from nbrealtime.server.service import Service

worst = {"late": 0.0, "held": 0.0}

async def probe():
    while True:
        before, spent = time.perf_counter(), time.thread_time()
        await asyncio.sleep(0.002)
        worst["late"] = max(worst["late"], time.perf_counter() - before - 0.002)
        worst["held"] = max(worst["held"], time.thread_time() - spent)

start = Service.start
async def probed(self):
    await start(self)
    self.probe = asyncio.get_running_loop().create_task(probe())
Service.start = probed
server = serve(store=sys.argv[1], advertise=False)
print(json.dumps([server.port, server.token("bench")]), flush=True)
for line in sys.stdin:
    print(json.dumps({"cpu": time.process_time(), **worst}), flush=True)
    worst.update(late=0.0, held=0.0)
server.close()
"""


class Server:
    """A server in a process of its own, which tells how it is."""

    def __init__(self, store: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVER, store], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.port, self.token = self._read()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def ask(self) -> dict[str, float]:
        """CPU seconds so far; how late and how long held the loop was at worst, since the last time."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return dict(self._read())

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)


@contextlib.contextmanager
def running(store: str) -> Iterator[Server]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        server = Server(f"sqlite:///{Path(directory) / 'bench.db'}" if store == "sqlite" else store)
        try:
            yield server
        finally:
            server.close()


class Client(asyncio.Protocol):
    """The least that speaks v2: the clients must not be what is measured."""

    def __init__(self, server: Server) -> None:
        self.transport: asyncio.Transport
        self.subscribed: Reply | None = None
        self.acknowledged = 0
        self.offsets: list[int] = []
        self.arrived = asyncio.Event()
        self._server = server
        self._data = b""
        self._upgraded = False
        self._gone = False

    @classmethod
    async def open(cls, server: Server) -> Client:
        _, client = await asyncio.get_running_loop().create_connection(
            lambda: cls(server), "127.0.0.1", server.port
        )
        return client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(
            b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Protocol: nbrealtime.v2\r\n\r\n"
        )
        self.say(encode_hello(id=1, client="bench", token=self._server.token, capabilities=["batch", "ack"]))

    def say(self, payload: bytes) -> None:
        """Writes a text frame, with a mask of zeros."""
        size = len(payload)
        if size < 126:
            head = bytes((0x81, 0x80 | size))
        elif size < 65536:
            head = b"\x81\xfe" + size.to_bytes(2, "big")
        else:
            head = b"\x81\xff" + size.to_bytes(8, "big")
        self.transport.write(head + b"\0\0\0\0" + payload)

    def data_received(self, data: bytes) -> None:
        data = self._data + data
        if not self._upgraded:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._data = head
                return
            if b" 101 " not in head:
                raise ConnectionError(head.decode())
            self._upgraded = True
        place = 0
        while len(data) - place >= 2:
            size, start = data[place + 1], place + 2
            if size >= 126:
                wide = 2 if size == 126 else 8
                size, start = int.from_bytes(data[start : start + wide], "big"), start + wide
            if len(data) < start + size or start > len(data):
                break
            if data[place] == 0x81:
                for reply in decode_replies(data[start : start + size]):
                    self._hear(reply)
            place = start + size
        self._data = data[place:]
        self.arrived.set()

    def _hear(self, reply: Reply) -> None:
        if reply.type == "message" and reply.offset is not None:
            self.offsets.append(reply.offset)
        elif reply.type == "subscribed":
            self.subscribed = reply
        elif reply.type == "ack":
            self.acknowledged += 1
        elif reply.type == "error":
            raise ConnectionError(str(reply.data))

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone = True
        self.arrived.set()

    async def until_replayed(self, count: int) -> None:
        """Waits for so many messages; raises if they are not all, in order, and no others."""
        async with asyncio.timeout(60):
            while len(self.offsets) < count:
                if self._gone:
                    raise ConnectionError("the server hung up")
                self.arrived.clear()
                await self.arrived.wait()
        answer = self.subscribed
        assert answer is not None
        assert answer.recovered is True
        assert answer.offset is not None
        if self.offsets != list(range(answer.offset + 1, answer.offset + 1 + count)):
            raise AssertionError(
                f"after {answer.offset} came {self.offsets[:3]} … {self.offsets[-3:]}, {len(self.offsets)} of {count}"
            )

    async def until_subscribed(self) -> Reply:
        async with asyncio.timeout(60):
            while self.subscribed is None:
                self.arrived.clear()
                await self.arrived.wait()
        return self.subscribed


async def publish(server: Server, count: int) -> Position:
    """Publishes ``count`` messages; returns the newest position."""
    client = await Client.open(server)
    messages = [encode_publish(TOPIC, PAYLOAD, id=n + 2, ack=True) for n in range(count)]
    for frame in encode_batches(messages, 64 * 1024):
        client.say(frame)
    async with asyncio.timeout(60):
        while client.acknowledged < count:
            client.arrived.clear()
            await client.arrived.wait()
    client.say(encode_subscribe(TOPIC, id=1))
    answer = await client.until_subscribed()
    client.transport.abort()
    assert answer.epoch is not None
    assert answer.offset is not None
    return Position(answer.epoch, answer.offset)


async def one_by_one(server: Server, missed: int, times: int) -> tuple[float, float]:
    """Server CPU seconds of a client that missed so many messages, and of one that missed none."""
    newest = await publish(server, missed)
    costs = []
    for since, count in ((Position(newest.epoch, newest.offset - missed), missed), (newest, 0)):
        for rehearsal in (True, False):
            before = server.ask()["cpu"]
            for _ in range(3 if rehearsal else times):
                client = await Client.open(server)
                client.say(encode_subscribe(TOPIC, id=2, since=since))
                await client.until_subscribed()
                await client.until_replayed(count)
                client.transport.abort()
            cost = (server.ask()["cpu"] - before) / times
        costs.append(cost)
    return costs[0], costs[1]


async def all_at_once(server: Server, crowd: int) -> tuple[float, dict[str, float]]:
    """Seconds until everybody has everything again, and how the server's loop was meanwhile."""
    since = await publish(server, 1)
    clients = []
    for _ in range(crowd):
        client = await Client.open(server)
        client.say(encode_subscribe(TOPIC, id=2))
        clients.append(client)
    await asyncio.gather(*(client.until_subscribed() for client in clients))
    for client in clients:
        client.transport.abort()
    await publish(server, MISSED_BY_EACH)
    await asyncio.sleep(0.5)
    server.ask()
    started = time.perf_counter()

    async def come_back() -> None:
        client = await Client.open(server)
        client.say(encode_subscribe(TOPIC, id=2, since=since))
        await client.until_replayed(MISSED_BY_EACH)
        back.append(client)

    back: list[Client] = []
    await asyncio.gather(*(come_back() for _ in range(crowd)))
    elapsed = time.perf_counter() - started
    worst = server.ask()
    for client in back:
        client.transport.abort()
    return elapsed, worst


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--missed", type=int, default=1000)
    parser.add_argument("--times", type=int, default=30, help="how often one client comes back")
    parser.add_argument("--store", choices=["memory", "sqlite", "both"], default="both")
    options = parser.parse_args()
    stores = ["memory", "sqlite"] if options.store == "both" else [options.store]
    good = True
    for store in stores:
        with running(store) as server:
            cost, bare = asyncio.run(one_by_one(server, options.missed, options.times))
        print(
            f"{store:7} {options.missed:,} missed messages: {cost * 1e3:.1f} ms of server CPU, "
            f"of which {bare * 1e3:.1f} ms to come back at all (aim: less than {CPU_AIM * 1e3:.0f} ms)"
        )
        with running(store) as server:
            elapsed, worst = asyncio.run(all_at_once(server, options.clients))
        print(
            f"{store:7} {options.clients} clients at once: all recovered after {elapsed:.2f} s, "
            f"the loop was held for {worst['held'] * 1e3:.0f} ms at most, "
            f"and late by {worst['late'] * 1e3:.0f} ms (aim: at most {HELD_AIM * 1e3:.0f} ms)"
        )
        good = good and cost < CPU_AIM and worst["held"] <= HELD_AIM
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
