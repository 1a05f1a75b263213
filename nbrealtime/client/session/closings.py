"""What the end of a connection means. Pure."""

from __future__ import annotations

from typing import Final

__all__ = ["describe", "may_reconnect"]


def may_reconnect(code: int) -> bool:
    """Whether a connection that ended with this close code is to be opened again."""
    return code != 1000 and not 4500 <= code <= 4999


def describe(code: int, reason: str) -> str:
    """Returns a sentence about why a connection ended."""
    return reason or _CLOSINGS.get(code, f"the server closed the connection (code {code})")


_CLOSINGS: Final = {
    1000: "the server ended the connection",
    1001: "the server is shutting down",
    1005: "the server ended the connection",
    1006: "the connection was lost",
    1009: "a message was too large for the other side",
    1011: "the server has an internal error",
    4001: "the server is being replaced",
    4005: "the token has expired",
    4008: "this client read too slowly",
    4012: "the server heard nothing from this client",
    4013: "this client sent too much",
    4500: "the server did not accept the token",
    4501: "this client sent a frame that the server does not accept",
    4503: "the operator removed this connection",
    4504: "there are too many connections",
    4507: "the server does not accept connections from here",
}
