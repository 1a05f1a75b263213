"""What a saved notebook shows of a tile or a gauge: the last reading, laid out as the browser would.

Collaborators: `readings.panel.ReadingPanel` asks for it, `picture` writes it as SVG and PNG.

Pure. The one rule: a picture says of when it is. A number without that would pass for one of now.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from nbrealtime.widgets.picture.marks import symbol
from nbrealtime.widgets.picture.ops import Box, Fill, Op, Point, Scene, Stroke, Text, text_width
from nbrealtime.widgets.picture.words import clock, duration, number, quantity, scale_for
from nbrealtime.widgets.plots.options import LEVELS
from nbrealtime.widgets.readings.levels import threshold_at

__all__ = ["StillLook", "lay_still"]

WORDS: Final = {"info": "Note", "good": "OK", "warn": "Warning", "bad": "Critical"}
LEFT: Final = 12.0
_LOUD: Final = ("warn", "bad")
_TICKS: Final = 5


@dataclass(frozen=True, slots=True)
class StillLook:
    """The configuration that can be seen. ``range`` is a gauge's, ``trend`` says that there is a sparkline."""

    name: str
    width: int
    title: str
    units: str
    digits: int
    thresholds: Sequence[Mapping[str, Any]]
    range: tuple[float, float] | None = None
    trend: bool = False


def lay_still(header: Mapping[str, Any], buffers: Sequence[bytes], look: StillLook, now: float) -> Scene:
    """Lays a reading's frame out."""
    right = look.width - LEFT
    value, level, field = header["value"], header["level"], header["field"]
    title = look.title or (look.name if field in (None, "value") else f"{look.name} {field}")
    ops: list[Op] = [Text(LEFT, 18, title, "text", 13, bold=True)]
    largest = max(map(abs, look.range)) if look.range else abs(value or 0.0)
    factor, unit = scale_for(largest, look.units)
    text = "—" if value is None else number(value / factor, look.digits)
    color = level if level in _LOUD else "text" if value is not None else "muted"
    ops.append(Text(LEFT, 46, text, color, 28, bold=True))
    ops.append(Text(LEFT + 1.05 * text_width(text, 28) + 6, 50, unit, "muted", 16))
    top = 64.0
    if look.thresholds:
        if level is not None:
            ops += symbol(level, "muted" if level == "info" else level, LEFT + 6, top + 10)
            ops.append(Text(LEFT + 18, top + 10, header["label"] or WORDS[level], "text", 13))
        top += 20
    area = Box(LEFT, top + 4, right, top + 44)
    reach = ""
    if look.range is not None:
        ops += _bar(value, level, look, factor, area)
    elif look.trend and "trend" in header:
        sparkline, reach = _trend(header, buffers, look, area)
        ops += sparkline
    foot = area.bottom + 14
    when = _when(header, now)
    ops.append(Text(LEFT, foot, when, "muted", 12))
    if reach:
        ops.append(Text(right, foot, reach, "muted", 11, "end"))
    height = math.ceil(foot + 18)
    edge = (
        (0.5, 0.5),
        (look.width - 0.5, 0.5),
        (look.width - 0.5, height - 0.5),
        (0.5, height - 0.5),
        (0.5, 0.5),
    )
    ops.append(Stroke((edge,), "muted", 1.0, alpha=0.3))
    said = "" if level is None else header["label"] or WORDS[level]
    words = f"{title}: {', '.join(filter(None, (quantity(value, look.units), said, when)))}"
    return Scene(look.width, height, area, words, ops)


def _when(header: Mapping[str, Any], now: float) -> str:
    if header["closed"] is not None:
        return f"Closed {clock(header['closed'] / 1000, with_seconds=False)}"
    if header["value"] is None:
        return str(header["text"] or header["reason"] or "No data yet")
    return f"As of {clock(now)}"


