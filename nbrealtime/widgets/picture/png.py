"""A scene as PNG, at two pixels for one: what GitHub and every other reader of saved notebooks can show.

Collaborators: `scene` says what is where; Pillow draws, and is loaded with the first picture.

The one rule: shapes are drawn at twice the picture's own size and reduced, because Pillow's lines have no smooth
edges; text is drawn at its final size, where its font is at its best.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from functools import cache
from itertools import groupby, pairwise
from typing import Any, Final, Literal

from PIL import Image, ImageColor, ImageDraw, ImageFont

from nbrealtime.widgets.picture.ops import Box, Dot, Fill, Point, Scene, Stroke, Text
from nbrealtime.widgets.picture.svg import BASELINE
from nbrealtime.widgets.picture.theme import DARK, LIGHT

__all__ = ["RATIO", "to_png"]

RATIO: Final = 2
"""The picture's pixels for each CSS pixel."""
_OVER: Final = 2
"""How much larger than that shapes are drawn."""
_SCALE: Final = RATIO * _OVER

_FALLBACKS: Final = (
    *("NotoSans-Regular.ttf", "DejaVuSans.ttf", "LiberationSans-Regular.ttf", "arial.ttf", "Arial.ttf"),
    *(
        "NotoSansCJK-Regular.ttc",
        "Arial Unicode.ttf",
        "msyh.ttc",
        "Hiragino Sans GB.ttc",
        "DroidSansFallbackFull.ttf",
    ),
)
"""Fonts that may have what Pillow's own does not, in the order in which they are tried."""


def to_png(scene: Scene, theme: Literal["light", "dark"] = "light") -> bytes:
    """The picture as a PNG file."""
    colors = DARK if theme == "dark" else LIGHT
    size = scene.width * RATIO, scene.height * RATIO
    image = Image.new("RGB", size, colors["ground"])
    canvas = _Canvas(image, colors)
    # In the order of the operations, so that what was said later lies above.
    for op in scene.ops:
        if isinstance(op, Text):
            canvas.text(op)
        elif isinstance(op, Dot):
            canvas.dot(op)
        else:
            canvas.shape(op, scene.area)
    out = io.BytesIO()
    # A few colours and their shades: a palette makes it a third as large, and nobody sees the difference; but for
    # the ground, which must be exactly the page's. No operation reaches into the corner.
    few = image.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    palette = few.getpalette() or []
    at = 3 * int(few.tobytes()[0])
    palette[at : at + 3] = ImageColor.getrgb(colors["ground"])
    few.putpalette(palette)
    few.save(out, "PNG", compress_level=6)
    return out.getvalue()


