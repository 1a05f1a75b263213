"""Which process an entry belongs to, and whether that can still run.

A process is named by its host, the boot, its PID namespace, its pid and its start
time. ``directory.py`` writes these into an entry, and asks about those of this host that
it reads; the store of a history file asks for the boot, too.

The one rule: dead is what certainly is. No process passes for an earlier one with
its pid, and one in another container, which cannot be seen from here, may live.

Thread-safe: nothing is kept but the names of the host, the boot and the namespace.
"""

from __future__ import annotations

import functools
import os
import platform
import socket
from pathlib import Path
from typing import Final

import psutil

from nbrealtime.discovery.entry import Entry

__all__ = ["boot_id", "host", "is_stale", "namespace", "start_time"]

# Start times are exact (clock ticks) and only lose digits on their way through JSON.
_START_TOLERANCE: Final = 0.005


def is_stale(entry: Entry) -> bool:
    """Whether the entry, of this host, is certainly dead."""
    if entry.boot != boot_id():
        return True
    if entry.namespace != namespace():
        return False
    started = start_time(entry.pid)
    return started is None or abs(started - entry.started) > _START_TOLERANCE


def start_time(pid: int) -> float | None:
    """When the process began; ``None`` if there is no such process, or only its remains."""
    if pid <= 0:
        return None
    if platform.system() == "Linux":
        # Not psutil's create_time: it adds the boot time, which moves when the clock is set, and a
        # running server would look like another process.
        try:
            record = Path(f"/proc/{pid}/stat").read_bytes()
        except OSError:
            return None
        # The name may hold anything, brackets too; the fields begin after its last one (proc(5)).
        fields = record[record.rindex(b")") + 2 :].split()
        if fields[0] in (b"Z", b"X"):
            return None
        return int(fields[19]) / os.sysconf("SC_CLK_TCK")
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return float(process.create_time())
    except psutil.Error:
        return None


@functools.cache
def host() -> str:
    return socket.gethostname()


@functools.cache
def boot_id() -> str:
    """A name for the time since the machine started; empty where none exists, and start times must do."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


@functools.cache
def namespace() -> str:
    """The process namespace: containers of one machine can share a host name and a runtime directory."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""
