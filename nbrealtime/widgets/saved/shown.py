"""Where a widget is displayed, and what is put there in its place.

Collaborators: `kept.Kept`, which every widget of ours is, has one `Shown`.

A saved notebook holds a widget's output as a reference to a model in a kernel, and shows an error where that is
gone. An output that was displayed with a display id can be replaced, from any later cell, by something that needs
no kernel. An ``execute_result`` has no such id in any front end, so the widget displays itself instead of being
the result.

The one rule: what was replaced for good is left alone. The next display gets an id of its own.
"""

from __future__ import annotations

import threading
import uuid
from typing import Any, Final

from nbrealtime.live import cells

__all__ = ["Bundle", "Shown", "kernel"]

Bundle = tuple[dict[str, Any], dict[str, Any]]
"""Data and metadata by MIME type."""

WIDGET: Final = "application/vnd.jupyter.widget-view+json"


def kernel() -> Any | None:
    """The kernel that runs here; None in a terminal or a script, where nothing that is displayed can be replaced."""
    return getattr(cells.shell(), "kernel", None)


class Shown:
    """The outputs that show one widget. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._id = ""
        self._cells: set[str | None] = set()

    def display(self, bundle: Bundle) -> None:
        """Shows ``bundle`` below the running cell, so that it can be replaced."""
        from IPython.display import publish_display_data

        with self._lock:
            self._id = self._id or uuid.uuid4().hex
            self._cells.add(cells.current_cell())
            transient = {"display_id": self._id}
        publish_display_data(*bundle, transient=transient)  # type: ignore[no-untyped-call, unused-ignore]

    def beyond(self, cell: str | None) -> bool:
        """Whether it is shown by another cell than ``cell``."""
        with self._lock:
            return any(other is None or other != cell for other in self._cells)

    @property
    def anywhere(self) -> bool:
        """Whether there is an output that could be replaced."""
        with self._lock:
            return bool(self._cells)

    def replace(self, bundle: Bundle, *, for_good: bool) -> None:
        """Puts ``bundle`` in the place of every output there is; ``for_good``: and never again."""
        from IPython.display import publish_display_data

        with self._lock:
            if not self._cells:
                return
            transient = {"display_id": self._id}
            if for_good:
                self._id = ""
                self._cells.clear()
        publish_display_data(*bundle, transient=transient, update=True)  # type: ignore[no-untyped-call, unused-ignore]
