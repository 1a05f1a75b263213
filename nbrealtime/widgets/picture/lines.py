"""The lines of a still plot: bands, strokes, gaps, and above eight series one envelope.

Collaborators: `scene` says how a time and a value become a place; `unpack.Line` holds the columns; `lone` marks what no
line reaches. As ``js/src/plot/draw.ts`` draws them.

Pure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from nbrealtime.widgets.picture.lone import Run, draw_lone
from nbrealtime.widgets.picture.ops import Box, Fill, Op, Point, Stroke
from nbrealtime.widgets.plots.unpack import Floats, Line

__all__ = ["MANY", "Axes", "draw_lines"]

MANY: Final = 8
"""Lines that can be told apart by colour."""
_FAR: Final = 1e4
"""Pixels beyond which a place is no longer told apart: writers lose lines whose ends are absurdly far away."""


@dataclass(frozen=True, slots=True)
class Axes:
    """How times and values become places."""

    area: Box
    left: float
    """The time at the left edge (s)."""
    right: float
    low: float
    high: float
    bend: Callable[[Floats], Floats] | None = None
    """What a scale that is not linear does to values first; NaN where it has none."""

    def x(self, times: Floats) -> Floats:
        """Places of times."""
        share = (times - self.left) / (self.right - self.left)
        return np.asarray(self.area.left + share * self.area.width)

    def y(self, values: Floats) -> Floats:
        """Places of values; NaN stays NaN."""
        low, high = self.low, self.high
        if self.bend is not None:
            values = self.bend(values)
            low, high = (float(self.bend(np.array([bound]))[0]) for bound in (low, high))
        with np.errstate(over="ignore"):
            places = self.area.bottom - (values - low) / ((high - low) or 1.0) * self.area.height
        return np.clip(places, self.area.top - _FAR, self.area.bottom + _FAR)


def draw_lines(
    axes: Axes,
    lines: Sequence[Line],
    looks: Sequence[tuple[str, tuple[float, ...]]],
    newest: float,
    crowd: str,
) -> list[Op]:
    """The operations of all lines, each with its colour and dash; without them one hue, ``crowd``, for all."""
    shown = [_seen(line, axes, newest) for line in lines]
    if not looks:
        return _crowd(axes, shown, crowd)
    ops: list[Op] = []
    for line, (color, _) in zip(shown, looks, strict=True):
        if line.mode == "band":
            ops.append(Fill(tuple(_band(axes, line)), color, 0.25, clip=True))
    for line, (color, dash) in zip(shown, looks, strict=True):
        paths = tuple(_path(axes, line, run) for run in line.runs() if run.stop - run.start > 1)
        ops.append(Stroke(paths, color, 1.5, dash, clip=True))
    for line, (color, _) in zip(shown, looks, strict=True):
        ops += draw_lone([_extent(axes, line, run) for run in line.runs()], color, axes.area)
    return [op for op in ops if (op.shapes if isinstance(op, Fill) else op.paths)]  # type: ignore[union-attr]


def _seen(line: Line, axes: Axes, newest: float) -> Line:
    """What is between the edges, and one sample before: its line reaches into view."""
    first = max(0, int(np.searchsorted(line.time, axes.left)) - 1)
    value, low, high = line.value[first:], line.low[first:], line.high[first:]
    if axes.bend is not None:
        # Zero and below have no place on a log scale: gaps. Of a bin that is partly there, the mean is the
        # lowest that is known to be above.
        value = np.where(value > 0, value, np.nan)
        low = np.where(low > 0, low, np.where(value > 0, value, high))
    # The newest bin's middle may lie after the newest sample.
    time = np.minimum(line.time[first:], newest)
    return Line(line.label, line.mode, line.bin, line.interval, line.last, time, value, low, high)


def _points(x: Floats, y: Floats) -> list[Point]:
    return list(zip(x.tolist(), y.tolist(), strict=True))


def _path(axes: Axes, line: Line, run: slice) -> tuple[Point, ...]:
    return tuple(_points(axes.x(line.time[run]), axes.y(line.value[run])))


def _extent(axes: Axes, line: Line, run: slice) -> Run:
    left, right = axes.x(line.time[[run.start, run.stop - 1]]).tolist()
    return Run(left, right, float(axes.y(line.high[run]).min()), float(axes.y(line.low[run]).max()))


def _band(axes: Axes, line: Line) -> list[tuple[Point, ...]]:
    shapes = []
    for run in line.runs():
        x = axes.x(line.time[run])
        low, high = axes.y(line.low[run]), axes.y(line.high[run])
        if len(x) == 1:
            # A lonely bin is as wide as it is long.
            half = max(0.5, line.bin * axes.area.width / (axes.right - axes.left) / 2)
            x, low, high = np.array([x[0] - half, x[0] + half]), low.repeat(2), high.repeat(2)
        shapes.append((*_points(x, high), *reversed(_points(x, low))))
    return shapes


def _crowd(axes: Axes, lines: Sequence[Line], color: str) -> list[Op]:
    """Above eight series nobody tells lines apart: one hue shows where they all are."""
    columns = np.arange(math.ceil(axes.area.width) + 1, dtype=np.float64)
    least, most = np.full(len(columns), np.inf), np.full(len(columns), -np.inf)
    for line in lines:
        for run in line.runs():
            x = np.round(axes.x(line.time[run]) - axes.area.left)
            inside = slice(max(0, int(x[0])), max(0, int(x[-1]) + 1))
            at = columns[inside]
            # Between two samples the band goes straight, as a line would; of those in one column all count.
            least[inside] = np.fmin(least[inside], np.interp(at, x, line.low[run]))
            most[inside] = np.fmax(most[inside], np.interp(at, x, line.high[run]))
            column = np.clip(x, 0, len(columns) - 1).astype(np.intp)
            seen = (x >= 0) & (x < len(columns))
            np.fmin.at(least, column[seen], line.low[run][seen])
            np.fmax.at(most, column[seen], line.high[run][seen])
    there = np.isfinite(least)
    edges = [0, *(np.flatnonzero(there[1:] != there[:-1]) + 1).tolist(), len(there)]
    shapes: list[tuple[Point, ...]] = []
    outlines: list[tuple[Point, ...]] = []
    runs: list[Run] = []
    for start, end in pairwise(edges):
        if there[start]:
            x = axes.area.left + columns[start:end]
            top, bottom = _points(x, axes.y(most[start:end])), _points(x, axes.y(least[start:end]))
            shapes.append((*top, *reversed(bottom)))
            outlines += [tuple(top), tuple(bottom)]
            runs.append(Run(x[0], x[-1], top[0][1], bottom[0][1]))
    if not shapes:
        return []
    return [
        Fill(tuple(shapes), color, 0.25, clip=True),
        Stroke(tuple(outlines), color, 1.0, (), 0.8, clip=True),
        *draw_lone(runs, color, axes.area, alpha=0.8),
    ]
