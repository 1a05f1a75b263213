"""What browsers say to the pump, and whether it can be heard.

Collaborators: `pump` asks an `Ear` on its thread, puts browsers' words into its inbox, and has them made out here.

The one rule: a kernel that computes hears nothing, and nobody is blamed for silence then.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final

from nbrealtime.widgets.audience import View

__all__ = ["DEAF_SECONDS", "EAR_SECONDS", "Ear", "pertinent", "view_of"]

EAR_SECONDS: Final = 1.0
"""The kernel's loop is asked whether it hears, while that matters, when nothing has shown it for so long."""
DEAF_SECONDS: Final = 1.5
"""A kernel that let a question wait for so long, and said nothing else, is computing."""


class Ear:
    """Finds out whether the kernel can hear: whether its loop runs, or a browser's word came through."""

    def __init__(self) -> None:
        self._loop = _kernel_loop()
        self._asked: float | None = None
        self._last = time.monotonic()
        """When something came last, from a browser or the loop."""

    def heard(self) -> None:
        """Something came. Any thread."""
        self._last = time.monotonic()

    def hearing(self, now: float, *, ask: bool) -> bool:
        """Whether words get through now. Pump thread."""
        if self._loop is None or self._loop.is_closed():
            return True  # no kernel: whoever speaks to us does it on a thread that runs
        if ask and self._asked is None and now - self._last >= EAR_SECONDS:
            self._asked = now
            try:
                self._loop.call_soon_threadsafe(self._answer)
            except RuntimeError:  # the loop closed between the two lines: the kernel ends
                return True
        if self._asked is None:
            return True
        return now - max(self._asked, self._last) < DEAF_SECONDS

    def _answer(self) -> None:
        self._asked = None
        self._last = time.monotonic()


def pertinent(words: Sequence[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """``words`` without questions that their view has asked anew since: a busy kernel may find a queue of them."""
    asked: set[tuple[Any, Any]] = set()
    kept = []
    for kind, what in reversed(words):
        if kind == "word" and what.get("type") == "range":
            question = (what.get("part"), what.get("view"))
            if question in asked:
                continue
            asked.add(question)
        kept.append((kind, what))
    return kept[::-1]


def view_of(content: dict[str, Any], page: Any) -> View:
    """A view as its page describes it, within bounds. Raises ``KeyError``, ``TypeError``, ``ValueError``."""
    return View(
        view=str(content["view"]),
        part=str(content["part"]),
        page=str(page),
        width=max(1, min(16384, int(content.get("width", 800)))),
        visible=bool(content.get("visible", True)),
        away=bool(content.get("away", False)),
        rate=max(0.5, min(60.0, float(content.get("rate", 60.0)))),
    )


def _kernel_loop() -> asyncio.AbstractEventLoop | None:
    """The loop on which this process's kernel hears; None outside a kernel."""
    from IPython.core.getipython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    loop = getattr(getattr(kernel, "io_loop", None), "asyncio_loop", None)
    return loop if isinstance(loop, asyncio.AbstractEventLoop) else None
