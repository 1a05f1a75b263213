"""``nbrealtime sensor host``: this machine's load, published until it is told to stop.

Collaborators: :class:`~nbrealtime.commands.machine.Machine` measures,
:class:`~nbrealtime.commands.turn.Turn` decides between several feeders, a
:class:`nbrealtime.client.Link` carries; ``rt.sensor`` starts this command as a
child with ``--exit-with-parent``.

The one rule: what could not be sent at its time is not sent at all. While the
server is away nothing is published, since a queue of old samples would arrive
with the time of its arrival.

Runs on the main thread; the sinks' methods run on the client thread and set
plain attributes.
"""

from __future__ import annotations

import argparse
import math
import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Final

from nbrealtime.commands.reporting import say
from nbrealtime.commands.sinks import Sink
from nbrealtime.commands.target import (
    TARGET_EPILOG,
    add_target_arguments,
    address_of,
    check_usable,
    is_found,
    open_link,
)
from nbrealtime.commands.turn import Step, Turn
from nbrealtime.commands.values import frequency
from nbrealtime.errors import NoServer, PublishTimeout

if TYPE_CHECKING:
    from nbrealtime.client import Link, Message, Subscription
    from nbrealtime.commands.machine import Machine, Sample

__all__ = ["HELP", "MARK", "configure", "run"]

HELP: Final = "publish this machine's load until Ctrl-C"
MARK: Final = "sensor:host"

_EPILOG: Final = f"""\
Topics and their fields:
  host:cpu      total, core0, core1 …   percent
  host:memory   used, swap              percent
  host:network  received, sent          bytes/s, without the loopback
  host:disk     read, written           bytes/s

It waits for a server to appear, and survives the server's restart. If the
server has such a feed already, there is nothing to do and it ends.

{TARGET_EPILOG}"""
_SLOW_HZ: Final = 5.0
_LOOK_SECONDS: Final = 1.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds this command's options."""
    parser.epilog = _EPILOG
    parser.add_argument("source", choices=["host"], metavar="host", help="what to measure: this machine")
    parser.add_argument(
        "--hz",
        type=frequency,
        default=20.0,
        help="samples of host:cpu per second, 1 to 100; of the other topics at most 5 (default: 20)",
    )
    parser.add_argument(
        "--exit-with-parent",
        action="store_true",
        help="end when standard input ends, as it does when the program that started this one dies",
    )
    add_target_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Feeds a server until Ctrl-C, SIGTERM, or the end of stdin with ``--exit-with-parent``."""
    pause = _Pause(until_stdin_ends=arguments.exit_with_parent)
    try:
        link = _wait_for_server(arguments, pause)
        if link is None:
            return 0
        try:
            _Feed(link, arguments.hz, looks=is_found(arguments)).run(pause)
        finally:
            link.close()
    except KeyboardInterrupt:
        pass
    return 0


def _wait_for_server(arguments: argparse.Namespace, pause: _Pause) -> Link | None:
    """Returns a link as soon as there is a server to link to; ``None`` when told to stop."""
    told = False
    while True:
        try:
            return open_link(arguments)
        except NoServer:
            if not told:
                say("Waiting for a server: %rtserver in a notebook, or `nbrealtime serve`. Ctrl-C stops it.")
                told = True
        if not pause.until(time.monotonic() + _LOOK_SECONDS):
            return None


class _Pause:
    """Waits on the main thread; the end of stdin, if it is watched, ends the waiting for good."""

    def __init__(self, *, until_stdin_ends: bool) -> None:
        self._watched = [sys.stdin.fileno()] if until_stdin_ends else []

    def until(self, deadline: float) -> bool:
        """Waits until ``deadline`` (monotonic); returns ``False`` when stdin has ended.

        A ``select`` does both, so that no thread sits in a ``read`` that nothing can interrupt. It
        asks at least once, or a loop that is always late would never learn of the end.
        """
        while True:
            seconds = max(0.0, deadline - time.monotonic())
            if not self._watched:
                time.sleep(seconds)
                return True
            if not select.select(self._watched, [], [], seconds)[0]:
                return True
            if not os.read(self._watched[0], 4096):
                return False


class _Mark(Sink):
    """The subscription to ``sensor:host``: how many feeders the server knows, us included."""

    def __init__(self) -> None:
        super().__init__(MARK)
        self.feeders: int | None = None

    def subscribed(self, count: int, recovered: bool | None = None, replayed: int = 0) -> None:
        self.feeders = count

    def presence(self, count: int) -> None:
        self.feeders = count

    def offline(self) -> None:
        self.feeders = None

    def closed(self) -> None:
        self.feeders = None


class _Ear(Sink):
    """A subscription to ``host:cpu`` that notes when data came last."""

    def __init__(self) -> None:
        super().__init__("host:cpu")
        self.heard = -math.inf

    def received(self, messages: list[Message]) -> None:
        self.heard = time.monotonic()


class _Lookout:
    """Has a lost link try again as soon as a new server appears, not only when its backoff is over."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._known: frozenset[str] | None = None
        self._next = -math.inf

    def look(self, now: float) -> None:
        """Reads the runtime directory, at most once a second."""
        if now < self._next:
            return
        from nbrealtime.discovery import entries

        self._next = now + _LOOK_SECONDS
        running = frozenset(entry.path for entry in entries())
        if self._known is not None and running - self._known:
            self._link.reconnect()
        self._known = running


