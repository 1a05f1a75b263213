"""The time as it is said on the wire.

The one rule: deadlines go by the loop's clock, which nobody sets; this one is
for what is told and what tokens say.
"""

from __future__ import annotations

import time

__all__ = ["milliseconds"]


def milliseconds() -> int:
    """The wire's time: milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
