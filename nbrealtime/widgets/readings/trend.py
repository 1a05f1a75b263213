"""The recent window of one field as a few dozen bins: what a tile's sparkline is drawn from.

Collaborators: `reading.ReadingPart` owns one and calls it under its lock, on the pump thread; the ring keeps
the bins (`Ring.bands`); ``js/src/tiles/spark.ts`` draws what is packed here.

The one rule: no sample is read. The ring's bins cost what they are, so a tile of a fast topic costs no more than
that of a slow one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final, Protocol

import numpy as np

from nbrealtime.live.samples.bands import Band
from nbrealtime.widgets.plots.decimate import bin_width

__all__ = ["BINS", "Packed", "Trend"]

BINS: Final = 120
"""At most so many over the window: a sparkline is seldom wider than twice that."""

Packed = tuple[dict[str, Any], bytes]
"""A header, and three float32 for each bin: mean, least, greatest; NaN where nothing was."""

_LARGEST: Final = 1e38
"""What four bytes hold."""
_EMPTY: Final = (math.nan, math.nan, math.nan)


class _RingLike(Protocol):
    @property
    def newest(self) -> float | None: ...
    def advance(self, mark: int) -> tuple[int, float | None]: ...
    def resolution(self, width: float, since: float) -> float: ...
    def bands(
        self, fields: Iterable[str], width: float, since: float = ..., until: float = ...
    ) -> dict[str, Band]: ...


class Trend:
    """Mean, least and greatest of the last ``window`` seconds, by bins that are aligned to the epoch."""

    def __init__(self, window: float) -> None:
        self.window = window
        self.width = bin_width(window, BINS)
        self._finest = self.width
        self._mark = 0
        self._newest: float | None = (
            None  # the ring's, when it was last looked at; None: nothing was sent yet
        )

    @property
    def begun(self) -> bool:
        """Whether it has looked at the ring, so that there is something to be ahead of."""
        return self._mark > 0

    def news(self, ring: _RingLike, field: str) -> Packed | None:
        """Returns the bins from the first that changed since the last call; None if nothing did."""
        self._mark, touched = ring.advance(self._mark)
        if touched is None:
            return None
        before, self._newest = self._newest, ring.newest
        if self._newest is None:
            return self._pack(None, whole=True)
        since = self._newest - self.window
        # Of a long window the ring may have kept wider bins alone.
        width = ring.resolution(self._finest, since)
        whole = before is None or touched < since or width != self.width
        self.width = width
        return self._pack(ring.bands((field,), width, since if whole else touched)[field], whole=whole)

    def whole(self, ring: _RingLike, field: str) -> Packed | None:
        """Returns all bins as of the last `news`; does not change what the next one says."""
        if self._newest is None:
            return None
        since = self._newest - self.window
        return self._pack(ring.bands((field,), self.width, since, self._newest)[field], whole=True)

    def _pack(self, band: Band | None, *, whole: bool) -> Packed:
        header: dict[str, Any] = {"first": 0, "width": self.width, "window": self.window, "whole": whole}
        if band is None or not len(band):
            return header, b""
        columns = (band.index.tolist(), band.mean.tolist(), band.low.tolist(), band.high.tolist())
        known = {index: row for index, *row in zip(*columns, strict=True)}
        first, last = min(known), max(known)
        rows = [known.get(index, _EMPTY) for index in range(first, last + 1)]
        header["first"] = first
        return header, np.clip(rows, -_LARGEST, _LARGEST).astype("<f4").tobytes()
