"""A process that publishes to a file and is killed: whatever it was told is there afterwards."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nbrealtime.server.stores import HistoryRules, SqliteStore
from tests.server.stores.conftest import Bench, entry

# Publishes batches of keyed messages to two topics without end, and says every confirmed offset.
PUBLISHER = """
import json, queue, sys
from nbrealtime.hub.store import Entry
from nbrealtime.server.stores import SqliteStore

posted = queue.SimpleQueue()
store = SqliteStore(sys.argv[1], post=posted.put, now=1_000_000, synchronous=sys.argv[2])
number = 0

def told(entries, commit):
    for entry, one in zip(entries, commit.result()):
        sys.stdout.write(json.dumps([entry.topic, entry.key, one.epoch, one.offset]) + "\\n")
    sys.stdout.flush()

waiting = []
while True:
    entries = []
    for _ in range(20):
        number += 1
        topic = "lab:" + "ab"[number % 2]
        entries.append(Entry(topic, b"%d" % number, 1_000_000, None, "ada", "Ada", f"k{number}", True, f"m{number}"))
    commit = store.publish(entries, 1_000_000)
    commit.then(lambda commit, entries=entries: told(entries, commit))
    waiting.append(commit)
    while len(waiting) > 5:
        if waiting[0].done:
            waiting.pop(0)
        else:
            posted.get()()
"""


@pytest.mark.parametrize("synchronous", ["normal", "full"])
def test_whatever_was_confirmed_before_a_kill_is_there_after_it(tmp_path: Path, synchronous: str):
    path = tmp_path / "lab.db"
    process = subprocess.Popen(
        [sys.executable, "-c", PUBLISHER, str(path), synchronous], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said: list[list] = []
    for line in process.stdout:
        # What it said before the signal reached it counts as well; a line it could not finish does not.
        if line.endswith("\n"):
            said.append(json.loads(line))
        if len(said) == 2000:
            process.send_signal(signal.SIGKILL)
    process.wait()

    bench = Bench(lambda post, now: SqliteStore(path, HistoryRules(), post=post, now=now))
    for topic in ("lab:a", "lab:b"):
        confirmed = [(offset, int(key[1:])) for name, key, _, offset in said if name == topic]
        epochs = {epoch for name, _, epoch, _ in said if name == topic}
        assert epochs == {bench.epoch(topic)}
        page = bench.page(topic, limit=10**6)
        stored = [(item.offset, int(item.data)) for item in page.items]
        # Everything confirmed, in order, once; then perhaps what was committed and not said any more.
        assert stored[: len(confirmed)] == confirmed
        assert [offset for offset, _ in stored] == list(range(1, len(stored) + 1))
        numbers = [number for _, number in stored]
        assert numbers == sorted(set(numbers))
        kept = bench.retained(topic)
        assert kept is not None
        assert (kept.offset, int(kept.data)) == stored[-1]
    again = bench.publish(*[entry(name, key=key) for name, key, _, _ in said])
    assert [(one.duplicate, one.epoch, one.offset) for one in again] == [
        (True, epoch, offset) for _, _, epoch, offset in said
    ]
    bench.store.close()
