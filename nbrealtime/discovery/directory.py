"""The entries in Jupyter's runtime directory: left by servers, read by clients, swept of the dead.

Each is a JSON file that only its user can read. ``entry.py`` is what one holds,
``process.py`` says which process it belongs to. ``nbrealtime.server`` writes
(`advertise`); ``finding.py``, ``nbrealtime.client`` and the CLI read (`entries`),
and pass over what is dead, foreign or another user's.

The one rule: a file counts only as this user's own words. One that another user
owns or could have written is not read, and none is left in another user's directory,
or where permissions are not kept.

Thread-safe: there is no state but the directory, which other processes use, too.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from jupyter_core.paths import jupyter_runtime_dir

from nbrealtime.birthplace import birthplace
from nbrealtime.discovery.entry import Entry, Kind
from nbrealtime.discovery.process import boot_id, host, is_stale, namespace, start_time
from nbrealtime.errors import DiscoveryError

__all__ = ["Advertisement", "advertise", "describe", "entries"]

# An entry is some 400 bytes; a file that is much larger is not ours and is not read.
_ENTRY_BYTES: Final = 64 * 1024


class Advertisement:
    """An entry that stands in the runtime directory until ``close()``.

    ``close`` may be called twice, by any thread, and in a forked child, where it
    leaves the parent's file alone.
    """

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.path = Path(entry.path)

    def close(self) -> None:
        """Removes the entry."""
        if os.getpid() == self.entry.pid:
            with contextlib.suppress(FileNotFoundError):
                self.path.unlink()

    def __repr__(self) -> str:
        return f"Advertisement({self.entry.url!r}, {str(self.path)!r})"


def advertise(url: str, token: str, key: str, *, kind: Kind) -> Advertisement:
    """Leaves an entry for the server of this process, mode 0600.

    ``url`` is where clients on this machine connect, ``token`` what opens it for
    this user, ``key`` what `proof` is made with (random, the server's own).
    Raises `DiscoveryError` if the runtime directory is another user's or keeps
    no permissions: the token would not be safe there.
    """
    directory = _runtime_dir()
    _create_private(directory)
    entry = describe(url, token, key, kind=kind)
    name = f"nbrealtime-{secrets.token_hex(8)}.json"
    path, unfinished = directory / name, directory / f".{name}.part"
    # Whoever lists the directory sees a whole entry or none.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(unfinished, flags, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            reason = _objection(os.fstat(file.fileno()))
            if reason is not None:
                raise DiscoveryError(f"{directory} is no place for a token: a new file there is {reason}")
            file.write(msgspec.json.encode(entry))
        unfinished.rename(path)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise
    return Advertisement(msgspec.structs.replace(entry, path=str(path)))


def describe(url: str, token: str, key: str, *, kind: Kind) -> Entry:
    """The entry of a server in this process, without writing it (for `set_local`)."""
    started = start_time(os.getpid())
    if started is None:
        raise DiscoveryError("this process's own start time cannot be read, so nobody could tell it apart")
    return Entry(
        host=host(),
        boot=boot_id(),
        pid=os.getpid(),
        started=started,
        url=url,
        key=key,
        token=token,
        origin=kind,
        namespace=namespace(),
        since=round(time.time(), 3),
        birthplace=birthplace(kind),
    )


def entries() -> list[Entry]:
    """Every server of this user that runs on this machine, the oldest first.

    Entries of this machine whose process is gone are deleted on the way. Those
    of other hosts (a shared home directory) are left alone, those of other users
    refused, and files that are no entries passed over.
    """
    found: list[Entry] = []
    for entry in _readable(_runtime_dir()):
        if entry.host != host():
            continue
        if is_stale(entry):
            with contextlib.suppress(OSError):
                Path(entry.path).unlink()
        elif entry.namespace == namespace():
            found.append(entry)
        # else: alive or dead in another container of this machine; its pids mean nothing here.
    return sorted(found, key=lambda entry: (entry.started, entry.url))


def _readable(directory: Path) -> Iterator[Entry]:
    try:
        paths = sorted(directory.iterdir())
    except OSError:
        return
    for path in paths:
        if path.name.startswith("nbrealtime-") and path.suffix == ".json":
            entry = _read(path)
            if entry is not None:
                yield entry


def _read(path: Path) -> Entry | None:
    # The open file is judged, not its name, which could change its meaning in between; a link is not
    # followed, and a pipe must not make us wait for its writer.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            if _objection(os.fstat(file.fileno())) is not None:
                return None
            content = file.read(_ENTRY_BYTES + 1)
    except OSError:
        return None
    if len(content) > _ENTRY_BYTES:
        return None
    try:
        entry = msgspec.json.decode(content, type=Entry)
    except (msgspec.MsgspecError, ValueError):
        return None
    return msgspec.structs.replace(entry, path=str(path))


def _objection(status: os.stat_result) -> str | None:
    """Why a file cannot be trusted to be this user's own words; ``None`` if it can."""
    if not stat.S_ISREG(status.st_mode):
        return "no regular file"
    if hasattr(os, "getuid"):
        if status.st_uid != os.getuid():
            return "another user's"
        if status.st_mode & 0o022:
            return "writable by others"
    return None


def _create_private(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if hasattr(os, "getuid") and directory.stat().st_uid != os.getuid():
        raise DiscoveryError(
            f"{directory} belongs to another user, so no token is left there. "
            "Set JUPYTER_RUNTIME_DIR to a directory of your own"
        )


def _runtime_dir() -> Path:
    return Path(jupyter_runtime_dir())
