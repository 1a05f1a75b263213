"""What a Jupyter server does better where nbrealtime is installed: it sends small messages to notebooks at once.

Collaborators: Jupyter loads this as a server extension, because the package brings
``etc/jupyter/jupyter_server_config.d/nbrealtime.json``. Nothing else here runs in the server, and nothing depends on it.

A plot's frames are a kilobyte each, sixty a second. The server leaves Nagle's algorithm on, which keeps a small message
back until the browser has acknowledged the one before, and the browser's TCP may wait 40 ms with that in the hope of
something to send along. Frames then come in twos and threes: of 54 a second 40 became pictures, half of them on their
way for more than 13 ms. With ``TCP_NODELAY`` 51 did, half of them within 1 ms.

The one rule: the option is set on a kernel's WebSocket when it opens, and nothing else changes. Not on the listening
socket, from which it would be inherited: Tornado sets and clears it around each HTTP response.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any

__all__ = ["send_at_once"]


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "nbrealtime.jupyter"}]


def _load_jupyter_server_extension(app: Any) -> None:
    from jupyter_server.services.kernels.websocket import KernelWebsocketHandler

    send_at_once(KernelWebsocketHandler)
    app.log.debug("nbrealtime: kernels' WebSockets send small messages at once")


def send_at_once(handler: type[Any]) -> None:
    """Has this class of ``tornado.websocket.WebSocketHandler`` switch Nagle's algorithm off as it opens; once is enough."""
    opened = handler.open
    if getattr(opened, "sends_at_once", False):
        return

    @functools.wraps(opened)
    async def open_at_once(self: Any, *args: Any, **kwargs: Any) -> None:
        self.set_nodelay(True)
        waiting = opened(self, *args, **kwargs)
        if inspect.isawaitable(waiting):
            await waiting

    open_at_once.sends_at_once = True  # type: ignore[attr-defined]
    handler.open = open_at_once
