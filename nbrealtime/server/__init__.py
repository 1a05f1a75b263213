"""The server: the hub behind WebSocket and HTTP on one port, in a thread of its own.

`serve` starts one. `nbrealtime.server.service` is its asyncio face.
"""

from __future__ import annotations

from nbrealtime.hub import Limits
from nbrealtime.server.config import Config
from nbrealtime.server.thread import Server, serve

__all__ = ["Config", "Limits", "Server", "serve"]
