"""``rt.sensor``: measurements of this machine, fed by a child process that ends with this one.

The child is ``nbrealtime sensor host --exit-with-parent``: it reads its standard input, and the pipe behind that is closed
by the operating system however this process ends. It is told where to publish by its environment, because arguments
are everybody's to read.

The rule here: *one feed for a server*. This process starts none while ``sensor:host`` has a subscriber, and a child that
finds another one there leaves by itself.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from typing import Self

from nbrealtime import lifecycle
from nbrealtime.errors import ConnectionFailed
from nbrealtime.live.connection import default_connection
from nbrealtime.live.stats import fetch_stats
from nbrealtime.options import number

__all__ = ["Sensor", "close_sensors", "open_sensor", "sensors"]

_NAMES = ("host",)
_ASK_SECONDS = 2.0
_GRACE_SECONDS = 2.0

_lock = threading.Lock()
_open: dict[str, Sensor] = {}


class Sensor:
    """A feed of measurements; closed with ``close()``, by ``with``, or with this process.

    ``child`` is None where another process feeds the server already: then there is nothing to close.
    """

    def __init__(self, name: str, hz: float, url: str, child: subprocess.Popen[bytes] | None) -> None:
        self.name = name
        self.hz = hz
        self.url = url
        self._child = child

    @property
    def pid(self) -> int | None:
        """The child's process id, or None if it is not ours."""
        return None if self._child is None else self._child.pid

    @property
    def running(self) -> bool:
        """Whether our child runs."""
        return self._child is not None and self._child.poll() is None

    def close(self) -> None:
        """End the child; returns when it has ended. Harmless when repeated."""
        with _lock:
            if _open.get(self.name) is self:
                del _open[self.name]
        child = self._child
        if child is None or child.poll() is not None:
            return
        if child.stdin is not None:
            with contextlib.suppress(OSError):
                child.stdin.close()
        for end in (child.terminate, child.kill):
            try:
                child.wait(_GRACE_SECONDS)
                return
            except subprocess.TimeoutExpired:
                end()
        child.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        if self._child is None:
            return f"Sensor {self.name!r}: {self.url} is fed by another process"
        code = self._child.poll()
        if code is None:
            return f"Sensor {self.name!r}: feeds {self.url} with {self.hz:g} samples/s"
        if code == 0:
            return f"Sensor {self.name!r}: ended"
        return f"Sensor {self.name!r}: ended with code {code}; `nbrealtime sensor {self.name}` in a terminal says why"


def open_sensor(name: str, *, hz: float) -> Sensor:
    """Return the sensor ``name`` of the default connection's server; start it unless something feeds that already."""
    if name not in _NAMES:
        raise ValueError(f"there is no sensor {name!r}, only {', '.join(map(repr, _NAMES))}")
    hz = number("hz", hz, "between 1 and 100 samples per second", 1, 100)
    target = default_connection().link.target
    place = target.resolve()
    with _lock:
        known = _open.get(name)
    if known is not None:
        if known.running and known.url == place.url:
            return known
        known.close()
    try:
        fed = fetch_stats(target, timeout=_ASK_SECONDS).topics.get(f"sensor:{name}", 0) > 0
    except ConnectionFailed:
        fed = False  # the server is not there yet; the child waits for it, and leaves if it is not alone
    if fed:
        return Sensor(name, hz, place.url, None)
    environment = {**os.environ, "NBREALTIME_URL": place.url}
    environment.pop("NBREALTIME_TOKEN", None)
    if place.token is not None:
        environment["NBREALTIME_TOKEN"] = place.token
    with _lock:
        raced = _open.get(name)
        if raced is not None and raced.running:
            return raced
        child = subprocess.Popen(
            [sys.executable, "-m", "nbrealtime", "sensor", name, "--hz", f"{hz:g}", "--exit-with-parent"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            # Of its own, so that interrupting a cell does not interrupt the feed.
            start_new_session=True,
        )
        sensor = _open[name] = Sensor(name, hz, place.url, child)
    return sensor


def sensors() -> tuple[Sensor, ...]:
    """The sensors that this process opened."""
    with _lock:
        return tuple(_open.values())


def close_sensors() -> None:
    """Close every sensor that this process opened."""
    for sensor in sensors():
        sensor.close()


def _forget() -> None:
    global _lock
    _lock = threading.Lock()
    _open.clear()


lifecycle.after_fork(_forget)
