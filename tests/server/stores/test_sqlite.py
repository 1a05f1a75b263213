"""What only a store in a file does: it comes back, it fails and goes on, it forgets on the disk too."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nbrealtime.hub.store import Position, Unavailable
from nbrealtime.server.stores import HistoryOptions, HistoryRules, SqliteStore
from tests.server.stores.conftest import Bench, entry


class Files:
    """Opens benches on one file, and plays the machine: kills, copies, boots."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "lab.db"
        self.boot = "b1"
        self.benches: list[Bench] = []

    def open(self, history: HistoryOptions = None, **options: Any) -> Bench:
        options.setdefault("boot", self.boot)
        bench = Bench(
            lambda post, now: SqliteStore(self.path, HistoryRules(history), post=post, now=now, **options)
        )
        self.benches.append(bench)
        return bench

    def kill(self, bench: Bench) -> None:
        """Leaves what a killed process leaves: the files as they are, not marked as closed."""
        for end in ("", "-wal"):
            shutil.copy(f"{self.path}{end}", f"{self.path}{end}.left")
        bench.store.close()
        for end in ("", "-wal"):
            Path(f"{self.path}{end}.left").replace(f"{self.path}{end}")

    def ask(self, question: str) -> list[Any]:
        connection = sqlite3.connect(self.path)
        try:
            return connection.execute(question).fetchall()
        finally:
            connection.close()


@pytest.fixture
def files(tmp_path: Path):
    found = Files(tmp_path)
    yield found
    for bench in found.benches:
        bench.store.close()


def test_everything_comes_back_after_closing(files: Files):
    bench = files.open()
    epoch = bench.epoch()
    bench.say("lab:a", 1, 2, 3)
    bench.publish(entry("lab:a", b"4", key="k", retain=True))
    memory = bench.store.key_memory("ada")
    bench.store.close()

    bench = files.open()
    assert dict(bench.store.topics(bench.now)) == {"lab:a": Position(epoch, 4)}
    assert bench.values() == [b"1", b"2", b"3", b"4"]
    assert bench.retained().data == b"4"
    assert bench.store.key_memory("ada") == memory
    assert bench.publish(entry("lab:a", b"4", key="k"))[0].duplicate
    assert bench.say("lab:a", 5) == [5]


def test_a_file_that_was_closed_is_one_file_that_this_user_alone_may_read(files: Files):
    files.open().store.close()
    assert sorted(path.name for path in files.path.parent.glob("lab*")) == ["lab.db", "lab.db-lock"]
    if os.name == "posix":
        assert files.path.stat().st_mode & 0o777 == 0o600


def test_epochs_survive_a_kill_also_of_topics_that_had_only_begun(files: Files):
    bench = files.open()
    bench.say("lab:a", 1)
    epochs = [bench.epoch("lab:a"), bench.epoch("lab:b")]
    files.kill(bench)
    bench = files.open()
    assert [bench.epoch("lab:a"), bench.epoch("lab:b")] == epochs


def test_what_has_begun_keeps_its_epoch_when_another_topic_is_forgotten(files: Files):
    bench = files.open(topics=2)
    begun = bench.epoch("begun")
    bench.store.hold("begun")
    bench.say("first", 1)
    bench.say("second", 1)
    assert bench.epoch("later") != begun
    files.kill(bench)
    assert files.open().epoch("begun") == begun


def test_offsets_go_on_when_every_message_was_trimmed(files: Files):
    bench = files.open({"lab:*": {"seconds": 10}})
    bench.say("lab:a", 1, 2, 3)
    epoch = bench.epoch()
    for _ in range(4):
        bench.now += 60_000
        bench.store.position("lab:a", bench.now)
        bench.settle()
    files.kill(bench)
    assert files.ask("SELECT count(*) FROM messages") == [(0,)]
    bench = files.open()
    assert bench.store.position("lab:a", bench.now) == Position(epoch, 3)
    assert bench.say("lab:a", 4) == [4]


