"""What a reader of a `Ring` wants to know before each picture, had at once.

`Ring.glance` makes one, the plots' sources read it. Of one moment: what it says fits together, whatever is appended
meanwhile.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["NOTHING", "Glance"]


class Glance(NamedTuple):
    """A ring as it is now."""

    mark: int
    """What to ask with the next time."""
    touched: float | None
    """The earliest time (s) touched since the mark that was asked with, as `Ring.advance` has it."""
    fields: tuple[str, ...]
    newest: float | None
    interval: float | None
    extent: tuple[float, float] | None
    """As the ring's properties of these names."""
    is_whole: bool
    """Whether nothing of what came has fallen out."""


NOTHING: Final = Glance(0, None, (), None, None, None, True)
"""Before anybody looked."""
