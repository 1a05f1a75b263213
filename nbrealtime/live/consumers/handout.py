"""Every message to every ``on_message`` callback, and every gap to ``on_gap``, in order, however slow they are.

A ``Handout`` keeps the callbacks of one topic and the messages and gaps that they have yet to see: in one line, so that
a gap is told between the messages that it stands between. They are put in on the client thread; ``run`` hands them
out, by whoever holds the topic's claim (``nbrealtime.live.delivery``), so never twice at a time.

The rule here: *a callback that was unregistered is not called any more*, not even for what waited for it; a message
that nobody listens to is not kept.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from nbrealtime.live.cells import own
from nbrealtime.live.consumers.backlog import Backlog
from nbrealtime.live.consumers.callbacks import Callback, Faults
from nbrealtime.live.gap import Gap

if TYPE_CHECKING:
    from nbrealtime.client import Message

__all__ = ["Handout"]


class Handout:
    """The callbacks of one topic, and what waits for them: at most 10,000 messages or 16 MiB, oldest dropped."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._lock = threading.Lock()
        self._callbacks: tuple[Callback, ...] = ()
        self._gap_callbacks: tuple[Callback, ...] = ()
        self._backlog: Backlog[Message | Gap] = Backlog()

    @property
    def waiting(self) -> bool:
        """Whether a message or a gap waits for a callback."""
        return bool(self._backlog)

    def add(self, function: Callable[..., Any]) -> None:
        """Register ``function`` for the running cell; once, however often it is added."""
        registered = Callback(function, self._faults)
        with self._lock:
            if registered in self._callbacks:
                return
            self._callbacks = (*self._callbacks, registered)
        registered.disown = own(registered.origin.cell, lambda: self.remove(function))

    def remove(self, function: Callable[..., Any]) -> None:
        """Unregister ``function``; harmless if it is not registered."""
        with self._lock:
            removed = [known for known in self._callbacks if known == function]
            self._callbacks = tuple(known for known in self._callbacks if known not in removed)
            if not self._callbacks:
                self._backlog.keep_only(Gap)
        for callback in removed:
            callback.disown()

    def add_for_gaps(self, function: Callable[..., Any]) -> None:
        """Register ``function`` for gaps, as ``add`` does for messages."""
        registered = Callback(function, self._faults)
        with self._lock:
            if registered in self._gap_callbacks:
                return
            self._gap_callbacks = (*self._gap_callbacks, registered)
        registered.disown = own(registered.origin.cell, lambda: self.remove_for_gaps(function))

    def remove_for_gaps(self, function: Callable[..., Any]) -> None:
        """Unregister ``function``; harmless if it is not registered."""
        with self._lock:
            removed = [known for known in self._gap_callbacks if known == function]
            self._gap_callbacks = tuple(known for known in self._gap_callbacks if known not in removed)
        for callback in removed:
            callback.disown()

    def put_gap(self, gap: Gap) -> int:
        """Keep a gap for those who want to know; return how many older messages were dropped for it."""
        return self._backlog.put((gap,)) if self._gap_callbacks else 0

    def put(self, messages: Sequence[Message]) -> int:
        """Keep messages for the callbacks, if there are any; return how many older ones were dropped for them."""
        return self._backlog.put(messages) if self._callbacks else 0

    def clear(self) -> None:
        """Forget what waits, and every callback: the topic is closed."""
        with self._lock:
            removed = (*self._callbacks, *self._gap_callbacks)
            self._callbacks = self._gap_callbacks = ()
            self._backlog.clear()
        for callback in removed:
            callback.disown()

    def run(self, until: float, go_on: Callable[[], bool]) -> None:
        """Hand out what waits, for as long as ``go_on()`` says so, and not beginning another message after ``until``."""
        while go_on() and time.monotonic() < until:
            item = self._backlog.take()
            if item is None:
                return
            is_gap = isinstance(item, Gap)
            for callback in self._gap_callbacks if is_gap else self._callbacks:
                # Looked up again each time: the one before may have unregistered it, or closed the topic.
                if callback in (self._gap_callbacks if is_gap else self._callbacks):
                    callback(item)
