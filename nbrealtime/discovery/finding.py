"""The server to use when none was named: this very process's own, or the only one in the directory.

Collaborators: ``nbrealtime.server`` says that one runs here (`set_local`), ``nbrealtime.client``
and whoever shows it ask (`find`, `local`); ``directory.py`` has the others.

The one rule: nothing is guessed. Where several run, the user is told what tells
them apart, and chooses.

Thread-safe: there is no state but one reference to this process's own entry.
"""

from __future__ import annotations

import time

from nbrealtime import lifecycle
from nbrealtime.discovery.directory import entries
from nbrealtime.discovery.entry import Entry
from nbrealtime.errors import AmbiguousServer, NoServer
from nbrealtime.wire.times import format_duration

__all__ = ["find", "local", "set_local"]


def find() -> Entry:
    """The server to use when none was named: this process's own, else the only one that runs here.

    Raises `NoServer`, or `AmbiguousServer` with the addresses to choose from and where each was started.
    """
    own = local()
    if own is not None:
        return own
    running = entries()
    if not running:
        raise NoServer
    if len(running) > 1:
        raise AmbiguousServer([entry.url for entry in running], [_told(entry) for entry in running])
    return running[0]


def _told(entry: Entry) -> str:
    """What helps to tell a server from the others."""
    age = entry.age(time.time())
    up = "" if age is None else f", up {format_duration(age)}"
    return f"{entry.birthplace} (pid {entry.pid}{up})".lstrip()


_local: Entry | None = None


def set_local(entry: Entry | None) -> None:
    """Says which server runs in this very process; ``None`` when it ended."""
    global _local
    _local = entry


def local() -> Entry | None:
    """The server of this very process, if there is one."""
    return _local


# The thread that serves stays with the parent.
lifecycle.after_fork(lambda: set_local(None))