class _Feed:
    """The loop: at each tick it waits, listens for another feeder, publishes, or leaves."""

    def __init__(self, link: Link, hz: float, *, looks: bool) -> None:
        self._link = link
        self._hz = hz
        self._slow_every = math.ceil(hz / _SLOW_HZ)
        self._lookout = _Lookout(link) if looks else None
        self._told = ""

    def run(self, pause: _Pause) -> None:
        """Returns when stdin has ended, or when another feeder is at work."""
        from nbrealtime.commands.machine import Machine

        turn, mark, ear = Turn(), _Mark(), _Ear()
        machine = Machine(time.monotonic())
        listening: Subscription | None = None
        with closing(self._link.subscribe(MARK, mark)):
            for tick in self._ticks(pause):
                mark.check()
                check_usable(self._link)
                step = turn.decide(time.monotonic(), mark.feeders, ear.heard)
                if step is Step.LISTEN and listening is None:
                    listening = self._link.subscribe("host:cpu", ear)
                elif step is not Step.LISTEN and listening is not None:
                    listening.close()  # or we would hear ourselves
                    listening = None
                if step is Step.FEED:
                    self._tell(
                        f"Feeding {address_of(self._link)} with {self._hz:g} samples/s. Ctrl-C stops it."
                    )
                    self._publish(machine, tick)
                elif step is Step.LEAVE:
                    self._tell(
                        f"Another sensor feeds {address_of(self._link)} already, so there is nothing to do."
                    )
                    return
                elif step is Step.WAIT:
                    self._wait()

    def _ticks(self, pause: _Pause) -> Iterator[int]:
        """Counts the ticks of an absolute schedule; those that a late loop missed are left out."""
        start, tick = time.monotonic(), 0
        while pause.until(start + tick / self._hz):
            yield tick
            tick = max(tick + 1, math.ceil((time.monotonic() - start) * self._hz))

    def _publish(self, machine: Machine, tick: int) -> None:
        now = time.monotonic()
        if not machine.is_settled(now):
            return
        self._send("host:cpu", machine.cpu(now))
        # The slow ones take turns, so that no tick has all the work.
        for turn, (topic, measure) in enumerate(_slow(machine)):
            if tick % self._slow_every == turn % self._slow_every:
                self._send(topic, measure(now))

    def _send(self, topic: str, sample: Sample) -> None:
        from nbrealtime.wire.encodings import encode_data

        # Full buffers mean a server that does not read; the sample has lost its time by then.
        with suppress(PublishTimeout):
            self._link.publish(topic, encode_data(sample))

    def _wait(self) -> None:
        status = self._link.status
        if status.attempts:
            self._tell(f"Waiting for {address_of(self._link)}{f': {status.error}' if status.error else ''}")
        if self._lookout is not None:
            self._lookout.look(time.monotonic())

    def _tell(self, sentence: str) -> None:
        if sentence != self._told:
            self._told = sentence
            say(sentence)


def _slow(machine: Machine) -> tuple[tuple[str, Callable[[float], Sample]], ...]:
    return (
        ("host:memory", machine.memory),
        ("host:network", machine.network),
        ("host:disk", machine.disk),
    )
