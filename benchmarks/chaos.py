"""Exactly once and in order, through cut connections and a server that is killed again and again.

    python -m benchmarks.chaos --seconds 30 [--seed 1]

Publishers with acknowledgements and subscribers, each on a connection of its
own, speak to ``nbrealtime serve --store sqlite:///…`` through a faulty network
that hurts one of their connections every 100 ms; every few seconds the server
is killed (SIGKILL) and started again on its file. Then the weather clears, and
it is counted what arrived: whatever was acknowledged must have reached every
subscriber exactly once, in the order of its offsets. What a publisher was told
to be uncertain may have arrived or not, but not twice.

It ends with 1 unless lost, duplicated and reordered are 0 and the server had
nothing to complain of. The seed fixes the schedule of the faults.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt

from nbrealtime.client import Link, LinkState, Message, open_link
from nbrealtime.client.receipt import Receipt
from nbrealtime.errors import PublishTimeout, PublishUncertain
from nbrealtime.testing import FaultyNetwork
from nbrealtime.wire.v2 import Since

TOPICS = ("chaos:a", "chaos:b")
PATTERN = "chaos:*"
SETTLE_SECONDS = 60.0
READY_SECONDS = 30.0
UNDER_WAY = 200


@dataclass
class Result:
    """What was counted."""

    published: int = 0
    acknowledged: int = 0
    uncertain: int = 0
    refused: int = 0
    delivered: int = 0
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    gaps: int = 0
    kills: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not (self.lost or self.duplicated or self.reordered or self.complaints)

    def __str__(self) -> str:
        faults = ", ".join(f"{count} {name}" for name, count in sorted(self.faults.items()))
        names = ("published", "acknowledged", "delivered", "lost", "duplicated", "reordered")
        names += ("uncertain", "refused", "gaps")
        lines = [f"{name:13}{getattr(self, name):10,}" for name in names]
        lines.append(f"{'faults':13}{sum(self.faults.values()):10,}  ({faults})")
        lines.append(f"{'kills':13}{self.kills:10,}")
        return "\n".join(lines + [f"!! {complaint}" for complaint in self.complaints])


class ServerProcess:
    """``nbrealtime serve`` on one port and one file, killed and begun again."""

    def __init__(self, directory: Path) -> None:
        self.port = _port_below_the_ephemeral()
        self.url = f"ws://127.0.0.1:{self.port}"
        self.secret = "chaos " * 12
        self.log = directory / "server.log"
        secret = directory / "secret"
        secret.write_text(self.secret)
        secret.chmod(0o600)
        runtime = directory / "runtime"
        runtime.mkdir(mode=0o700)
        self._environment = {**os.environ, "JUPYTER_RUNTIME_DIR": str(runtime)}
        self._command = [sys.executable, "-m", "nbrealtime", "serve", "--port", str(self.port)]
        self._command += ["--secret-file", str(secret), "--store", f"sqlite:///{directory / 'chaos.db'}"]
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment
            )

    def wait_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        raise TimeoutError(f"the server did not start:\n{self.log.read_text()[-2000:]}")

    @property
    def ended(self) -> bool:
        """Whether it ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def token(self, user: str) -> str:
        return jwt.encode({"sub": user, "name": user}, self.secret.strip(), "HS256")


def _port_below_the_ephemeral() -> int:
    """Returns a free port that no outgoing connection takes while the server is down."""
    for port in random.SystemRandom().sample(range(20_000, 32_000), 200):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port")


