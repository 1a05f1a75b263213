"""Acknowledged publishes/s into a sqlite store, beside a bare ``executemany`` loop of the same rows.

    python benchmarks/store.py [--seconds 10] [--batch 100] [--connections 2] [--messages 100000]

Three loops in one run, each for the same time: SQLite alone (one transaction a
batch, write-ahead log, ``synchronous=normal``); our store in one process, each
batch counted when its commit was answered on the loop; and a whole server in a
process of its own, whose publishers, in this one, send a batch a frame with a
key for each message and count acknowledgements. The ratios are to the bare
loop; 0.3 is the least that the server must reach. Absolute figures are this
machine's, and what else it does shows in them.

``--profile FILE`` writes a profile of the server's loop there.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from nbrealtime.hub.store import Commit, Committed, Entry
from nbrealtime.server.stores import History, HistoryRules, SqliteStore

TOPIC = "bench:store"
PAYLOAD = b'{"v":21.5,"name":"' + b"x" * 80 + b'"}'  # 100 bytes
UNDER_WAY = 4  # batches, of the store; frames, of a connection, times 8

SERVER = """
import cProfile, sys, threading
from nbrealtime.server import serve
from nbrealtime.server.service import Service

path, messages, profile = sys.argv[1], int(sys.argv[2]), sys.argv[3]
if profile:
    profiler = cProfile.Profile()
    start = Service.start
    async def profiled(self):
        await start(self)
        profiler.enable()
    Service.start = profiled
    stop = Service.stop
    async def stopped(self, seconds=5.0):
        profiler.disable()
        profiler.dump_stats(profile)
        await stop(self, seconds)
    Service.stop = stopped
server = serve(store=f"sqlite:///{path}?messages={messages}", advertise=False)
print(server.port, server.token("bench"), flush=True)
sys.stdin.read()
server.close()
"""


def bare(path: Path, batch: int, seconds: float) -> float:
    """Rows/s of SQLite alone."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(
        "CREATE TABLE messages (topic INTEGER, offset INTEGER, data BLOB, timestamp INTEGER, time INTEGER,"
        " user_id TEXT, user_name TEXT, message_id TEXT, total INTEGER, PRIMARY KEY (topic, offset)) WITHOUT ROWID"
    )
    rows, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds:
        now = time.time_ns() // 1_000_000
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (1, number, PAYLOAD, now, None, "bench", "bench", f"abcdef01-{number}", number * 300)
                for number in range(rows + 1, rows + batch + 1)
            ],
        )
        connection.execute("COMMIT")
        rows += batch
    connection.close()
    return rows / elapsed