class _Canvas:
    def __init__(self, image: Image.Image, colors: Any) -> None:
        self._image = image
        self._colors = colors
        self._pen = ImageDraw.Draw(image)

    def shape(self, op: Stroke | Fill, area: Box) -> None:
        """Paints through a mask: overlapping parts of one operation do not add up, as in a browser."""
        box = self._box(op, area)
        if box is None:
            return
        left, top, right, bottom = box
        mask = Image.new("L", ((right - left) * _OVER, (bottom - top) * _OVER), 0)
        pen = ImageDraw.Draw(mask)

        def places(points: Sequence[Point]) -> list[Point]:
            return [(x * _SCALE - left * _OVER, y * _SCALE - top * _OVER) for x, y in points]

        if isinstance(op, Fill):
            for shape in op.shapes:
                pen.polygon(places(shape), fill=255)
        else:
            thick = max(1, round(op.width * _SCALE))
            for path in op.paths:
                for piece in _dashed(path, op.dash) if op.dash else (path,):
                    pen.line(places(piece), fill=255, width=thick, joint="curve" if thick > _SCALE else None)
        mask = mask.reduce(_OVER)
        if op.alpha < 1:
            mask = mask.point([round(value * op.alpha) for value in range(256)])
        self._image.paste(self._rgb(op.color), (left, top), mask)

    def _box(self, op: Stroke | Fill, area: Box) -> tuple[int, int, int, int] | None:
        """The picture's pixels that ``op`` can touch; the smaller, the faster."""
        points = [point for path in (op.paths if isinstance(op, Stroke) else op.shapes) for point in path]
        if not points:
            return None
        spare = op.width if isinstance(op, Stroke) else 0.0
        low = min(x for x, _ in points) - spare, min(y for _, y in points) - spare
        high = max(x for x, _ in points) + spare, max(y for _, y in points) + spare
        width, height = self._image.size
        edge = (area.left, area.top, area.right, area.bottom) if op.clip else (0.0, 0.0, width, height)
        left, top = (max(0, math.floor(max(*both) * RATIO)) for both in zip(low, edge[:2], strict=True))
        right = min(width, math.ceil(min(high[0], edge[2]) * RATIO))
        bottom = min(height, math.ceil(min(high[1], edge[3]) * RATIO))
        return (left, top, right, bottom) if left < right and top < bottom else None

    def dot(self, op: Dot) -> None:
        """A small shape of its own mask."""
        size = 8 * _SCALE
        mask = Image.new("L", (size, size), 0)
        pen = ImageDraw.Draw(mask)
        if op.shape == "ring":
            pen.ellipse((0, 0, size - 1, size - 1), outline=255, width=2 * _SCALE)
        else:
            pen.rounded_rectangle((0, 0, size - 1, size - 1), _SCALE, fill=255)
        corner = round((op.x - 4) * RATIO), round((op.y - 4) * RATIO)
        self._image.paste(self._rgb(op.color), corner, mask.reduce(_OVER))

    def text(self, op: Text) -> None:
        """One line; Pillow's own font has one weight, so bold is drawn a little thicker."""
        size = round(op.size * RATIO)
        parts = _parts(op.text, size)
        width = sum(font.getlength(part) for font, part in parts)
        x = op.x * RATIO - width * {"start": 0.0, "middle": 0.5, "end": 1.0}[op.anchor]
        y = (op.y + BASELINE * op.size) * RATIO
        for font, part in parts:
            self._pen.text((x, y), part, self._rgb(op.color), font, "ls", stroke_width=0.5 if op.bold else 0)
            x += font.getlength(part)

    def _rgb(self, token: str) -> tuple[int, ...]:
        written = self._colors.get(token, token)
        try:
            return ImageColor.getrgb(written)[:3]
        except ValueError:
            # CSS knows more ways to write a colour than Pillow.
            return ImageColor.getrgb(self._colors["series-1"])[:3]


def _dashed(path: tuple[Point, ...], dash: tuple[float, ...]) -> list[tuple[Point, ...]]:
    """The parts of ``path`` that a pattern of dash and gap leaves."""
    pieces: list[tuple[Point, ...]] = []
    on, left = True, dash[0]
    piece: list[Point] = [path[0]]
    index = 0
    for (x, y), (to_x, to_y) in pairwise(path):
        length = ((to_x - x) ** 2 + (to_y - y) ** 2) ** 0.5
        done = 0.0
        while length - done > left:
            done += left
            at = x + (to_x - x) * done / length, y + (to_y - y) * done / length
            if on:
                pieces.append((*piece, at))
            piece = [at]
            index, on = (index + 1) % len(dash), not on
            left = dash[index]
        left -= length - done
        piece.append((to_x, to_y))
    if on and len(piece) > 1:
        pieces.append(tuple(piece))
    return pieces


def _parts(text: str, size: int) -> list[tuple[Any, str]]:
    """``text`` in stretches of one font: Pillow's own, which looks the same everywhere, and another for what it lacks."""
    fonts = [_first(one, size) for one in text]
    return [
        (font, "".join(one for _, one in run))
        for font, run in groupby(zip(fonts, text, strict=True), lambda pair: pair[0])
    ]


def _first(one: str, size: int) -> Any:
    own = _own(size)
    if one <= "~" or not _lacks(own, one):
        return own
    return next((font for font in _others(size) if not _lacks(font, one)), own)


@cache
def _own(size: int) -> Any:
    return ImageFont.load_default(size)


@cache
def _others(size: int) -> list[Any]:
    found = []
    for name in _FALLBACKS:
        try:
            found.append(ImageFont.truetype(name, size))
        except OSError:  # not on this computer
            continue
    return found


@cache
def _lacks(font: Any, one: str) -> bool:
    """Whether ``font`` draws its sign for "unknown" instead of this character."""
    return bytes(font.getmask(one)) == bytes(font.getmask("\uffff"))
