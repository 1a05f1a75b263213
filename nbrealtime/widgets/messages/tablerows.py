"""The rows of a live table: what came, by message or by key, bounded, and the part that streams them.

Collaborators: `table.LiveTable` taps the topics into `TableRows.put` (client thread) and owns the
`TablePart`, which the pump asks for frames; ``js/src/table.ts`` shows them.

The one rule: a frame costs what it shows. By key, a message that is followed by another one of its
key before the next frame is never looked at again; without, what the table could not keep is
dropped before it becomes a row. Rows travel as JSON in a buffer, not in the header: msgspec writes
them several times faster than the kernel's own packer, which would also run for every view.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from nbrealtime.live.consumers.backlog import Backlog
from nbrealtime.widgets.audience import Viewing
from nbrealtime.widgets.parts import Frame, new_key
from nbrealtime.wire.encodings import encode_data
from nbrealtime.wire.times import milliseconds

if TYPE_CHECKING:
    from nbrealtime.client import Message

__all__ = ["FRAME_ROWS", "KEPT_BYTES", "MOST_COLUMNS", "TOPIC", "VALUE", "Row", "TablePart", "TableRows"]

FRAME_ROWS: Final = 2_000
FRAME_BYTES: Final = 512_000
SNAPSHOT_BYTES: Final = 2_097_152
KEPT_BYTES: Final = 8 * 1024 * 1024
"""Cells of all kept rows together."""
MOST_COLUMNS: Final = 64
"""Fields that become columns by themselves; what comes with more uses names as data."""
CELL_CHARACTERS: Final = 200
TOPIC: Final = "topic"
"""As ``key``: one row for each topic."""
VALUE: Final = "value"
"""The column of a payload that is no object."""
_WAITING: Final = 10_000
_DRAINED: Final = 10_000
_UNSEEN: Final = 5_000
_EXACT: Final = 2**53
_MISSING: Final = object()
_ROW_BYTES: Final = 200

_encode = msgspec.json.Encoder().encode


class Row:
    """One row: of a message, or of the newest one that has its key."""

    __slots__ = ("cells", "id", "message", "seq", "size", "times")

    def __init__(self, id: int, seq: int, message: Message) -> None:  # noqa: A002 - a row's id
        self.id = id
        self.seq = seq
        """Counts up with every change of any row."""
        self.message: Message | None = message
        """What it is to show; None once ``cells`` and ``times`` were made of it."""
        self.cells: list[Any] = []
        self.times: tuple[float, str] = (0.0, "")
        self.size = 0


class TableRows:
    """The rows. ``put`` on the client thread, everything else by whoever holds ``lock``.

    Args:
        most: how many are kept.
        key: a field, or a dotted path to one, that tells which row a message belongs to; ``"topic"`` is the
            topic's name; None makes every message a row.
        columns: the fields to show; None shows those that come, up to `MOST_COLUMNS`.
    """

    def __init__(self, most: int, *, key: str | None = None, columns: Sequence[str] | None = None) -> None:
        self.most = most
        self.key = key
        self.came = 0
        self.unkeyed = 0
        """Messages without the key."""
        # What tells the rows apart comes first.
        first = [key] if key is not None and key != TOPIC else []
        self.columns: list[str] = first if columns is None else list(columns)
        self.hidden = 0
        """Fields that would have been a column too many."""
        self.kept: OrderedDict[Any, Row] = OrderedDict()
        """By key, or by id; those that changed last are at the end."""
        self._chosen = columns is not None
        self._known = set(self.columns)
        self._too_many: set[str] = set()
        self._waiting: Backlog[Message] = Backlog(messages=most if key is None else max(most, _WAITING))
        self._before: deque[Message] = deque()
        self._made = 0
        self._seq = 0
        self._bytes = 0
        self._unsent = 0
        self.lock = threading.Lock()
        """Held while rows are made or read: those that nobody looks at are made on the client thread."""
        self._counting = threading.Lock()
        """For `came` and `_before`, which the thread that makes the table fills."""

    @property
    def skipped(self) -> int:
        """Messages that came faster than the rows could follow."""
        return self._waiting.dropped

    @property
    def seq(self) -> int:
        """Of the newest change."""
        return self._seq

    def put(self, messages: Sequence[Message]) -> None:
        """Queues messages; the oldest that wait make room for them."""
        with self._counting:
            self.came += len(messages)
        self._waiting.put(messages)
        # Nobody looks: by key, the oldest that waits may be the newest of its key, and must not be pushed out.
        if self.key is not None and len(self._waiting) >= _UNSEEN and self.lock.acquire(blocking=False):
            try:
                self.drain()
            finally:
                self.lock.release()

    def recall(self, messages: Sequence[Message], came: int) -> None:
        """Queues the newest of ``came`` messages that came before there was a table."""
        with self._counting:
            self.came += came
            # Not with what comes from now on, which would push them out and call them skipped.
            self._before.extend(messages[-self.most :] if self.key is None else messages)

    def waiting(self) -> bool:
        """Whether there is more to drain."""
        return bool(self._before) or len(self._waiting) > 0

    def drain(self) -> None:
        """Gives what waits its rows, oldest first, up to 10,000 messages. The caller holds the lock."""
        for _ in range(_DRAINED):
            message = self._take()
            if message is None:
                return
            if self._unsent >= FRAME_ROWS:
                self._settle()
            key = self._key(message)
            if key is _MISSING:
                self.unkeyed += 1
                continue
            self._seq += 1
            row = self.kept.get(key)
            if row is None:
                self._made += 1
                self.kept[key] = Row(self._made, self._seq, message)
                self._unsent += 1
                self._shed()
            else:
                self._unsent += row.message is None
                row.seq, row.message = self._seq, message
                self.kept.move_to_end(key)

    def changed(self, since: int, rows: int) -> list[Row]:
        """Returns the rows that changed after ``since``, those first that changed first, at most ``rows``."""
        found: list[Row] = []
        for row in reversed(self.kept.values()):
            if row.seq <= since:
                break
            found.append(row)
        found.reverse()
        return found[:rows]

    def wire(self, row: Row) -> bytes:
        """Returns a row as a frame carries it: ``[id, seq, ms, topic, cells…]``, a hole as null.

        A cell is a number, a text, true or false as it is; everything else is ``["its JSON"]``.
        """
        if row.message is not None:
            self._fill(row, row.message)
        time, topic = row.times
        return _encode([row.id, row.seq, milliseconds(time), topic, *row.cells])

    def _take(self) -> Message | None:
        with self._counting:
            return self._before.popleft() if self._before else self._waiting.take()

    def _key(self, message: Message) -> Any:
        if self.key is None:
            return self._made + 1
        if self.key == TOPIC:
            return message.topic
        found = _at(message.data, self.key)
        if found is None or found is _MISSING or isinstance(found, (list, dict, np.ndarray)):
            return _MISSING
        # 1, 1.0 and True are one key of a dictionary, and three things to whoever wrote them.
        return found if isinstance(found, str) else (type(found), found)

    def _settle(self) -> None:
        """Makes cells of all messages: a row may hold a large one, and only what waits is bounded in bytes."""
        for row in list(self.kept.values()):
            if row.message is not None:
                self._fill(row, row.message)

    def _shed(self) -> None:
        while len(self.kept) > self.most or (self._bytes > KEPT_BYTES and len(self.kept) > 1):
            _key, row = self.kept.popitem(last=False)
            self._bytes -= row.size
            self._unsent -= row.message is not None

    def _fill(self, row: Row, message: Message) -> None:
        data = message.data
        if isinstance(data, Mapping):
            if not self._chosen:
                self._discover(data)
            cells = [self._cell(data, column) for column in self.columns]
        else:
            if not self._chosen:
                self._discover({VALUE: data})
            cells = [_shown(data) if column == VALUE else None for column in self.columns]
        row.cells, row.message = cells, None
        self._unsent -= 1
        row.times = (message.timestamp if message.time is None else message.time, message.topic)
        size = _ROW_BYTES + sum(_weight(cell) for cell in cells)
        self._bytes += size - row.size
        row.size = size
        self._shed()

    def _cell(self, data: Mapping[str, Any], column: str) -> Any:
        found = _at(data, column)
        return None if found is _MISSING else _shown(found)

    def _discover(self, data: Mapping[str, Any]) -> None:
        for name in data:
            if name in self._known:
                continue
            if len(self.columns) < MOST_COLUMNS:
                self._known.add(name)
                self.columns.append(name)
            elif len(self._too_many) < 1000:
                self._too_many.add(name)
                self.hidden = len(self._too_many)


def _at(data: Any, path: str) -> Any:
    """The member at ``path``; a name with dots in it comes before a path of several."""
    if not isinstance(data, Mapping):
        return data if path == VALUE else _MISSING
    if path in data:
        return data[path]
    for name in path.split("."):
        if not isinstance(data, Mapping) or name not in data:
            return _MISSING
        data = data[name]
    return data


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= CELL_CHARACTERS else value[: CELL_CHARACTERS - 1] + "…"
    if isinstance(value, (bool, float)):
        return value
    if isinstance(value, int) and -_EXACT <= value <= _EXACT:
        return value
    # A browser's numbers have 53 bits, null is no hole, and what is nested is shown as it was written.
    text = encode_data(value)[: 4 * CELL_CHARACTERS].decode("utf-8", "ignore")
    return [text if len(text) <= CELL_CHARACTERS else text[: CELL_CHARACTERS - 1] + "…"]


def _weight(cell: Any) -> int:
    return 60 + len(cell) if isinstance(cell, str) else 120 + len(cell[0]) if isinstance(cell, list) else 32


class TablePart:
    """Streams the rows: those that changed in a frame, all that are kept in a snapshot.

    A browser knows rows by their ids and takes the highest ``seq`` of each, so one that reaches it twice
    is one row.

    Args:
        rows: what is streamed.
        read: returns the state beside the rows (JSON).
        mark: says that there is more to send.
    """

    kind = "table"
    max_hz = 4.0

    def __init__(self, rows: TableRows, read: Callable[[], dict[str, Any]], mark: Callable[[], None]) -> None:
        self.key = new_key(self.kind)
        self._rows = rows
        self._read = read
        self._mark = mark
        self._sent = 0

    def frame(self, now: float, viewing: Viewing) -> Frame | None:
        """The rows that changed since the last frame, so many that a browser can take them; the rest follows."""
        with self._rows.lock:
            self._rows.drain()
            lines: list[bytes] = []
            room = FRAME_BYTES
            for row in self._rows.changed(self._sent, FRAME_ROWS):
                lines.append(self._rows.wire(row))
                self._sent = row.seq
                room -= len(lines[-1])
                if room <= 0:
                    break
            more = self._rows.waiting() or self._sent < self._rows.seq
            found = self._frame(lines, whole=False)
        if more:
            self._mark()
        return found

    def snapshot(self, now: float, viewing: Viewing) -> Frame | None:
        """All rows that are kept, as far as one frame may carry them, the newest before the others."""
        with self._rows.lock:
            self._rows.drain()
            lines: deque[bytes] = deque()
            room = SNAPSHOT_BYTES
            for row in list(reversed(self._rows.kept.values())):
                line = self._rows.wire(row)
                room -= len(line)
                if room < 0:
                    break
                lines.appendleft(line)
            return self._frame(list(lines), whole=True)

    def told(self, content: dict[str, Any]) -> None:
        """A view asks to look again."""
        if content.get("type") == "look":
            self._mark()

    def _frame(self, lines: list[bytes], *, whole: bool) -> Frame:
        rows = self._rows
        header = {
            **self._read(),
            "came": rows.came,
            "kept": len(rows.kept),
            "skipped": rows.skipped,
            "unkeyed": rows.unkeyed,
            "hidden": rows.hidden,
            "columns": list(rows.columns),
            "whole": whole,
        }
        return header, [b"[" + b",".join(lines) + b"]"] if lines else []
