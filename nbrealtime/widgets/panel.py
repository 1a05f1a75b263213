"""What presence bars, publish boxes, badges and cards have in common.

Collaborators: a subclass says what it shows (`Panel._state`, a small dict) and what it
watches; `parts.StatePart` carries it through `pump` to ``js/src/panels/panel.ts``.

The one rule: a panel is the whole of its state in every frame. Nothing is kept in
synced traits but configuration, so a reload, a second tab and a late display all show
what is now.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self

import anywidget
import ipywidgets
import traitlets

from nbrealtime.live import cells
from nbrealtime.widgets.bundle import script, style
from nbrealtime.widgets.parts import Part, StatePart
from nbrealtime.widgets.pump import pump
from nbrealtime.widgets.saved.kept import Kept
from nbrealtime.widgets.subshells import hear_at_once

__all__ = ["Panel"]


class Panel(Kept, anywidget.AnyWidget):
    """A widget whose state travels with the pump. Create and close it on the main thread.

    `close` lets go of what it watches and leaves a quiet "Closed"; a panel that a cell
    made goes altogether when that cell runs again.
    """

    _bundle: ClassVar[str]
    """The name of its front end, also its kind on the wire."""

    # ipywidgets closes what is collected, also a panel whose __init__ raised before there was anything to close.
    _closed = True

    hub = traitlets.Instance(ipywidgets.Widget).tag(sync=True, **ipywidgets.widget_serialization)
    part = traitlets.Unicode(read_only=True).tag(sync=True)

    def __init__(self, **configuration: Any) -> None:
        # First of all, because an option that is refused must leave nothing: no part, no comm, no tap on a feed.
        for name, value in configuration.items():
            self.set_trait(name, value)
        self._esm, self._css = script(self._bundle), style(self._bundle)
        self._unwatch: list[Callable[[], None]] = []
        self._stream = self._make_part()
        self.set_trait("part", self._stream.key)
        self._closed = False
        super().__init__(hub=pump().join(self._stream))
        self.on_msg(self._heard)

    def open(self) -> None:
        """Opens the comm (ipywidgets calls it); what a browser says is heard while a cell runs."""
        super().open()
        hear_at_once(self.comm)

    def _make_part(self) -> Part:
        """What the pump asks for frames: the state alone, unless a subclass streams more beside it."""
        return StatePart(self._bundle, self._read, told=self._told)

    def _state(self) -> dict[str, Any]:
        """What to show now, as JSON. Runs on the pump thread; must read without waiting."""
        raise NotImplementedError

    def _receive(self, content: dict[str, Any]) -> None:
        """Takes a view's custom message. Runs on the main thread or on a subshell's, several at once."""

    def _watch(self, *unwatch: Callable[[], None]) -> None:
        """Remembers how to stop watching something."""
        self._unwatch.extend(unwatch)

    def _mark(self) -> None:
        """Something changed. Any thread, cheap."""
        pump().mark(self._stream)

    def close(self) -> None:
        """Lets go of what it watches and shows "Closed". Harmless when repeated."""
        if not self._closed:
            self._closed = True
            for unwatch in self._unwatch:
                unwatch()
            self._unwatch.clear()
            self._mark()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _replace_with(self, cell: str | None) -> None:
        """Goes altogether when ``cell`` starts again."""
        self._watch(cells.own(cell, self._dispose))

    def _dispose(self) -> None:
        self.close()
        # The output was cleared; what is left of this one must not be put anywhere.
        self._shown = None
        pump().leave(self._stream)
        super().close()

    def _read(self) -> dict[str, Any]:
        state = self._state()
        return {**state, "state": "closed"} if self._closed else state

    def _told(self, content: dict[str, Any]) -> None:
        # A view asks to look again: something that only time changes may be due.
        if content.get("type") == "look" and not self._closed:
            self._mark()

    def _heard(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if isinstance(content, dict):
            self._receive(content)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        pump().expect(self._stream)
        return super()._repr_mimebundle_(**kwargs)
