"""What tiles and gauges are: widgets of one number.

Collaborators: `reading.Reading` is what is read and `reading.ReadingPart` streams it, `panel.Panel` does what every
panel does, `saved.reading` lays out the picture that is left of it. `tile.StatTile` and `gauge.Gauge` are its kinds.

The one rule: its traits are configuration, and may be changed at any time; the number travels with the pump.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

import traitlets

from nbrealtime.live import cells
from nbrealtime.widgets.panel import Panel
from nbrealtime.widgets.parts import Frame, Part
from nbrealtime.widgets.picture import Scene
from nbrealtime.widgets.plots.options import Thresholds
from nbrealtime.widgets.pump import pump
from nbrealtime.widgets.readings.reading import Reading, ReadingPart
from nbrealtime.widgets.saved.plot import Pictured
from nbrealtime.widgets.saved.reading import StillLook, lay_still
from nbrealtime.widgets.subjects import watch_link

__all__ = ["ReadingPanel"]

MOST_STILL: Final = 400
"""The width of a picture in CSS pixels: nobody saw how wide it was meant to be."""


class ReadingPanel(Pictured, Panel):
    """What tiles and gauges are: a panel of one reading. `close` keeps what is shown, marked with the time."""

    _what: ClassVar[str]
    """Who it is in an error: "a tile"."""

    topic = traitlets.Unicode(read_only=True, help="the topic's name").tag(sync=True)
    title = traitlets.Unicode("", help="what it is called; the topic's name without one").tag(sync=True)
    units = traitlets.Unicode("", help="what the value is in").tag(sync=True)
    digits = traitlets.Int(4, min=2, max=10, help="significant digits").tag(sync=True)
    thresholds = Thresholds(help="lines and bands that the value is judged by").tag(sync=True)

    def __init__(
        self, subject: Any, *, field: str | None, window: float | None = None, **configuration: Any
    ) -> None:
        self._cell = cells.current_cell()
        self._reading = Reading(subject, field, self._what)
        self._window = window
        super().__init__(topic=self._reading.name, **configuration)
        self._watch(self._reading.feed.watch(self._mark), watch_link(self._reading.link, self._mark))
        self._replace_with(self._cell)

    @property
    def value(self) -> float | None:
        """The number that is shown, or None."""
        value: float | None = self._standing()["value"]
        return value

    @property
    def level(self) -> str | None:
        """``info``, ``good``, ``warn`` or ``bad``: the gravest of the thresholds that hold; None if none does."""
        level: str | None = self._standing()["level"]
        return level

    @property
    def state(self) -> str:
        """``empty``, ``live``, ``stale``, ``paused`` (its topic is) or ``closed``."""
        return str(self._standing()["state"])

    def close(self) -> None:
        """Lets go of the topic, and puts a picture of the last reading in its place. Harmless when repeated.

        One that no cell shows by itself (it is in a box) keeps what it shows in the browser, marked with the time.
        """
        if not self._closed:
            self._part_of_it.close(time.time())
        super().close()
        if not self._over:
            self._over = True
            self._leave()

    def __repr__(self) -> str:
        now = self._standing()
        words = []
        if now["value"] is not None:
            words.append(f"{now['value']:.{self.digits}g} {self.units}".rstrip())
        if now["level"] is not None:
            words.append(f"{now['label']} ({now['level']})" if now["label"] else now["level"])
        name = (
            self._reading.name if now["field"] in (None, "value") else f"{self._reading.name} {now['field']}"
        )
        return f"{type(self).__name__} of {name}: {', '.join([*words, now['state']])}"

    def _dispose(self) -> None:
        # Its cell runs again and clears the output; what other cells show of it would be a reference to nothing.
        self._over = self._over or not (self._shown is not None and self._shown.beyond(self._cell))
        super()._dispose()
        self._shown = None

    def _look(self, width: int | None = None, height: int | None = None) -> Any:
        return StillLook(
            name=self._reading.name,
            width=max(200, width or min(MOST_STILL, pump().width(self._stream))),
            title=self.title,
            units=self.units,
            digits=self.digits,
            thresholds=self.thresholds,
            trend=self._window is not None,
        )

    def _scene(self, frame: Frame, width: int | None = None, height: int | None = None) -> Scene:
        header, buffers = frame
        return lay_still(header, buffers, self._look(width), time.time())

    def _make_part(self) -> Part:
        self._part_of_it = ReadingPart(self._bundle, self._reading, self._judging, window=self._window)
        return self._part_of_it

    def _judging(self) -> Sequence[Mapping[str, Any]]:
        return self.thresholds

    def _standing(self) -> dict[str, Any]:
        return self._part_of_it.state(time.time())

    @traitlets.observe("thresholds")
    def _judge_again(self, _change: Any) -> None:
        # Also told while the widget is being made, before there is anything to look at.
        if not self._closed and "_stream" in self.__dict__:
            self._mark()
