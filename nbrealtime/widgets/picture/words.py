"""Numbers, ages and clock times as people read them, word for word as ``js/src/shared/format.ts`` writes them.

Pure. Four significant digits, a true minus sign, SI prefixes only for units that take them, "—" for none.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import zoneinfo
from typing import Final

__all__ = [
    "Zone",
    "clock",
    "day",
    "duration",
    "moment",
    "number",
    "quantity",
    "scale_for",
    "tick",
    "zone_name",
    "zone_of",
]

_PREFIXES: Final = (
    (1e12, "T"),
    (1e9, "G"),
    (1e6, "M"),
    (1e3, "k"),
    (1.0, ""),
    (1e-3, "m"),
    (1e-6, "µ"),
    (1e-9, "n"),
)
_PLAIN: Final = re.compile(
    r"|%|‰|°.*|deg.*|dB\w*|ppm|ppb|1|min|h|d|days?|hours?|minutes?|count|counts|rpm|bar|pH", re.IGNORECASE
)
"""Units that a prefix would make wrong or odd, and the empty one."""

Zone = dt.tzinfo | None
"""Whose wall clock; None is this computer's."""


def scale_for(largest: float, unit: str = "") -> tuple[float, str]:
    """What values up to ``largest`` are divided by before they are shown, and their unit with its prefix."""
    size = abs(largest)
    if not math.isfinite(size) or size == 0 or (unit and _PLAIN.fullmatch(unit)):
        return 1.0, unit
    # A bare number keeps its digits as long as they are few.
    if not unit and 1e-3 <= size < 1e5:
        return 1.0, unit
    factor, prefix = next((one for one in _PREFIXES if size >= one[0] * 0.9995), _PREFIXES[-1])
    return factor, prefix + unit


def _minus(text: str) -> str:
    return text.replace("-", "−")


def number(value: float | None, digits: int = 4) -> str:
    """Four significant digits, no exponent between 1e-4 and 1e7: "21.5", "−0.004127"."""
    if value is None or not math.isfinite(value):
        return "—"
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 1e7 or size < 1e-4:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return _minus(f"{_short(mantissa)}e{int(exponent)}")
    decimals = max(0, digits - 1 - math.floor(math.log10(size)))
    return _minus(_short(f"{value:.{min(decimals, 12)}f}"))


def _short(text: str) -> str:
    """Without zeros at the end that say nothing, and without −0."""
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def quantity(value: float | None, unit: str = "") -> str:
    """A value with its unit and prefix: "21.5 °C", "1.204 MB/s", "43 %"."""
    if value is None or not math.isfinite(value):
        return "—"
    factor, named = scale_for(value, unit)
    text = number(value / factor)
    if not named:
        return text
    return text + named if not unit else f"{text} {named}"


def tick(value: float, step: float) -> str:
    """With the digits that ``step`` needs, equal along an axis: 0.50, 1.00, 1.50."""
    decimals = max(0, min(12, -math.floor(math.log10(step) + 1e-9)))
    text = f"{value:.{decimals}f}"
    return _minus(text if float(text) else f"{0:.{decimals}f}")


def duration(seconds: float) -> str:
    """ "2 s", "3 min", "1 h 5 min"."""
    whole = max(0, math.floor(seconds))
    if whole < 120:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 120:
        return f"{minutes} min"
    hours = minutes // 60
    if hours < 48:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{hours // 24} d"


def zone_of(name: str) -> Zone:
    """The zone called ``name``; "" and one that this computer does not know are its own."""
    if not name:
        return None
    if name.upper() == "UTC":
        return dt.UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return None


def moment(seconds: float, zone: Zone) -> dt.datetime:
    """The wall clock at epoch ``seconds``, knowing its own zone."""
    # From the epoch and not `fromtimestamp`, which refuses what lies before 1970 on some systems.
    return (dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)).astimezone(zone)


def clock(seconds: float, zone: Zone = None, *, with_seconds: bool = True) -> str:
    """Wall time of epoch seconds: "14:02:05", or "14:02"."""
    return f"{moment(math.floor(seconds + 1e-9), zone):{'%H:%M:%S' if with_seconds else '%H:%M'}}"


def day(seconds: float, zone: Zone = None) -> str:
    """The date there: "2026-11-22"."""
    return moment(seconds, zone).date().isoformat()


def zone_name(seconds: float, zone: Zone = None) -> str:
    """A chosen zone by its name, this computer's by its short name at that time: "UTC", "CET", "+03"."""
    if key := getattr(zone, "key", ""):
        return str(key).replace("_", " ")
    return moment(seconds, zone).tzname() or ""
