"""Server CPU per delivery: ours beside Node's ``ws`` library in a send loop, in one run.

    python benchmarks/fanout.py [--subscribers 100] [--seconds 3]

One publisher, many subscribers of one topic, payloads of 100 bytes; each server
is a process of its own, and its CPU time is what the operating system counted
for it. Two loads: a publisher at saturation (with at most 500 messages under
way), and one that sends 1,000 messages/s on a schedule. The ratio is ours /
theirs: below 1 ours is cheaper. Absolute figures are this machine's; the ratio
is what to look at.

Needs Node; the first run installs the peer with ``npm ci``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

PEERS = Path(__file__).parent / "peers"
TOPIC = "bench:fanout"
PAYLOAD = "x" * 98  # 100 bytes with its quotes
UNDER_WAY = 500
MARK = b'"messageId"'


@dataclass
class Result:
    """What one server did under one load."""

    deliveries: int
    cpu: float
    seconds: float
    p50: float

    @property
    def micros(self) -> float:
        return self.cpu / self.deliveries * 1e6


class Subscriber(asyncio.Protocol):
    """Counts messages; does nothing else, so that the servers get the machine."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.received = 0
        self.ready = asyncio.get_running_loop().create_future()
        self.waiter: asyncio.Future[None] | None = None
        self.target = 0
        self.sent_at: list[float] | None = None
        self.delays: list[float] = []
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        transport.write(  # type: ignore[attr-defined]
            f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        if not self.ready.done():
            if b"101 " in data:
                self.ready.set_result(None)
            return
        window = self._tail + data
        count = window.count(MARK)
        self._tail = window[-(len(MARK) - 1) :]
        if count and self.sent_at is not None:
            now = time.perf_counter()
            self.delays.extend(now - at for at in self.sent_at[self.received : self.received + count])
        self.received += count
        if self.waiter is not None and self.received >= self.target:
            self.waiter.set_result(None)
            self.waiter = None

    async def until(self, target: int) -> None:
        if self.received < target:
            self.target = target
            self.waiter = asyncio.get_running_loop().create_future()
            await asyncio.wait_for(self.waiter, 60)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.waiter is not None:
            self.waiter.set_exception(ConnectionError("the server ended a subscriber"))


def masked(text: str) -> bytes:
    """A client's text frame, with a mask of zeros."""
    payload = text.encode()
    head = (
        bytes([0x81, 0x80 | len(payload)])
        if len(payload) < 126
        else b"\x81\xfe" + len(payload).to_bytes(2, "big")
    )
    return head + b"\0\0\0\0" + payload


async def connect(port: int, path: str) -> Subscriber:
    loop = asyncio.get_running_loop()
    _, subscriber = await loop.create_connection(lambda: Subscriber(path), "127.0.0.1", port)
    await subscriber.ready
    return subscriber


async def drive(
    port: int, path: str, pid: int, subscribers: int, rate: float | None, seconds: float
) -> Result:
    """Loads one server; ``rate`` None is saturation."""
    crowd = [await connect(port, path) for _ in range(subscribers)]
    for one in crowd:
        one.transport.write(masked(json.dumps({"type": "subscribe", "topic": TOPIC})))  # type: ignore[attr-defined]
    publisher = await connect(port, path)
    frame = masked(json.dumps({"type": "publish", "topic": TOPIC, "data": PAYLOAD}))
    write = publisher.transport.write  # type: ignore[attr-defined]
    await asyncio.sleep(0.5)
    sent = 0
    for _ in range(200):  # warm
        write(frame)
    sent += 200
    await asyncio.gather(*(one.until(sent) for one in crowd))
    warm = sent
    watched = crowd[-1]
    sent_at = [0.0] * sent
    for one in crowd[::10]:
        one.sent_at = sent_at
    process = psutil.Process(pid)
    before = process.cpu_times()
    start = time.perf_counter()
    while (now := time.perf_counter()) - start < seconds:
        if rate is None:
            burst = UNDER_WAY // 5
            await watched.until(sent + burst - UNDER_WAY)
        else:
            burst = int((now - start) * rate) - (sent - warm)
            if burst <= 0:
                await asyncio.sleep(0.0005)
                continue
        at = time.perf_counter()
        sent_at.extend([at] * burst)
        write(frame * burst)
        sent += burst
        await asyncio.sleep(0)
    await asyncio.gather(*(one.until(sent) for one in crowd))
    elapsed = time.perf_counter() - start
    after = process.cpu_times()
    cpu = after.user + after.system - before.user - before.system
    for one in (*crowd, publisher):
        one.transport.close()
    # Who is served first and who last depends on the order they came in: look at one in ten.
    delays = [delay for one in crowd[::10] for delay in one.delays]
    return Result((sent - warm) * subscribers, cpu, elapsed, statistics.median(delays))


def start_ours() -> tuple[subprocess.Popen[str], int, str]:
    code = (
        "import sys; from nbrealtime.server import serve\n"
        "server = serve(advertise=False)\n"
        "print(server.port, server.token('bench'), flush=True); sys.stdin.read(); server.close()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    port, token = process.stdout.readline().split()
    return process, int(port), f"/ws?token={token}"


def start_peer() -> tuple[subprocess.Popen[str], int, str]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        sys.exit("this benchmark needs Node and npm")
    if not (PEERS / "node_modules").is_dir():
        subprocess.run([npm, "ci", "--silent"], cwd=PEERS, check=True)
    process = subprocess.Popen(
        [node, "ws_server.mjs"], cwd=PEERS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline()), "/"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--subscribers", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each load, 30 at most")
    options = parser.parse_args()
    seconds = min(options.seconds, 30.0)
    servers = {"nbrealtime": start_ours(), "node ws": start_peer()}
    try:
        print(f"{options.subscribers} subscribers, payload of {len(PAYLOAD) + 2} bytes")
        for label, rate in (("saturation", None), ("1,000 messages/s", 1000.0)):
            results: dict[str, Result] = {}
            for name, (process, port, path) in servers.items():
                result = asyncio.run(drive(port, path, process.pid, options.subscribers, rate, seconds))
                results[name] = result
                print(
                    f"{label:17} {name:11} {result.micros:6.2f} µs CPU per delivery, "
                    f"{result.deliveries / result.seconds:10,.0f} deliveries/s, p50 {result.p50 * 1e3:.2f} ms"
                )
            ratio = results["nbrealtime"].micros / results["node ws"].micros
            print(f"{label:17} ratio {ratio:.2f} (ours / node ws; 1 or less is the aim)")
    finally:
        for process, _, _ in servers.values():
            assert process.stdin is not None
            process.stdin.close()
            process.wait(10)


if __name__ == "__main__":
    main()