def test_trimming_keeps_the_file_small(files: Files):
    bench = files.open(100)
    for _ in range(40):
        bench.say("lab:a", *range(100))
    bench.store.close()
    count, oldest, newest = files.ask("SELECT count(*), min(offset), max(offset) FROM messages")[0]
    assert 100 <= count <= 213
    assert (newest - oldest + 1, newest) == (count, 4000)


def test_a_forgotten_topic_is_gone_from_the_file(files: Files):
    bench = files.open(topics=2)
    for name in ("a", "b", "c", "d"):
        bench.now += 1
        bench.say(name, 1)
    bench.store.close()
    assert files.ask("SELECT name FROM topics ORDER BY id") == [("c",), ("d",)]
    assert files.ask("SELECT count(*) FROM messages") == [(2,)]


def test_old_keys_are_gone_from_the_file(files: Files):
    bench = files.open(key_seconds=10.0)
    for _ in range(5):
        bench.now += 8000
        bench.publish(entry(key=str(bench.now), at=bench.now))
    bench.settle()
    bench.store.close()
    assert files.ask("SELECT count(*) FROM keys")[0][0] <= 3


def test_lost_keys_are_known_after_a_kill(files: Files):
    bench = files.open(keys_per_user=4)
    fresh = bench.store.key_memory("ada")
    bench.publish(*[entry(key=str(number), at=bench.now) for number in range(5)])
    memory = bench.store.key_memory("ada")
    assert memory != fresh
    files.kill(bench)
    bench = files.open(keys_per_user=4)
    assert bench.store.key_memory("ada") == memory
    assert bench.store.key_memory("bob") == fresh


# -- when the machine itself restarted


def test_after_another_boot_positions_and_keys_of_an_open_file_do_not_hold(files: Files):
    bench = files.open()
    bench.publish(entry(data=b"1", key="k", retain=True))
    epoch, memory = bench.epoch(), bench.store.key_memory("ada")
    files.kill(bench)
    files.boot = "b2"
    bench = files.open()
    assert bench.epoch() != epoch
    assert bench.epoch("new") != epoch
    assert bench.store.key_memory("ada") != memory
    told = bench.publish(entry(data=b"2", key="k"))[0]
    assert (told.duplicate, told.offset, told.epoch) == (False, 2, bench.epoch())
    # What the disk has is still worth reading.
    assert bench.values() == [b"1", b"2"]
    assert bench.retained().data == b"1"


def test_after_another_boot_a_file_that_was_closed_is_as_it_was(files: Files):
    bench = files.open()
    bench.publish(entry(key="k"))
    epoch = bench.epoch()
    bench.store.close()
    files.boot = "b2"
    bench = files.open()
    assert bench.epoch() == epoch
    assert bench.publish(entry(key="k"))[0].duplicate


def test_after_another_boot_a_file_that_waited_for_the_disk_is_as_it_was(files: Files):
    bench = files.open(synchronous="full")
    bench.publish(entry(key="k"))
    epoch = bench.epoch()
    files.kill(bench)
    files.boot = "b2"
    bench = files.open()
    assert bench.epoch() == epoch
    assert bench.publish(entry(key="k"))[0].duplicate
    # From now on it does not wait, so the next boot counts.
    files.kill(bench)
    files.boot = "b3"
    assert files.open().epoch() != epoch


def test_messages_missed_while_history_was_off_cost_the_epoch(files: Files):
    bench = files.open()
    bench.say("lab:a", 1)
    epoch = bench.epoch()
    bench.store.close()
    bench = files.open(0)
    assert bench.store.position("lab:a", bench.now) is None
    bench.say("lab:a", 2)
    bench.store.close()
    bench = files.open()
    assert bench.epoch() != epoch
    assert bench.values() == [b"1"]


# -- what fails


def test_a_batch_that_fails_leaves_no_trace_and_the_next_ones_work(files: Files):
    bench = files.open()
    bench.say("lab:a", 1)
    # No number of SQLite's: whoever lets it through must not spoil the others' batches.
    bad = [entry(data=b"2", key="k"), entry(time=2**70)]
    good = [entry(data=b"3"), entry("lab:b", b"4")]
    commits = [bench.store.publish(batch, bench.now) for batch in (good, bad, good)]
    told = bench.wait(commits[2])
    assert [one.offset for one in commits[0].result()] == [2, 1]
    with pytest.raises(Unavailable):
        commits[1].result()
    assert [one.offset for one in told] == [3, 2]
    one = bench.publish(entry(data=b"5", key="k"))[0]
    assert (one.offset, one.duplicate) == (4, False)
    assert bench.values() == [b"1", b"3", b"3", b"5"]


