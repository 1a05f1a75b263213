"""What a saved notebook shows of a dashboard: pictures of its items, where the grid has them.

Collaborators: `dashboard.Dashboard` says what is in it, `plot.Pictured` items lay themselves out, `picture` writes.

The one rule: it is the grid of a page as wide as `WIDTH`; nobody knows how wide the reader's is.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from nbrealtime.widgets.picture import Scene, to_png, to_svg
from nbrealtime.widgets.picture.ops import Box, Text, text_width
from nbrealtime.widgets.saved.plot import Pictured

__all__ = ["WIDTH", "Cell", "Placed", "arrange", "line", "line_of", "scenes_of", "write_png", "write_svg"]

WIDTH: Final = 960
_SCALE: Final = 2
_NESTED: Final = "max-width:100%;height:auto;"
"""What lets a picture shrink with its page; in another picture it would fill that instead."""

Maker = Callable[[int], Scene]
"""Makes a scene as wide as it is told, about."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A place in the grid: how many columns it is wide, and what stands in it from top to bottom."""

    span: int
    makers: Sequence[Maker]


@dataclass(frozen=True, slots=True)
class Placed:
    """A scene and where its upper left corner is."""

    x: float
    y: float
    scene: Scene


def scenes_of(widget: Any) -> Iterator[Maker]:
    """What makes the pictures of a widget: its own, its children's if it is a box, or a line that names it."""
    if isinstance(widget, Pictured):
        yield lambda width: widget._scene(widget._now(), width)
    elif children := getattr(widget, "children", ()):
        for child in children:
            yield from scenes_of(child)
    else:
        yield lambda width: line(line_of(widget), width)


def line(text: str, width: int, *, size: float = 13, color: str = "muted", bold: bool = False) -> Scene:
    """A line of text, cut where it does not fit."""
    most = width - 8
    if text_width(text, size) > most:
        while text and text_width(f"{text}…", size) > most:
            text = text[:-1]
        text += "…"
    height = round(size * 2)
    return Scene(
        width, height, Box(0, 0, width, height), text, [Text(0, height / 2, text, color, size, bold=bold)]
    )


def arrange(cells: Sequence[Cell], columns: int, gap: int, *, top: float = 0.0) -> tuple[list[Placed], float]:
    """Places cells as a grid does, row by row; returns where everything is, and the lower end."""
    columns = max(1, columns)
    column = (WIDTH - gap * (columns - 1)) / columns
    placed: list[Placed] = []
    at, y, lowest = 0, top, top
    for cell in cells:
        span = min(cell.span, columns)
        if at + span > columns:
            at, y = 0, lowest + gap
        x, down = at * (column + gap), y
        for make in cell.makers:
            scene = make(int(span * column + (span - 1) * gap))
            placed.append(Placed(x, down, scene))
            down += scene.height + gap / 2
        lowest = max(lowest, down - gap / 2)
        at += span
    return placed, lowest


def write_svg(placed: Sequence[Placed], height: int, words: str) -> str:
    """The whole as one SVG document, light and dark."""
    page = to_svg(Scene(WIDTH, height, Box(0, 0, WIDTH, height), words, [])).removesuffix("</svg>\n")
    nested = [
        f'<g transform="translate({one.x:.0f} {one.y:.0f})">\n{to_svg(one.scene).replace(_NESTED, "", 1)}</g>\n'
        for one in placed
    ]
    return "".join([page, *nested, "</svg>\n"])


def write_png(placed: Sequence[Placed], height: int) -> bytes:
    """The whole as a PNG file, light, two pixels for each CSS pixel."""
    from PIL import Image

    page = Image.new("RGB", (WIDTH * _SCALE, height * _SCALE), "#ffffff")
    for one in placed:
        with Image.open(io.BytesIO(to_png(one.scene))) as picture:
            page.paste(picture.convert("RGB"), (round(one.x * _SCALE), round(one.y * _SCALE)))
    file = io.BytesIO()
    page.quantize(256).save(file, "PNG", optimize=True)
    return file.getvalue()


def line_of(widget: Any) -> str:
    """A widget that is not ours, in a line: what it is called and what it is set to."""
    name, value = getattr(widget, "description", ""), getattr(widget, "value", None)
    if isinstance(value, bool | int | float | str) and not hasattr(widget, "_esm"):
        return f"{name or type(widget).__name__}: {value}"
    return str(name or " ".join(repr(widget).split()))
