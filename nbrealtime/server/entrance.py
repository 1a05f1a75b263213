"""The entrance: reads the head of a connection's first request, and says who goes on with it.

WebSocket and HTTP share one port. A request that asks for an upgrade becomes a
`WebSocketConnection`; anything else is handed to aiohttp's HTTP protocol, with
the transport (``transport.set_protocol``) and what was read so far.

The one rule: until somebody else is in charge, time and bytes are bounded here.
"""

from __future__ import annotations

import asyncio
import json
import re
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, cast

from nbrealtime.server.deadline import Deadline
from nbrealtime.server.lobby import Guest

if TYPE_CHECKING:
    from nbrealtime.server.service import Service

__all__ = ["Entrance", "refuse"]

_UPGRADE: Final = re.compile(rb"\r?\nupgrade[ \t]*:[^\r\n]*\bwebsocket\b", re.IGNORECASE)
_END_OF_HEAD: Final = re.compile(rb"\r?\n\r?\n")


class Entrance(asyncio.Protocol):
    """A connection whose first request is still coming in. It takes the place of ``arrival`` in the lobby."""

    def __init__(self, service: Service, arrival: Guest) -> None:
        self._service = service
        self._arrival = arrival
        self._head = bytearray()
        self._transport: asyncio.Transport
        self._deadline: Deadline

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        service = self._service
        self._deadline = Deadline(service, service.config.head_seconds, self._too_late)
        service.lobby.leave(self._arrival)
        if service.crowded or service.stopping:
            self.turn_away()
            return
        service.lobby.enter(self, service.loop.time())

    def data_received(self, data: bytes) -> None:
        # The end may be split between two reads, never by more than its own four bytes.
        start = max(0, len(self._head) - 3)
        self._head += data
        if _END_OF_HEAD.search(self._head, start) is None:
            if len(self._head) > self._service.config.head_bytes:
                self._turn_away(
                    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the head of the request is too large"
                )
            return
        self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.cancel()
        self._service.lobby.leave(self)

    def abort(self) -> None:
        """Ends the connection without a word."""
        self._transport.abort()

    def turn_away(self) -> None:
        """Leaves the lobby: others want to come in."""
        self._turn_away(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections: try again later")

    def _go_on(self) -> None:
        """Hands the connection to whom the request is for."""
        self._deadline.cancel()
        self._service.lobby.leave(self)
        received = bytes(self._head)
        end = _END_OF_HEAD.search(received)
        head = received if end is None else received[: end.end()]
        if len(head) > self._service.config.head_bytes:
            self._turn_away(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the head of the request is too large"
            )
            return
        upgrade = _UPGRADE.search(head) is not None
        service = self._service
        protocol = service.websocket_protocol() if upgrade else service.http_protocol()
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        # The head by itself: a connection counts what comes after it before it knows who speaks.
        protocol.data_received(head)
        if len(received) > len(head):
            protocol.data_received(received[len(head) :])

    def _too_late(self) -> None:
        self._turn_away(HTTPStatus.REQUEST_TIMEOUT, "the request did not come in time")

    def _turn_away(self, status: HTTPStatus, reason: str) -> None:
        self._deadline.cancel()
        self._service.lobby.leave(self)
        body, headers = refuse(status, reason)
        lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {value}" for name, value in headers)]
        self._transport.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        self._transport.close()


def refuse(status: HTTPStatus, reason: str) -> tuple[bytes, list[tuple[str, str]]]:
    """Returns body and headers of an answer that ends the connection: JSON, like every answer of ours."""
    body = json.dumps({"error": reason}).encode()
    headers = [
        ("Date", formatdate(usegmt=True)),
        ("Connection", "close"),
        ("Content-Type", "application/json; charset=utf-8"),
        ("Content-Length", str(len(body))),
    ]
    if status is HTTPStatus.UNAUTHORIZED:
        headers.append(("WWW-Authenticate", "Bearer"))
    return body, headers
