"""The rows of a message log: what came, as text, bounded, and the part that streams them.

Collaborators: `log.MessageLog` taps the topics into `LogRows.put` (client thread) and owns
the `LogPart`, which the pump asks for frames; ``js/src/log.ts`` shows them.

The one rule: the client thread only queues. Payloads become text on the pump thread, so
many a frame, and what was pushed out of the queue meanwhile is counted as skipped.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from nbrealtime.live.consumers.backlog import Backlog
from nbrealtime.widgets.audience import Viewing
from nbrealtime.widgets.parts import Frame, new_key
from nbrealtime.wire.encodings import encode_data
from nbrealtime.wire.times import milliseconds

if TYPE_CHECKING:
    from nbrealtime.client import Message

__all__ = ["FRAME_BYTES", "FRAME_ROWS", "FULL_BYTES", "KEPT_BYTES", "LINE_BYTES", "LogPart", "LogRows", "Row"]

LINE_BYTES: Final = 2_000
"""As much of a payload as travels with its row."""
FULL_BYTES: Final = 64_000
"""As much of it as is kept, and shown when the row is expanded."""
KEPT_BYTES: Final = 4 * 1024 * 1024
"""Text of all kept rows together."""
FRAME_ROWS: Final = 500
FRAME_BYTES: Final = 256_000
SNAPSHOT_BYTES: Final = 1_048_576
"""Text of a snapshot: the longest lines of as many rows as are kept by default."""
_ASKED: Final = 16
_ROW_BYTES: Final = 120  # a Row beside its text


class Row(NamedTuple):
    """One message as text."""

    id: int
    """Counts up from 1 for each log."""
    time: float
    topic: str
    plain: bool
    """Whether the text is the payload itself; else it is the payload's JSON."""
    kept: str
    """The text, at most ``FULL_BYTES`` of it."""
    line: str
    """The text, at most ``LINE_BYTES`` of it."""
    size: int
    """Bytes of the whole text."""

    def wire(self, *, topic: bool) -> list[Any]:
        """The row as a frame carries it: id, ms, plain, line, size if the line is cut, topic if asked for."""
        cut = self.size if self.size > LINE_BYTES else 0
        row = [self.id, milliseconds(self.time), int(self.plain), self.line, cut]
        return [*row, self.topic] if topic else row


def _cut(text: bytes, most: int) -> str:
    return text[:most].decode("utf-8", "ignore" if len(text) > most else "strict")


class LogRows:
    """The newest messages as rows. ``put`` on the client thread, ``drain`` and the rows on the pump's."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.came = 0
        self.kept: deque[Row] = deque()
        self._waiting: Backlog[Message] = Backlog(messages=most, max_bytes=4 * KEPT_BYTES)
        self._before: deque[Message] = deque()
        self._bytes = 0
        self._made = 0
        self._lock = threading.Lock()  # for `came` and `_before`, which the thread that makes the log fills

    @property
    def skipped(self) -> int:
        """Messages that came faster than they could become rows."""
        return self._waiting.dropped

    def put(self, messages: Sequence[Message]) -> None:
        """Queues messages; the oldest that wait make room for them."""
        with self._lock:
            self.came += len(messages)
        self._waiting.put(messages)

    def recall(self, messages: Sequence[Message], came: int) -> None:
        """Queues the newest of ``came`` messages that came before there was a log."""
        with self._lock:
            self.came += came
            # Not with what comes from now on, which would push them out and call them skipped.
            self._before.extend(messages[-self.most :])

    def waiting(self) -> bool:
        """Whether there is more to drain."""
        return bool(self._before) or len(self._waiting) > 0

    def drain(self, rows: int, text: int) -> None:
        """Makes rows of what waits, oldest first, until there are ``rows`` new ones or ``text`` bytes in their lines."""
        while rows > 0 and text > 0:
            message = self._take()
            if message is None:
                return
            row = self._row(message)
            self.kept.append(row)
            self._bytes += _ROW_BYTES + min(row.size, FULL_BYTES)
            while len(self.kept) > self.most or self._bytes > KEPT_BYTES:
                self._bytes -= _ROW_BYTES + min(self.kept.popleft().size, FULL_BYTES)
            rows -= 1
            text -= min(row.size, LINE_BYTES)

    def _take(self) -> Message | None:
        with self._lock:
            return self._before.popleft() if self._before else self._waiting.take()

    def _row(self, message: Message) -> Row:
        plain = isinstance(message.data, str)
        text = message.data.encode() if plain else encode_data(message.data)
        kept = _cut(text, FULL_BYTES)
        line = kept if len(text) <= LINE_BYTES else _cut(text, LINE_BYTES)
        self._made += 1
        return Row(self._made, message.timestamp, message.topic, plain, kept, line, len(text))


class LogPart:
    """Streams the rows: what is new in a frame, all that is kept in a snapshot.

    A browser knows rows by their ids, so one that reaches it twice is one row.

    Args:
        rows: what is streamed.
        read: returns the state beside the rows (JSON).
        mark: says that there is more to send.
        topics: whether each row names its topic.
    """

    kind = "log"
    max_hz = 10.0

    def __init__(
        self, rows: LogRows, read: Callable[[], dict[str, Any]], mark: Callable[[], None], *, topics: bool
    ) -> None:
        self.key = new_key(self.kind)
        self._rows = rows
        self._read = read
        self._mark = mark
        self._topics = topics
        self._sent = 0
        self._asked: deque[int] = deque(maxlen=_ASKED)

    def frame(self, now: float, viewing: Viewing) -> Frame | None:
        """The rows since the last frame, so many that a browser can take them; the rest follows in the next."""
        self._rows.drain(FRAME_ROWS, FRAME_BYTES)
        new = self._newest(lambda row: row.id > self._sent)
        if new:
            self._sent = new[-1].id
        header = self._header(new, whole=False)
        if self._rows.waiting():
            self._mark()
        return header, []

    def snapshot(self, now: float, viewing: Viewing) -> Frame | None:
        """All rows that are kept, and what was still waiting to be one."""
        self._rows.drain(2 * self._rows.most, KEPT_BYTES)  # what was there before it was made, and after
        return self._header(self._newest(lambda _row: True), whole=True), []

    def told(self, content: dict[str, Any]) -> None:
        """A view expands a row whose line was cut: the next frame has the rest."""
        if content.get("type") == "expand" and isinstance(content.get("row"), int):
            self._asked.append(content["row"])
            self._mark()

    def _newest(self, wanted: Callable[[Row], bool]) -> list[Row]:
        """The newest rows that are wanted, oldest first, as many as one frame may carry."""
        found: list[Row] = []
        room = SNAPSHOT_BYTES
        for row in reversed(self._rows.kept):
            room -= min(row.size, LINE_BYTES)
            if room < 0 or not wanted(row):
                break
            found.append(row)
        return found[::-1]

    def _header(self, rows: list[Row], *, whole: bool) -> dict[str, Any]:
        header = {
            **self._read(),
            "came": self._rows.came,
            "skipped": self._rows.skipped,
            "whole": whole,
            "rows": [row.wire(topic=self._topics) for row in rows],
        }
        if self._asked:
            asked = set(self._asked)
            self._asked.clear()
            header["full"] = [[row.id, row.kept, row.size] for row in self._rows.kept if row.id in asked]
        return header
