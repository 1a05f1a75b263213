"""How another thread has something done in an asyncio loop, sixty times a second.

Collaborators: `outlet.Outlet` rings for each message.

``call_soon_threadsafe`` does the same and is asked where this cannot be. It costs the caller a context and a handle, and
the loop an exception for each time that it is woken, since it reads until there is nothing. Here there is a queue, and a bell
of our own beside it that the loop waits for.

The one rule: what is asked is done in the order in which it was asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

__all__ = ["Doorbell"]


class Doorbell:
    """Has things done in ``loop``. Any thread may ring."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._errands: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._bell: _Bell | _SocketBell | None = None
        """What the loop waits for, once it does."""
        loop.call_soon_threadsafe(self._hang)

    def ring(self, function: Callable[..., object], *args: Any) -> None:
        """Has ``function`` called in the loop, soon. What it raises goes to the loop's handler of exceptions."""
        self._errands.append((function, args))
        if (bell := self._bell) is not None:
            bell.ring()
        else:
            self._loop.call_soon_threadsafe(self._open)

    def close(self) -> None:
        """Rings no more, once what was asked is done."""
        if self._bell is not None:
            self.ring(self._loop.remove_reader, self._bell.fileno())

    # -- in the loop ------------------------------------------------------------------

    def _hang(self) -> None:
        try:
            bell = _Bell() if hasattr(os, "eventfd") else _SocketBell()
            self._loop.add_reader(bell.fileno(), self._answer, bell)
        except (NotImplementedError, OSError):
            return  # a loop of Windows', or no more files may be open: it is asked in its own way
        self._bell = bell

    def _answer(self, bell: _Bell | _SocketBell) -> None:
        bell.hear()
        self._open()

    def _open(self) -> None:
        """Does what was asked."""
        errands = self._errands
        while errands:
            function, args = errands.popleft()
            try:
                function(*args)
            except Exception as error:  # noqa: BLE001 - the boundary between errands; the next is done all the same
                self._loop.call_exception_handler({"message": f"{function!r} failed", "exception": error})


class _Bell:
    """One of Linux's counters: what wakes a loop with the least to do."""

    _counter = -1

    def __init__(self) -> None:
        self._counter = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.ring = partial(os.eventfd_write, self._counter, 1)

    def fileno(self) -> int:
        return self._counter

    def hear(self) -> None:
        os.eventfd_read(self._counter)

    def __del__(self) -> None:
        if self._counter >= 0:
            os.close(self._counter)


class _SocketBell:
    """A pair of sockets, for where there are no such counters."""

    def __init__(self) -> None:
        self._button, self._bell = socket.socketpair()
        self._button.setblocking(False)
        self._bell.setblocking(False)

    def fileno(self) -> int:
        return self._bell.fileno()

    def ring(self) -> None:
        # No room for another: then the loop has yet to hear the ones before.
        with contextlib.suppress(BlockingIOError):
            self._button.send(b"\0")

    def hear(self) -> None:
        self._bell.recv(4096)

    def __del__(self) -> None:
        self._button.close()
        self._bell.close()
