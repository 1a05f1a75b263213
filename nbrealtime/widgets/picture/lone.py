"""Samples that nothing joins in a still plot: they have no line, and are marked instead.

Collaborators: `lines` draws what is between the others. As ``js/src/plot/lone.ts`` marks them.

Pure. The rule: who is alone is seen, also at the edge; and markers never grow together into what looks like a line.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from nbrealtime.widgets.picture.ops import Box, Fill, Op, Point

__all__ = ["Run", "draw_lone"]

_RADIUS: Final = 3.0
_NARROW: Final = 2.0
"""Pixels below which a stretch is as good as one sample: values that came within milliseconds."""
_CORNERS: Final = 12


class Run(NamedTuple):
    """An unbroken stretch as it is seen: from where to where across, and its highest and lowest place."""

    left: float
    right: float
    top: float
    bottom: float


def draw_lone(runs: Sequence[Run], color: str, area: Box, *, alpha: float = 1.0) -> list[Op]:
    """Marks those of ``runs`` that are no line, where their middle is within ``area``.

    A value is a point; more of them are a bar with a point at each end.
    """
    gaps = [math.inf, *(after.left - before.right for before, after in pairwise(runs)), math.inf]
    shapes: list[tuple[Point, ...]] = []
    for run, *beside in zip(runs, gaps, gaps[1:], strict=False):
        x = (run.left + run.right) / 2
        if run.right - run.left >= _NARROW or not area.left <= x <= area.right:
            continue
        radius = max(1.0, min(_RADIUS, min(beside) / 3))
        shapes += _marker(x, run, radius, area)
    return [Fill(tuple(shapes), color, alpha)] if shapes else []


def _marker(x: float, run: Run, radius: float, area: Box) -> Iterable[tuple[Point, ...]]:
    wide = run.bottom - run.top >= radius
    for y in (run.top, run.bottom) if wide else ((run.top + run.bottom) / 2,):
        if area.top <= y <= area.bottom:
            yield _disc(x, y, radius)
    top, bottom = max(area.top, run.top), min(area.bottom, run.bottom)
    if wide and bottom > top:
        yield (x - 0.75, top), (x + 0.75, top), (x + 0.75, bottom), (x - 0.75, bottom)


def _disc(x: float, y: float, radius: float) -> tuple[Point, ...]:
    # The writers know polygons: twelve corners are within a tenth of a pixel of a circle so small.
    turn = 2 * math.pi / _CORNERS
    return tuple((x + radius * math.cos(n * turn), y + radius * math.sin(n * turn)) for n in range(_CORNERS))
