"""What thresholds say about a value.

Collaborators: `plots.options.Thresholds` checks them, `reading` and `saved.reading` judge by them, and in the
browser ``js/src/tiles/zones.ts`` does the same.

Pure. The one rule: the gravest that holds counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

from nbrealtime.widgets.plots.options import LEVELS

__all__ = ["threshold_at"]

_SEVERITY: Final = {level: place for place, level in enumerate(LEVELS)}


def threshold_at(thresholds: Iterable[Mapping[str, Any]], value: float | None) -> Mapping[str, Any] | None:
    """Returns what holds at ``value``, the gravest of several, of equals the last; None if nothing does.

    A line holds at its value and above it, a band between its two ends and at them.
    """
    found: Mapping[str, Any] | None = None
    for one in thresholds if value is not None else ():
        low, high = one.get("value", one.get("from")), one.get("to", math.inf)
        if low <= value <= high and (found is None or _SEVERITY[one["level"]] >= _SEVERITY[found["level"]]):
            found = one
    return found
