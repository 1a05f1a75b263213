"""What the reading thread of a sqlite store does: pages of history, retained values.

Used by `nbrealtime.server.stores.sqlite`, on its reading thread alone, on a
connection of its own: SQLite's write-ahead log lets it read while the other one
commits.

The one rule: a page is one row. Every step of a statement gives the interpreter
up, and with a busy loop it comes back up to 5 ms later; so SQLite packs a page's
messages into one JSON text, and one statement sees them all at one moment.
"""

from __future__ import annotations

import logging
import queue
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from nbrealtime.hub.store import Commit, Page, Position, Stored, Unavailable
from nbrealtime.server.stores.history import MESSAGE_OVERHEAD

__all__ = ["Query", "Reader", "read_page", "read_retained"]

# ``low`` is the oldest message that counts as kept: the file may still have older ones.
_PAGE: Final = """
WITH low AS (
    SELECT offset FROM messages
    WHERE topic = :row AND offset >= :oldest AND timestamp >= :not_before AND total >= :gone
    ORDER BY offset LIMIT 1),
bound AS (SELECT max(:after + 1, (SELECT offset FROM low)) AS start)
SELECT (SELECT offset FROM low), (
    SELECT json_group_array(json_array(
        offset, CAST(data AS TEXT), timestamp, time, user_id, user_name, message_id))
    FROM (
        SELECT * FROM messages
        WHERE topic = :row AND offset BETWEEN (SELECT start FROM bound) AND :until AND {enough}
        ORDER BY offset {order} LIMIT :limit))
"""
# A page has as many messages as begin before ``most`` bytes; what is one too many is cut off later.
_FORWARD: Final = _PAGE.format(
    order="ASC",
    enough="total <= :most + (SELECT total FROM messages"
    " WHERE topic = :row AND offset = (SELECT start FROM bound))",
)
_REVERSE: Final = _PAGE.format(
    order="DESC",
    enough="total >= (SELECT total FROM messages WHERE topic = :row AND offset = :until) - :most",
)
_RETAINED: Final = (
    "SELECT topic, epoch, offset, data, timestamp, time, user_id, user_name, message_id"
    " FROM retained WHERE topic = ?"
)
_ANY_SIZE: Final = 2**62

_logger = logging.getLogger(__name__)

T = TypeVar("T")

_decode = msgspec.json.Decoder(list[tuple[int, str, int, int | None, str, str, str]]).decode


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """A page to be read; the bounds of the history are in it already.

    ``oldest``, ``not_before`` and ``bytes`` say what counts as kept: by offset, by time, by size.
    """

    topic: str
    row: int
    position: Position
    after: int
    until: int
    limit: int
    reverse: bool
    oldest: int
    not_before: float
    bytes: float
    max_bytes: int | None


def read_page(connection: sqlite3.Connection, query: Query) -> Page:
    """Returns what the query asks for.

    Raises:
        sqlite3.Error: the file cannot be read.
    """
    gone = -1.0
    if query.bytes != float("inf"):
        newest = connection.execute(
            "SELECT total + length(data) + ? FROM messages WHERE topic = ? AND offset = ?",
            (MESSAGE_OVERHEAD, query.row, query.position.offset),
        ).fetchone()
        gone = float("inf") if newest is None else max(-1.0, newest[0] - query.bytes)
    first, packed = connection.execute(
        _REVERSE if query.reverse else _FORWARD,
        {
            "row": query.row,
            "oldest": query.oldest,
            "not_before": query.not_before,
            "gone": gone,
            "after": query.after,
            "until": query.until,
            "limit": query.limit,
            "most": _ANY_SIZE
            if query.max_bytes is None
            else query.max_bytes + MESSAGE_OVERHEAD * query.limit,
        },
    ).fetchone()
    if first is None or first > query.position.offset:
        return Page(query.position, query.position.offset + 1, ())
    items: list[Stored] = []
    size = 0
    epoch, topic = query.position.epoch, query.topic
    for offset, data, timestamp, time, user_id, user_name, message_id in _decode(packed):
        payload = data.encode()
        size += len(payload)
        if query.max_bytes is not None and items and size > query.max_bytes:
            break
        items.append(Stored(topic, epoch, offset, payload, timestamp, time, user_id, user_name, message_id))
    return Page(query.position, first, tuple(items))


def read_retained(connection: sqlite3.Connection, topic: str) -> Stored | None:
    """Returns the topic's retained value.

    Raises:
        sqlite3.Error: the file cannot be read.
    """
    row = connection.execute(_RETAINED, (topic,)).fetchone()
    return None if row is None else Stored(*row)


class Reader:
    """The reading thread's work and its queue. `ask` and `stop` are called on the loop, `run` is the thread.

    Arguments:
        path: the file, for the log.
        connection: the thread's from now on; it closes it when it ends.
        post: runs a function soon on the loop.
    """

    def __init__(
        self, path: Path, connection: sqlite3.Connection, *, post: Callable[[Callable[[], None]], None]
    ) -> None:
        self.closed = False
        self._path = path
        self._connection = connection
        self._post = post
        self._asked: queue.SimpleQueue[tuple[Callable[[sqlite3.Connection], Any], Commit[Any]] | None]
        self._asked = queue.SimpleQueue()

    def ask(self, read: Callable[[sqlite3.Connection], T]) -> Commit[T]:
        """Reads on the thread; what comes of it is answered on the loop."""
        commit: Commit[T] = Commit()
        if self.closed:
            commit.fail(Unavailable("the store is closed"))
        else:
            self._asked.put((read, commit))
        return commit

    def stop(self) -> None:
        """Ends the thread after what was asked so far."""
        self.closed = True
        self._asked.put(None)

    def run(self) -> None:
        """The thread's whole life."""
        while (asked := self._asked.get()) is not None:
            read, commit = asked
            try:
                answer = read(self._connection)
            except Exception as fault:  # noqa: BLE001 - whoever asked hears of it
                _logger.warning("%s could not be read: %s", self._path, fault)
                self._post(partial(commit.fail, Unavailable(f"the history could not be read: {fault}")))
            else:
                self._post(partial(commit.resolve, answer))
        self._connection.close()
