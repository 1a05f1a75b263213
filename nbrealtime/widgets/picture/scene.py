"""A plot's last state as a picture: what stands where.

Collaborators: `PlotPart.snapshot` says what there is, in the very frame that a browser gets; `unpack` reads it;
`ticks`, `legend` and `lines` do their parts; `svg` and `png` draw what comes out. The layout is ``plot.css``'s and
``js/src/plot/view.ts``'s, so that a live plot that is replaced by its picture does not move.

Pure: the time is an argument. The one rule: a still picture says that it is one. Its lines are drawn in full,
however long ago the last sample came, because nobody expects news of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nbrealtime.widgets.picture.legend import NAMED, Item, lay_out, shortened
from nbrealtime.widgets.picture.lines import MANY, Axes, draw_lines
from nbrealtime.widgets.picture.marks import behind, front, reach
from nbrealtime.widgets.picture.ops import Box, Dot, Op, Scene, Stroke, Text, text_width
from nbrealtime.widgets.picture.theme import DASHES
from nbrealtime.widgets.picture.ticks import Ticks, fit, fit_log, log_ticks, time_ticks, value_ticks
from nbrealtime.widgets.picture.words import Zone, clock, quantity, zone_name, zone_of
from nbrealtime.widgets.plots.unpack import Line, unpack

__all__ = ["Look", "lay_scene"]

_NARROW = 480
_SIDE, _ABOVE = 12, 8


@dataclass(frozen=True, slots=True)
class Look:
    """How a plot is configured: its synced traits, and how wide it is drawn (CSS pixels)."""

    width: int = 800
    height: int = 280
    title: str = ""
    units: str = ""
    y_range: tuple[float, float] | None = None
    scale: str = "linear"
    thresholds: Sequence[Mapping[str, Any]] = ()
    time_zone: str = ""
    color: Sequence[str] = ()


def lay_scene(header: dict[str, Any], buffers: Sequence[bytes], look: Look, now: float) -> Scene:
    """The picture of a whole frame at ``now`` (epoch seconds)."""
    lines = unpack(header, buffers)
    zone = zone_of(look.time_zone)
    state, words = _state(header, now, zone)
    ops: list[Op] = []
    left, right = float(_SIDE), float(look.width - _SIDE)
    top = float(_ABOVE)
    if look.title:
        ops.append(Text(left, top + 8, shortened(look.title, right - left, 13), "text", 13, bold=True))
        top += 20
    looks = _looks(len(lines), look.color)
    legend, height = _top_row(header, lines, looks, look, (state, words), top)
    ops += legend
    top += height

    newest = header["newest"]
    edge = float(newest if newest is not None else math.floor(now))
    start = edge - header["window"]
    low, high = _bounds(lines, look, start, header.get("lines", ()))
    floor = look.height - _ABOVE - 40.0
    ceiling = top + 20
    values = (log_ticks if look.scale == "log" else value_ticks)(low, high, floor - ceiling, look.units)
    across = 16 + max(28.0, *(6.6 * len(label) for label in values.labels or [""]))
    area = Box(left + across, ceiling, right - 12, floor)
    axes = Axes(area, start, edge, low, high, np.log10 if look.scale == "log" else None)
    ops += _value_axis(axes, values, left, top)
    ops += _time_axis(axes, zone)
    thresholds = [*look.thresholds, *header.get("lines", ())]
    if newest is None:
        ops += behind(axes, thresholds)
        ops += _notice(header, area)
    else:
        ops += behind(axes, thresholds)
        ops += draw_lines(axes, lines, looks, float(newest), look.color[0] if look.color else "series-1")
        ops += front(axes, thresholds, [*header.get("annotations", ()), *header.get("marks", ())], look.units)
    words = ": ".join(filter(None, (look.title, _summary(header, lines, look.units), words)))
    return Scene(look.width, look.height, area, words, ops)


def _state(header: dict[str, Any], now: float, zone: Zone) -> tuple[str, str]:
    """The state of a still picture, and the words for it."""
    if header.get("closed") is not None:
        return "closed", f"Closed {clock(header['closed'] / 1000, zone, with_seconds=False)}"
    reason = header["reason"]
    if header["newest"] is None:
        return "empty", reason or ("nothing to draw" if header["text"] else "no data yet")
    words = f"As of {clock(now, zone)}"
    return ("still", words) if not reason else ("still-amiss", f"{words}, {reason}")


def _looks(count: int, given: Sequence[str]) -> list[tuple[str, tuple[float, ...]]]:
    """Each line's colour and dash; above `MANY` they have those of the given ones in three dashes, or are a crowd."""
    if count <= MANY:
        palette = [*given[:count], *(f"series-{index}" for index in range(len(given) + 1, count + 1))]
        return [(color, DASHES[0]) for color in palette]
    if count > len(given) * len(DASHES):
        return []
    return [(given[index % len(given)], DASHES[index // len(given)]) for index in range(count)]


def _top_row(
    header: dict[str, Any],
    lines: Sequence[Line],
    looks: Sequence[tuple[str, tuple[float, ...]]],
    look: Look,
    status: tuple[str, str],
    top: float,
) -> tuple[list[Op], float]:
    """Legend on the left, state on the right; and how high they are."""
    narrow = look.width < _NARROW
    room = look.width - 2 * _SIDE
    state, words = status
    words = shortened(words, 0.6 * room - 14, 12)
    wide = text_width(words, 12)
    # Measured by nobody's font in particular: the dot stands before the text, however wide that comes out.
    dot = look.width - _SIDE - wide - 12
    color = {"still-amiss": "warn", "empty": "muted"}.get(state, "muted")
    ops: list[Op] = [
        Dot(dot, top + 10, color, "ring" if state in ("still-amiss", "empty") else "square"),
        Text(look.width - _SIDE, top + 10, words, color, 12, "end"),
    ]
    if lines:
        painted = looks or [(look.color[0] if look.color else "series-1", DASHES[0])] * len(lines)
        items = [
            Item(line.label, quantity(line.last, look.units), *each)
            for line, each in zip(lines, painted, strict=True)
        ]
    else:
        items = [Item(name, "—", "series-1") for name in header["topics"]]
    legend, height = lay_out(items[:NAMED], len(items), _SIDE, top, room - wide - 14 - 12, narrow=narrow)
    return [*legend, *ops], max(20.0, height)


def _bounds(
    lines: Sequence[Line], look: Look, start: float, alerts: Sequence[Mapping[str, Any]]
) -> tuple[float, float]:
    if look.y_range is not None:
        return look.y_range
    log = look.scale == "log"
    lows: list[float] = []
    highs: list[float] = []
    for line in lines:
        seen = line.time >= start
        for column, kept in ((line.low[seen], lows), (line.high[seen], highs)):
            known = column[np.isfinite(column) & (column > 0 if log else True)]
            if len(known):
                kept.append(float(known.min() if kept is lows else known.max()))
    if not lows or not highs:
        return (1.0, 10.0) if log else (0.0, 100.0) if look.units == "%" else (0.0, 1.0)
    low, high = reach(min(lows), max(highs), [*look.thresholds, *alerts], log=log)
    return fit_log(low, high) if log else fit(low, high, look.units)


def _value_axis(axes: Axes, ticks: Ticks, left: float, top: float) -> list[Op]:
    area = axes.area
    places = axes.y(np.array(ticks.at, dtype=np.float64)).tolist()
    # On whole pixels, where a line of one pixel is one pixel wide.
    grid = tuple(((area.left, math.floor(y) + 0.5), (area.right, math.floor(y) + 0.5)) for y in places)
    ops: list[Op] = [Stroke(grid, "text", 1.0, (), 0.12)] if grid else []
    ops += [
        Text(area.left - 4, y, label, anchor="end")
        for y, label in zip(places, ticks.labels, strict=True)
        if label
    ]
    if ticks.caption:
        ops.append(Text(left, top + 7, shortened(ticks.caption, 96, 11)))
    return ops


def _time_axis(axes: Axes, zone: Zone) -> list[Op]:
    area = axes.area
    ticks = time_ticks(axes.left, axes.right, area.width, 12, zone)
    places = axes.x(np.array(ticks.at, dtype=np.float64)).tolist()
    floor = math.floor(area.bottom) + 0.5
    marks = tuple(((x, floor), (x, floor + 4)) for x in (math.floor(place) + 0.5 for place in places))
    ops: list[Op] = [Stroke((((area.left, floor), (area.right, floor)), *marks), "text", 1.0, (), 0.12)]
    for x, label in zip(places, ticks.labels, strict=True):
        for row, text in enumerate(label.split("\n") if label else ()):
            ops.append(Text(x, area.bottom + 13.5 + 16 * row, text, anchor="middle"))
    ops.append(Text(area.right, area.bottom + 29.5, zone_name(axes.right, zone), anchor="end"))
    return ops


def _notice(header: dict[str, Any], area: Box) -> list[Op]:
    """What an empty plot waits for, over its axes."""
    what = "The server refused" if header.get("refused") else "Waiting for"
    words = header["text"] or f"{what} {', '.join(header['topics'])}"
    x, y = (area.left + area.right) / 2, (area.top + area.bottom) / 2
    return [Text(x, y, shortened(words, area.width - 16, 13), "text", 13, "middle")]


def _summary(header: dict[str, Any], lines: Sequence[Line], units: str) -> str:
    if not lines or header["newest"] is None:
        return ", ".join(header["topics"])
    named = "; ".join(f"{line.label} {quantity(line.last, units)}" for line in lines[:3])
    return f"{named}; and {len(lines) - 3} more" if len(lines) > 3 else named
