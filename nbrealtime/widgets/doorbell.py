"""How another thread has something done in an asyncio loop, sixty times a second.

Collaborators: `outlet.Outlet` rings for each message.

``call_soon_threadsafe`` does the same and is asked where this cannot be. It costs the caller a context and a handle, and
the loop an exception for each time that it is woken, since it reads until there is nothing: together a tenth of what a plot's
frame costs the kernel. Here there is a queue, and a socket of our own beside it that the loop waits for.

The one rule: what is asked is done in the order in which it was asked.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from typing import Any

__all__ = ["Doorbell"]


class Doorbell:
    """Has things done in ``loop``. Any thread may ring."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._errands: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._button, self._bell = socket.socketpair()
        self._button.setblocking(False)
        self._bell.setblocking(False)
        self._is_heard = True
        """Whether the loop waits for our socket, or will when it comes to it."""
        loop.call_soon_threadsafe(self._hang)

    def ring(self, function: Callable[..., object], *args: Any) -> None:
        """Has ``function`` called in the loop, soon. What it raises goes to the loop's handler of exceptions."""
        self._errands.append((function, args))
        if self._is_heard:
            try:  # noqa: SIM105 - `suppress` takes longer than the rest
                self._button.send(b"\0")
            except BlockingIOError:
                pass  # no room for another: the loop has yet to hear the ones before
        else:
            self._loop.call_soon_threadsafe(self._open)

    def close(self) -> None:
        """Rings no more, once what was asked is done."""
        self.ring(self._loop.remove_reader, self._bell)

    def __del__(self) -> None:
        self._button.close()
        self._bell.close()

    # -- in the loop ------------------------------------------------------------------

    def _hang(self) -> None:
        try:
            self._loop.add_reader(self._bell, self._answer)
        except NotImplementedError:  # a loop of Windows'
            self._is_heard = False
            self._open()

    def _answer(self) -> None:
        self._bell.recv(4096)
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