async def through_store(path: Path, batch: int, seconds: float, messages: int) -> float:
    """Rows/s through our store, as they are answered."""
    loop = asyncio.get_running_loop()
    rules = HistoryRules(default=History(messages=messages, seconds=None))
    store = SqliteStore(path, rules, post=loop.call_soon_threadsafe, now=time.time_ns() // 1_000_000)
    rows = number = under_way = 0
    answered = asyncio.Event()

    def told(commit: Commit[Sequence[Committed]]) -> None:
        nonlocal rows, under_way
        rows += len(commit.result())
        under_way -= 1
        answered.set()

    started = time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds:
        now = time.time_ns() // 1_000_000
        entries = [
            Entry(TOPIC, PAYLOAD, now, None, "bench", "bench", f"client:{n}", False, f"abcdef01-{n}")
            for n in range(number, number + batch)
        ]
        number += batch
        under_way += 1
        store.publish(entries, now).then(told)
        if under_way >= UNDER_WAY:
            answered.clear()
            await answered.wait()
    store.close()
    return rows / elapsed


class Publisher(asyncio.Protocol):
    """Keeps some frames of publishes under way, and counts acknowledgements; does nothing else."""

    def __init__(self, token: str, name: str, batch: int) -> None:
        self.token = token
        self.name = name
        self.batch = batch
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sent = self.acknowledged = self.errors = 0
        self.running = False
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: nbrealtime.v2\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        data = self._tail + data
        if not self.ready.done():
            if b'"welcome"' in data:
                self.ready.set_result(None)
            elif b"\r\n\r\n" in data and not self.sent:
                self.sent = 1
                hello = {
                    "type": "hello", "id": 0, "version": 2, "client": self.name, "token": self.token,
                    "capabilities": ["ack", "batch"],
                }  # fmt: skip
                self._send(json.dumps(hello).encode())
            return
        # Counted in the bytes: a mark that is cut in two is found when its rest has come.
        mark = b'"type":"ack"'
        self.acknowledged += data.count(mark)
        self.errors += data.count(b'"type":"error"')
        cut = data.rfind(b'"type"')
        self._tail = data[cut:] if cut >= 0 and len(data) - cut < len(mark) + 4 else b""
        if mark in self._tail:
            self._tail = b""
        self.fill()

    def begin(self) -> None:
        self.sent = self.acknowledged = 0
        self._tail = b""
        self.running = True
        self.fill()

    def fill(self) -> None:
        while self.running and self.sent - self.acknowledged - self.errors < self.batch * UNDER_WAY * 8:
            first = self.sent
            publishes = b",".join(
                b'{"type":"publish","id":%d,"topic":"%b","data":%b,"key":"%b:%d","ack":true}'
                % (n, TOPIC.encode(), PAYLOAD, self.name.encode(), n)
                for n in range(first, first + self.batch)
            )
            self._send(b"[" + publishes + b"]")
            self.sent += self.batch

    def _send(self, payload: bytes) -> None:
        # A mask of zeros is a mask, and costs nothing.
        size = len(payload)
        if size < 126:
            head = struct.pack("!BB", 0x81, 0x80 | size)
        elif size < 2**16:
            head = struct.pack("!BBH", 0x81, 0x80 | 126, size)
        else:
            head = struct.pack("!BBQ", 0x81, 0x80 | 127, size)
        self.transport.write(head + bytes(4) + payload)


def spawn(program: str, *arguments: str) -> subprocess.Popen[str]:
    """Starts a server's program; it says its port and a token, and ends with its input."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


async def through_server(
    path: Path, batch: int, seconds: float, messages: int, connections: int, profile: str
) -> tuple[float, float]:
    """Acknowledged publishes/s of a whole server, and its CPU time for each in seconds."""
    process = spawn(SERVER, str(path), str(messages), profile)
    assert process.stdout is not None
    try:
        port, token = (await asyncio.to_thread(process.stdout.readline)).split()
        loop = asyncio.get_running_loop()
        publishers = []
        for number in range(connections):
            make: Callable[[], Publisher] = lambda n=number: Publisher(token, f"p{n}", batch)  # type: ignore[misc]  # noqa: E731
            _, publisher = await loop.create_connection(make, "127.0.0.1", int(port))
            await asyncio.wait_for(publisher.ready, 10)
            publishers.append(publisher)
        server = psutil.Process(process.pid)
        cpu, started = sum(server.cpu_times()[:2]), time.perf_counter()
        for publisher in publishers:
            publisher.begin()
        await asyncio.sleep(seconds)
        acknowledged = sum(publisher.acknowledged for publisher in publishers)
        elapsed = time.perf_counter() - started
        cpu = sum(server.cpu_times()[:2]) - cpu
        errors = sum(publisher.errors for publisher in publishers)
        if errors:
            raise SystemExit(f"{errors} publishes were refused")
        for publisher in publishers:
            publisher.running = False
            publisher.transport.close()
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(20)
    return acknowledged / elapsed, cpu / max(1, acknowledged)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="of each loop")
    parser.add_argument("--batch", type=int, default=100, help="messages in a transaction, and in a frame")
    parser.add_argument("--connections", type=int, default=2, help="publishing ones")
    parser.add_argument("--messages", type=int, default=100_000, help="of the topic's history")
    parser.add_argument("--profile", default="", help="where to write a profile of the server's loop")
    options = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="nbrealtime-bench-"))
    try:
        alone = bare(directory / "bare.db", options.batch, options.seconds)
        print(f"bare executemany, {options.batch} rows a commit   {alone:10,.0f} rows/s")
        ours = asyncio.run(
            through_store(directory / "store.db", options.batch, options.seconds, options.messages)
        )
        print(f"our store, answered on the loop        {ours:10,.0f} rows/s       ratio {ours / alone:.2f}")
        served, cpu = asyncio.run(
            through_server(
                directory / "server.db",
                options.batch,
                options.seconds,
                options.messages,
                options.connections,
                options.profile,
            )
        )
        print(
            f"our server, acknowledged publishes     {served:10,.0f} publishes/s  ratio {served / alone:.2f}"
            f"  ({cpu * 1e6:.1f} µs of CPU each)"
        )
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