def test_a_repeat_of_what_failed_is_no_duplicate(files: Files):
    bench = files.open()
    bad = bench.store.publish([entry(key="k"), entry(time=2**70)], bench.now)
    repeat = bench.store.publish([entry(key="k")], bench.now)
    told = bench.wait(repeat)[0]
    assert (told.offset, told.duplicate) == (1, False)
    with pytest.raises(Unavailable):
        bad.result()


def test_while_another_program_holds_the_file_publishes_fail_and_then_work_again(files: Files):
    bench = files.open()
    bench.say("lab:a", 1)
    other = sqlite3.connect(files.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="locked"):
        bench.say("lab:a", 2)
    other.execute("ROLLBACK")
    other.close()
    assert bench.say("lab:a", 3) == [2]


FULL_DISK = """
import queue, resource, signal, sys
from nbrealtime.hub.store import Entry, Unavailable
from nbrealtime.server.stores import SqliteStore

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
posted = queue.SimpleQueue()
store = SqliteStore(sys.argv[1], post=posted.put, now=1)

def publish(size):
    commit = store.publish([Entry("a", b"x" * size, 1, None, "u", "U", None, False, "m")], 1)
    while not commit.done:
        posted.get(timeout=20)()
    return commit.result()[0].offset

assert publish(10) == 1
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
try:
    publish(1_000_000)
except Unavailable as fault:
    print("full")
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
print(publish(1_000_000))
store.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no limit on a file's size")
def test_on_a_full_disk_publishes_fail_and_work_again_when_there_is_room(files: Files):
    result = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(files.path)], capture_output=True, text=True, timeout=50
    )
    assert (result.stdout.split(), result.returncode) == (["full", "2"], 0), result.stderr


def test_too_much_that_waits_for_the_disk_is_refused_in_its_turn(
    files: Files, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("nbrealtime.server.stores.sqlite._MOST_WAITING", 1000)
    bench = files.open()
    answered: list[str] = []
    commits = [bench.store.publish([entry(data=b"x" * 800)], bench.now) for _ in range(4)]
    for commit in commits:
        commit.then(lambda commit: answered.append(repr(commit)))
    with pytest.raises(Unavailable, match="too much"):
        bench.wait(commits[3])
    assert len(answered) == 4
    assert [one[0].offset for one in (commits[0].result(), commits[1].result())] == [1, 2]
    assert bench.publish(entry())[0].offset == 3


def test_after_closing_nothing_is_taken_any_more(files: Files):
    bench = files.open()
    last = bench.store.publish([entry()], bench.now)
    bench.store.close()
    assert bench.wait(last)[0].offset == 1
    for commit in (
        bench.store.publish([entry()], bench.now),
        bench.store.read("lab:a", epoch=None, after=0, limit=1),
        bench.store.retained("lab:a"),
    ):
        with pytest.raises(Unavailable, match="closed"):
            bench.wait(commit)


def test_its_threads_end_with_it(files: Files):
    names = {"nbrealtime-store", "nbrealtime-store-reader"}

    def running() -> set[str]:
        return {thread.name for thread in threading.enumerate()} & names

    bench = files.open()
    assert running() == names
    bench.store.close()
    assert not running()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="has no fork")
def test_a_forked_child_leaves_the_file_alone(files: Files):
    bench = files.open()
    bench.say("lab:a", 1)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            commit = bench.store.publish([entry()], bench.now)
            bench.store.close()
            status = 0 if commit.done else 2
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert bench.say("lab:a", 2) == [2]


def test_a_loop_that_has_ended_is_not_missed(tmp_path: Path):
    def post(_: Callable[[], None]) -> None:
        raise RuntimeError("Event loop is closed")

    store = SqliteStore(tmp_path / "lab.db", post=post, now=1)
    store.publish([entry()], 1)
    store.close()
