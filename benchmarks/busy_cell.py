"""What live data takes from a cell that computes in pure Python, in a real kernel.

Three ways in, each beside the same loop alone, in one cell and one run:

1. ``outside``: a topic receives 100 messages a second from a server in another process, with an ``on_message``
   callback and an observer, which run beside the cell.
2. ``inside``: server, feed (100 messages a second) and a live plot in the cell's own kernel. A page that shows the plot
   is played: it says hello, acknowledges once a second that it draws 60 frames a second, and its frames are counted.
3. ``sensor``: as 2, but fed by ``rt.sensor("host")``, as in the quickstart.

Alone and together alternate every half second, so that a busy machine spoils both; the median of the pairs counts. The
targets are 95 % for the first and 90 % for the others.

    python benchmarks/busy_cell.py [--rounds 25] [--seconds 0.5] [outside] [inside] [sensor]

Figures differ from machine to machine; read the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.quiet import Quiet

REPOSITORY = Path(__file__).parents[1]

FEEDER = """
import sys, threading, time
import nbrealtime as rt

server = rt.serve(advertise=False)
feed = rt.connect(server.url, server.token("feed"))
print(server.url, server.token("cell"), flush=True)
wanted = feed.topic("bench:on", deliver="thread")
due, number = time.monotonic(), 0
while True:
    due += 0.01
    time.sleep(max(0.0, due - time.monotonic()))
    if wanted.value:
        number += 1
        feed.publish("bench:data", number)
"""

MEASURE = """
import json, statistics, threading, time
import nbrealtime as rt

def spin(seconds):
    now, rounds = time.perf_counter, 0
    began = now()
    end = began + seconds
    while now() < end:
        total = 0
        for number in range(1000):
            total += number * number
        rounds += 1
    return rounds / (now() - began)

def measure(switch, rounds, seconds):
    pairs = []
    spin(0.5)
    for _ in range(rounds):
        switch(False)
        spin(0.3)
        alone = spin(seconds)
        switch(True)
        spin(0.3)
        pairs.append(spin(seconds) / alone)
    switch(False)
    return pairs
"""

OUTSIDE = """
away = rt.connect({url!r}, {token!r})
assert away.wait_connected(10)
topic = away.topic("bench:data")
seen = []
topic.on_message(lambda message: seen.append(message.data))
topic.observe(lambda change: None, "value")
switch = lambda on: away.publish("bench:on", on)
"""

PLOT = """
from nbrealtime.widgets.pump import pump
server = rt.serve()
topic = rt.subscribe({topic!r})
plot = topic.plot(window="30s")
page = dict(view="v", page="p", part=plot.part, width=700, visible=True)
pump()._received(None, dict(type="hello", **page), [])
def acknowledge():
    while True:
        time.sleep(1.0)
        pump()._received(None, dict(type="ack", page="p", views=[dict(page, rate=60)]), [])
threading.Thread(target=acknowledge, daemon=True).start()
print("hub", plot.hub.comm.comm_id)
"""

INSIDE = """
wanted = threading.Event()
def feed():
    due, number = time.monotonic(), 0
    while True:
        wanted.wait()
        due = max(due + 0.01, time.monotonic() - 0.05)
        time.sleep(max(0.0, due - time.monotonic()))
        number += 1
        rt.publish({topic!r}, number % 50)
threading.Thread(target=feed, daemon=True).start()
switch = lambda on: wanted.set() if on else wanted.clear()
"""

SENSOR = """
def switch(on):
    if on:
        rt.sensor("host")
        topic.wait(timeout=30)
        before = topic.count
        while topic.count < before + 5:
            time.sleep(0.01)
    else:
        rt.status().sensors and rt.status().sensors[0].close()
"""


class Kernel:
    """A kernel of its own, and what comes from it."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory()
        os.environ["JUPYTER_RUNTIME_DIR"] = self._directory.name
        os.environ["PYTHONPATH"] = str(REPOSITORY)
        self.manager = KernelManager(kernel_name="python3")
        self.manager.kernel_spec.argv[0] = sys.executable
        self.manager.start_kernel()
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self.frames: list[float] = []

    def run(self, code: str, hub: str = "") -> str:
        """Run a cell; return what it printed, and note when frames came from ``hub``."""
        run = self.client.execute(code)
        said = ""
        while True:
            try:
                message: dict[str, Any] = self.client.get_iopub_msg(timeout=120)
            except queue.Empty:
                raise SystemExit("the kernel says nothing") from None
            kind, content = message["msg_type"], message["content"]
            if kind == "comm_msg" and content["comm_id"] == hub:
                self.frames.append(time.monotonic())
            if message["parent_header"].get("msg_id") != run:
                continue
            if kind == "stream":
                said += content["text"]
            elif kind == "error":
                raise SystemExit("\n".join(content["traceback"]))
            elif kind == "status" and content["execution_state"] == "idle":
                return said

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self._directory.cleanup()


def outside(rounds: int, seconds: float) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    feeder = subprocess.Popen(
        [sys.executable, "-c", FEEDER],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=environment,
    )
    kernel = Kernel()
    try:
        assert feeder.stdout is not None
        url, token = feeder.stdout.readline().split()
        kernel.run(MEASURE + OUTSIDE.format(url=url, token=token))
        said = kernel.run(
            f"print(json.dumps([measure(switch, {rounds}, {seconds}), len(seen), topic.count]))"
        )
        pairs, called, count = json.loads(said)
        return {"pairs": pairs, "messages": count, "callbacks": called, "frames": None}
    finally:
        kernel.close()
        feeder.kill()
        feeder.wait()


def inside(rounds: int, seconds: float, *, topic: str = "bench:data", feed: str = INSIDE) -> dict[str, Any]:
    kernel = Kernel()
    try:
        said = kernel.run(MEASURE + PLOT.format(topic=topic) + feed.format(topic=topic))
        hub = said.split("hub ")[1].split()[0]
        said = kernel.run(f"print(json.dumps([measure(switch, {rounds}, {seconds}), topic.count]))", hub)
        pairs, count = json.loads(said)
        together = rounds * (seconds + 0.3)
        return {"pairs": pairs, "messages": count, "callbacks": None, "frames": len(kernel.frames) / together}
    finally:
        kernel.close()


def sensor(rounds: int, seconds: float) -> dict[str, Any]:
    return inside(rounds, seconds, topic="host:cpu", feed=SENSOR)


WAYS = {"outside": (outside, 0.95), "inside": (inside, 0.90), "sensor": (sensor, 0.90)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=textwrap.dedent(__doc__ or ""), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ways", nargs="*", choices=[*WAYS, []], help="which of them; all by default")
    parser.add_argument("--rounds", type=int, default=25, help="pairs of alone and together")
    parser.add_argument("--seconds", type=float, default=0.5, help="seconds for each half of a pair")
    arguments = parser.parse_args()
    print(f"{'':10}{'speed':>8}{'worst':>8}{'target':>8}{'messages':>10}{'callbacks':>11}{'frames/s':>10}")
    for name in arguments.ways or WAYS:
        way, target = WAYS[name]
        quiet = Quiet()
        found = way(arguments.rounds, arguments.seconds)
        frames = "" if found["frames"] is None else f"{found['frames']:.1f}"
        called = "" if found["callbacks"] is None else f"{found['callbacks']:,}"
        print(
            f"{name:10}{statistics.median(found['pairs']):8.1%}{min(found['pairs']):8.1%}{target:8.0%}"
            f"{found['messages']:>10,}{called:>11}{frames:>10}\n{quiet.remark()}",
            end="",
            flush=True,
        )


if __name__ == "__main__":
    main()
