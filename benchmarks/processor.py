"""How long a process has had a processor.

psutil tells it in hundredths of a second, of which a thread that takes half a percent of one has one in two seconds: what
is measured in three would be wrong by a third. Linux tells nanoseconds, also of other processes.
"""

from __future__ import annotations

import sys
import time

import psutil

__all__ = ["spent"]

_SCHEDULED = 2  # the kernel's CPUCLOCK_SCHED: all time on a processor, in the program and in the system


def spent(process: psutil.Process) -> float:
    """Seconds on a processor, of all its threads since it began."""
    if sys.platform == "linux":
        # As the C library's clock_getcpuclockid makes the number, which Python does not hand on.
        return time.clock_gettime((~process.pid << 3) | _SCHEDULED)
    return sum(process.cpu_times()[:2])
