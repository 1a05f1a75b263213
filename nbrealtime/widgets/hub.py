"""The hidden widget that carries the frames of all visible widgets.

Collaborators: the pump sends on it, by way of its `carrier`; every widget refers to it by its ``hub`` trait, so
that hosts which isolate outputs load it too; ``js/src/shared/channel.ts`` listens.

It has no front end of its own: the base widget model passes custom messages on, and
that is all it is for. The one rule: one for each process, created on the thread that
creates the first widget, never closed while the process lives.
"""

from __future__ import annotations

import threading
from typing import Any

import ipywidgets

from nbrealtime import lifecycle
from nbrealtime.widgets.carrier import Carrier
from nbrealtime.widgets.subshells import hear_at_once

__all__ = ["Hub", "hub"]


class Hub(ipywidgets.Widget):  # type: ignore[misc]
    """A model without a view: comm messages in both directions."""

    carrier: Carrier | None = None

    def send(self, content: Any, buffers: list[bytes] | None = None) -> None:
        """Sends a custom message; the pump's thread does."""
        carrier = self.carrier  # read once: another thread may close
        if carrier is None or not carrier.send(content, buffers or []):
            super().send(content, buffers)

    def close(self) -> None:
        """Closes the comm; what is sent after that goes nowhere."""
        carrier, self.carrier = self.carrier, None
        if carrier is not None:
            carrier.close()
        super().close()


_lock = threading.Lock()
_hub: Hub | None = None


def hub() -> Hub:
    """This process's hub, created by the first call. Runs on the thread that creates widgets."""
    global _hub
    with _lock:
        # `Widget.close_all()` closes ours too; what is created after it needs a new one.
        if _hub is None or _hub.comm is None:
            _hub = Hub()
            hear_at_once(_hub.comm)
            _hub.carrier = Carrier(_hub.comm)
        return _hub


def _forget() -> None:
    global _hub, _lock
    _hub, _lock = None, threading.Lock()


lifecycle.after_fork(_forget)
