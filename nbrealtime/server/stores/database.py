"""The file of a sqlite store: opened, checked, created, marked.

`open_database` gives the writer's connection and what the file says of itself;
`Database.reader` gives another one for reading. Nothing here knows of topics.

The one rule: a file that is not certainly ours is not touched. Its header is
read before SQLite sees it, since SQLite itself would roll back another
program's journal, or turn its file to another mode.

Two marks decide whether positions that were told before still hold. The file
is marked open, on the disk for certain, before anything is confirmed. If it
still is when it is opened again, its last user was killed: with the machine's
boot unchanged everything that was committed is there, since the kernel kept it;
after another boot the newest commits may be gone, unless each was waited for.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import struct
import sys
from pathlib import Path
from typing import IO, Final

from nbrealtime.errors import StoreError
from nbrealtime.server.stores.book import fresh_epoch

__all__ = ["Database", "explain", "open_database"]

APPLICATION: Final = 0x6E627274  # "nbrt"
SCHEMA: Final = 1

# A file larger than this is not read through when it is opened; about a second.
_CHECKED_BYTES: Final = 256 * 2**20
# How long another program may have the file to itself before we give up.
_BUSY_SECONDS: Final = 2.0
_MAGIC: Final = b"SQLite format 3\0"
_HEADER: Final = 100
_ELSEWHERE: Final = "Give another path, or move that file away"

_TABLES: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE topics (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, epoch TEXT NOT NULL,
    -- The newest offset when the topic was last trimmed or closed; its newest message may have a later one.
    offset INTEGER NOT NULL, touched INTEGER NOT NULL);
CREATE TABLE messages (
    topic INTEGER NOT NULL, offset INTEGER NOT NULL, data BLOB NOT NULL, timestamp INTEGER NOT NULL,
    time INTEGER, user_id TEXT NOT NULL, user_name TEXT NOT NULL, message_id TEXT NOT NULL,
    -- The size of everything before it, so that the size of a range is a difference.
    total INTEGER NOT NULL,
    PRIMARY KEY (topic, offset)) WITHOUT ROWID;
CREATE TABLE retained (
    topic TEXT PRIMARY KEY, epoch TEXT, offset INTEGER, data BLOB NOT NULL, timestamp INTEGER NOT NULL,
    time INTEGER, user_id TEXT NOT NULL, user_name TEXT NOT NULL, message_id TEXT NOT NULL);
-- The keys of one commit a row, in MessagePack: nobody looks for one of them here.
CREATE TABLE keys (id INTEGER PRIMARY KEY, newest INTEGER NOT NULL, packed BLOB NOT NULL);
CREATE TABLE losses (user TEXT PRIMARY KEY, mark TEXT NOT NULL, since INTEGER NOT NULL) WITHOUT ROWID;
"""


class Database:
    """An open file: its connection, and what it says of itself.

    ``generation`` and ``key_memory`` are fresh if positions and keys told before may not hold any
    more; then ``broken`` is true, and whoever keeps topics here gives all of them the generation as epoch.
    ``interrupted`` says that the last user did not close the file.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: IO[bytes], *, full: bool) -> None:
        self.path = path
        self.connection = connection
        self.full = full
        self.generation = ""
        self.key_memory = ""
        self.interrupted = False
        self.broken = False
        self._lock = lock

    def reader(self) -> sqlite3.Connection:
        """Returns a connection that only reads."""
        connection = _connect(self.path)
        connection.execute("PRAGMA query_only = 1")
        return connection

    def start(self, boot: str) -> None:
        """Reads the marks, and leaves those of a file in use; on the disk when it returns."""
        run = self.connection.execute
        marks = dict(run("SELECT name, value FROM meta").fetchall())
        self.interrupted = marks.get("state") == "open"
        rebooted = marks.get("boot") != boot and marks.get("synchronous") != "full"
        self.broken = self.interrupted and rebooted
        if self.broken or "generation" not in marks:
            self.generation, self.key_memory = fresh_epoch(), fresh_epoch()
        else:
            self.generation, self.key_memory = marks["generation"], marks["key_memory"]
        run("BEGIN IMMEDIATE")
        self._mark(
            generation=self.generation,
            key_memory=self.key_memory,
            state="open",
            boot=boot,
            synchronous="full" if self.full else "normal",
        )
        if self.broken:
            run("UPDATE topics SET epoch = ?", (self.generation,))
            run("DELETE FROM keys")
            run("DELETE FROM losses")
        run("COMMIT")
        run(f"PRAGMA synchronous = {'FULL' if self.full else 'NORMAL'}")

    def mark_generation(self, generation: str) -> None:
        """Within a transaction: says the epoch of topics that begin."""
        self._mark(generation=generation)

    def close(self) -> None:
        """Marks the file closed, when everything else is on the disk, and gives it up."""
        try:
            with contextlib.suppress(sqlite3.Error):
                self.connection.execute("PRAGMA synchronous = FULL")
                self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self.connection.execute("BEGIN IMMEDIATE")
                self._mark(state="closed")
                self.connection.execute("COMMIT")
            self.connection.close()
        finally:
            self._lock.close()

    def abandon(self) -> None:
        """Gives the file up as it is."""
        self.connection.close()
        self._lock.close()

    def _mark(self, **values: str) -> None:
        self.connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", values.items())


def open_database(path: Path, *, full: bool, boot: str) -> Database:
    """Opens the file at ``path``, or creates it, readable by this user alone.

    Arguments:
        full: wait for the disk at every commit.
        boot: names this run of the machine.

    Raises:
        StoreError: it cannot be used; it is as it was.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow a link, and name another file
    lock: IO[bytes] | None = None
    connection: sqlite3.Connection | None = None
    try:
        _look(path)
        lock = _lock(path)
        fresh = _look(path)
        if fresh:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        else:
            _look_through(path)
        connection = _connect(path)
        _prepare(path, connection)
        database = Database(path, connection, lock, full=full)
        database.start(boot)
    except BaseException as fault:
        if connection is not None:
            connection.close()
        if lock is not None:
            lock.close()
        if isinstance(fault, sqlite3.Error | OSError):
            raise explain(path, fault) from fault
        raise
    return database


