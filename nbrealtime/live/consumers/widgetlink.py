"""``LiveTopic.link``: a widget's trait follows a topic's value, safely from any thread.

ipywidgets is not made for writes from another thread: one that falls into a ``hold_sync``, a
``hold_trait_notifications`` or a message from the browser is captured there, or ends stale in the browser. So our
writes share one lock, leave a widget alone that is held by somebody else, and whatever was written or skipped
beside the kernel's loop is sent again from it as soon as it has time.

The rule here: *nobody waits for the lock*. A write sets off the widget's own observers, which are a user's code.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nbrealtime.live.consumers.callbacks import Callback
from nbrealtime.options import given, text

if TYPE_CHECKING:
    from nbrealtime.live.topic import LiveTopic

__all__ = ["WidgetLink"]

_RETRY_SECONDS = 0.05
_writes = threading.RLock()  # re-entrant: a widget's observer may itself link


class WidgetLink:
    """Keeps ``widget.trait`` at ``transform(topic.value)`` until ``close``; also a context manager.

    It goes when the cell that made it starts again, and with the widget.
    """

    def __init__(
        self, topic: LiveTopic, widget: Any, trait: str, transform: Callable[[Any], Any] | None
    ) -> None:
        if not hasattr(widget, text("trait", trait)):
            raise AttributeError(f"{type(widget).__name__} has no attribute {trait!r} to link")
        if transform is not None and not callable(transform):
            raise TypeError(f"transform is a function of one argument, the value, not {given(transform)}")
        self._topic = topic
        self._widget = widget
        self._trait = trait
        self._transform = transform
        self._closed = False
        self._last: Any = None
        self._set = Callback(self._assign, topic.faults)
        delivery = topic.delivery
        # On the kernel's loop, where widgets are at home; in a script on the delivery thread.
        self._slot = delivery.slot(self._send_again, "main" if delivery.has_loop else "thread")
        topic.observe(self._follow, "value")
        if topic.message is not None:
            self._write(topic.value)

    def close(self) -> None:
        """Stop following. Harmless when repeated."""
        self._closed = True
        self._topic.unobserve(self._follow, "value")

    def __enter__(self) -> WidgetLink:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _follow(self, change: Any) -> None:
        self._write(change.new)

    def _write(self, value: Any) -> None:
        self._last = value if self._transform is None else self._transform(value)
        delivery = self._topic.delivery
        if not self._attempt() or (
            delivery.has_loop and threading.current_thread() is not threading.main_thread()
        ):
            delivery.wake(self._slot, time.monotonic() + (0.0 if delivery.has_loop else _RETRY_SECONDS))

    def _attempt(self) -> bool:
        """Set the trait unless somebody else is at the widget; say whether that was done."""
        if not _writes.acquire(blocking=False):
            return False
        try:
            if _held(self._widget):
                return False
            self._set()
            return True
        finally:
            _writes.release()

    def _assign(self) -> None:
        setattr(self._widget, self._trait, self._last)

    def _send_again(self, until: float) -> float | None:
        """On the kernel's loop: what was skipped is set, what was captured is sent."""
        if self._closed:
            return None
        if getattr(self._widget, "comm", self) is None:
            self.close()
            return None
        if not self._attempt():
            return time.monotonic() + _RETRY_SECONDS
        send_state = getattr(self._widget, "send_state", None)
        if send_state is not None:
            send_state(self._trait)
        return None


def _held(widget: Any) -> bool:
    """Whether a write now would be captured: inside hold_sync, set_state or hold_trait_notifications."""
    return bool(
        getattr(widget, "_holding_sync", False)
        or getattr(widget, "_property_lock", None)
        or "notify_change" in getattr(widget, "__dict__", ())
    )
