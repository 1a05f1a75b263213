"""`StatTile`: one number, large, with where it comes from and what it means.

Collaborators: `panel.ReadingPanel` reads and streams it, ``js/src/tile.ts`` draws.

The one rule: what is read from across the room is the value and whether it is all right;
everything else is small.
"""

from __future__ import annotations

from typing import Any, Final

import traitlets

from nbrealtime.widgets.readings.panel import ReadingPanel
from nbrealtime.wire.times import parse_duration

__all__ = ["StatTile", "tile"]

_SHORTEST: Final = 1.0
_LONGEST: Final = 366 * 86400.0


class StatTile(ReadingPanel):
    """Shows the newest value of a topic with its unit, a sparkline of the last ``window``, and its state.

    It follows while cells run. Thresholds colour the value and put a symbol and a word beside it: a line
    (``80``) holds at its value and above, a band (``(20, 25)``) between its ends; of several the gravest counts.
    `close` keeps what is shown; a tile that a cell made goes when that cell runs again.

    Args:
        topic: a `LiveTopic`, one topic of a pattern, a field of a topic, or a name on the default connection.
        field: which field of its payloads; by default ``value``, or the first that came.
        title: above the value; the topic's name without one.
        units: what the value is in; drawn with an SI prefix where the unit takes one.
        digits: significant digits, 2 to 10.
        window: of the sparkline, seconds or a text like ``"5min"``; None for none.
        thresholds: as of a plot: numbers, pairs, dicts with ``value`` or ``from`` and ``to``, ``label`` and
            ``level`` ("info", "good", "warn" or "bad"), or a mapping from labels.

    Raises:
        TypeError: ``topic`` is no topic.
        ValueError: it is a pattern, or another field than ``field``; ``window`` is out of its range.
        TraitError: an option cannot be meant.
        NoServer, AmbiguousServer: no server can be found without being told.
        FrontEndMissing: the front end was not built; the message says what to type.
    """

    _bundle = "tile"
    _what = "a tile"

    window = traitlets.Float(None, allow_none=True, read_only=True, help="seconds of the sparkline").tag(
        sync=True
    )

    def __init__(
        self,
        topic: Any,
        *,
        field: str | None = None,
        title: str = "",
        units: str = "",
        digits: int = 4,
        window: float | str | None = 60.0,
        thresholds: Any = (),
    ) -> None:
        seconds = None if window is None else parse_duration(window)
        if seconds is not None and not _SHORTEST <= seconds <= _LONGEST:
            raise ValueError(f"a tile's window is between 1 s and a year, not {window!r}")
        super().__init__(
            topic,
            field=field,
            window=seconds,
            title=title,
            units=units,
            digits=digits,
            thresholds=thresholds,
        )
        self.set_trait("window", seconds)


def tile(subject: Any, /, **options: Any) -> StatTile:
    """The view named ``"tile"``: a `StatTile` of ``subject``."""
    return StatTile(subject, **options)