def _trend(
    header: Mapping[str, Any], buffers: Sequence[bytes], look: StillLook, area: Box
) -> tuple[list[Op], str]:
    """The sparkline, and what it ranged over."""
    head = header["trend"]
    rows = np.frombuffer(b"".join(buffers), dtype="<f4").astype(np.float64).reshape(-1, 3)
    known = [
        (at, float(row[0]), float(row[1]), float(row[2]))
        for at, row in enumerate(rows)
        if math.isfinite(row[0])
    ]
    if not known:
        return [], ""
    places = max(1, math.ceil(head["window"] / head["width"]))
    low, high = min(row[2] for row in known), max(row[3] for row in known)
    first = known[-1][0] - places + 1
    patience = max(1.0, 5 * (header["interval"] or 0.0) / head["width"])

    def point(at: int, value: float) -> Point:
        part = (high - value) / (high - low) if high > low else 0.5
        return area.left + (at - first + 0.5) / places * area.width, area.top + 2 + part * (area.height - 4)

    runs: list[list[tuple[int, float, float, float]]] = []
    for row in known:
        if row[0] < first:
            continue
        if runs and row[0] - runs[-1][-1][0] <= patience:
            runs[-1].append(row)
        else:
            runs.append([row])
    ops: list[Op] = []
    edges = ((end, str(one["level"])) for one in look.thresholds for end in _ends(one) if low <= end <= high)
    # Of several at one value the gravest is drawn last, and covers the others.
    for edge, level in sorted(edges, key=lambda found: LEVELS.index(found[1])):
        _x, y = point(0, edge)
        across = ((area.left, y), (area.right, y))
        ops.append(Stroke((across,), "muted" if level == "info" else level, 1.0, (4, 3)))
    for run in runs:
        upper = [point(at, top) for at, _mean, _low, top in run]
        lower = [point(at, bottom) for at, _mean, bottom, _high in run]
        ops.append(Fill(((*upper, *reversed(lower)),), "series-1", 0.25))
        ops.append(Stroke((tuple(point(at, mean) for at, mean, _low, _high in run),), "series-1", 1.5))
    ops += symbol("good", "series-1", *point(known[-1][0], known[-1][1]))
    factor, unit = scale_for(max(abs(low), abs(high)), look.units)
    ends = " – ".join(number(end / factor, look.digits) for end in (low, high))
    return ops, f"{ends} {unit} in {duration(head['window'])}".replace("  ", " ")


def _bar(value: float | None, level: str | None, look: StillLook, factor: float, area: Box) -> list[Op]:
    low, high = look.range or (0.0, 1.0)

    def x(at: float) -> float:
        return area.left + min(1.0, max(0.0, (at - low) / (high - low))) * area.width

    def box(begin: float, end: float, top: float, bottom: float) -> tuple[Point, ...]:
        begin, end = sorted((begin, end))
        return (begin, top), (end, top), (end, bottom), (begin, bottom)

    top = area.top + 2
    ops: list[Op] = [Fill((box(area.left, area.right, top, top + 12),), "text", 0.08)]
    if value is not None:
        color = level if level not in (None, "info") else "series-1"
        ops.append(Fill((box(x(0.0), x(value), top, top + 12),), color))
        ops.append(Stroke((((x(value), top - 2), (x(value), top + 14)),), "text", 2.0))
    ends = sorted({low, high, *(end for one in look.thresholds for end in _ends(one) if low < end < high)})
    for begin, end in pairwise(ends):
        # What holds between two ends holds everywhere between them.
        held = _held(look.thresholds, (begin + end) / 2)
        if held is not None:
            shape = box(x(begin), x(end) - 1, top + 16, top + 20)
            ops.append(Fill((shape,), "muted" if held == "info" else held))
    for step in range(_TICKS):
        at = low + (high - low) * step / (_TICKS - 1)
        anchor = "start" if step == 0 else "end" if step == _TICKS - 1 else "middle"
        ops.append(Text(x(at), top + 32, number(at / factor), "muted", 11, anchor))  # type: ignore[arg-type]
    return ops


def _ends(one: Mapping[str, Any]) -> list[float]:
    return [one[key] for key in ("value", "from", "to") if key in one]


def _held(thresholds: Sequence[Mapping[str, Any]], value: float) -> str | None:
    found = threshold_at(thresholds, value)
    return None if found is None else str(found["level"])