def _look(path: Path) -> bool:
    """Returns whether there is nothing at ``path`` yet, having made sure that what is there is ours."""
    if path.is_dir():
        raise StoreError(str(path), "is a directory", "Give the path of a file in it")
    if not path.parent.is_dir():
        advice = "Create it first; after sqlite: four slashes begin an absolute path (sqlite:////data/lab.db)"
        raise StoreError(str(path), f"has no place: there is no directory {path.parent}", advice)
    if not path.exists():
        return True
    with path.open("rb") as file:
        header = file.read(_HEADER)
    if not header:
        return True
    if header[:16] != _MAGIC or len(header) < _HEADER:
        raise StoreError(str(path), "is no SQLite database, or its beginning is damaged", _ELSEWHERE)
    version, application = struct.unpack(">I4xI", header[60:72])
    _check_marks(path, version, application)
    return False


def _check_marks(path: Path, version: int, application: int) -> None:
    if application != APPLICATION:
        raise StoreError(str(path), "is another program's database", _ELSEWHERE)
    if version > SCHEMA:
        reason = f"was written by a newer nbrealtime (schema {version}, and this one knows {SCHEMA})"
        raise StoreError(str(path), reason, "Upgrade nbrealtime, or give another path")


def _look_through(path: Path) -> None:
    """Makes sure that a file of ours can be read, on a connection that cannot write: even closing one may."""
    try:
        reading = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)
        with contextlib.closing(reading):
            _check(path, reading)
    except sqlite3.OperationalError as fault:
        if not fault.sqlite_errorname.startswith("SQLITE_READONLY"):
            raise
        # Its creation was cut short, and left a journal that only a connection that writes rolls back.
        with contextlib.closing(_connect(path)) as writing:
            _check(path, writing)


def _check(path: Path, connection: sqlite3.Connection) -> None:
    run = connection.execute
    if run("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
        return
    version, application = run("PRAGMA user_version").fetchone(), run("PRAGMA application_id").fetchone()
    _check_marks(path, version[0], application[0])
    if path.stat().st_size <= _CHECKED_BYTES:
        found = run("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(f"database disk image is malformed: {found}")


def _connect(path: Path) -> sqlite3.Connection:
    # Opened on one thread and then used by another, never by two at once.
    return sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=64
    )


def _prepare(path: Path, connection: sqlite3.Connection) -> None:
    """Creates the tables of a new file, and turns on the write-ahead log."""
    run = connection.execute
    run("PRAGMA synchronous = FULL")
    # Debian's SQLite overwrites what it deletes; that doubles the cost of trimming.
    run("PRAGMA secure_delete = OFF")
    if run("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
        # In one transaction, and before the log: the header's marks stand in the file itself.
        connection.executescript(
            f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {SCHEMA};"
            f"{_TABLES} COMMIT;"
        )
    if run("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
        reason = "lies on a file system that cannot share memory, as SQLite's write-ahead log needs"
        raise StoreError(str(path), reason, "Give a path on a local disk")
    # At 10 MB/s every other default checkpoint comes within half a second, each with a sync of its own.
    run("PRAGMA wal_autocheckpoint = 4000")
    run("PRAGMA cache_size = -16000")
    run("PRAGMA journal_size_limit = 67108864")


def _lock(path: Path) -> IO[bytes]:
    """Returns a locked file beside the database: two servers may not use one.

    Not a lock on the database itself: closing any handle of it would drop SQLite's own locks.
    """
    beside = path.with_name(path.name + "-lock")
    file = os.fdopen(os.open(beside, os.O_CREAT | os.O_RDWR, 0o600), "r+b")
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        file.close()
        reason = "is in use by another server"
        raise StoreError(
            str(path), reason, "Stop that one (`nbrealtime list`), or give another path"
        ) from fault
    return file


def explain(path: Path, fault: Exception) -> StoreError:
    """Returns what a user is told of a fault of SQLite's or of the system's."""
    name = getattr(fault, "sqlite_errorname", "")
    text = str(fault)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        reason = "is locked by another program"
        advice = "Close what has it open (a sqlite3 shell, a backup), or give another path"
    elif (
        name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))
        or "malformed" in text
        or "no such" in text
        or not isinstance(fault, sqlite3.Error | OSError)
    ):
        reason = f"is damaged ({text})"
        advice = "Restore a backup, or move it away: `sqlite3 FILE .recover` may still read it"
    elif name.startswith("SQLITE_FULL"):
        reason, advice = "lies on a disk that is full", "Make room there, or give another path"
    elif isinstance(fault, PermissionError) or name.startswith(
        ("SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH")
    ):
        reason = "may not be written by this user"
        advice = "Give the file and its directory to this user, or give another path"
    else:
        what = fault.strerror if isinstance(fault, OSError) and fault.strerror else text
        reason, advice = f"cannot be opened ({what})", "Look at its directory, or give another path"
    return StoreError(str(path), reason, advice)
