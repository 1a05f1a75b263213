"""What a still picture is made of: a handful of operations, in CSS pixels, with colours by name.

Collaborators: `scene` makes them; `svg` and `png` carry them out, and know nothing of plots.

Pure data. The one rule: an operation says where things are, never how they are drawn; two writers with one list
of operations cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Box", "Dot", "Fill", "Op", "Point", "Scene", "Stroke", "Text", "text_width"]

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """From left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """From top to bottom."""
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class Stroke:
    """Open lines of one look; ``clip``: not beyond the axes."""

    paths: tuple[tuple[Point, ...], ...]
    color: str
    width: float = 1.0
    dash: tuple[float, ...] = ()
    alpha: float = 1.0
    clip: bool = False


@dataclass(frozen=True, slots=True)
class Fill:
    """Closed shapes of one look."""

    shapes: tuple[tuple[Point, ...], ...]
    color: str
    alpha: float = 1.0
    clip: bool = False


@dataclass(frozen=True, slots=True)
class Dot:
    """What stands before the word of a state, 8 px wide: a square (it is over) or a ring (something is amiss)."""

    x: float
    y: float
    color: str
    shape: Literal["square", "ring"] = "square"


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text; ``y`` is the middle of its row."""

    x: float
    y: float
    text: str
    color: str = "muted"
    size: float = 11.0
    anchor: Literal["start", "middle", "end"] = "start"
    bold: bool = False


Op = Stroke | Fill | Dot | Text


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture: its size, where its axes are, what is drawn in which order, and what it shows in words."""

    width: int
    height: int
    area: Box
    words: str
    ops: list[Op] = field(default_factory=list)


_NARROW = frozenset("iljtfr.,:;'|!()[] ·")
_WIDE = frozenset("mwMW@%—")


def text_width(text: str, size: float) -> float:
    """About how wide ``text`` is in any of the system's fonts: nobody measures text without drawing it."""
    return size * sum(map(_em, text))


def _em(one: str) -> float:
    if one in _NARROW:
        return 0.3
    if one in _WIDE:
        return 0.9
    if one >= "\u2e80":
        return 1.0
    return 0.68 if one.isupper() else 0.58