class Listener:
    """A subscriber: it writes down what it is told."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.gaps: list[tuple[str, int | None]] = []
        self.confirmed = threading.Event()
        self.trouble: list[str] = []

    def received(self, messages: list[Message]) -> None:
        self.messages += messages

    def subscribed(self, count: int, recovered: bool | None = None, replayed: int = 0) -> None:
        self.confirmed.set()

    def gap(self, reason: str, missed: int | None, topic: str | None = None) -> None:
        self.gaps.append((reason, missed))

    def refused(self, code: str, reason: str) -> None:
        self.trouble.append(f"a subscription was refused: {reason} ({code})")

    def presence(self, count: int) -> None:
        pass

    def offline(self) -> None:
        pass

    def closed(self) -> None:
        pass


class Publisher(threading.Thread):
    """Publishes numbers, in bursts, until it is told to stop."""

    def __init__(self, name: str, link: Link, rate: float, seed: int) -> None:
        super().__init__(name=name, daemon=True)
        self.receipts: list[tuple[str, int, Receipt]] = []
        self.refused = 0
        self._link = link
        self._rate = rate
        self._chance = random.Random(seed)
        self._stop_it = threading.Event()

    def stop(self) -> None:
        self._stop_it.set()

    def run(self) -> None:
        number = oldest = 0
        due = time.monotonic()
        while not self._stop_it.is_set():
            burst = self._chance.choice((1, 1, 2, 5, 20))
            topic = self._chance.choice(TOPICS)
            padding = "x" * self._chance.choice((0, 10, 100, 3000))
            for _ in range(burst):
                number += 1
                data = json.dumps({"by": self.name, "n": number, "padding": padding}).encode()
                try:
                    self.receipts.append((topic, number, self._link.publish(topic, data, ack=True)))
                except PublishTimeout:
                    self.refused += 1
            due += burst / self._rate
            self._stop_it.wait(max(0.0, due - time.monotonic()))
            while oldest < len(self.receipts) and self.receipts[oldest][2].done:
                oldest += 1
            while len(self.receipts) - oldest > UNDER_WAY and not self._stop_it.wait(0.01):
                # More would only wait in the queue.
                if self.receipts[oldest][2].done:
                    oldest += 1
                due = time.monotonic()


@contextlib.contextmanager
def _nudging(links: list[Link]) -> Iterator[None]:
    """Has lost connections try again at once: after a hundred cuts they would wait half a minute."""
    over = threading.Event()

    def nudge() -> None:
        while not over.wait(0.05):
            for link in links:
                if link.status.state is LinkState.RECONNECTING:
                    link.reconnect()

    thread = threading.Thread(target=nudge, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(5)


def run(
    seconds: float,
    *,
    seed: int = 1,
    publishers: int = 4,
    subscribers: int = 4,
    rate: float = 100.0,
    cut_every: float = 0.1,
    kill_every: float = 4.0,
) -> Result:
    """Runs for ``seconds`` and then until everything has arrived, at most a minute; returns what was counted."""
    result = Result()
    links: list[Link] = []
    listeners: list[Listener] = []
    writers: list[Publisher] = []
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="nbrealtime-chaos-", ignore_cleanup_errors=True) as directory:
        server = ServerProcess(Path(directory))
        try:
            server.wait_ready()
            with FaultyNetwork(server.url) as network, _nudging(links):

                def link(user: str) -> Link:
                    found = open_link(network.url, server.token(user))
                    links.append(found)
                    if not found.wait_connected(20):
                        raise TimeoutError(f"{user} could not connect: {found.status.error}")
                    return found

                def listen(user: str) -> None:
                    own = link(user)
                    ears = [Listener(), Listener()]
                    own.subscribe(PATTERN, ears[0])
                    for topic in TOPICS:
                        own.subscribe(topic, ears[1])
                    listeners.extend(ears)

                def listen_late() -> None:
                    # In the middle of it all, and from the very beginning.
                    own, ear = link("late"), Listener()
                    for topic in TOPICS:
                        own.subscribe(topic, ear, since=Since(count=10**6))
                    listeners.append(ear)

                try:
                    for number in range(subscribers):
                        listen(f"s{number}")
                    for ear in listeners:
                        ear.confirmed.wait(20)
                    writers += [
                        Publisher(f"p{number}", link(f"p{number}"), rate, seed + number)
                        for number in range(publishers)
                    ]
                    network.storm(seed=seed, every=cut_every)
                    for writer in writers:
                        writer.start()
                    _torment(server, seconds / 2, kill_every, chance, result)
                    listen_late()
                    _torment(server, seconds / 2, kill_every, chance, result)
                finally:
                    for writer in writers:
                        writer.stop()
                result.faults = Counter(network.faults)
                network.restore()
                server.wait_ready()
                _settle(writers, listeners, result)
                for own in links:
                    own.close()
        finally:
            ended = server.ended
            server.kill()
        said = server.log.read_text()
        if ended or "Traceback" in said:
            result.complaints.append(f"the server's last words:\n{said[-3000:]}")
    _judge(writers, listeners, result)
    return result


def _torment(
    server: ServerProcess, seconds: float, kill_every: float, chance: random.Random, result: Result
) -> None:
    """Kills the server every few seconds, and starts it again."""
    end = time.monotonic() + seconds
    while (rest := end - time.monotonic()) > 0:
        pause = kill_every * (0.5 + chance.random())
        time.sleep(min(pause, rest))
        if pause < rest:
            if server.ended:
                result.complaints.append("the server ended by itself")
            server.kill()
            result.kills += 1
            server.start()


def _settle(writers: list[Publisher], listeners: list[Listener], result: Result) -> None:
    """Waits until every publish is answered, and everybody has what was acknowledged."""
    deadline = time.monotonic() + SETTLE_SECONDS
    for writer in writers:
        writer.join(10)
        for topic, number, receipt in writer.receipts:
            with contextlib.suppress(Exception):
                receipt.wait(max(0.0, deadline - time.monotonic()))
            if not receipt.done:
                result.complaints.append(f"{writer.name}'s {number} to {topic} was never answered")
                return
    newest: dict[str, int] = defaultdict(int)
    for writer in writers:
        for topic, _, receipt in writer.receipts:
            newest[topic] = max(newest[topic], receipt.offset or 0)

    def reached(ear: Listener) -> bool:
        last = {message.topic: message.offset or 0 for message in ear.messages}
        return all(last.get(topic, 0) >= offset for topic, offset in newest.items())

    while time.monotonic() < deadline and not all(reached(ear) for ear in listeners):
        time.sleep(0.05)
    time.sleep(0.3)  # what should not come may come late


def _judge(writers: list[Publisher], listeners: list[Listener], result: Result) -> None:
    """Holds what arrived against what was acknowledged."""
    places: dict[tuple[str, str | None, int | None], tuple[str, int]] = {}
    uncertain: set[tuple[str, int]] = set()
    for writer in writers:
        result.refused += writer.refused
        result.published += len(writer.receipts)
        for topic, number, receipt in writer.receipts:
            if isinstance(receipt.error, PublishUncertain):
                result.uncertain += 1
                uncertain.add((writer.name, number))
            elif receipt.error is not None:
                result.complaints.append(f"{writer.name}'s {number} failed: {receipt.error!r}")
            elif receipt.done:
                result.acknowledged += 1
                place = (topic, receipt.epoch, receipt.offset)
                if place in places:
                    result.duplicated += 1
                    result.complaints.append(
                        f"{place} was given to {places[place]} and {(writer.name, number)}"
                    )
                places[place] = (writer.name, number)
    for topic in TOPICS:
        epochs = {epoch for name, epoch, _ in places if name == topic}
        if len(epochs) > 1:
            result.complaints.append(f"{topic} had {len(epochs)} epochs, although its store survived")
    for ear in listeners:
        result.complaints += ear.trouble
        result.gaps += len(ear.gaps)
        _judge_one(ear, places, uncertain, result)


def _judge_one(
    ear: Listener,
    places: dict[tuple[str, str | None, int | None], tuple[str, int]],
    uncertain: set[tuple[str, int]],
    result: Result,
) -> None:
    seen: dict[tuple[str, int], tuple[str, str | None, int | None]] = {}
    offsets: dict[str, int] = defaultdict(int)
    numbers: dict[tuple[str, str], int] = defaultdict(int)
    for message in ear.messages:
        result.delivered += 1
        data: Any = message.data
        who = (data["by"], data["n"])
        place = (message.topic, message.epoch, message.offset)
        if who in seen:
            result.duplicated += 1
            continue
        seen[who] = place
        if places.get(place, who) != who or (place not in places and who not in uncertain):
            result.complaints.append(f"{who} arrived at {place}, which is not where it was acknowledged")
        offset = message.offset or 0
        line = (message.topic, data["by"])
        if offset <= offsets[message.topic] or data["n"] <= numbers[line]:
            result.reordered += 1
        offsets[message.topic] = max(offsets[message.topic], offset)
        numbers[line] = max(numbers[line], data["n"])
    result.lost += sum(1 for who in places.values() if who not in seen)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=30.0, help="how long the storm lasts")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--publishers", type=int, default=4)
    parser.add_argument("--subscribers", type=int, default=4)
    parser.add_argument("--rate", type=float, default=100.0, help="publishes/s of each publisher, at most")
    parser.add_argument("--cut-every", type=float, default=0.1, help="seconds between two faults, on average")
    parser.add_argument("--kill-every", type=float, default=4.0, help="seconds between two kills, on average")
    options = parser.parse_args()
    result = run(
        options.seconds,
        seed=options.seed,
        publishers=options.publishers,
        subscribers=options.subscribers,
        rate=options.rate,
        cut_every=options.cut_every,
        kill_every=options.kill_every,
    )
    print(result)
    sys.exit(0 if result.good else 1)


if __name__ == "__main__":
    main()
