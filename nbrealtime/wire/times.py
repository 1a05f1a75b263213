"""Durations as people write them, and ages as people read them.

In Python times are seconds, on the wire milliseconds; the conversion stands
where the wire is read and written, so that nothing in between has to guess.
"""

from __future__ import annotations

import math
import re
from typing import Final

__all__ = ["format_age", "format_duration", "milliseconds", "parse_duration"]

_UNITS: Final = {
    "ms": 0.001,
    "s": 1.0,
    "sec": 1.0,
    "m": 60.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86400.0,
}
_DURATION: Final = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-z]+)\s*", re.IGNORECASE)
# ms on either side of the epoch; ECMA-262, "Time Values and Time Range".
_LAST_DATE: Final = 8_640_000_000_000_000


def milliseconds(time: float) -> int:
    """Returns a time (s since the epoch) as a browser reads it; one beyond its last date is that date."""
    return round(max(-_LAST_DATE, min(_LAST_DATE, time * 1000)))


def parse_duration(value: str | float) -> float:
    """Returns a duration in seconds: ``60``, ``"60s"``, ``"500ms"``, ``"5min"``, ``"2h"`` or ``"1d"``.

    Raises:
        ValueError: the text is no duration, or the duration is not positive and finite.
        TypeError: ``value`` is neither text nor a number.
    """
    if isinstance(value, str):
        match = _DURATION.fullmatch(value)
        if match is None or match[2].lower() not in _UNITS:
            raise ValueError(f'{value!r} is no duration: write "500ms", "60s", "5min", "2h" or "1d"')
        seconds = float(match[1]) * _UNITS[match[2].lower()]
    elif type(value) is not bool and isinstance(value, (int, float)):
        seconds = float(value)
    else:
        raise TypeError(f'a duration is seconds or a text like "60s", not {type(value).__name__}')
    if not math.isfinite(seconds) or seconds <= 0:
        raise ValueError(f"a duration is positive and finite, and {value!r} is not")
    return seconds


def format_duration(seconds: float) -> str:
    """Returns a duration in one unit, as short as it can be told: ``"2 s"``, ``"5 min"``, ``"3 h"``."""
    seconds = max(0.0, seconds)
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 90:
        return f"{round(seconds)} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    if seconds < 129_600:
        return f"{round(seconds / 3600)} h"
    return f"{round(seconds / 86400)} d"


def format_age(seconds: float) -> str:
    """Returns how long ago something was: ``"now"`` within a second, else ``"2 s ago"``."""
    return "now" if seconds < 1 else f"{format_duration(seconds)} ago"
