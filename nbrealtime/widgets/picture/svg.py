"""A scene as SVG: one self-contained file without a script, in the reader's own font.

Collaborators: `scene` says what is where. Every colour is written into its element, and again, under a class, into
a style sheet for dark pages; whatever drops the style sheet still shows the light picture.

Why ``prefers-color-scheme`` is sound in a notebook: the front ends show an SVG output in an ``<img>``, in which the
query follows the ``color-scheme`` of the page around it, and JupyterLab's dark themes set that. Where a page sets
none it follows the reader's system; so the picture brings its own ground and can be read on any page.

The one rule: text is data. Everything that comes from outside is escaped, also in attributes.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Final, Literal
from xml.sax.saxutils import escape, quoteattr

from nbrealtime.widgets.picture.ops import Box, Dot, Fill, Op, Point, Scene, Stroke, Text
from nbrealtime.widgets.picture.theme import DARK, FONTS, LIGHT

__all__ = ["BASELINE", "to_svg"]

BASELINE: Final = 0.36
"""From the middle of a row of text down to its baseline, in font sizes."""
_FACE: Final = f'font-family="{FONTS}" style="max-width:100%;height:auto;font-variant-numeric:tabular-nums"'


def to_svg(scene: Scene, theme: Literal["auto", "light", "dark"] = "auto") -> str:
    """The picture as an SVG document; ``"auto"`` is dark where the page around it is."""
    return _Writer(theme).document(scene)


class _Writer:
    def __init__(self, theme: Literal["auto", "light", "dark"]) -> None:
        self._colors = DARK if theme == "dark" else LIGHT
        self._adapts = theme == "auto"
        self._used: set[tuple[str, str]] = set()

    def document(self, scene: Scene) -> str:
        ground = f'<rect width="{scene.width}" height="{scene.height}"{self._color("fill", "ground")}/>'
        body = [
            part
            for clip, ops in groupby(scene.ops, lambda op: getattr(op, "clip", False))
            for part in self._group([self._op(op) for op in ops], scene.area if clip else None)
        ]
        size = f'width="{scene.width}" height="{scene.height}" viewBox="0 0 {scene.width} {scene.height}"'
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="nbrt-picture" role="img" {size} {_FACE}>',
            f"<title>{_escaped(scene.words)}</title>",
            *self._style(),
            ground,
            *body,
            "</svg>",
        ]
        return "\n".join(parts) + "\n"

    def _style(self) -> Iterable[str]:
        if self._adapts:
            rules = "".join(
                f".nbrt-picture .{_class(kind, token)}{{{kind}:{DARK[token]}}}"
                for kind, token in sorted(self._used)
            )
            yield f"<style>@media (prefers-color-scheme:dark){{{rules}}}</style>"

    def _group(self, parts: list[str], area: Box | None) -> Iterable[str]:
        if area is None:
            return parts
        # A nested viewport clips by itself; a clipPath would need an id, which a page with two pictures has twice.
        place = " ".join(
            f'{name}="{_n(value)}"'
            for name, value in zip(("x", "y", "width", "height"), _corner(area), strict=True)
        )
        box = " ".join(map(_n, _corner(area)))
        return [f'<svg {place} viewBox="{box}" overflow="hidden">', *parts, "</svg>"]

    def _op(self, op: Op) -> str:
        match op:
            case Stroke():
                dash = f' stroke-dasharray="{" ".join(map(_n, op.dash))}"' if op.dash else ""
                alpha = f' stroke-opacity="{_n(op.alpha)}"' if op.alpha < 1 else ""
                return (
                    f'<path fill="none"{self._color("stroke", op.color)} stroke-width="{_n(op.width)}"'
                    f' stroke-linejoin="round"{dash}{alpha} d="{_d(op.paths)}"/>'
                )
            case Fill():
                alpha = f' fill-opacity="{_n(op.alpha)}"' if op.alpha < 1 else ""
                return f'<path{self._color("fill", op.color)}{alpha} d="{_d(op.shapes, close=True)}"/>'
            case Dot(shape="ring"):
                ring = self._color("stroke", op.color)
                return f'<circle cx="{_n(op.x)}" cy="{_n(op.y)}" r="3" fill="none"{ring} stroke-width="2"/>'
            case Dot():
                corner = f'x="{_n(op.x - 4)}" y="{_n(op.y - 4)}"'
                return f'<rect {corner} width="8" height="8" rx="1"{self._color("fill", op.color)}/>'
            case Text():
                anchor = f' text-anchor="{op.anchor}"' if op.anchor != "start" else ""
                bold = ' font-weight="600"' if op.bold else ""
                return (
                    f'<text x="{_n(op.x)}" y="{_n(op.y + BASELINE * op.size)}" font-size="{_n(op.size)}"'
                    f"{anchor}{bold}{self._color('fill', op.color)}>{_escaped(op.text)}</text>"
                )

    def _color(self, kind: str, token: str) -> str:
        """The attribute that paints with ``token``; a colour that a user gave is the same in light and dark."""
        if token not in self._colors:
            return f" {kind}={quoteattr(token)}"
        if not self._adapts:
            return f' {kind}="{self._colors[token]}"'
        self._used.add((kind, token))
        return f' class="{_class(kind, token)}" {kind}="{self._colors[token]}"'


def _class(kind: str, token: str) -> str:
    return f"{kind[0]}-{token}"


def _corner(area: Box) -> tuple[float, float, float, float]:
    return area.left, area.top, area.width, area.height


def _n(value: float) -> str:
    """A number with what a hundredth of a pixel needs."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"


def _d(paths: Iterable[tuple[Point, ...]], *, close: bool = False) -> str:
    """Path data in steps of a tenth of a pixel, relative: half as long as absolute, and nothing adds up."""
    parts = []
    x = y = 0
    for path in paths:
        for index, (to_x, to_y) in enumerate(path):
            at = round(to_x * 10), round(to_y * 10)
            if index == 0:
                parts.append(f"M{_n(at[0] / 10)} {_n(at[1] / 10)}l")
            elif at != (x, y):
                parts.append(f"{_n((at[0] - x) / 10)} {_n((at[1] - y) / 10)} ")
            x, y = at
        parts[-1] = parts[-1].rstrip()
        if close:
            parts.append("z")
    return "".join(parts)


def _escaped(text: str) -> str:
    # What XML cannot hold at all would make the whole picture unreadable.
    return escape("".join(one if one.isprintable() else " " for one in text))
