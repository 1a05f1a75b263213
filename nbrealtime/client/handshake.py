"""Why there is no WebSocket where one was asked for, in words for people. Pure.

``websocket.py`` raises what is made here from what the ``websockets`` library found. The one rule: a status is
the server's own word, and ``dropped`` that there was no word at all.
"""

from __future__ import annotations

from typing import Final

from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.http11 import Response

__all__ = ["HandshakeRefused", "dropped", "refusal"]

_DROPPED: Final = "the server ended the connection without an answer"
_NO_WEBSOCKET: Final = "whoever answers there does not speak WebSocket"


class HandshakeRefused(Exception):
    """The server answered the request for a WebSocket with something else; ``status`` is its HTTP status.

    ``dropped``: it did not answer at all, and ended the connection.
    """

    def __init__(self, status: int | None, reason: str, *, dropped: bool = False) -> None:
        self.status = status
        self.dropped = dropped
        super().__init__(reason)


def dropped(*, is_answered: bool) -> HandshakeRefused:
    """The connection is gone before the handshake was over; ``is_answered``: after a part of an answer."""
    return HandshakeRefused(None, _DROPPED, dropped=not is_answered)


def refusal(fault: Exception, *, is_answered: bool) -> HandshakeRefused:
    """Returns what the library's ``fault`` means."""
    if isinstance(fault, InvalidStatus):
        return HandshakeRefused(fault.response.status_code, _status_reason(fault.response))
    if not is_answered:
        return dropped(is_answered=False)
    if isinstance(fault, InvalidHandshake) and fault.__cause__ is None:
        return HandshakeRefused(None, f"{_NO_WEBSOCKET}: {fault}")
    return HandshakeRefused(None, _NO_WEBSOCKET)


def _status_reason(response: Response) -> str:
    if response.status_code in (401, 403):
        return f"token refused (HTTP {response.status_code})"
    return f"the server answered HTTP {response.status_code} {response.reason_phrase}".rstrip()
