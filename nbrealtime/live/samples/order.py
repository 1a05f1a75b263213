"""Times in order: what comes late, what has the same time, and what has none that could be one.

Pure: arrays in, arrays out; ``Ring`` says with them where samples belong.
"""

from __future__ import annotations

import numpy as np

from nbrealtime.live.samples.bands import Floats

__all__ = [
    "FARTHEST",
    "LATE_SECONDS",
    "behind_equals",
    "from_first_number",
    "increasing",
    "is_in_order",
    "is_time",
    "without_late",
]

FARTHEST = 9.2e9
"""s on either side of the epoch, 1678 to 2261: as far as tables count nanoseconds.

A time in milliseconds or finer that was taken for seconds lies beyond. Kept, it would be the newest for ever: all that
comes after it would be late.
"""
LATE_SECONDS = 1.0
_NUDGE = 1e-6
_FEW = 16  # times, which Python compares in less time than numpy takes to begin


def is_time(time: float) -> bool:
    """Whether something can have happened at ``time`` (s since the epoch)."""
    return -FARTHEST <= time <= FARTHEST


def is_in_order(times: Floats, newest: float) -> bool:
    """Whether all ``times`` can be times, and strictly increase, from after ``newest`` on."""
    if len(times) > _FEW:
        if not (newest < times.item(0) >= -FARTHEST and times.item(-1) <= FARTHEST):
            return False
        later = times[1:] > times[:-1]
        # The first that is not, if any; `all` takes four times as long to begin.
        return bool(later.item(later.argmin()))
    for time in times.tolist():
        # False for NaN, too.
        if not (newest < time and -FARTHEST <= time <= FARTHEST):
            return False
        newest = time
    return True


def without_late(
    times: Floats, columns: dict[str, Floats], newest: float
) -> tuple[Floats, dict[str, Floats]]:
    """Return the samples that have a usable time, not more than ``LATE_SECONDS`` before the newest one before them."""
    usable = np.abs(times) <= FARTHEST
    reached = np.fmax.accumulate(np.concatenate(([newest], np.where(usable, times, -np.inf))))[:-1]
    # A difference of two epoch times is only good to 0.2 µs: half a nudge of grace for "up to 1 s".
    with np.errstate(invalid="ignore"):
        usable &= ~(reached - times > LATE_SECONDS + _NUDGE / 2)
    if usable.all():
        return times, columns
    return times[usable], {name: column[usable] for name, column in columns.items()}


def from_first_number(times: Floats, columns: dict[str, Floats]) -> tuple[Floats, dict[str, Floats], int]:
    """Return the samples from the first one that has a number and a usable time: a gap before anything is nothing.

    And how many numbers there are before it, whose times are none.
    """
    numbers = np.any([np.isfinite(column) for column in columns.values()], axis=0)
    begins = numbers & (np.abs(times) <= FARTHEST)
    first = int(np.argmax(begins)) if begins.any() else len(times)
    return (
        times[first:],
        {name: column[first:] for name, column in columns.items()},
        int(numbers[:first].sum()),
    )


def behind_equals(tail: Floats, times: Floats) -> Floats:
    """Return ``times`` with each one that ``tail`` has moved to the end of the run that nudging made of it.

    Without this a third sample of the same time would come to stand between the first and the second.
    """
    if not len(tail):
        return times
    at = np.minimum(np.searchsorted(tail, times), len(tail) - 1)
    equal = tail[at] == times
    if not bool(equal.any()):
        return times
    ends = np.append(np.flatnonzero(np.diff(tail) > 1.5 * _NUDGE), len(tail) - 1)
    run_end: Floats = tail[ends[np.searchsorted(ends, at)]]
    return np.where(equal, run_end, times)


def increasing(times: Floats) -> Floats:
    """Return sorted ``times`` with equal ones nudged by 1 µs, so that they strictly increase."""
    if bool((times[1:] > times[:-1]).all()):
        return times
    # t[i] = max(times[i], t[i-1] + nudge) is a running maximum once the nudges are taken out; relative to the
    # first time, because an epoch time has no digits to spare for it.
    steps = np.arange(len(times)) * _NUDGE
    relative = times - times[0]
    pushed: Floats = np.maximum.accumulate(relative - steps) + steps
    nudged: Floats = np.where(pushed > relative + _NUDGE / 4, pushed + times[0], times)
    for at in np.flatnonzero(nudged[1:] <= nudged[:-1]) + 1:  # what rounding left equal
        nudged[at] = max(nudged[at], np.nextafter(nudged[at - 1], np.inf))
    return nudged
