"""How a connection is: its state, and what goes with it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

__all__ = ["LinkState", "Status"]


class LinkState(StrEnum):
    """Where a connection stands, from first to last.

    ``connecting`` until the first success, ``reconnecting`` whenever it was lost
    after one, ``closed`` for good. ``disconnected`` is before the first attempt.
    """

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    CLOSED = "closed"


class Status(msgspec.Struct, frozen=True):
    """A connection at one moment.

    ``url`` is the address without a token; empty while none has been found.
    ``latency`` is the newest round trip in seconds, ``attempts`` how many in a
    row have failed, ``queued`` the publishes that wait to be sent, ``dropped``
    those that were given up since the beginning, ``uncertain`` the acknowledged
    ones of which nobody knows whether they arrived. ``error`` is a sentence: why
    there is no connection. ``protocol`` is the dialect that is spoken, 1 or 2,
    None while there is no connection.
    """

    state: LinkState = LinkState.DISCONNECTED
    url: str = ""
    user: str | None = None
    latency: float | None = None
    attempts: int = 0
    queued: int = 0
    dropped: int = 0
    error: str | None = None
    uncertain: int = 0
    protocol: int | None = None
