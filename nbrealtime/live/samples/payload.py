"""From payloads to samples: which numbers a message carries, under which field names, and at what times.

Pure: a ``Reader`` is given (payload, message time) pairs and returns blocks of times and columns, which
``nbrealtime.live.feed`` appends to the ring. It remembers what the meaning of a payload depends on: the time of
the previous message (lists without times are spread over what passed since) and, for clocks that count from
their own start, where that start lies.

The rule here: *a payload never raises*. What cannot be drawn is described in ``Reader.reason``, and its message
goes on to everybody else. A time that cannot be one (``is_time``) is NaN in a block, as one that is not given, and
the ring leaves its sample out.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from typing import Any, Literal, cast, get_args

import msgspec
import numpy as np

from nbrealtime.live.samples.bands import Floats
from nbrealtime.live.samples.order import FARTHEST, LATE_SECONDS

__all__ = ["ELAPSED_BELOW", "VALUE", "Block", "Reader", "TimeUnit"]

TimeUnit = Literal["s", "ms", "us", "ns"]

VALUE = "value"
"""The field of a payload that is a number or a list of numbers."""

ELAPSED_BELOW = 1e8
"""Times below this many seconds (March 1973) count from a start of their own."""

_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_NUMBERS = frozenset({int, float, bool})
_NUMBERS_OR_GAP = _NUMBERS | {type(None)}
_NAN = math.nan
_GREATEST = sys.float_info.max
_SOON = 4.2e9  # s since the epoch: until 2103 a unit is taken to be what was meant


class Block(msgspec.Struct, frozen=True):
    """Samples: ``times`` in s since the epoch, and columns of the same length, NaN for a gap."""

    times: Floats
    columns: dict[str, Floats]


class Reader:
    """Reads the payloads of one topic in their order.

    ``time_field`` names the member of an object that holds its time or times (None: there is none), ``time_unit``
    its unit.
    """

    def __init__(self, *, time_field: str | None = "t", time_unit: TimeUnit = "s") -> None:
        if time_unit not in get_args(TimeUnit):
            raise ValueError(f"time_unit is one of {', '.join(get_args(TimeUnit))}, not {time_unit!r}")
        self._time_field = time_field
        self._scale = _SECONDS[time_unit]
        self._previous: float | None = None
        self._apart: float | None = None  # how far the newest two messages were from each other
        self._interrupted = False
        # Where an elapsed clock's zero lies (s since the epoch), and the greatest reading since.
        self._zero: float | None = None
        self._reading = -math.inf
        self._rows: dict[str, list[float]] = {}
        self._values: list[float] | None = None  # of these rows, if they are plain numbers
        self._row_times: list[float] = []
        self._blocks: list[Block] = []
        self._untimely = ""  # of the payload at hand
        self.numeric: bool | None = None
        """Whether anything that came could be drawn; None before the first payload that tells."""
        self.reason = ""
        """Why the newest payload could not be drawn ("carries text"), or "" if it could."""
        self.unequal = ""
        """The first payload whose lists differed in length, described; or ""."""
        self.untimely = ""
        """The first payload with a time that cannot be one, described; or ""."""

    def read(self, messages: Iterable[tuple[Any, float]]) -> list[Block]:
        """Return the samples of ``messages``: pairs of a payload and its message's time (s since the epoch).

        Consecutive scalar messages share a block, so that a batch costs the ring one append.
        """
        for payload, time in messages:
            self._untimely = ""
            if not -FARTHEST <= time <= FARTHEST:
                # A payload may still have times of its own; nothing after it counts from this one.
                self._wonder(f"at {time:.3g} s")
                self._read(payload, _NAN)
                continue
            if self._interrupted:
                self._previous = None if self._apart is None else time - self._apart
                self._interrupted = False
            if self._values is not None and type(payload) in _NUMBERS:
                # One more of the most frequent kind: a row of its own would take four times as long.
                self._row_times.append(time)
                is_sane = -_GREATEST <= payload <= _GREATEST
                self._values.append(float(payload) if is_sane else _number(payload))
                self.numeric, self.reason = True, ""
            else:
                self._read(payload, time)
            if self._previous is not None:
                self._apart = time - self._previous
            self._previous = time
        self._flush()
        blocks, self._blocks = self._blocks, []
        return blocks

    def interrupt(self) -> None:
        """Take note that messages are missing here: the next list is not spread over the time that they had.

        It is spread over as long as the one before the gap was, since a stream's rhythm rarely changes.
        """
        self._interrupted = True

    def _read(self, payload: Any, time: float) -> None:
        kind = type(payload)
        if kind in _NUMBERS:
            self._row(time, {VALUE: _number(payload)})
        elif payload is None:
            self._row(time, {VALUE: _NAN}, tells=False)
        elif kind is list:
            if (column := _column(payload)) is None:
                self._undrawable(_describe(payload))
            else:
                self._block(self._spread(len(column), time), {VALUE: column})
        elif kind is dict:
            self._object(payload, time)
        else:
            self._undrawable(_describe(payload))

    def _object(self, payload: dict[str, Any], time: float) -> None:
        scalars: dict[str, float] = {}
        columns: dict[str, Floats] = {}
        given: Any = None
        tells = False
        for name, member in payload.items():
            kind = type(member)
            if name == self._time_field:
                if kind is list:
                    given = _column(member)
                elif kind is float or kind is int:
                    given = _number(member)
            elif kind in _NUMBERS:
                scalars[name] = float(member) if -_GREATEST <= member <= _GREATEST else _number(member)
                tells = True
            elif member is None:
                scalars[name] = _NAN
            elif kind is list and (column := _column(member)) is not None:
                columns[name] = column
                tells = True
        if not scalars and not columns:
            self._undrawable(
                "carries no numbers" if given is None else f"carries only a time ({self._time_field})"
            )
            return
        times = given if isinstance(given, np.ndarray) else None
        if times is None and not columns:
            self._row(self._moment(given, time), scalars, tells=tells)
            return
        sized = columns if times is None else {cast(str, self._time_field): times, **columns}
        if len({len(column) for column in sized.values()}) > 1:
            lengths = ", ".join(f"{name}: {len(column)}" for name, column in list(sized.items())[:4])
            self.unequal = self.unequal or f"carries lists of unequal length ({lengths})"
            self._undrawable(f"carries lists of unequal length ({lengths})")
            return
        length = len(next(iter(sized.values())))
        if times is not None:
            times = self._placed(times, time)
        else:
            # One time beside lists says when the block ended; repeated, it would put all of it on one spot.
            times = self._spread(length, self._moment(given, time))
        for name, number in scalars.items():
            columns[name] = np.full(length, number)
        self._block(times, columns)

    def _spread(self, length: int, time: float) -> Floats:
        """Return times evenly from after the previous message up to ``time``; all equal where none passed."""
        if not length or self._previous is None or self._previous >= time:
            return np.full(length, time)
        # As `np.linspace` does, which asks two dozen questions before.
        times = np.arange(1.0, length + 1.0)
        times *= (time - self._previous) / length
        times += self._previous
        times[-1] = time
        return times

    def _moment(self, reading: float | None, time: float) -> float:
        """Return the epoch time of a clock's one reading; without any it is the message's."""
        if reading is None or reading != reading:
            return time
        seconds = reading * self._scale
        if not -FARTHEST <= seconds <= FARTHEST:
            self._wonder(f"{self._time_field}: {seconds:.3g} s{_fitting(reading)}")
            return _NAN
        return seconds + self._zero_of(seconds, time)

    def _placed(self, readings: Floats, time: float) -> Floats:
        """Return the epoch times of a clock's readings."""
        given, readings = readings, readings * self._scale
        if (beyond := np.abs(readings) > FARTHEST).any():
            first = int(np.argmax(beyond))
            self._wonder(f"{self._time_field}: {readings[first]:.3g} s{_fitting(float(given[first]))}")
            readings[beyond] = _NAN
        finite = readings[np.isfinite(readings)]
        if not len(finite):
            return readings
        zero = self._zero_of(float(finite.max()), time)
        return readings + zero if zero else readings

    def _zero_of(self, newest: float, time: float) -> float:
        """Return where a clock's zero lies whose newest reading (s) belongs to ``time``: 0.0 if that is the epoch's."""
        if not -ELAPSED_BELOW < newest < ELAPSED_BELOW:
            return 0.0
        if time != time:
            return _NAN
        # A clock that fell far back was started again; one that fell a little brings a late sample.
        restarted = newest < self._reading - LATE_SECONDS and newest < self._reading / 2
        if self._zero is None or restarted:
            self._zero = time - newest
            self._reading = newest
        self._reading = max(self._reading, newest)
        return self._zero

    def _row(self, time: float, fields: dict[str, float], *, tells: bool = True) -> None:
        if self._rows.keys() != fields.keys():
            self._flush()
            self._rows = {name: [] for name in fields}
            self._values = self._rows.get(VALUE) if len(fields) == 1 else None
        self._row_times.append(time)
        for name, number in fields.items():
            self._rows[name].append(number)
        if time != time:
            self._undrawable(self._untimely)
        elif tells:
            self.numeric, self.reason = True, ""

    def _block(self, times: Floats, columns: dict[str, Floats]) -> None:
        self._flush()
        if self._untimely and not np.isfinite(times).any():
            self._undrawable(self._untimely)
        else:
            self.numeric, self.reason = True, ""
        if len(times):
            self._blocks.append(Block(times, columns))

    def _flush(self) -> None:
        """Make a block of the rows."""
        if not self._row_times:
            return
        columns: dict[str, Floats] = {}
        for name, numbers in self._rows.items():
            columns[name] = np.array(numbers, dtype=np.float64)
        self._blocks.append(Block(np.array(self._row_times, dtype=np.float64), columns))
        self._row_times = []
        if self._values is None:
            self._rows = {}
        else:
            # After plain numbers mostly come more of them.
            self._rows[VALUE] = self._values = []

    def _wonder(self, what: str) -> None:
        self._untimely = f"carries a time outside of the years 1678 to 2261 ({what})"
        self.untimely = self.untimely or self._untimely

    def _undrawable(self, reason: str) -> None:
        self.numeric, self.reason = bool(self.numeric), reason


