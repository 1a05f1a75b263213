"""A widget of which something is left where its kernel is gone: at least a line of text.

Collaborators: every widget of ours is one; `plot.Pictured` leaves pictures instead. `shown.Shown` knows its
outputs, and `headless` asks for what is left at the end of each cell that nobody looks at.

The one rule: it displays itself, because an output can be replaced only if it was displayed with an id, and an
``execute_result`` has none.
"""

from __future__ import annotations

import sys
from collections.abc import Hashable
from typing import Any, Final

from ipywidgets import Output

from nbrealtime.widgets.saved import headless
from nbrealtime.widgets.saved.shown import Bundle, Shown, kernel

__all__ = ["Kept"]

_FORMATTERS: Final = 10
"""So many frames of IPython's stand between whoever formats an object and that; there are five of them now."""


class Kept:
    """Displays a widget, and replaces what it displayed. The widget brings ``_repr_mimebundle_``."""

    # As a class's own, for a widget whose `__init__` refused its arguments and that Python closes all the same.
    _shown: Shown | None = None
    _over = False
    """Closed for good: what shows it from now on is what is left of it."""
    _speaks = True
    """Whether a page that has it says so, in view or not."""
    _left_before: Hashable = None

    def _ipython_display_(self) -> None:
        if _to_be_kept_elsewhere():
            # IPython's way of saying: take `_repr_mimebundle_`.
            raise NotImplementedError
        if self._shown is None:
            self._shown = Shown()
        if kernel() is not None and not self._over:
            self._shown.display(self._live())
            self._left_before = None
            headless.watch(self)
        else:
            from IPython.display import publish_display_data

            bundle = self._left() if self._over else self._live()
            publish_display_data(*bundle)  # type: ignore[no-untyped-call, unused-ignore]

    def _refresh_left(self) -> None:
        """Nobody looks: every output is what is left of the widget, as new as the end of the last cell."""
        if self._shown is None or not self._shown.anywhere:
            return
        mark = self._mark_of_left()
        if mark != self._left_before:
            self._left_before = mark
            self._shown.replace(self._left(), for_good=False)

    def _leave(self) -> None:
        """Every output becomes what is left of the widget, for good."""
        if self._shown is not None and self._shown.anywhere:
            self._shown.replace(self._left(), for_good=True)

    def _live(self) -> Bundle:
        """What displays the widget while there is a kernel; of one that is gone, with its cell, what is left."""
        if self.comm is None:  # type: ignore[attr-defined]
            return {"text/plain": repr(self)}, {}
        found: Any = self._repr_mimebundle_()  # type: ignore[attr-defined]
        return found if isinstance(found, tuple) else (found or {}, {})

    def _left(self) -> Bundle:
        """What is left of it now."""
        return {"text/plain": self._live()[0].get("text/plain", repr(self))}, {}

    def _mark_of_left(self) -> Hashable:
        """Equal for what is equal to the eye."""
        return str(self._left())


def _to_be_kept_elsewhere() -> bool:
    """Whether ``Output.append_display_data`` asks, which wants to be given what it shows and displays nothing."""
    frame = sys._getframe(1)
    for _ in range(_FORMATTERS):
        if frame.f_code is Output.append_display_data.__code__:
            return True
        if frame.f_back is None:
            return False
        frame = frame.f_back
    return False
