"""Messages as columns of a heatmap: a list of numbers is a column, a number of each topic or field is a row.

Collaborators: `heatmap.LiveHeatmap` taps the topic into `Arrays.put` (client thread), `part`
has it collected on the pump thread, `past` tells what came before.

The one rule: arrays are taken as they came. The topic's ring has them as samples, one after the
other, and no longer knows which began a message; so its feed keeps them beside it (`live.lists`).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nbrealtime.live.consumers.backlog import Backlog
from nbrealtime.live.lists import as_numbers
from nbrealtime.live.samples.order import is_time
from nbrealtime.widgets.heatmaps.grid import MOST_ROWS, HeatGrid, Values

if TYPE_CHECKING:
    from nbrealtime.client import Message

__all__ = ["Arrays", "is_list", "is_number", "member"]

_COLLECTED: Final = 500
_RECALLED: Final = 4_000
"""Messages of the past that one frame takes: already arrays of float32, and to be seen within a second."""
_UNSEEN: Final = 1_000
_WAITING: Final = 10_000
_WAITING_BYTES: Final = 8 * 1024 * 1024


class Arrays:
    """Columns made of messages. ``put`` on the client thread, the rest on the pump's.

    Args:
        window: seconds that are kept.
        field: the member of an object that is meant, or a path to it; None takes the payload itself, or
            of an object its first list of numbers, else its numbers, a row for each.
        topics: whether each topic is a row (of a pattern).
        positions: where the rows lie: the first and the last, or one for each; None counts them.
        unit: of the positions.
        time_field: the member of an object that holds its time, and is neither a list nor a row.
    """

    def __init__(
        self,
        window: float,
        *,
        field: str | None = None,
        topics: bool = False,
        positions: Sequence[float] | None = None,
        unit: str = "",
        time_field: str | None = None,
    ) -> None:
        self.grid = HeatGrid(window)
        self.lock = threading.Lock()
        self.came = 0
        self.note = ""
        self._field = field
        self._topics = topics
        self._positions = positions
        self._unit = unit
        self._time_field = time_field
        self._names: dict[str, int] = {}
        self._past: deque[Message] = deque()  # what came before; goes first, and is shared with the feed
        self._waiting: Backlog[Message] = Backlog(messages=_WAITING, max_bytes=_WAITING_BYTES)
        # For `came`: the first message is put by the thread that makes the heatmap.
        self._counting = threading.Lock()

    def recall(self, messages: Sequence[Message]) -> None:
        """Takes what came before the first `put`. The caller holds the lock."""
        with self._counting:
            self.came += len(messages)
        self._past.extend(messages)

    def recall_numbers(
        self,
        names: Sequence[str],
        bins: Sequence[int],
        times: Sequence[float],
        columns: Sequence[Values],
        came: int,
    ) -> None:
        """Takes columns of ``came`` messages that carried a number for each of ``names``, before the first `put`.

        ``bins`` are those of the grid that they fall into. The caller holds the lock.
        """
        with self._counting:
            self.came += came
        self._names = {name: at for at, name in enumerate(names)}
        self.grid.shape(len(names))
        for index, time, column in zip(bins, times, columns, strict=True):
            self.grid.put(index, time, column)

    def put(self, messages: Sequence[Message]) -> None:
        """Queues messages. Those that nobody looks at become columns before too many wait."""
        with self._counting:
            self.came += len(messages)
        self._waiting.put(messages)
        # In a tab that is hidden for an hour, a window of an hour is to lose nothing.
        if len(self._waiting) >= _UNSEEN and self.lock.acquire(blocking=False):
            try:
                self.collect()
            finally:
                self.lock.release()

    def collect(self) -> bool:
        """Makes columns of what waits, up to 500 messages; returns whether more waits. The caller holds the lock.

        Of the past it takes up to 4,000.
        """
        for _ in range(min(_RECALLED, len(self._past))):
            self._take(self._past.popleft())
        if self._past:
            return True
        for _ in range(_COLLECTED):
            message = self._waiting.take()
            if message is None:
                return False
            self._take(message)
        return len(self._waiting) > 0

    def end(self) -> None:
        """Has nothing to do: what was queued came before, and nobody queues any more."""

    def axis(self) -> dict[str, Any]:
        """Names of topics or fields, or positions."""
        if self._names:
            return {"names": list(self._names), "unit": ""}
        rows = self.grid.rows
        positions = self._positions if self._positions is not None else (0, max(0, rows - 1))
        return {"positions": list(positions), "unit": self._unit}

    def _take(self, message: Message) -> None:
        time = message.timestamp if message.time is None else message.time
        if not is_time(time):
            self.note = f"{self._who()} carries a time outside of the years 1678 to 2261 ({time:.3g} s)"
            return
        data = message.data
        if self._field is not None:
            data = member(data, self._field)
        if self._topics:
            self._named(time, {message.topic: data})
            return
        if isinstance(data, Mapping):
            fields = [(name, value) for name, value in data.items() if name != self._time_field]
            lists = (value for _name, value in fields if is_list(value))
            first = next(lists, None)
            if first is None:
                self._named(time, dict(fields))
                return
            data = first
        self._column(time, data)

    def _column(self, time: float, data: Any) -> None:
        if not is_list(data):
            self.note = f"{self._who()} carries {_what(data)}; a heatmap needs lists of numbers"
            return
        values = as_numbers(data)
        if values is None or not 1 <= len(values) <= MOST_ROWS:
            self.note = (
                f"{self._who()} carries lists that are not all numbers"
                if values is None
                else f"a list has between 1 and {MOST_ROWS:,} numbers, not {len(values):,}"
            )
            return
        if self._positions is not None and len(self._positions) not in (2, len(values)):
            self.note = f"y has {len(self._positions)} positions, and a list {len(values)} numbers"
            return
        self.note = ""
        if len(values) != self.grid.rows or self._names:
            self._names = {}
            self.grid.shape(len(values))
        self.grid.add(time, values)

    def _named(self, time: float, data: Mapping[str, Any]) -> None:
        numbers = {name: _number(value) for name, value in data.items() if is_number(value)}
        if not numbers:
            self.note = f"{self._who()} carries no numbers"
            return
        new = [name for name in numbers if name not in self._names]
        room = MOST_ROWS - len(self._names)
        if new[:room]:
            if not self._names:
                self.grid.shape(0)
            for name in new[:room]:
                self._names[name] = len(self._names)
            self.grid.grow(len(self._names))
        self.note = ""
        values = np.full(self.grid.rows, np.nan, dtype=np.float32)
        for name, number in numbers.items():
            if name in self._names:
                values[self._names[name]] = number
        self.grid.add(time, values)

    def _who(self) -> str:
        return "the topic" if self._field is None else f"field {self._field}"


def member(data: Any, path: str) -> Any:
    """The member of ``data`` that ``path`` leads to, or None; a name with dots in it comes before a path."""
    if isinstance(data, Mapping) and path in data:
        return data[path]
    for name in path.split("."):
        if not isinstance(data, Mapping) or name not in data:
            # A field of a topic that carries a bare value is that value.
            return data if path == "value" and not isinstance(data, Mapping) else None
        data = data[name]
    return data


def is_list(value: Any) -> bool:
    """Whether it can be a column."""
    return isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim == 1)


def is_number(value: Any) -> bool:
    """Whether it can be a row's value."""
    return isinstance(value, (bool, int, float))


def _number(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("nan")


def _what(data: Any) -> str:
    if data is None:
        return "no such field"
    return "text" if isinstance(data, str) else "single numbers" if is_number(data) else "nested values"
