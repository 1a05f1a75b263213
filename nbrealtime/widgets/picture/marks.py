"""What stands on a still plot beside the data: thresholds and bands with their labels, annotations and alerts as flags.

Collaborators: `scene` calls it around the lines. As ``js/src/plot/thresholds.ts`` and ``marks.ts`` place and draw
them, but for what only a picture that moves has to remember.

Pure. The rules: no label covers another, what is out of the picture is named at the edge beyond which it is, and a
level is a colour *and* a symbol.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from nbrealtime.widgets.picture.lines import Axes
from nbrealtime.widgets.picture.ops import Box, Fill, Op, Point, Stroke, Text, text_width
from nbrealtime.widgets.picture.words import quantity

__all__ = ["behind", "front", "reach", "symbol"]

Threshold = Mapping[str, Any]

_LEVELS: Final = {
    **dict.fromkeys(("good", "ok"), "good"),
    **dict.fromkeys(("warn", "warning"), "warn"),
    **dict.fromkeys(("bad", "error", "critical", "alert"), "bad"),
}
_TAG: Final = 16
_CAPTION: Final = 60
_ROW, _FLAG, _WIDEST, _MOST_ROWS = 18, 16, 180, 3


def _values(line: Threshold) -> list[float]:
    """The value of a line, the bounds of a band."""
    if line.get("value") is not None:
        return [float(line["value"])]
    return [float(line[edge]) for edge in ("from", "to") if line.get(edge) is not None]


def reach(low: float, high: float, lines: Sequence[Threshold], *, log: bool) -> tuple[float, float]:
    """The extremes of the data with those thresholds that are no farther away than the data extend."""

    def even(value: float) -> float:
        return (math.log10(value) if value > 0 else -math.inf) if log else value

    bottom, top = even(low), even(high)
    span = top - bottom or (0.05 if log else abs(top) * 0.1 or 1.0)
    least, most = low, high
    for line in lines:
        for value in _values(line):
            at = even(value)
            if line.get("include") is False or at == -math.inf:
                continue
            if line.get("include") is True or max(bottom - at, at - top, 0.0) <= span:
                least, most = min(least, value), max(most, value)
    return least, most


def behind(axes: Axes, lines: Sequence[Threshold]) -> list[Op]:
    """Under the data: what is between the bounds of a band, and the lines."""
    area = axes.area
    ops: list[Op] = []
    for line in lines:
        ys, color = _ys(axes, line), _color(line)
        if len(ys) > 1:
            shape = ((area.left, ys[0]), (area.right, ys[0]), (area.right, ys[1]), (area.left, ys[1]))
            ops.append(Fill((shape,), color, 0.1, clip=True))
        # On whole pixels, where a line of one pixel is one pixel wide.
        rows = [math.floor(y) + 0.5 for y in ys]
        paths = tuple(((area.left, y), (area.right, y)) for y in rows)
        ops.append(Stroke(paths, color, 1.0, (8.0, 4.0), 0.5 if len(ys) > 1 else 0.9, clip=True))
    return ops


def front(axes: Axes, lines: Sequence[Threshold], marks: Sequence[Mapping[str, Any]], units: str) -> list[Op]:
    """Over the data: what the thresholds are called, and what happened when."""
    ops: list[Op] = []
    taken: list[Box] = []
    for line, text, box in _tags(axes, lines, units):
        middle = (box.top + box.bottom) / 2
        ops.append(Fill((_corners(box),), "ground", 0.85))
        ops += symbol(_level(line), _color(line), box.left + 8, middle)
        ops.append(Text(box.left + 16, middle, text, "text"))
        taken.append(box)
    return ops + _flags(axes, marks, taken)


def _ys(axes: Axes, line: Threshold) -> list[float]:
    with np.errstate(divide="ignore", invalid="ignore"):
        places = axes.y(np.array(_values(line)))
    return [float(y) if math.isfinite(y) else axes.area.bottom + 1e4 for y in places]


def _level(of: Mapping[str, Any]) -> str:
    return _LEVELS.get(of.get("level") or "", "info")


def _paint(level: str) -> str:
    return "muted" if level == "info" else level


def _color(line: Threshold) -> str:
    return line.get("color") or _paint(_level(line))


def _corners(box: Box) -> tuple[Point, ...]:
    return (box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom)


def _tags(axes: Axes, lines: Sequence[Threshold], units: str) -> list[tuple[Threshold, str, Box]]:
    """Labels on the left, apart from each other; of what is above the picture, in the row above it."""
    area = axes.area
    over: list[tuple[Threshold, str, Box]] = []
    end = area.right
    found: list[tuple[float, float, Threshold, str]] = []
    for line in lines:
        ys = _ys(axes, line)
        if not ys:
            continue
        upper, lower = min(ys), max(ys)
        above, below = lower < area.top - 1, upper > area.bottom + 1
        words = " – ".join(quantity(value, units) for value in _values(line))
        text = line.get("label") or words
        if above or below:
            text = f"{' '.join(filter(None, (line.get('label'), words)))} {'↑' if above else '↓'}"
        width = text_width(text, 11) + 20
        at = upper - _TAG - 1
        if above:
            # From the right, as far as the caption leaves room.
            if end - width >= area.left + _CAPTION:
                over.append((line, text, Box(end - width, area.top - _TAG - 1, end, area.top - 1)))
                end -= width
            continue
        if below:
            at = area.bottom - _TAG - 1
        elif len(ys) > 1 or at < area.top:
            # Inside a band, and under a line where there is no room above it.
            at = max(upper, area.top) + 1
        found.append((min(at, area.bottom - _TAG), width, line, text))
    found.sort(key=lambda one: one[0])
    found = found[: max(1, int(area.height // _TAG))]
    tops: list[float] = []
    for at, *_ in found:
        tops.append(max(at, tops[-1] + _TAG) if tops else at)
    limit = area.bottom
    for index in reversed(range(len(tops))):
        limit = tops[index] = min(tops[index], limit - _TAG)
    return over + [
        (line, text, Box(area.left + 4, top, area.left + 4 + width, top + _TAG))
        for top, (_, width, line, text) in zip(tops, found, strict=True)
    ]


def _flags(axes: Axes, marks: Sequence[Mapping[str, Any]], taken: Sequence[Box]) -> list[Op]:
    """Lines at their times, and flags in a few rows; what has no room is a small mark."""
    area = axes.area
    widest = min(_WIDEST, area.width * 0.45)
    rows = min(_MOST_ROWS, int(area.height * 0.35 // _ROW))
    boxes = list(taken)
    poles: list[Op] = []
    flags: list[Op] = []
    for mark in sorted(marks, key=lambda one: float(one["t"])):
        x = float(axes.x(np.array([float(mark["t"])]))[0])
        if not area.left <= x <= area.right:
            continue
        level = _level(mark)
        color = _paint(level)
        pole = math.floor(x) + 0.5
        poles.append(
            Stroke((((pole, area.top), (pole, area.bottom)),), color, 1.0, (2.0, 3.0), 0.75, clip=True)
        )
        sign = 12.0 if mark.get("level") else 0.0
        text = _short(str(mark["text"]), widest - sign)
        width = text_width(text, 11) + sign + 10
        left = min(x, area.right - width)
        places = (
            Box(left, top, left + width, top + _FLAG)
            for top in (area.top + 2 + row * _ROW for row in range(rows))
        )
        box = next((one for one in places if not any(_meets(one, other) for other in boxes)), None)
        if box is None:
            tip = ((x - 4, area.top), (x + 4, area.top), (x, area.top + 6))
            flags.append(Fill((tip,), color, clip=True))
            continue
        boxes.append(box)
        middle = (box.top + box.bottom) / 2
        frame = Box(box.left + 0.5, box.top + 0.5, box.right - 0.5, box.bottom - 0.5)
        corners = _rounded(frame)
        flags += [Fill((corners,), "ground"), Stroke(((*corners, corners[0]),), color, 1.0, (), 0.5)]
        if sign:
            flags += symbol(level, color, box.left + 8, middle)
        flags.append(Text(box.left + 4 + sign, middle, text, "text"))
    return poles + flags


def _meets(one: Box, other: Box) -> bool:
    across = one.left < other.right and other.left < one.right + 4
    return across and one.top < other.bottom and other.top < one.bottom


def _short(text: str, room: float) -> str:
    """The longest beginning of a text's first line that fits."""
    line = text.split("\n", 1)[0].strip()
    if line == text.strip() and text_width(line, 11) <= room:
        return line
    while line and text_width(line + "…", 11) > room:
        line = line[:-1]
    return line.rstrip() + "…"


