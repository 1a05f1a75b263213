"""What is said where a topic has data, but not in the fields that somebody chose.

Collaborators: `readings.reading` (tiles, gauges) and `plots.part` show it in place of what they wait for.

Pure. The rule: *so far*. Of a payload that changes a field may still come, so nothing is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

__all__ = ["missing"]

_NAMED: Final = 4


def missing(topic: str, chosen: Sequence[str], there: Sequence[str]) -> str:
    """Say which of the ``chosen`` fields are missed, and what is ``there`` instead; "" if any is, or nothing came yet."""
    if not there or not set(chosen).isdisjoint(there):
        return ""
    kind = "field" if len(chosen) == 1 else "fields"
    return f"{topic} has no {kind} {_list(chosen)} so far, only {_list(there)}"


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
