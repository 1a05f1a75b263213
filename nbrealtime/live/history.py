"""``history=``: how much of a topic's past a kernel keeps, as people say it.

Pure. The rule: a number is samples, a text is bytes for everything, the samples and the coarser bins (``Pyramid``)
together; so neither can be taken for the other.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from nbrealtime.live.samples.ring import MAX_BYTES, MAX_SAMPLES, ROW_BYTES, bytes_for

__all__ = ["HistoryLike", "Room", "room_for"]

HistoryLike = int | str | None
"""Samples (``100_000``), bytes (``"64MiB"``), or None: a million samples, in at most 64 MiB."""

LEAST_BYTES = 1024

_BYTES = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([kmgt]?i?)b\s*", re.IGNORECASE)
_UNITS = {
    "": 1,
    **{
        f"{prefix}{i}": (1024 if i else 1000) ** (at + 1)
        for at, prefix in enumerate("kmgt")
        for i in ("", "i")
    },
}


class Room(NamedTuple):
    """What a ``Ring`` may take."""

    samples: int
    max_bytes: int


def room_for(history: HistoryLike) -> Room:
    """Return the room for ``history``.

    A number of samples is kept also when that takes more than 64 MiB; with several fields there are fewer beyond.

    Raises ``ValueError`` for what is no size or less than a sample, ``TypeError`` for what is neither number nor text.
    """
    if history is None:
        return Room(MAX_SAMPLES, MAX_BYTES)
    if isinstance(history, str):
        match = _BYTES.fullmatch(history)
        if match is None or (unit := match[2].lower()) not in _UNITS:
            raise ValueError(f'{history!r} is no size: write "64MiB" or "500kB", or a number of samples')
        size = int(float(match[1]) * _UNITS[unit])
        if size < LEAST_BYTES:
            raise ValueError(f"a history has at least 1 KiB, not {history!r}")
        return Room(size // ROW_BYTES, size)
    if isinstance(history, bool) or not isinstance(history, int):
        raise TypeError(f'history is a number of samples or a text like "64MiB", not {history!r}')
    if history < 1:
        raise ValueError(f"a history has at least one sample, not {history}")
    return Room(history, max(MAX_BYTES, bytes_for(history)))
