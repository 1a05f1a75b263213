"""Files that cannot be used: each is named with its reason and what to do, and none is changed."""

from __future__ import annotations

import os
import queue
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from nbrealtime.errors import ServerError, StoreError
from nbrealtime.server.stores import SqliteStore
from nbrealtime.server.stores.database import open_database
from tests.server.stores.conftest import Bench


def open_store(path: Path) -> SqliteStore:
    return SqliteStore(path, post=queue.SimpleQueue().put, now=1_000_000)


def refusal(path: Path) -> StoreError:
    """Opens what cannot be opened; returns why not, having seen that nothing was changed."""
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StoreError) as caught:
        open_store(path)
    if before is not None:
        assert path.read_bytes() == before
    assert isinstance(caught.value, ServerError)
    assert caught.value.path == str(path)
    assert caught.value.advice in str(caught.value)
    return caught.value


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """A file of ours with some history, closed."""
    path = tmp_path / "lab.db"
    bench = Bench(lambda post, now: SqliteStore(path, post=post, now=now))
    for _ in range(20):
        bench.say("lab:a", *range(500))
    bench.store.close()
    return path


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path):
    path = tmp_path / "notes.txt"
    path.write_text("my notes, and not a word of SQL\n" * 20)
    assert "no SQLite database" in refusal(path).reason


def test_a_short_file_is_left_alone(tmp_path: Path):
    path = tmp_path / "short"
    path.write_bytes(b"SQLite format 3\0")
    assert "damaged" in refusal(path).reason


def test_another_programs_database_is_left_alone(tmp_path: Path):
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE messages (text)")
    connection.commit()
    connection.close()
    assert "another program" in refusal(path).reason


def test_a_newer_schema_is_left_alone(ours: Path):
    connection = sqlite3.connect(ours)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA user_version = 7")
    connection.close()
    fault = refusal(ours)
    assert "newer" in fault.reason
    assert "schema 7" in fault.reason
    assert "Upgrade" in fault.advice


def test_a_newer_schema_in_the_log_is_left_alone(ours: Path, tmp_path: Path):
    store = open_store(ours)
    connection = sqlite3.connect(ours)
    connection.execute("PRAGMA user_version = 7")
    copy = tmp_path / "copy.db"
    copy.write_bytes(ours.read_bytes())
    (tmp_path / "copy.db-wal").write_bytes((tmp_path / "lab.db-wal").read_bytes())
    connection.close()
    store.close()
    assert "newer" in refusal(copy).reason


def test_a_damaged_file_is_left_alone(ours: Path):
    data = bytearray(ours.read_bytes())
    data[8192:60_000] = os.urandom(60_000 - 8192)
    ours.write_bytes(data)
    fault = refusal(ours)
    assert "damaged" in fault.reason
    assert "backup" in fault.advice


def test_a_file_that_was_cut_off_is_left_alone(ours: Path):
    ours.write_bytes(ours.read_bytes()[: ours.stat().st_size // 2])
    assert "damaged" in refusal(ours).reason


def test_a_damaged_header_is_left_alone(ours: Path):
    data = bytearray(ours.read_bytes())
    data[:100] = bytes(100)
    ours.write_bytes(data)
    assert "damaged" in refusal(ours).reason


def test_a_file_in_use_by_another_server_is_left_alone(ours: Path):
    store = open_store(ours)
    fault = refusal(ours)
    assert "another server" in fault.reason
    store.close()
    open_store(ours).close()


def test_a_file_that_another_program_has_locked_is_left_alone(ours: Path):
    other = sqlite3.connect(ours, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    fault = refusal(ours)
    assert "locked" in fault.reason
    other.close()
    open_store(ours).close()


def test_a_directory_is_no_file(tmp_path: Path):
    assert "directory" in refusal(tmp_path).reason


def test_a_missing_directory_is_named(tmp_path: Path):
    assert "no directory" in refusal(tmp_path / "missing" / "lab.db").reason


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everything")
def test_a_file_that_may_not_be_written_is_named(ours: Path):
    ours.chmod(stat.S_IRUSR)
    assert "may not be written" in refusal(ours).reason


def test_an_empty_file_becomes_a_database(tmp_path: Path):
    path = tmp_path / "lab.db"
    path.touch()
    open_store(path).close()
    assert path.stat().st_size > 0


def test_a_file_that_was_created_and_never_used_can_be_opened(tmp_path: Path):
    path = tmp_path / "lab.db"
    database = open_database(path, full=False, boot="b")
    database.abandon()
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM meta")
    connection.commit()
    connection.close()
    open_store(path).close()


KILLED_BEFORE_THE_LOG = """
import os, signal, sqlite3, sys

connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.create_function("kill", 0, lambda: os.kill(os.getpid(), signal.SIGKILL))
for statement in (
    "PRAGMA journal_mode = DELETE", "PRAGMA cache_size = 1", "BEGIN", "CREATE TABLE t (x)",
    "INSERT INTO t VALUES (zeroblob(1000000))", "SELECT kill()"
):
    connection.execute(statement).fetchall()
"""


@pytest.mark.skipif(os.name != "posix", reason="has no SIGKILL")
def test_a_journal_that_was_left_behind_is_rolled_back(ours: Path):
    """A server that is killed within the milliseconds in which it creates its file leaves one."""
    process = subprocess.run([sys.executable, "-c", KILLED_BEFORE_THE_LOG, str(ours)], timeout=50)
    assert process.returncode == -signal.SIGKILL
    assert Path(f"{ours}-journal").exists()
    open_store(ours).close()
    assert not Path(f"{ours}-journal").exists()


def test_a_refused_file_can_be_opened_when_the_reason_is_gone(ours: Path):
    whole = ours.read_bytes()
    ours.write_bytes(whole[: len(whole) // 2])
    refusal(ours)
    ours.write_bytes(whole)
    open_store(ours).close()
