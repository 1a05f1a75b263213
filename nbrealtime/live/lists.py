"""The lists of numbers that came on a topic, and its nested numbers: what a heatmap shows of the time before it was made.

Collaborators: a `Feed` fills it on the client thread, under its lock, and `widgets.arrays` makes columns of what it
hands out. The ring has lists as samples, one after the other, and no longer knows which began a message; and what lies
deeper in an object it has not at all.

The one rule: only what a heatmap can draw and the ring cannot give is kept, lists as float32, and the oldest goes when there
are too many bytes. Payloads without a list or an object in them cost a look at their members' types and keep nothing; nor do
lists that have times of their own, which are samples in batches, nor such that are longer than `LONGEST`.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from nbrealtime.client import Message

__all__ = ["LONGEST", "Lists", "Singles", "as_numbers", "packed"]

LONGEST: Final = 4096
"""Numbers of a list that anybody draws."""

Singles = NDArray[np.float32]

_ENVELOPE: Final = 400  # a Message, an array's head, and a place in the queue
_NUMBER: Final = 120  # a number, its name, and their place in a dictionary
_DEEPEST: Final = 8
_NUMBERS: Final = frozenset({int, float, bool})
_CONTAINERS: Final = frozenset({list, dict})


class Lists:
    """The newest messages that carry lists or nested numbers, in at most ``max_bytes``. Whoever uses it holds its feed's lock."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._kept: deque[tuple[Message, int]] = deque()
        self.nbytes = 0
        """About how much is kept."""

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, messages: Iterable[Message]) -> None:
        """Keeps messages that `packed` returned."""
        for message in messages:
            size = _ENVELOPE + _size(message.data)
            self._kept.append((message, size))
            self.nbytes += size
        self._shed()

    def bound(self, max_bytes: int) -> None:
        """Keeps at most ``max_bytes`` from now on; the oldest that have no room go at once."""
        self._max_bytes = max_bytes
        self._shed()

    def clear(self) -> None:
        """Forgets them all."""
        self._kept.clear()
        self.nbytes = 0

    def all(self) -> list[Message]:
        """Returns what is kept, the oldest first."""
        return [message for message, _size in self._kept]

    def _shed(self) -> None:
        while self.nbytes > self._max_bytes:
            self.nbytes -= self._kept.popleft()[1]


def packed(messages: Sequence[Message], time_field: str | None) -> list[Message]:
    """Returns those of ``messages`` that carry lists of numbers or nested numbers, with the lists as float32 and nothing else."""
    found = []
    for message in messages:
        data = message.data
        kind = type(data)
        if kind is dict:
            # Most objects are flat: a look at their members, without another call.
            for member in data.values():
                if type(member) in _CONTAINERS:
                    break
            else:
                continue
        elif kind is not list:
            continue
        if (kept := _packed(data, time_field)) is not None:
            found.append(msgspec.structs.replace(message, data=kept))
    return found


def as_numbers(values: Any) -> Singles | None:
    """Returns a list as float32, null and what is too large as gaps; None if anything in it is no number."""
    if isinstance(values, np.ndarray):
        if values.ndim != 1 or values.dtype.kind not in "biuf":
            return None
        with np.errstate(over="ignore"):
            return values.astype(np.float32, copy=False)
    if len(values) == 0:
        return np.empty(0, dtype=np.float32)
    try:
        # Several times as fast as numpy, which would also read texts that look like numbers.
        return np.frombuffer(array("f", values), dtype=np.float32)
    except (TypeError, OverflowError):
        if not all(value is None or type(value) in _NUMBERS for value in values):
            return None
    with np.errstate(over="ignore"):
        return np.array([_number(value) for value in values]).astype(np.float32)


def _packed(data: Any, time_field: str | None, depth: int = 0) -> Any:
    if type(data) is list:
        return as_numbers(data) if 1 <= len(data) <= LONGEST else None
    is_timed = type(data.get(time_field)) is list
    kept = {}
    for name, member in data.items():
        kind = type(member)
        if kind is list and not is_timed:
            kept[name] = _packed(member, None, depth + 1)
        elif kind is dict and depth < _DEEPEST:
            if (found := _packed(member, None, depth + 1)) is not None:
                kept[name] = found
        elif depth and kind in _NUMBERS:
            kept[name] = member
    if not kept or all(found is None for found in kept.values()):
        return None
    # A list that cannot be drawn still stands where it stood: a heatmap takes the first one, drawable or not.
    return {name: () if found is None else found for name, found in kept.items()}


def _number(value: float | None) -> float:
    try:
        return float("nan") if value is None else float(value)
    except OverflowError:
        return float("nan")


def _size(data: Any) -> int:
    if isinstance(data, Mapping):
        return sum(
            _NUMBER if type(member) in _NUMBERS else _ENVELOPE + _size(member) for member in data.values()
        )
    return data.nbytes if isinstance(data, np.ndarray) else 0
