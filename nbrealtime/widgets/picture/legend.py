"""Names, swatches and last values above a still plot: one row, at most two, then "+n".

Collaborators: `scene` puts it into its top row; `short` cuts names. As ``js/src/plot/legend.ts`` and ``plot.css`` lay it out.

Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from nbrealtime.widgets.picture.ops import Op, Stroke, Text, text_width
from nbrealtime.widgets.picture.short import short

__all__ = ["NAMED", "Item", "lay_out", "shortened"]

NAMED: Final = 8
_SIZE: Final = 12.0
_ZERO: Final = 0.56 * _SIZE


class Item(NamedTuple):
    """One line's entry."""

    name: str
    value: str
    color: str
    dash: tuple[float, ...] = ()


def shortened(text: str, room: float, size: float = _SIZE) -> str:
    """``text``, or as much of it as fits ``room`` pixels, with an ellipsis."""
    if text_width(text, size) <= room:
        return text
    while text and text_width(text + "…", size) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def lay_out(
    items: Sequence[Item], total: int, left: float, top: float, room: float, *, narrow: bool
) -> tuple[list[Op], float]:
    """The operations of a legend within ``room`` pixels, and its height.

    Args:
        items: the series that have a name here, at most `NAMED`.
        total: how many series there are.
    """
    row, gap, between = (34.0, 10.0, 0.0) if narrow else (20.0, 12.0, 2.0)
    longest, least = (14, 7) if narrow else (22, 9)
    cut = short([item.name for item in items], longest)
    names = [shortened(name, min(longest * _ZERO, room - 22)) for name in cut]
    wide = [text_width(name, _SIZE) for name in names]
    values = [max(least * _ZERO, text_width(item.value, _SIZE)) for item in items]
    widths = [22 + max(*both) if narrow else 28 + sum(both) for both in zip(wide, values, strict=True)]
    shown = len(items)
    while True:
        more = (
            ""
            if shown == total
            else f"{total} series, {shown} named"
            if total > NAMED
            else f"+{total - shown}"
        )
        places = _flow([*widths[:shown], *([text_width(more, _SIZE)] if more else [])], room, gap)
        if shown <= 1 or places[-1][1] < 2:
            break
        shown -= 1
    ops: list[Op] = []
    for index, (across, line) in enumerate(places):
        x, y = left + across, top + line * (row + between) + (9 if narrow else 10)
        if index == shown:
            ops.append(Text(x, y, more, "muted", _SIZE))
            continue
        item = items[index]
        ops.append(Stroke((((x, y), (x + 16, y)),), item.color, 2.0, item.dash))
        ops.append(Text(x + 22, y, names[index], "text", _SIZE))
        below = (x + 22, y + 17) if narrow else (x + 28 + wide[index], y)
        ops.append(Text(*below, item.value, "muted", _SIZE))
    last = places[-1][1] if places else 0
    return ops, (last + 1) * row + last * between


def _flow(widths: Sequence[float], room: float, gap: float) -> list[tuple[float, int]]:
    """Where things of these widths stand beside each other: how far from the left, and on which line."""
    places: list[tuple[float, int]] = []
    x, line = 0.0, 0
    for width in widths:
        if x and x + width > room:
            x, line = 0.0, line + 1
        places.append((x, line))
        x += width + gap
    return places
