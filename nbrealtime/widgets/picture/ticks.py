"""How far the axes of a still picture reach, where their ticks are and what they say.

Collaborators: `scene` lays them out. The same rules as ``js/src/plot/ticks.ts`` and ``range.ts``, but for the
patience of a picture that moves.

Pure. Values: round steps, equal decimals, one SI prefix. Times: at most six, at round local times, the date under
the first and under midnight.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from nbrealtime.widgets.picture.words import Zone, clock, day, moment, number, scale_for, tick

__all__ = ["Ticks", "fit", "fit_log", "log_ticks", "round_step", "time_ticks", "value_ticks"]

_TIME_STEPS: Final = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900),
    *(
        1200,
        1800,
        3600,
        7200,
        10800,
        21600,
        43200,
        86400,
        172800,
        604800,
        1209600,
        2592000,
        7776000,
        31536000,
    ),
)
_WIDEST: Final = 76
_HALF: Final = 27
_SPARE: Final = 0.08
_APART: Final = 24
"""Pixels between two labels of a log axis."""
_RAISED: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


_LARGEST: Final = 1e307
"""Beyond, the distance of two values is no number; what is there is a device's sign for "none", and out of the picture."""
_LEAST_LOG, _LARGEST_LOG = 1e-100, 1e100


class Ticks(NamedTuple):
    """Where they are, what they say, and the axis' caption."""

    at: list[float]
    labels: list[str]
    caption: str = ""


def round_step(least: float) -> float:
    """The smallest 1-2-5 × 10^k that is at least ``least``."""
    power = math.floor(math.log10(least))
    for step in (1, 2, 5, 10):
        value = float(step * 10**power if power >= 0 else step / 10**-power)
        if value >= least * (1 - 1e-9):
            return value
    return float(10.0 ** (power + 1))


def fit(low: float, high: float, unit: str = "") -> tuple[float, float]:
    """The bounds that data from ``low`` to ``high`` get: round, with 8 % to spare, with zero where it is near."""
    if unit == "%" and low >= 0 and high <= 100:
        return 0.0, 100.0
    low, high = max(-_LARGEST, min(_LARGEST, low)), max(-_LARGEST, min(_LARGEST, high))
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        middle = (low + high) / 2
        room = 1.0 if middle == 0 else abs(middle) * 0.05
        low, high = middle - room, middle + room
    else:
        floor, ceiling = 0 <= low < high / 4, 0 >= high > low / 4
        low, high = 0.0 if floor else low, 0.0 if ceiling else high
        spare = _SPARE * (high - low)
        low, high = low if floor else low - spare, high if ceiling else high + spare
    step = round_step((high - low) / 10)
    return math.floor(low / step + 1e-9) * step + 0.0, math.ceil(high / step - 1e-9) * step + 0.0


def value_ticks(low: float, high: float, pixels: float, unit: str) -> Ticks:
    """Three to seven round values; the caption is the unit with its prefix."""
    most = max(3, min(7, math.floor(pixels / 28)))
    step = round_step((high - low) / most)
    factor, caption = scale_for(max(abs(low), abs(high)), unit)
    indices = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    at = [index * step for index in indices]
    return Ticks(at, [tick(value / factor, step / factor) for value in at], caption)


def time_ticks(low: float, high: float, pixels: float, spare: float = _HALF, zone: Zone = None) -> Ticks:
    """At most six round wall times.

    Args:
        spare: pixels right of the axis that a label may use; one that needs more is left out.
    """
    most = max(1, min(6, math.floor(pixels / _WIDEST)))
    step = next((one for one in _TIME_STEPS if (high - low) / one <= most), _TIME_STEPS[-1])
    away = moment(low, zone).utcoffset()
    # An offset is a multiple of a quarter of an hour, so it matters above that only.
    offset = away.total_seconds() if step > 900 and away is not None else 0.0
    at: list[float] = []
    labels: list[str] = []
    date = ""
    index = math.ceil((low + offset) / step - 1e-9)
    # A window of exactly six steps has seven ends at the moment when they meet the axis'.
    while (time := index * step - offset) <= high and len(at) < most:
        index += 1
        today = day(time, zone)
        label = today if step >= 86400 else clock(time, zone)
        if step < 1:
            label += _fraction(time, step)
        if step < 86400 and today != date:
            label += f"\n{today}"
        date = today
        at.append(time)
        room = (high - time) / (high - low) * pixels + spare
        labels.append("" if room < _HALF + (12 if step < 1 else 0) else label)
    return Ticks(at, labels)


def _fraction(time: float, step: float) -> str:
    digits = 1 if step >= 0.1 else 2 if step >= 0.01 else 3
    # Rounded as a whole first: 4.9999 s is the next second's 0, which `clock` floors away.
    whole = round((time - math.floor(time)) * 10**digits) % 10**digits
    return f".{whole:0{digits}d}"


def fit_log(low: float, high: float) -> tuple[float, float]:
    """The same for a log scale; both above 0."""
    low, high = max(_LEAST_LOG, min(_LARGEST_LOG, low)), max(_LEAST_LOG, min(_LARGEST_LOG, high))
    # Within a third of a decade it looks like a linear axis, and has its round numbers.
    if high / low < 3:
        return fit(low, high)
    spare = (high / low) ** _SPARE
    return 1 / round_step(spare / low), round_step(high * spare)


def log_ticks(low: float, high: float, pixels: float, unit: str) -> Ticks:
    """Round numbers a decade or its parts apart; powers of ten where the decades are too many for one prefix."""
    if high / low < 3:
        # Within a third of a decade the steps of a linear axis are the round numbers.
        linear = value_ticks(low, high, pixels, unit)
        return linear._replace(caption=_logged(linear.caption))
    decade = pixels / math.log10(high / low)
    first, last = math.floor(math.log10(low) + 1e-9), math.floor(math.log10(high) + 1e-9)
    parts = next((each for each in ((1, 2, 5), (1, 3)) if _roomy(each, decade)), (1,))
    every = max(1, math.ceil(_APART / decade), math.ceil((last - first) / 8))
    at: list[float] = []
    for power in range(first, last + 1):
        if power % every == 0:
            for part in parts if every == 1 else (1,):
                value = float(part * 10**power if power >= 0 else part / 10**-power)
                if low * (1 - 1e-9) <= value <= high * (1 + 1e-9):
                    at.append(value)
    # One prefix suits its neighbours: that of the middle leaves the fewest noughts at either end.
    factor, caption = scale_for(math.sqrt(low * high), unit)
    plain = [number(value / factor) for value in at]
    if all(len(text) <= 6 and "e" not in text for text in plain):
        return Ticks(at, plain, _logged(caption))
    return Ticks(at, [_power(value) for value in at], _logged(unit))


def _roomy(parts: tuple[int, ...], decade: float) -> bool:
    return all(
        math.log10(after / one) * decade >= _APART for one, after in zip(parts, (*parts[1:], 10), strict=True)
    )


def _logged(caption: str) -> str:
    return f"{caption}, log" if caption else "log"


def _power(value: float) -> str:
    """ "10⁻³", "2·10⁵"."""
    exponent = math.floor(math.log10(value) + 1e-9)
    part = round(value / 10.0**exponent)
    return f"{'' if part == 1 else f'{part}·'}10{str(exponent).translate(_RAISED)}"
