"""Both stores against a model so simple that it cannot be wrong: a list for each topic, a dict of keys."""

from __future__ import annotations

import queue
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from nbrealtime.hub.store import Entry
from nbrealtime.server.stores import HistoryRules, MemoryStore, SqliteStore

TOPICS = st.sampled_from(["a", "b", "quiet"])
# So many messages that trimming has some slack.
MESSAGES, SECONDS, KEY_SECONDS, KEYS = 9, 60, 30, 6
RULES: Any = {"quiet": 0, "**": {"messages": MESSAGES, "seconds": SECONDS}}
PUBLISH = st.tuples(
    TOPICS,
    st.sampled_from(["u1", "u2"]),
    st.none() | st.sampled_from(["k1", "k2", "k3", "k4", "k5"]),
    st.booleans(),
    st.sampled_from([b"1", b"null", b'{"x": "\xc3\xbc"}']),
)


class StoreMachine(RuleBasedStateMachine):
    """Whatever is asked of a store, it answers what the model says."""

    durable = False

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000_000
        self.directory = Path(tempfile.mkdtemp())
        self.files = 0
        self.said = 0
        self.history: dict[str, list[tuple[int, str, bytes, int]]] = {"a": [], "b": []}
        self.offsets = {"a": 0, "b": 0}
        self.epochs: dict[str, str] = {}
        self.retained: dict[str, bytes] = {}
        self.keys: dict[tuple[str, str, str], tuple[int | None, str, int, str]] = {}

    @initialize()
    def begin(self):
        self.open()

    def open(self):
        self.posted: queue.SimpleQueue[Any] = queue.SimpleQueue()
        rules = HistoryRules(RULES)
        options: Any = {"key_seconds": float(KEY_SECONDS), "keys_per_user": KEYS}
        if self.durable:
            path = self.directory / f"{self.files}.db"
            self.store: Any = SqliteStore(path, rules, post=self.posted.put, now=self.now, **options)
        else:
            self.store = MemoryStore(rules, **options)

    def teardown(self):
        self.store.close()
        shutil.rmtree(self.directory)

    def wait(self, commit):
        while not commit.done:
            self.posted.get(timeout=20)()
        return commit.result()

    @rule(batches=st.lists(st.lists(PUBLISH, min_size=1, max_size=8), min_size=1, max_size=3))
    def publish(self, batches):
        """Several batches that are all under way at once."""
        # A client knows the name of the memory before it says anything.
        memory = {user: self.store.key_memory(user) for user in ("u1", "u2")}
        commits = []
        for batch in batches:
            entries = []
            for topic, user, key, retain, data in batch:
                self.said += 1
                entries.append(
                    Entry(topic, data, self.now, None, user, user.upper(), key, retain, f"m{self.said}")
                )
            commits.append((entries, self.store.publish(entries, self.now)))
        for entries, commit in commits:
            told = self.wait(commit)
            assert len(told) == len(entries)
            for entry, one in zip(entries, told, strict=True):
                self.check_one(entry, one, memory[entry.user_id])

    def check_one(self, entry, told, memory):
        topic = entry.topic
        if entry.key is not None:
            known = self.keys.get((entry.user_id, topic, entry.key))
            if known is not None:
                offset, message_id, when, before = known
                fresh = self.now - when < KEY_SECONDS * 1000
                if told.duplicate:
                    assert fresh
                    assert (told.offset, told.message_id, told.timestamp) == (offset, message_id, when)
                    return
                # Only those whose memory has another name may have been forgotten before their time.
                assert not fresh or before != self.store.key_memory(entry.user_id)
        assert not told.duplicate
        assert (told.message_id, told.timestamp) == (entry.message_id, self.now)
        if topic == "quiet":
            assert (told.epoch, told.offset) == (None, None)
        else:
            self.offsets[topic] += 1
            assert told.offset == self.offsets[topic]
            assert told.epoch == self.epochs.setdefault(topic, told.epoch)
            self.history[topic].append((told.offset, entry.message_id, entry.data, self.now))
        if entry.key is not None:
            self.keys[entry.user_id, topic, entry.key] = told.offset, entry.message_id, self.now, memory
        if entry.retain:
            self.retained[topic] = entry.data

    @rule(
        topic=st.sampled_from(["a", "b"]),
        back=st.integers(0, 14),
        limit=st.integers(0, 12),
        until=st.none() | st.integers(0, 8),
        reverse=st.booleans(),
        recent=st.none() | st.integers(0, 80),
    )
    def read(self, topic, back, limit, until, reverse, recent):
        newest = self.offsets[topic]
        after = max(0, newest - back)
        last = None if until is None else newest - until
        not_before = None if recent is None else self.now - recent * 1000
        page = self.wait(
            self.store.read(
                topic,
                epoch=None,
                after=after,
                limit=limit,
                until=last,
                reverse=reverse,
                not_before=not_before,
            )
        )
        oldest = max(self.now - SECONDS * 1000, not_before or 0)
        kept = [one for one in self.history[topic][-MESSAGES:] if one[3] >= oldest]
        assert page.position.offset == newest
        assert page.position.epoch == self.epochs.setdefault(topic, page.position.epoch)
        assert page.first == (kept[0][0] if kept else newest + 1)
        wanted = [one for one in kept if one[0] > after and (last is None or one[0] <= last)]
        if reverse:
            wanted.reverse()
        assert [(i.offset, i.message_id, i.data, i.timestamp) for i in page.items] == wanted[:limit]

    @rule(topic=TOPICS)
    def look_at_retained(self, topic):
        stored = self.wait(self.store.retained(topic))
        kept = self.retained.get(topic, b"null")
        assert (b"null" if stored is None else stored.data) == kept

    @rule(topic=TOPICS, hold=st.booleans())
    def hold(self, topic, hold):
        (self.store.hold if hold else self.store.release)(topic)

    @rule(seconds=st.sampled_from([0.001, 1, 10, 40, 100]))
    def pass_time(self, seconds):
        self.now += int(seconds * 1000)

    @precondition(lambda self: self.durable)
    @rule()
    def restart(self):
        self.store.close()
        self.open()

    @precondition(lambda self: self.durable)
    @rule()
    def be_killed(self):
        """What a killed process leaves behind is what the kernel has of its files at that moment."""
        source, self.files = self.directory / f"{self.files}.db", self.files + 1
        target = self.directory / f"{self.files}.db"
        for end in ("-wal", ""):
            shutil.copy(f"{source}{end}", f"{target}{end}")
        self.store.close()
        self.open()

    @invariant()
    def positions_agree(self):
        if not hasattr(self, "store"):
            return
        for topic, offset in self.offsets.items():
            position = self.store.position(topic, self.now)
            assert position.offset == offset
            assert position.epoch == self.epochs.setdefault(topic, position.epoch)
        assert self.store.position("quiet", self.now) is None


class DurableMachine(StoreMachine):
    """The same, in a file that is closed, or left by a killed process, now and then."""

    durable = True


TestMemory = StoreMachine.TestCase
TestMemory.settings = settings(max_examples=60, stateful_step_count=30)
TestSqlite = DurableMachine.TestCase
TestSqlite.settings = settings(max_examples=20, stateful_step_count=30)
