"""Every message to every ``on_message`` callback, in order, however slow they are.

A ``Handout`` keeps the callbacks of one topic and the messages that they have yet to see. Messages are put in on the
client thread; ``run`` hands them out, by whoever holds the topic's claim (``nbrealtime.live.delivery``), so never twice at
a time.

The rule here: *a callback that was unregistered is not called any more*, not even for what waited for it; a message
that nobody listens to is not kept.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from nbrealtime.live.backlog import Backlog
from nbrealtime.live.callbacks import Callback, Faults
from nbrealtime.live.cells import own

if TYPE_CHECKING:
    from nbrealtime.client import Message

__all__ = ["Handout"]


class Handout:
    """The callbacks of one topic, and what waits for them: at most 10,000 messages or 16 MiB, oldest dropped."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._lock = threading.Lock()
        self._callbacks: tuple[Callback, ...] = ()
        self._backlog = Backlog()

    @property
    def waiting(self) -> bool:
        """Whether a message waits for a callback."""
        return bool(self._callbacks) and len(self._backlog) > 0

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
                self._backlog.clear()
        for callback in removed:
            callback.disown()

    def put(self, messages: Sequence[Message]) -> int:
        """Keep messages for the callbacks, if there are any; return how many older ones were dropped for them."""
        return self._backlog.put(messages) if self._callbacks else 0

    def clear(self) -> None:
        """Forget what waits, and every callback: the topic is closed."""
        with self._lock:
            removed, self._callbacks = self._callbacks, ()
            self._backlog.clear()
        for callback in removed:
            callback.disown()

    def run(self, until: float, go_on: Callable[[], bool]) -> None:
        """Hand out what waits, for as long as ``go_on()`` says so, and not beginning another message after ``until``."""
        while go_on() and self._callbacks and time.monotonic() < until:
            message = self._backlog.take()
            if message is None:
                return
            for callback in self._callbacks:
                # Looked up again each time: the one before may have unregistered it, or closed the topic.
                if callback in self._callbacks:
                    callback(message)
