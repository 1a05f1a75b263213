"""Bands and points back to arrays: what a frame of a plot says, read in Python.

Collaborators: `decimate` packs what is unpacked here, as ``js/src/plot/store.ts`` does in the browser;
`picture` draws it without one.

Pure. The one rule: it reads what the browser reads, byte by byte, so that a saved picture cannot show
anything else than the plot did.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Line", "unpack"]

Floats = NDArray[np.float64]


def _none() -> Floats:
    return np.empty(0)


@dataclass(slots=True)
class Line:
    """One series of a plot as columns; of points, ``low`` and ``high`` are the values themselves."""

    label: str
    mode: str = "points"
    bin: float = 0.0
    """A band's bins' width (s)."""
    interval: float | None = None
    last: float | None = None
    time: Floats = field(default_factory=_none)
    value: Floats = field(default_factory=_none)
    """NaN where there is a gap."""
    low: Floats = field(default_factory=_none)
    high: Floats = field(default_factory=_none)

    @property
    def breaks(self) -> float:
        """Seconds between neighbours beyond which the line is broken."""
        if self.interval is None:
            return math.inf
        if self.mode == "band":
            return max(5 * self.interval, self.bin) + self.bin * 1.01
        return 5 * self.interval * 1.001

    def runs(self) -> Iterable[slice]:
        """The unbroken stretches, in order."""
        if not len(self.time):
            return
        there = np.isfinite(self.value)
        joined = there[1:] & there[:-1] & (np.diff(self.time) <= self.breaks)
        edges = np.flatnonzero(~joined) + 1
        for start, end in zip([0, *edges.tolist()], [*edges.tolist(), len(self.time)], strict=True):
            if there[start]:
                yield slice(start, end)


def unpack(header: dict[str, Any], buffers: Sequence[bytes]) -> list[Line]:
    """The series of a whole frame (`PlotPart.snapshot`), in their order; those without a sample are empty."""
    lines = [Line(series["label"]) for series in header.get("series", ())]
    body = buffers[0] if buffers else b""
    offset = 0
    for entry in header["data"]:
        line = lines[entry["series"]]
        line.interval, line.last = entry["interval"], entry["last"]
        offset += _take(line, entry, body, offset)
    return lines


def _take(line: Line, entry: dict[str, Any], body: bytes, offset: int) -> int:
    """Fills ``line`` from ``body``; returns how many bytes were its."""
    n = int(entry["n"])
    line.mode = entry["mode"]

    def column(index: int, kind: str = "<f4") -> NDArray[Any]:
        return np.frombuffer(body, kind, n, offset + 4 * n * index)

    def values(index: int) -> Floats:
        return np.asarray(entry["v0"] + entry["scale"] * column(index).astype(np.float64))

    if line.mode == "points":
        step = entry.get("step")
        if step is not None:
            # Regular: the times are not on the way at all.
            line.time, size = entry["t0"] + step * np.arange(n, dtype=np.float64), 1
        else:
            line.time, size = entry["t0"] + column(0).astype(np.float64), 2
        line.value = line.low = line.high = values(size - 1)
        return 4 * n * size
    line.bin = entry["bin"]
    at = 0 if entry["dense"] or not n else 1
    index = np.arange(n, dtype=np.float64) if not at else column(0, "<u4").astype(np.float64)
    line.time = (entry["k0"] + index + 0.5) * line.bin
    line.low, line.high, line.value = values(at), values(at + 1), values(at + 2)
    return 4 * n * (3 + at)
