"""One WebSocket connection, from the request that asks for an upgrade to the last goodbye.

``websocket.py`` is asyncio's protocol and puts the parts together:
``introduction.py`` finds out who speaks, ``reader.py`` hands the hub what came
in, ``writer.py`` writes what waits, ``renewal.py`` ends it with its token,
``throttle.py`` slows down who publishes too much. ``intake.py`` knows what
stands against reading, ``fragments.py`` puts messages together, ``core.py`` is
the library's state machine with our goodbyes.
"""

from __future__ import annotations

from nbrealtime.server.connection.websocket import WebSocketConnection

__all__ = ["WebSocketConnection"]
