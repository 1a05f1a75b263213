"""How a message of ours gets to ipykernel's thread that writes: in the loop of that thread.

Collaborators: `carrier.Carrier` makes the messages, `doorbell.Doorbell` brings them into the loop. ipykernel wakes its thread by
a socket of its own, which costs that thread more than twice as much; the comm's messages go that way.

The rules: a socket or a thread that is not ipykernel's own, or on whose sending somebody has a hand, is asked to send as
ipykernel asks it; and no message of ours overtakes one of the comm's, its opening first, nor the other way round.
"""

from __future__ import annotations

import sys
import threading
from functools import partial
from typing import Any, Final

import zmq
from zmq.backend import Socket as PlainSocket

from nbrealtime.widgets.doorbell import Doorbell

__all__ = ["Outlet"]

_MORE: Final = int(zmq.SNDMORE)
"""A part that is not the last."""
_send: Final[Any] = PlainSocket.send
_usual_send: Final = zmq.Socket.send
_STEPS: Final = ("schedule", "send_multipart", "_really_send")
"""What the thread does to write a message."""
_PATIENCE: Final = 1.0
"""So long (s) the comm waits for a thread that has ours to write."""


class Outlet:
    """Writes messages on a kernel's IOPub ``socket``. One thread at a time."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self._thread: Any = getattr(socket, "io_thread", None)
        self._loop: Any = getattr(getattr(self._thread, "io_loop", None), "asyncio_loop", None)
        self._is_ours = self.is_usual()
        self._bell: Doorbell | None = None
        self._behind, self._written = 1, 0
        """The last message, by its number, that went ipykernel's way, the comm's opening first; and the last that is written."""

    def is_usual(self) -> bool:
        """Whether the thread would write what it is handed as it writes what it is asked to send."""
        module, thread = sys.modules.get("ipykernel.iostream"), self._thread
        return (
            module is not None
            and self._loop is not None
            and type(self.socket) is module.BackgroundSocket
            and type(thread) is module.IOPubThread
            and not any(name in vars(thread) for name in _STEPS)
            and all(
                getattr(getattr(type(thread), name, None), "__module__", "") == module.__name__
                for name in _STEPS
            )
            # What is given to the kernel's socket is handed on to the one behind it.
            and type(thread.socket) is zmq.Socket
            and zmq.Socket.send is _usual_send
            and not {"send", "send_multipart"} & vars(thread.socket).keys()
        )

    def write(self, parts: list[bytes], copy: bool) -> None:
        """Sends the parts of a message, as copies of them or from where they lie."""
        # A loop that has ended takes what it is handed, and does nothing.
        if self._written == self._behind and self._loop.is_running():
            (self._bell or self._hang()).ring(_write, self._thread, parts, copy)
            return
        self.socket.send_multipart(parts, copy=copy)
        if self._is_ours:
            self._behind += 1
            self._thread.schedule(partial(setattr, self, "_written", self._behind))

    def give_way(self) -> None:
        """Lets the comm send one: after all of ours until now, and before those that follow."""
        if self._written == self._behind and self._loop.is_running():
            written = threading.Event()
            (self._bell or self._hang()).ring(written.set)
            written.wait(_PATIENCE)
        self._behind += 1

    def close(self) -> None:
        """Nothing more is written; what was is on its way."""
        if self._bell is not None and self._loop.is_running():
            self._bell.close()
            self._bell = None

    def _hang(self) -> Doorbell:
        self._bell = Doorbell(self._loop)
        return self._bell


def _write(thread: Any, parts: list[bytes], copy: bool) -> None:
    """Writes a message; runs in the loop of ipykernel's ``thread``."""
    socket = thread.socket
    if socket is None:  # closed: the kernel ends
        return
    # Not `send_multipart`, which makes an enumeration's member for each part; nor `send`, of which only what
    # `zmq.backend` has of it is used here.
    for part in parts[:-1]:
        _send(socket, part, _MORE, copy)
    _send(socket, parts[-1], 0, copy)