def _number(value: float) -> float:
    """Return an int, float or bool as a float, NaN where it is not finite or too large to be one."""
    try:
        number = float(value)
    except OverflowError:
        return _NAN
    return number if math.isfinite(number) else _NAN


def _column(values: list[Any]) -> Floats | None:
    """Return a list of numbers and nulls as floats, NaN for gaps; None if it holds anything else."""
    if not _NUMBERS_OR_GAP.issuperset(map(type, values)):
        return None
    try:
        column = np.array(values, dtype=np.float64)
    except OverflowError:
        column = np.array([_NAN if value is None else _number(value) for value in values], dtype=np.float64)
    column[np.isinf(column)] = _NAN
    return column


def _fitting(reading: float) -> str:
    """Name the unit in which ``reading`` would be a time of our days, if there is one."""
    for unit, seconds in _SECONDS.items():
        if ELAPSED_BELOW <= reading * seconds < _SOON:
            return f'; time_unit="{unit}" would fit'
    return ""


def _describe(payload: Any) -> str:
    if isinstance(payload, str):
        return "carries text"
    if isinstance(payload, (bytes, bytearray, memoryview)):
        return "carries bytes"
    if isinstance(payload, list) and any(isinstance(value, str) for value in payload):
        return "carries text"
    return "carries nested values"
