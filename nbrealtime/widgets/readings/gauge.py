"""`Gauge`: where a value stands between two bounds.

Collaborators: `panel.ReadingPanel` reads and streams it, ``js/src/gauge.ts`` draws.

A bar and not a dial: people compare positions along one straight scale more exactly than
angles (Cleveland and McGill 1984), several bars below each other share that scale, and a bar
has room for the names of its zones at 320 pixels. The one rule: the scale does not move.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nbrealtime.widgets.plots.options import Bounds
from nbrealtime.widgets.readings.panel import ReadingPanel

__all__ = ["Gauge", "gauge"]


class Gauge(ReadingPanel):
    """Shows the newest value of a topic as a bar between the bounds of ``range``, with ticks and zones.

    It follows while cells run. Thresholds are zones of the scale: a line (``80``) begins one that reaches to the
    end, a band (``(20, 25)``) is one; where several overlap the gravest is seen, and names the value's level. A
    value out of range fills or empties the bar and says so. `close` keeps what is shown; a gauge that a cell made
    goes when that cell runs again.

    Args:
        topic: a `LiveTopic`, one topic of a pattern, a field of a topic, or a name on the default connection.
        field: which field of its payloads; by default ``value``, or the first that came.
        range: ``(low, high)``: the ends of the scale.
        title: above the bar; the topic's name without one.
        units: what the value is in; drawn with an SI prefix where the unit takes one.
        digits: significant digits, 2 to 10.
        thresholds: as of a plot: numbers, pairs, dicts with ``value`` or ``from`` and ``to``, ``label`` and
            ``level`` ("info", "good", "warn" or "bad"), or a mapping from labels.

    Raises:
        TypeError: ``topic`` is no topic.
        ValueError: it is a pattern, or another field than ``field``.
        TraitError: an option cannot be meant.
        NoServer, AmbiguousServer: no server can be found without being told.
        FrontEndMissing: the front end was not built; the message says what to type.
    """

    _bundle = "gauge"
    _what = "a gauge"

    range = Bounds((0.0, 100.0), help="the ends of the scale").tag(sync=True)

    def __init__(
        self,
        topic: Any,
        *,
        field: str | None = None,
        range: tuple[float, float] = (0.0, 100.0),  # noqa: A002 - what people call it
        title: str = "",
        units: str = "",
        digits: int = 4,
        thresholds: Any = (),
    ) -> None:
        super().__init__(
            topic,
            field=field,
            range=range,
            title=title,
            units=units,
            digits=digits,
            thresholds=thresholds,
        )

    def _look(self, width: int | None = None, height: int | None = None) -> Any:
        return replace(super()._look(width), range=self.range, trend=False)


def gauge(subject: Any, /, **options: Any) -> Gauge:
    """The view named ``"gauge"``: a `Gauge` of ``subject``."""
    return Gauge(subject, **options)
