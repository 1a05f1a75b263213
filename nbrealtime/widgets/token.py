"""A token, shown once: in a box with a Copy button, for a minute, and in no saved notebook.

Collaborators: ``%rtserver token`` calls `show_token`; ``js/src/token.ts`` asks for the
token when a view opens, and takes it out of the page when its time is over.

The one rule: the token is in this process's memory and in an open page, nowhere else.
What a notebook saves is an output, or a widget's synced traits; so the output refers to
a widget, no trait holds the token, and a view gets it by a custom message, which nothing
saves. HTML with the token in it would have been saved by whatever saves within the
minute, or runs the notebook and stops the kernel before the minute is over.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import anywidget
import traitlets
from IPython.display import display

from nbrealtime.live import cells
from nbrealtime.widgets.bundle import script, style
from nbrealtime.widgets.subshells import hear_at_once

__all__ = ["TokenBox", "show_token"]

SHOWN_ONCE = "(shown once)"


class TokenBox(anywidget.AnyWidget):
    """Shows a token to the views that ask until ``seconds`` have passed; then nobody gets it any more.

    Args:
        token: what to show; forgotten by `forget`.
        title: what stands above the box.
        seconds: how long it may be seen.
        clock: monotonic seconds.
    """

    title = traitlets.Unicode("Token").tag(sync=True)

    def __init__(
        self,
        token: str,
        *,
        title: str = "Token",
        seconds: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._token: str | None = token
        self._clock = clock
        self._until = clock() + seconds
        self._esm, self._css = script("token"), style("token")
        super().__init__(title=title)
        hear_at_once(self.comm)
        self.on_msg(self._heard)

    def forget(self) -> None:
        """Drops the token here and in every open view."""
        self._token = None
        if self.comm is not None:
            self.send({"type": "hidden"})

    def __repr__(self) -> str:
        return f"{self.title}: shown in a notebook's page only, and only once"

    def _heard(self, _widget: Any, content: Any, _buffers: Any) -> None:
        # Runs on the main thread or a subshell's. A token that was just forgotten by another is None here too.
        if not isinstance(content, dict) or content.get("type") != "show":
            return
        view, token, left = content.get("view"), self._token, self._until - self._clock()
        if not isinstance(view, str) or len(view) > 64:
            return
        if token is None or left <= 0:
            self.send({"type": "hidden", "view": view})
        else:
            self.send({"type": "token", "view": view, "token": token, "seconds": left})


def show_token(token: str, *, ttl_text: str = "", seconds: float = 60.0) -> None:
    """Shows ``token`` below the running cell for ``seconds``, then "(shown once)" in its place.

    Where no kernel runs (a terminal) nothing is saved and nothing can be replaced: there it is
    printed. Runs on the thread that runs cells.

    Args:
        token: what to show.
        ttl_text: how long it is good for, as people write it: ``"2 h"``.
        seconds: how long it may be seen.
    """
    title = f"Token, good for {ttl_text}" if ttl_text else "Token"
    kernel = getattr(cells.shell(), "kernel", None)
    if kernel is None:
        print(f"{title}:\n{token}")  # noqa: T201 - what the caller asked to see
        return
    box = TokenBox(token, title=title, seconds=seconds)
    handle = display(box, display_id=True)  # type: ignore[no-untyped-call, unused-ignore]

    def replace() -> None:
        if box.comm is None:
            return
        box.forget()
        # The box stays open: a page that was reloaded has lost the display's id, and shows what the box says.
        handle.update({"text/plain": SHOWN_ONCE}, raw=True)

    def dispose() -> None:
        # The cell runs again, and the front end has cleared this output: an update would be to nothing.
        box.forget()
        box.close()

    cells.own(cells.current_cell(), dispose)
    # On the kernel's loop, because a display is updated and a widget closed there. A cell that computes at that
    # moment delays it; the page has taken the token out by its own clock.
    kernel.io_loop.add_callback(kernel.io_loop.call_later, seconds, replace)
