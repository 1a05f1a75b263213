"""What the pump sends for a heatmap: columns of a grid, in binary.

Collaborators: a `Source` (`arrays.Arrays`, `spectra.Spectra`) turns what came into columns of a
`grid.HeatGrid`; ``js/src/heatmap.ts`` draws them.

The one rule: a frame carries the columns that are new, a snapshot all of them; both say the
``layout``, and a view that knows another one waits for a whole picture.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

from nbrealtime.widgets.audience import Viewing
from nbrealtime.widgets.heatmaps.grid import HeatGrid
from nbrealtime.widgets.parts import Frame, new_key

__all__ = ["HeatPart", "Source"]


class Source(Protocol):
    """Where a heatmap's columns come from."""

    grid: HeatGrid
    lock: threading.Lock
    """Held while columns are made or read: what nobody looks at is made on another thread than the pump's."""
    came: int
    """Messages or spectra so far."""
    note: str
    """Why nothing can be drawn, or ""."""

    def collect(self) -> bool:
        """Turns what came into columns, as much as a frame allows; returns whether more waits. The caller holds the lock."""

    def end(self) -> None:
        """Takes nothing that comes from now on. Any thread."""

    def axis(self) -> dict[str, Any]:
        """What the rows are: ``positions`` (first and last, or one each) or ``names``, and their ``unit``."""


class HeatPart:
    """Streams a grid's columns.

    Args:
        source: makes them.
        read: returns the state beside them (JSON).
        mark: says that there is more to send.
    """

    kind = "heatmap"
    max_hz = 20.0

    def __init__(self, source: Source, read: Callable[[], dict[str, Any]], mark: Callable[[], None]) -> None:
        self.key = new_key(self.kind)
        self._source = source
        self._read = read
        self._mark = mark
        self._layout = -1

    def frame(self, now: float, viewing: Viewing) -> Frame | None:
        """The columns since the last frame."""
        with self._source.lock:
            more = self._source.collect()
            grid = self._source.grid
            whole, self._layout = grid.layout != self._layout, grid.layout
            news = grid.news()
            header = self._header(whole=whole)
        if more:
            self._mark()
        return header, list(news) if news is not None else []

    def snapshot(self, now: float, viewing: Viewing) -> Frame | None:
        """All columns of the window."""
        with self._source.lock:
            more = self._source.collect()
            header, columns = self._header(whole=True), list(self._source.grid.whole())
        if more:
            self._mark()
        return header, columns

    def told(self, content: dict[str, Any]) -> None:
        """A view asks to look again."""
        if content.get("type") == "look":
            self._mark()

    def _header(self, *, whole: bool) -> dict[str, Any]:
        grid = self._source.grid
        return {
            **self._read(),
            "came": self._source.came,
            "note": self._source.note,
            "whole": whole,
            "layout": grid.layout,
            "rows": grid.rows,
            "bin": grid.width,
            "interval": grid.interval,
            "late": grid.late,
            "axis": self._source.axis(),
        }