def _rounded(box: Box, radius: float = 3.0) -> tuple[Point, ...]:
    """A rectangle with round corners, four points to a corner."""
    inner = Box(box.left + radius, box.top + radius, box.right - radius, box.bottom - radius)
    points: list[Point] = []
    for x, y, start in (
        (inner.right, inner.top, -90),
        (inner.right, inner.bottom, 0),
        (inner.left, inner.bottom, 90),
        (inner.left, inner.top, 180),
    ):
        for degrees in (0, 30, 60, 90):
            turn = math.radians(start + degrees)
            points.append((x + radius * math.cos(turn), y + radius * math.sin(turn)))
    return tuple(points)


def symbol(level: str, color: str, x: float, y: float) -> list[Op]:
    """A circle, a triangle or a square, 8 pixels wide, filled; "info" is a small ring."""
    if level == "warn":
        return [Fill((((x, y - 4), (x + 4, y + 3.2), (x - 4, y + 3.2)),), color)]
    if level == "bad":
        return [Fill((_corners(Box(x - 3.2, y - 3.2, x + 3.2, y + 3.2)),), color)]
    turns = [math.tau * step / 16 for step in range(17)]
    if level == "good":
        return [Fill((tuple((x + 3.2 * math.cos(turn), y + 3.2 * math.sin(turn)) for turn in turns),), color)]
    ring = tuple((x + 2.4 * math.cos(turn), y + 2.4 * math.sin(turn)) for turn in turns)
    return [Stroke((ring,), color, 1.6)]
