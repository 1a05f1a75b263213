"""The asyncio face of one server: its listening socket, its connections, its beat.

`Service` owns the hub and everything that has a clock. The entrance asks it
whom to let in, connections hand the hub what they read, and once per turn of
the loop it flushes what the hub has to say. `nbrealtime.server.thread` runs one
in a thread of its own.

The one rule: everything here runs on one loop, and nothing waits for a
connection.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import secrets
import socket
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs

from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from nbrealtime.errors import AddressInUse, InvalidToken, ServerError
from nbrealtime.hub import Hub, Session
from nbrealtime.hub.grants import Action
from nbrealtime.server.config import Config
from nbrealtime.server.connection import WebSocketConnection, milliseconds
from nbrealtime.server.entrance import Entrance, refuse
from nbrealtime.server.framing import frame_text
from nbrealtime.server.heartbeat import Heartbeat, Pulse
from nbrealtime.server.http import HttpRoutes
from nbrealtime.server.origins import Origins
from nbrealtime.server.tokens import Authority, Claims

__all__ = ["WEBSOCKET_PATH", "Service"]

WEBSOCKET_PATH: Final = "/ws"

# Besides the WebSocket connections: HTTP requests, and heads that are still coming in.
_SPARE_TRANSPORTS: Final = 256
_BACKLOG: Final = 1024
# What goes out to one connection in one turn of the loop, roughly: a socket takes more than that at once.
_TURN_BYTES: Final = 2**20

_logger = logging.getLogger(__name__)


class Service:
    """One server on the running loop. `start` opens it, `stop` closes it; it is used once.

    Arguments:
        config: how it is set up.
        key: proves, with the entry in the runtime directory, that an address is ours.
    """

    def __init__(self, config: Config, *, key: str) -> None:
        self.config = config
        self.key = key
        self.loop = asyncio.get_running_loop()
        self.hub = Hub(frame_text, name=secrets.token_hex(4), limits=config.limits)
        self.authority = Authority(config)
        self.origins = Origins(config.origins, config.public_url)
        self.started = time.time()
        self.port = 0
        self._sessions: set[WebSocketConnection] = set()
        self._connections: set[WebSocketConnection] = set()
        self._entering: set[Entrance] = set()
        self._http = HttpRoutes(self)
        self._listener: asyncio.Server | None = None
        self._socket: socket.socket | None = None
        self._flush_scheduled = False
        self._flushing = False
        self._stopping = False
        self._empty = asyncio.Event()
        self._heart: Heartbeat | None = None
        self._beat: asyncio.TimerHandle | None = None

    # -- opening and closing

    async def start(self) -> None:
        """Listens.

        Raises:
            AddressInUse: the port is taken.
            ServerError: the host is none of this machine's.
        """
        config = self.config
        self._socket = _listen(config.host, config.port)
        self.port = self._socket.getsockname()[1]
        await self._http.start()
        self._listener = await self.loop.create_server(
            lambda: Entrance(self), sock=self._socket, backlog=_BACKLOG
        )
        _logger.info("listening on %s, port %s", config.host, self.port)

    async def stop(self, seconds: float = 5.0) -> None:
        """Takes nobody in any more, says 1001 to everybody, and waits for their goodbyes at most ``seconds``."""
        if self._stopping:
            return
        self._stopping = True
        deadline = self.loop.time() + seconds
        if self._listener is not None:
            self._listener.close()
        for entrance in list(self._entering):
            entrance.abort()
        # Nobody needs to hear that the others leave too.
        for connection in list(self._sessions):
            connection.go_away()
        self.hub.flush()
        await self._http.stop()
        if self._connections:
            try:
                async with asyncio.timeout_at(deadline):
                    await self._empty.wait()
            except TimeoutError:
                for connection in list(self._connections):
                    connection.abort()
        if self._beat is not None:
            self._beat.cancel()
        # Transports close in the loop's next turn.
        await asyncio.sleep(0)

    def drop_socket(self) -> None:
        """In a forked child: closes its copy of the listening socket, or the port stayed taken after us."""
        if self._socket is not None:
            self._socket.close()

    # -- who comes in

    @property
    def stopping(self) -> bool:
        """Whether nobody is let in any more."""
        return self._stopping

    @property
    def crowded(self) -> bool:
        """Whether there are so many sockets open that a further one is turned away unheard."""
        limit = self.config.limits.connections
        if limit is None:
            return False
        return len(self._connections) + len(self._entering) + self._http.count >= limit + _SPARE_TRANSPORTS

    def enter(self, entrance: Entrance) -> None:
        """Remembers who stands in the entrance."""
        self._entering.add(entrance)

    def leave(self, entrance: Entrance) -> None:
        """Forgets who stood in the entrance."""
        self._entering.discard(entrance)

    def http_protocol(self) -> asyncio.Protocol:
        """Returns the protocol that answers HTTP requests."""
        return self._http.protocol()

    def websocket_protocol(self) -> asyncio.Protocol:
        """Returns the protocol for a request that asks for an upgrade."""
        connection = WebSocketConnection(self)
        self._connections.add(connection)
        self._empty.clear()
        return connection

    def admit(self, request: Request) -> Claims | Response:
        """Decides about a request that asks for an upgrade: who it is, or the answer that refuses it."""
        path, _, query = request.path.partition("?")
        if not self.origins.allow(request.headers.get_all("Origin")):
            return _response(HTTPStatus.FORBIDDEN, "pages of this origin may not connect here")
        try:
            claims = self.authenticate(request.headers.get_all("Authorization"), query)
        except InvalidToken as fault:
            return _response(HTTPStatus.UNAUTHORIZED, fault.reason)
        if path != WEBSOCKET_PATH:
            reason = f"there is no WebSocket at {path[:100]}: use {WEBSOCKET_PATH}"
            return _response(HTTPStatus.NOT_FOUND, reason)
        if self._stopping:
            return _response(HTTPStatus.SERVICE_UNAVAILABLE, "the server is shutting down")
        if self.hub.full:
            reason = f"{self.config.limits.connections} connections are open, and no more are allowed: try again later"
            return _response(HTTPStatus.SERVICE_UNAVAILABLE, reason)
        return claims

    def authenticate(self, authorization: list[str], query: str = "") -> Claims:
        """Returns what the request's token says: of the header, else of ``access_token``, else of ``token``.

        Raises:
            InvalidToken: there is none, or it is not valid.
        """
        now = time.time()
        for header in authorization:
            scheme, _, token = header.partition(" ")
            if scheme.lower() == "bearer" and token.strip():
                return self.authority.verify(token.strip(), now)
        fields = parse_qs(query)
        for name in ("access_token", "token"):
            for token in fields.get(name, ()):
                return self.authority.verify(token, now)
        raise InvalidToken("a token is needed: ?token=… or the header Authorization: Bearer …")

    def welcome(self, connection: WebSocketConnection, claims: Claims) -> tuple[Pulse, Session]:
        """Opens the hub's session for a connection whose upgrade was answered."""
        self._sessions.add(connection)
        session = self.hub.open(claims.user, claims.grants, milliseconds(), face=connection)
        now = self.loop.time()
        interval = self.config.heartbeat
        if interval is None:
            return Pulse(now), session
        if self._heart is None:
            self._heart = Heartbeat(interval, self.config.late_seconds, now)
        if self._beat is None:
            self._heart.rest(now)
            self._beat = self.loop.call_later(self._heart.period, self._tick)
        return self._heart.start(now), session

    def retire(self, connection: WebSocketConnection) -> None:
        """A connection's session ended; it may still be saying goodbye."""
        self._sessions.discard(connection)

    def forget(self, connection: WebSocketConnection) -> None:
        """A connection's socket is closed."""
        self._connections.discard(connection)
        if not self._connections:
            self._empty.set()

    # -- what goes out

    @property
    def busy(self) -> bool:
        """Whether this turn of the loop has as much to write already as one should."""
        return self.hub.pending_bytes > _TURN_BYTES

    def schedule_flush(self) -> None:
        """Flushes in the next turn of the loop, with everything else that this turn brings."""
        if self.hub.pending and not self._flush_scheduled:
            self._flush_scheduled = True
            self.loop.call_soon(self._flush)

    def flush(self) -> None:
        """Writes what the hub has to say. Within itself it does nothing: what comes up then waits its turn."""
        if self._flushing:
            return
        self._flushing = True
        try:
            for session in self.hub.flush():
                session.face.drain()
        finally:
            self._flushing = False
        self.schedule_flush()

    def _flush(self) -> None:
        self._flush_scheduled = False
        self.flush()

    def _tick(self) -> None:
        heart = self._heart
        if heart is None or not self._sessions:
            self._beat = None
            return
        when = heart.tick(self.loop.time(), list(self._sessions))
        self._beat = self.loop.call_at(when, self._tick)

    # -- what is going on

    def stats(self, claims: Claims | None = None) -> Mapping[str, object]:
        """What `/ws/stats` answers: the topics that the token may subscribe to; all of them without one."""
        carrying = self.hub.carrying(int(time.time() * 1000))
        if claims is None:
            topics = self.hub.all_subscribers()
        else:
            topics = self.hub.subscribers(claims.user, claims.grants)
            user = claims.user.id
            carrying = [name for name in carrying if claims.grants.allows(Action.SUBSCRIBE, name, user)]
        return {
            "topics": [{"topic": name, "subscribers": count} for name, count in topics.items()],
            "totalTopics": len(topics),
            "totalSubscribers": sum(topics.values()),
            "carrying": carrying,
            "connections": len(self.hub.sessions),
            "messagesIn": self.hub.messages_in,
            "messagesOut": self.hub.messages_out,
            "uptime": round(time.time() - self.started, 3),
        }


def _response(status: HTTPStatus, reason: str) -> Response:
    body, headers = refuse(status, reason)
    return Response(status.value, status.phrase, Headers(headers), body)


def _listen(host: str, port: int) -> socket.socket:
    """Returns a socket that is bound; one of ours, so that a fork can close its copy."""
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as fault:
        raise ServerError(f"cannot listen on {host}: {fault.strerror}") from fault
    # "localhost" may mean both kinds of address; IPv4 is what every client tries.
    family, kind, protocol, _, address = min(found, key=lambda item: item[0] != socket.AF_INET)
    listener = socket.socket(family, kind, protocol)
    try:
        if hasattr(socket, "SO_REUSEADDR"):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setblocking(False)
        listener.bind(address)
    except OSError as fault:
        listener.close()
        if fault.errno == errno.EADDRINUSE:
            raise AddressInUse(host, port) from fault
        raise ServerError(f"cannot listen on {host}, port {port}: {fault.strerror}") from fault
    return listener
