"""This machine's load: psutil's counters, turned into percentages and rates.

Every topic carries one unit, so that its plot needs one axis:

==============  =======================  =========================================
topic           fields                   unit
==============  =======================  =========================================
host:cpu        total, core0, core1 …    percent of the time, 0–100
host:memory     used, swap               percent of what there is, 0–100
host:network    received, sent           bytes/s, all interfaces but the loopback
host:disk       read, written            bytes/s, all disks
==============  =======================  =========================================

The one rule: a rate is taken over a window that is longer than the interval
between two samples. The kernel counts processor time in ticks of 10 ms, so that
20 samples/s of 50 ms each could only say 0, 20, 40 … percent; over half a
second, moved on with each sample, they say it to 2 percent.

The caller's thread does everything, and the time is an argument.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

import psutil

__all__ = ["Machine", "Sample", "SlidingWindow"]

Sample = dict[str, float | None]
"""One message: a value for each field, ``None`` (a gap) where the machine does not tell."""

_CPU_WINDOW: Final = 0.5
_RATE_WINDOW: Final = 1.0
_FIRST_WINDOW: Final = 0.1


class SlidingWindow:
    """How much counters have grown during the last ``seconds``, and in which time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._readings: deque[tuple[float, Sequence[float]]] = deque()

    def move(self, now: float, reading: Sequence[float]) -> tuple[float, list[float]]:
        """Takes a new reading; returns the elapsed seconds and each counter's growth in them.

        The first reading has nothing before it: ``(0.0, [0.0, …])``. A counter that went back (an
        interface left, a count wrapped) has not grown. A reading of another length starts anew.
        """
        readings = self._readings
        if readings and len(readings[-1][1]) != len(reading):
            readings.clear()
        readings.append((now, reading))
        # Keep the newest reading that is at least the window's length old.
        while len(readings) > 2 and now - readings[1][0] >= self._seconds:
            readings.popleft()
        then, before = readings[0]
        return now - then, [max(0.0, new - old) for new, old in zip(reading, before, strict=True)]


class Machine:
    """Samples this machine; each method takes the time of a monotonic clock and returns one message."""

    def __init__(self, now: float) -> None:
        self._began = now
        self._cpu = SlidingWindow(_CPU_WINDOW)
        self._network = SlidingWindow(_RATE_WINDOW)
        self._disk = SlidingWindow(_RATE_WINDOW)
        for measure in (self.cpu, self.network, self.disk):
            measure(now)  # a rate needs a reading before its first one

    def is_settled(self, now: float) -> bool:
        """Whether a rate would be of a time that is long enough to tell one.

        Of the few milliseconds that a sensor needs to connect, a processor that works is told as idle,
        since no tick of its clock has passed, and a packet as a torrent.
        """
        return now - self._began >= _FIRST_WINDOW

    def cpu(self, now: float) -> Sample:
        """The share of their time that all cores together, and each, spent working."""
        cores = psutil.cpu_times(percpu=True)
        _, grown = self._cpu.move(now, [*map(_working, cores), *map(_counted, cores)])
        working, counted = grown[: len(cores)], grown[len(cores) :]
        sample: Sample = {"total": _percent(sum(working), sum(counted))}
        for core, parts in enumerate(zip(working, counted, strict=True)):
            sample[f"core{core}"] = _percent(*parts)
        return sample

    def memory(self, now: float) -> Sample:
        """The share of the memory that programs hold, and of the swap space."""
        return {"used": psutil.virtual_memory().percent, "swap": psutil.swap_memory().percent}

    def network(self, now: float) -> Sample:
        """What the interfaces received and sent; not the loopback, where our own messages travel."""
        interfaces = psutil.net_io_counters(pernic=True)
        counters = [of for name, of in interfaces.items() if not name.lower().startswith("lo")]
        received, sent = (sum(of.bytes_recv for of in counters), sum(of.bytes_sent for of in counters))
        return _rates(("received", "sent"), *self._network.move(now, (received, sent)))

    def disk(self, now: float) -> Sample:
        """What the disks read and wrote; gaps where the machine has no counters, as in some containers."""
        counters = psutil.disk_io_counters()
        if counters is None:
            return {"read": None, "written": None}
        moved = self._disk.move(now, (counters.read_bytes, counters.write_bytes))
        return _rates(("read", "written"), *moved)


def _working(core: tuple[float, ...]) -> float:
    return _counted(core) - _field(core, "idle") - _field(core, "iowait")


def _counted(core: tuple[float, ...]) -> float:
    # Linux counts a guest's time in `user` and `nice` already.
    return sum(core) - _field(core, "guest") - _field(core, "guest_nice")


def _field(core: tuple[float, ...], name: str) -> float:
    """A kind of time that not every system counts."""
    found: float = getattr(core, name, 0.0)
    return found


def _percent(part: float, whole: float) -> float:
    return round(min(100.0, 100 * part / whole), 1) if whole > 0 else 0.0


def _rates(names: Sequence[str], seconds: float, grown: Sequence[float]) -> Sample:
    return {
        name: round(of / seconds, 1) if seconds > 0 else 0.0 for name, of in zip(names, grown, strict=True)
    }
