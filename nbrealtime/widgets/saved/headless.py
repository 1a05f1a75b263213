"""Runs that nobody watches: at the end of every cell, what would show a widget is replaced by what is left of it.

Collaborators: `kept.Kept` registers when it is displayed; `pump` knows whether a browser ever spoke.

``jupyter nbconvert --execute``, papermill and their like run cells one after the other, save what is there, and
stop the kernel. A plot that is to be in what they save must be a picture by the end of the last cell, and no cell
knows that it is the last.

How such a run is told from a notebook that people look at: it cannot answer a question (its execute requests do
not allow ``input()``), or the kernel was idle for `QUIET` seconds after the plot was displayed, all that had been
said to it was heard, and no browser had said a word. Voilà runs a notebook before it shows it, and counts as
watched. A widget in a page speaks also when it is scrolled out of sight, since its model does.

The one rule: in doubt somebody looks. A picture in the place of a live plot takes something away.
"""

from __future__ import annotations

import os
import time
import traceback
import weakref
from typing import Any, Final, Protocol

from nbrealtime.live import cells
from nbrealtime.widgets.pump import pump
from nbrealtime.widgets.saved.shown import kernel

__all__ = ["QUIET", "Gaps", "nobody", "watch"]

QUIET: Final = 2.0
"""Seconds after which a page that shows a plot would have spoken."""


class Leaving(Protocol):
    """What can be replaced by what is left of it."""

    @property
    def _speaks(self) -> bool: ...

    def _refresh_left(self) -> None: ...


class Gaps:
    """How long the kernel was idle at a stretch since something was displayed. Pure: the time is an argument."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._ended: float | None = None

    def displayed(self) -> None:
        """Something new is to be heard from: what was idle before says nothing about it."""
        self.longest = 0.0

    def began(self, now: float) -> None:
        """A cell begins. One long pause counts, many short ones do not: words wait behind the cells sent before."""
        if self._ended is not None:
            self.longest = max(self.longest, now - self._ended)

    def ended(self, now: float) -> None:
        """A cell has ended."""
        self._ended = now


_widgets: weakref.WeakSet[Any] = weakref.WeakSet()
_gaps = Gaps()
_hooked: Any = None


def watch(widget: Leaving) -> None:
    """Has ``widget`` leave what it shows at the end of each cell while nobody looks. Runs on the main thread."""
    global _hooked
    running = cells.shell()
    _widgets.add(widget)
    _gaps.displayed()
    if running is not None and running is not _hooked:
        running.events.register("pre_run_cell", _began)
        running.events.register("post_run_cell", _ended)
        _hooked = running


def nobody() -> bool:
    """Whether whoever sent the running cell will not look at what it shows."""
    return not pump().spoken_to and not _answers()


def _began(_info: Any) -> None:
    _gaps.began(time.monotonic())


def _ended(_result: Any) -> None:
    sure, quiet = nobody(), not pump().spoken_to and _gaps.longest >= QUIET
    for widget in list(_widgets) if sure or quiet else ():
        if sure or widget._speaks:
            try:
                widget._refresh_left()
            except Exception:  # noqa: BLE001 - a picture that fails must fail neither the cell nor the others
                traceback.print_exc()
    _gaps.ended(time.monotonic())


def _answers() -> bool:
    """Whether whoever sent the running cell could be asked something, as every front end for people can."""
    if os.environ.get("SERVER_SOFTWARE", "").lower().startswith("voila"):
        return True
    running = kernel()
    parent = running.get_parent("shell") if running is not None else None
    content = parent.get("content") if isinstance(parent, dict) else None
    return not isinstance(content, dict) or bool(content.get("allow_stdin", True))
