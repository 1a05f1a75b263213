"""What the commit thread of a sqlite store does: offsets, keys, rows, trimming.

Used by `nbrealtime.server.stores.sqlite`, on its commit thread alone. A
transaction takes as many batches as waited for it.

The one rule: the interpreter is handed over as seldom as possible. Every step
of a statement gives it up, and with a busy loop it comes back up to 5 ms later;
so rows go in hundreds to a statement (their bare cost falls by a third as
well), and keys go as one packed row a transaction.

What the writer remembers of a topic follows its transaction: a failed one is
taken back whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from nbrealtime.hub.store import Committed, Entry
from nbrealtime.server.stores.book import Topic
from nbrealtime.server.stores.database import Database
from nbrealtime.server.stores.history import MESSAGE_OVERHEAD, History
from nbrealtime.server.stores.keys import KeyMemory

__all__ = ["Kept", "Writer"]

_COLUMNS: Final = 9
_ROW: Final = f"({', '.join('?' * _COLUMNS)})"
_MOST_ROWS: Final = 1024
_INSERTS: Final = {
    1 << power: "INSERT INTO messages VALUES " + ", ".join([_ROW] * (1 << power))  # noqa: S608 - placeholders
    for power in range(_MOST_ROWS.bit_length())
}
# What one transaction trims at most, besides what it must keep up with.
_TRIM_ROWS: Final = 4096

# User, (topic, key), and what was told.
_PackedKey = tuple[str, tuple[str, str], Committed]


class Kept(Topic):
    """One topic of a file. What it has besides ``look_at`` is the commit thread's to change.

    ``look_at``: when the loop next asks for what is too old to be trimmed. ``row``: the topic's id in the
    file, 0 before there is one; ``newest``: the offset assigned last; ``oldest``: the first that the
    file still has; ``total``: the size of everything ever kept; ``gone``: the part of it that was trimmed.
    """

    __slots__ = ("gone", "look_at", "newest", "oldest", "row", "slack", "total")

    def __init__(self, name: str, epoch: str, history: History, now: int) -> None:
        super().__init__(name, epoch, history, now)
        self.look_at = now
        self.row = 0
        self.newest = 0
        self.oldest = 1
        self.total = 0
        self.gone = 0
        self.slack = min(history.messages // 8, _TRIM_ROWS)

    @property
    def overdue(self) -> bool:
        """Whether it has so much that trimming is worth a statement."""
        history = self.history
        return (
            self.newest - self.oldest + 1 > history.messages + self.slack
            or self.total - self.gone > history.size * 1.125
        )


class Writer:
    """Everything that changes the file.

    Arguments:
        database: an open one; the writer's until it is closed.
        keys: what was published; filled from the file by `load_keys`.
    """

    def __init__(self, database: Database, keys: KeyMemory) -> None:
        self.keys = keys
        self._database = database
        self._run = database.connection.execute
        self._many = database.connection.executemany
        self._last_row: int = self._run("SELECT coalesce(max(id), 0) FROM topics").fetchone()[0]
        self._before: dict[Kept, tuple[int, int, int]] = {}
        self._parameters: list[object] = []
        self._remembered: list[_PackedKey] = []
        self._retained: dict[str, tuple[Entry, Committed]] = {}
        self._changes: list[Callable[[], None]] = []
        self._overdue: dict[Kept, None] = {}
        self._swept = 0

    # -- at the beginning

    def load_topics(self) -> list[tuple[int, str, str, int, int, int, int, int]]:
        """Returns id, name, epoch, newest, oldest offset, total, gone, touched of every topic."""
        return self._run(
            "SELECT t.id, t.name, t.epoch, max(t.offset, coalesce(n.offset, 0)),"
            " coalesce(o.offset, t.offset + 1),"
            " coalesce(n.total + length(n.data) + ?, 0), coalesce(o.total, 0),"
            " max(t.touched, coalesce(n.timestamp, 0))"
            " FROM topics t"
            " LEFT JOIN messages n ON n.topic = t.id"
            "  AND n.offset = (SELECT max(offset) FROM messages WHERE topic = t.id)"
            " LEFT JOIN messages o ON o.topic = t.id"
            "  AND o.offset = (SELECT min(offset) FROM messages WHERE topic = t.id)"
            " ORDER BY 8",
            (MESSAGE_OVERHEAD,),
        ).fetchall()

    def renew(self, rows: Sequence[int], epoch: str) -> None:
        """Gives topics another epoch: positions in them do not hold any more."""
        self._many("UPDATE topics SET epoch = ? WHERE id = ?", [(epoch, row) for row in rows])

    def load_keys(self, now: int) -> None:
        """Remembers the keys that the file has."""
        horizon = now - int(self.keys.seconds * 1000)
        self._run("DELETE FROM keys WHERE newest < ?", (horizon,))
        self._run("DELETE FROM losses WHERE since < ?", (horizon,))
        decode = msgspec.msgpack.Decoder(list[_PackedKey]).decode
        for (packed,) in self._run("SELECT packed FROM keys ORDER BY id"):
            for user, pair, told in decode(packed):
                self.keys.remember(user, self.keys.of(user, told.timestamp), pair, told, told.timestamp)
        # What was lost on the way here was lost then, too, and has its name already.
        for user, mark in self._run("SELECT user, mark FROM losses"):
            self.keys.mark(user, mark, now)
            self.keys.changed.discard(user)
        self._write_losses(now)
        self.keys.changed.clear()

    # -- in a transaction

    def begin(self) -> None:
        """Begins a transaction."""
        self._run("BEGIN IMMEDIATE")

    def append(self, entries: Sequence[Entry], topics: Sequence[Kept | None], now: int) -> list[Committed]:
        """Adds a batch to the transaction; returns what is to be told once it is committed."""
        results: list[Committed] = []
        tell = results.append
        add = self._parameters.extend
        keys, before = self.keys, self._before
        user_id = ""
        user = keys.of(user_id, now)
        for entry, topic in zip(entries, topics, strict=True):
            key = entry.key
            if key is not None:
                # A publisher's messages come one after the other.
                if entry.user_id != user_id:
                    user_id = entry.user_id
                    user = keys.of(user_id, now)
                pair = (entry.topic, key)
                original = keys.find(user, pair, now)
                if original is not None:
                    tell(
                        Committed(
                            original.epoch, original.offset, original.message_id, original.timestamp, True
                        )
                    )
                    continue
            if topic is None:
                committed = Committed(None, None, entry.message_id, entry.timestamp)
            else:
                if topic not in before:
                    self._join(topic, now)
                topic.newest = offset = topic.newest + 1
                data = entry.data
                add(
                    (
                        topic.row,
                        offset,
                        data,
                        entry.timestamp,
                        entry.time,
                        entry.user_id,
                        entry.user_name,
                        entry.message_id,
                        topic.total,
                    )
                )
                topic.total += len(data) + MESSAGE_OVERHEAD
                committed = Committed(topic.epoch, offset, entry.message_id, entry.timestamp)
            tell(committed)
            if key is not None:
                keys.remember(user_id, user, pair, committed, now)
                self._remembered.append((user_id, pair, committed))
            if entry.retain:
                self._retained[entry.topic] = entry, committed
        return results

    def forget(self, topics: Sequence[Kept], begun: Sequence[Kept], generation: str, now: int) -> None:
        """Ends a life of topics. What has begun without a message keeps the epoch that it was told."""
        self._flush_rows()
        for topic in begun:
            if not topic.row and topic not in self._before:
                self._join(topic, now)
        for topic in topics:
            self._overdue.pop(topic, None)
            if topic.row:
                self._run("DELETE FROM messages WHERE topic = ?", (topic.row,))
                self._run("DELETE FROM topics WHERE id = ?", (topic.row,))
        self._database.mark_generation(generation)

    def empty(self, topic: Kept, now: int) -> None:
        """Drops a topic's messages; its position stays."""
        if not topic.row:
            return
        self._flush_rows()
        self._cut(topic, topic.newest + 1, topic.total, now)

    def touch(self, topics: Sequence[Kept]) -> None:
        """Writes down when the topics were last in use."""
        self._many(
            "UPDATE topics SET touched = ? WHERE id = ?", [(t.touched, t.row) for t in topics if t.row]
        )

    def commit(self, now: int) -> None:
        """Ends the transaction; when this returns everything in it is kept."""
        self._flush_rows()
        if self._remembered:
            packed = msgspec.msgpack.encode(self._remembered)
            self._run("INSERT INTO keys (newest, packed) VALUES (?, ?)", (now, packed))
        self._write_losses(now)
        if self._retained:
            self._write_retained()
        self._run("COMMIT")
        self.keys.changed.clear()
        for change in self._changes:
            change()
        for topic in self._before:
            if topic.overdue:
                self._overdue[topic] = None
        self._clear()

    def roll_back(self) -> None:
        """Ends the transaction as if it had never been."""
        if self._database.connection.in_transaction:
            self._run("ROLLBACK")
        for topic, (row, newest, total) in self._before.items():
            topic.row, topic.newest, topic.total = row, newest, total
        for user, pair, _ in self._remembered:
            self.keys.forget(user, pair)
        self._clear()

    # -- between transactions

    def trim(self, now: int, most: int = _TRIM_ROWS) -> None:
        """Trims the topics that are over their bounds, about ``most`` rows, in a transaction of its own."""
        if not self._overdue and now < self._swept:
            return
        self.begin()
        if now >= self._swept:
            horizon = now - int(self.keys.seconds * 1000)
            self._run("DELETE FROM keys WHERE newest < ?", (horizon,))
        rows = 0
        looked: list[Kept] = []
        for topic in list(self._overdue):
            if rows >= most:
                break
            rows += self.trim_topic(topic, now, most - rows)
            looked.append(topic)
        self._run("COMMIT")
        for change in self._changes:
            change()
        for topic in looked:
            if not topic.overdue:
                del self._overdue[topic]
        if now >= self._swept:
            self._swept = now + 10_000
            self.keys.sweep(now)
        self._clear()

    def trim_topic(self, topic: Kept, now: int, most: int = _TRIM_ROWS) -> int:
        """Within a transaction: drops what is beyond a topic's bounds; returns how many rows."""
        if not topic.row or topic.oldest > topic.newest:
            return 0
        history = topic.history
        kept = self._run(
            "SELECT offset, total FROM messages"
            " WHERE topic = ? AND offset >= ? AND total >= ? AND timestamp >= ? ORDER BY offset LIMIT 1",
            (
                topic.row,
                max(topic.oldest, topic.newest - history.messages + 1),
                max(-1.0, topic.total - history.size),
                max(-1.0, now - history.milliseconds),
            ),
        ).fetchone()
        oldest, gone = (topic.newest + 1, topic.total) if kept is None else kept
        if oldest - topic.oldest > most:
            oldest = topic.oldest + most
            gone = self._run(
                "SELECT total FROM messages WHERE topic = ? AND offset = ?", (topic.row, oldest)
            ).fetchone()[0]
        rows: int = oldest - topic.oldest
        if rows > 0:
            self._cut(topic, oldest, gone, now)
        return max(0, rows)

    def used_bytes(self) -> int:
        """Returns how much of the file is in use."""
        pages: int = self._run("PRAGMA page_count").fetchone()[0]
        free: int = self._run("PRAGMA freelist_count").fetchone()[0]
        size: int = self._run("PRAGMA page_size").fetchone()[0]
        return (pages - free) * size

    # -- pieces

    def _join(self, topic: Kept, now: int) -> None:
        """Remembers how a topic was before this transaction, and gives it a row if it has none."""
        self._before[topic] = topic.row, topic.newest, topic.total
        if not topic.row:
            self._last_row += 1
            topic.row = self._last_row
            self._run(
                "INSERT INTO topics VALUES (?, ?, ?, ?, ?)",
                (topic.row, topic.name, topic.epoch, topic.newest, now),
            )

    def _flush_rows(self) -> None:
        parameters = self._parameters
        if not parameters:
            return
        start, count, size = 0, len(parameters) // _COLUMNS, _MOST_ROWS
        while count:
            while size > count:
                size >>= 1
            end = start + size * _COLUMNS
            self._run(_INSERTS[size], parameters[start:end])
            start = end
            count -= size
        parameters.clear()

    def _cut(self, topic: Kept, oldest: int, gone: int, now: int) -> None:
        """Drops everything before ``oldest``. The topic's row then says where it stands without them."""
        self._run("DELETE FROM messages WHERE topic = ? AND offset < ?", (topic.row, oldest))
        self._run(
            "UPDATE topics SET offset = ?, touched = ? WHERE id = ?", (topic.newest, topic.touched, topic.row)
        )

        def apply() -> None:
            topic.oldest, topic.gone = oldest, gone

        self._changes.append(apply)

    def _write_retained(self) -> None:
        kept, cleared = [], []
        for name, (entry, committed) in self._retained.items():
            if entry.data.strip() == b"null":
                cleared.append((name,))
                continue
            kept.append(
                (
                    name,
                    committed.epoch,
                    committed.offset,
                    entry.data,
                    entry.timestamp,
                    entry.time,
                    entry.user_id,
                    entry.user_name,
                    entry.message_id,
                )
            )
        self._many("INSERT OR REPLACE INTO retained VALUES " + _ROW, kept)  # noqa: S608 - placeholders
        self._many("DELETE FROM retained WHERE topic = ?", cleared)

    def _write_losses(self, now: int) -> None:
        if not self.keys.changed:
            return
        marks = self.keys.marks()
        rows = [(user, marks.get(user, ""), now) for user in self.keys.changed]
        self._many("INSERT OR REPLACE INTO losses VALUES (?, ?, ?)", rows)

    def _clear(self) -> None:
        self._before = {}
        self._parameters = []
        self._remembered = []
        self._retained = {}
        self._changes = []
