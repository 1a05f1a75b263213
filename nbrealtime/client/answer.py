"""Something asked of a server, and its answer, which any thread or event loop may wait for.

Made on a user's thread, settled on the client thread. Collaborators:
``receipt.py`` and ``history.py``, which say what the answers are.

The one rule: settled once. Whatever comes later is passed over, so that an
answer on its way cannot undo the end of a connection, nor the other way round.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Generator
from typing import Any, Final, Generic, Self, TypeVar

from nbrealtime import lifecycle
from nbrealtime.client import portal
from nbrealtime.errors import PublishTimeout

__all__ = ["Answer"]

T = TypeVar("T")

# In slices, since on some systems a signal (Ctrl-C) is only noticed between two of them.
_SLICE_SECONDS: Final = 0.25
# One for all: it is held for a few assignments, and a condition for each of 50,000 publishes a second
# would cost more than they do.
_lock = threading.Lock()


class Answer(Generic[T]):
    """See the module. ``topic`` is what it was asked about."""

    __slots__ = ("_callbacks", "_fault", "_settled", "_value", "topic")

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self._settled = False
        self._value: T | None = None
        self._fault: Exception | None = None
        self._callbacks: list[Callable[[], None]] | None = None

    @property
    def done(self) -> bool:
        """Whether it is settled, one way or the other."""
        return self._settled

    @property
    def error(self) -> Exception | None:
        """What `wait` would raise; None while it is open, and if all went well."""
        return self._fault

    def wait(self, timeout: float | None = None) -> Self:
        """Waits until it is settled, for at most ``timeout`` seconds, and returns itself.

        Can be interrupted. Raises what went wrong; `PublishTimeout` (a ``TimeoutError``) if it is still
        open by then, which changes nothing: wait again.
        """
        if not self._settled:
            if portal.on_thread():
                raise RuntimeError("the client thread cannot wait for what it is to do itself")
            arrived = threading.Event()
            self._when_settled(arrived.set)
            deadline = None if timeout is None else time.monotonic() + timeout
            while not self._settled:
                rest = (
                    _SLICE_SECONDS if deadline is None else min(_SLICE_SECONDS, deadline - time.monotonic())
                )
                if rest <= 0:
                    raise PublishTimeout(self.topic, timeout or 0.0)
                arrived.wait(rest)
        if self._fault is not None:
            raise self._fault
        return self

    def __await__(self) -> Generator[Any, None, Self]:
        if not self._settled:
            loop = asyncio.get_running_loop()
            arrived: asyncio.Future[None] = loop.create_future()

            def arrive() -> None:
                if not arrived.done():
                    arrived.set_result(None)

            def wake() -> None:
                # The loop that waited may have ended meanwhile.
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(arrive)

            self._when_settled(wake)
            yield from arrived
        return self.wait(0)

    # -- for the session ------------------------------------------------------------------------------

    def settle(self, value: T) -> None:
        """It went well."""
        self._end(value, None)

    def fail(self, fault: Exception) -> None:
        """It did not."""
        self._end(None, fault)

    def _end(self, value: T | None, fault: Exception | None) -> None:
        with _lock:
            if self._settled:
                return
            self._value, self._fault, self._settled = value, fault, True
            callbacks, self._callbacks = self._callbacks, None
        for callback in callbacks or ():
            callback()

    def _when_settled(self, callback: Callable[[], None]) -> None:
        with _lock:
            if not self._settled:
                self._callbacks = [*(self._callbacks or ()), callback]
                return
        callback()


def _forget() -> None:
    global _lock
    _lock = threading.Lock()


lifecycle.after_fork(_forget)
