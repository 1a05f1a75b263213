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
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from os import PathLike
from typing import Any, Final
from urllib.parse import parse_qs

from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from nbrealtime.errors import AddressInUse, InvalidToken, ServerError, UnknownKey
from nbrealtime.hub import Hub, Options, Session, User
from nbrealtime.hub.grants import Action
from nbrealtime.server.config import Config
from nbrealtime.server.connection import WebSocketConnection, milliseconds
from nbrealtime.server.door import Door
from nbrealtime.server.entrance import Entrance, refuse
from nbrealtime.server.framing import frame_text
from nbrealtime.server.heartbeat import Heartbeat
from nbrealtime.server.hello import Goodbye, choose_subprotocol
from nbrealtime.server.http import HttpRoutes
from nbrealtime.server.lobby import Lobby
from nbrealtime.server.origins import Origins
from nbrealtime.server.stores import open_store
from nbrealtime.server.tokens import Authority, Claims
from nbrealtime.wire import replies
from nbrealtime.wire.messages import ErrorCode
from nbrealtime.wire.v2 import Request as ClientRequest

__all__ = ["WEBSOCKET_PATH", "Admission", "Service"]

WEBSOCKET_PATH: Final = "/ws"

# Besides the WebSocket connections: HTTP requests, and heads that are still coming in.
_SPARE_TRANSPORTS: Final = 256
_BACKLOG: Final = 1024
# What goes out to one connection in one turn of the loop, roughly: a socket takes more than that at once.
_TURN_BYTES: Final = 2**20
# How long to leave a store alone that is asked to commit what waits.
_STORE_SECONDS: Final = 0.001

_DRAIN, _REMOVED, _TOO_MANY, _ORIGIN, _GOING_AWAY = 4001, 4503, 4504, 4507, 1001

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What was decided about a request that may have its upgrade.

    ``spoken`` says that v2 was offered and chosen: then ``hello`` follows, ``claims`` are None if the
    request's own credentials were not good, and ``goodbye`` is what the connection hears at once.
    """

    spoken: bool = False
    claims: Claims | None = None
    goodbye: Goodbye | None = None


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
        self.authority = Authority(config)
        self.origins = Origins(config.origins, config.public_url)
        self._tls = None if config.tls_cert is None else _tls_context(config.tls_cert, config.tls_key)
        # After whatever can fail: a store that is open has threads, and holds its file.
        self.store = open_store(config.store, history=config.history, post=self.loop.call_soon_threadsafe)
        self.hub = Hub(
            frame_text,
            name=secrets.token_hex(4),
            limits=config.limits,
            store=self.store,
            wake=self.schedule_flush,
            on_auth=self.renew,
        )
        self.started = time.time()
        self.port = 0
        self.lobby = Lobby(config.waiting)
        self._sessions: set[WebSocketConnection] = set()
        self._connections: set[WebSocketConnection] = set()
        self._named = 0
        self._http = HttpRoutes(self)
        self._door: Door | None = None
        self._socket: socket.socket | None = None
        self._flush_scheduled = False
        self._flushing = False
        # Wakes the hub when something in it is due that nobody brings: a delayed message, say.
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_due: float | None = None
        self._stopping = False
        self._draining = False
        self._empty = asyncio.Event()
        self._heart = Heartbeat(
            config.heartbeat, config.late_seconds, self.loop.time(), ping_interval=config.ping_interval
        )
        self._beat: asyncio.TimerHandle | None = None

    # -- opening and closing

    async def start(self) -> None:
        """Listens.

        Raises:
            AddressInUse: the port is taken.
            ServerError: the host is none of this machine's.
        """
        config = self.config
        try:
            self._socket = _listen(config.host, config.port)
            self.port = self._socket.getsockname()[1]
            if self.authority.keys is not None:
                await self.authority.keys.start()
        except BaseException:
            # Its threads would go on, and nobody else could have its file.
            self.store.close()
            raise
        await self._http.start()
        self._socket.listen(_BACKLOG)
        self._door = Door(
            self._socket,
            lambda arrival: Entrance(self, arrival),
            self.lobby,
            tls=self._tls,
            handshake_seconds=config.head_seconds,
        )
        _logger.info("listening on %s, port %s", config.host, self.port)

    async def stop(self, seconds: float = 5.0) -> None:
        """Takes nobody in any more, says 1001 to everybody, and waits for their goodbyes at most ``seconds``."""
        if self._stopping:
            return
        self._stopping = True
        deadline = self.loop.time() + seconds
        if self._door is not None:
            await self._door.close()
        for guest in self.lobby.guests():
            if isinstance(guest, Entrance):
                guest.abort()
        # Nobody needs to hear that the others leave too.
        for connection in list(self._connections):
            connection.go_away()
        self.flush()
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
        if self._alarm is not None:
            self._alarm.cancel()
        self.store.close()
        if self.authority.keys is not None:
            await self.authority.keys.stop()
        # Transports close in the loop's next turn.
        await asyncio.sleep(0)

    async def drain(self, seconds: float) -> None:
        """Before a planned stop: asks everybody to come back later, and ends who stays longer than that.

        v2 clients are told to come back within ``seconds``, each after a delay of its own, so that the
        next server does not meet them all at once. Nobody is let in meanwhile; who stays is served. Ends
        when everybody has gone, or after ``seconds``; v1 clients are disconnected then, too, with a code
        that lets them come back.
        """
        if self._stopping or self._draining:
            return
        self._draining = True
        announcement = replies.encode_drain(0, round(seconds * 1000))
        for connection in list(self._sessions):
            session = connection.session
            if session is not None and connection.spoken:
                self.hub.tell(session, announcement)
        self.flush()
        deadline = self.loop.time() + seconds
        while any(connection.spoken for connection in self._sessions):
            remaining = deadline - self.loop.time()
            if remaining <= 0:
                break
            # Somebody leaves, or does not: it is looked at a few times a second.
            await asyncio.sleep(min(remaining, 0.1))
        for connection in list(self._connections):
            connection.part(self._drained())

    def _drained(self) -> Goodbye:
        reason = "the server is about to stop: come back"
        return Goodbye(_DRAIN, ErrorCode.DRAINING, reason, reconnect=True)

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
        return len(self._connections) + len(self.lobby) + self._http.count >= limit + _SPARE_TRANSPORTS

    @property
    def late_seconds(self) -> float:
        """What lateness of the loop is worth a notice."""
        return self.config.late_seconds

    @property
    def lateness(self) -> float:
        """By how many seconds the loop ran late so far, in sum."""
        return self._heart.lateness

    def http_protocol(self) -> asyncio.Protocol:
        """Returns the protocol that answers HTTP requests."""
        return self._http.protocol()

    def websocket_protocol(self) -> asyncio.Protocol:
        """Returns the protocol for a request that asks for an upgrade."""
        connection = WebSocketConnection(self)
        self._connections.add(connection)
        self._empty.clear()
        return connection

    def admit(self, request: Request, *, final: bool = False) -> Admission | Response:
        """Decides about a request that asks for an upgrade: who it is, or the answer that refuses it.

        With the subprotocol the request's credentials may be somebody else's, a Jupyter proxy's say: what
        our key does not verify is passed over, and hello decides. And whatever else stands against it is
        said in-band, since proxies swallow refusals.

        Raises:
            UnknownKey: the token's key is not known yet; not if this is ``final``.
        """
        path, _, query = request.path.partition("?")
        headers = request.headers
        offered = [
            name.strip() for line in headers.get_all("Sec-WebSocket-Protocol") for name in line.split(",")
        ]
        spoken = choose_subprotocol(offered) is not None
        goodbye = self._against(request)
        if goodbye is not None and goodbye.close == _ORIGIN and not spoken:
            return _response(HTTPStatus.FORBIDDEN, goodbye.reason)
        claims = None
        if goodbye is None or not spoken:
            try:
                claims = self.authenticate(headers.get_all("Authorization"), query, lenient=spoken)
            except UnknownKey as fault:
                if not final:
                    raise
                if not spoken:
                    return _unauthorized(fault)
            except InvalidToken as fault:
                if not spoken:
                    return _unauthorized(fault)
        if path != WEBSOCKET_PATH:
            reason = f"there is no WebSocket at {path[:100]}: use {WEBSOCKET_PATH}"
            return _response(HTTPStatus.NOT_FOUND, reason)
        if goodbye is not None and not spoken:
            return _response(HTTPStatus.SERVICE_UNAVAILABLE, goodbye.reason)
        return Admission(spoken=spoken, claims=claims, goodbye=goodbye)

    def _against(self, request: Request) -> Goodbye | None:
        """What stands against a request, whoever it is."""
        if not self.origins.allow(request.headers.get_all("Origin")):
            return Goodbye(_ORIGIN, ErrorCode.FORBIDDEN, "pages of this origin may not connect here")
        if self._stopping:
            reason = "the server is shutting down"
            return Goodbye(_GOING_AWAY, ErrorCode.UNAVAILABLE, reason, reconnect=True)
        if self._draining:
            return self._drained()
        return self.too_many() if self.hub.full else None

    def too_many(self, id: int | None = None) -> Goodbye:  # noqa: A002 - the protocol's word
        """What one connection too many hears."""
        reason = (
            f"{self.config.limits.connections} connections are open, and no more are allowed: try again later"
        )
        return Goodbye(_TOO_MANY, ErrorCode.LIMIT_EXCEEDED, reason, reconnect=True, id=id)

    def authenticate(self, authorization: list[str], query: str = "", *, lenient: bool = False) -> Claims:
        """Returns what the request's token says: of the header, else of ``access_token``, else of ``token``.

        ``lenient`` passes over what is not valid, and takes the first that is.

        Raises:
            InvalidToken: there is none, or it is not valid.
        """
        now = time.time()
        wanted: UnknownKey | None = None
        for token in _credentials(authorization, query):
            try:
                return self.authority.verify(token, now)
            except UnknownKey as fault:
                if not lenient:
                    raise
                wanted = wanted or fault
            except InvalidToken:
                if not lenient:
                    raise
        if wanted is not None:
            raise wanted
        raise InvalidToken("a token is needed: ?token=… or the header Authorization: Bearer …")

    async def authenticate_later(self, authorization: list[str], query: str = "") -> Claims:
        """`authenticate`, which looks for a key that is not known.

        Raises:
            InvalidToken: there is no token, or it is not valid.
        """
        try:
            return self.authenticate(authorization, query)
        except UnknownKey:
            await self.authority.fetch()
            return self.authenticate(authorization, query)

    def welcome(self, connection: WebSocketConnection, claims: Claims, options: Options | None) -> Session:
        """Opens the hub's session for a connection, with ``options`` a v2 one, and watches over it."""
        self._sessions.add(connection)
        if not connection.name:
            self._named += 1
            connection.name = f"c{self._named}"
        session = self.hub.open(claims.user, claims.grants, milliseconds(), face=connection, options=options)
        now = self.loop.time()
        if self._beat is None:
            self._heart.rest(now)
            self._beat = self.loop.call_later(self._heart.period, self._tick)
        connection.pulse = self._heart.start(now, spoken=options is not None)
        return session

    def key_memory(self, user: User) -> str:
        """Names the memory of a user's keys, as `welcome` tells it."""
        return self.store.key_memory(user.id)

    def limits(self) -> Mapping[str, int | float | None]:
        """What a client has to know before it runs into it."""
        limits = self.config.limits
        return {
            "messageBytes": limits.message_bytes,
            "topics": limits.topics,
            "patternTopics": limits.pattern_topics,
            "keySeconds": self.store.key_seconds,
            "keys": self.store.keys_per_user,
        }

    def renew(self, session: Session, request: ClientRequest) -> None:
        """The hub's word that a session said ``auth``."""
        session.face.renew(request)

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
            for session in self.hub.flush(milliseconds()):
                session.face.drain()
        finally:
            self._flushing = False
        self.schedule_flush()
        if self.hub.due != self._alarm_due:
            self._set_alarm()

    def later(self, act: Callable[[], None]) -> None:
        """Does something in one of the next turns: not the very next while all wait for the store."""
        if self.hub.committing:
            self.loop.call_later(_STORE_SECONDS, act)
        else:
            self.loop.call_soon(act)

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        due = self._alarm_due = self.hub.due
        if due is not None and not self._stopping:
            self._alarm = self.loop.call_later(max(0.0, (due - milliseconds()) / 1000), self._ring)

    def _ring(self) -> None:
        self._alarm = self._alarm_due = None
        self.flush()

    def _flush(self) -> None:
        self._flush_scheduled = False
        self.flush()

    def _tick(self) -> None:
        if not self._sessions:
            self._beat = None
            return
        when = self._heart.tick(self.loop.time(), list(self._sessions))
        self._beat = self.loop.call_at(when, self._tick)

    # -- the operator

    def connections(self) -> list[dict[str, Any]]:
        """Who is connected, in the order they came."""
        return [
            connection.describe() for connection in sorted(self._sessions, key=lambda one: int(one.name[1:]))
        ]

    def kick(self, who: str) -> int:
        """Removes a connection, or every connection of a user; returns how many."""
        found = [
            connection
            for connection in list(self._sessions)
            if connection.name == who
            or (connection.session is not None and connection.session.user.id == who)
        ]
        for connection in found:
            connection.part(Goodbye(_REMOVED, ErrorCode.REMOVED, "removed by the operator"))
        return len(found)

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


def _credentials(authorization: list[str], query: str) -> list[str]:
    """The tokens of a request, in the order they count."""
    found = []
    for header in authorization:
        scheme, _, token = header.partition(" ")
        if scheme.lower() == "bearer" and token.strip():
            found.append(token.strip())
    fields = parse_qs(query)
    for name in ("access_token", "token"):
        found += fields.get(name, ())
    return found


def _unauthorized(fault: InvalidToken) -> Response:
    if fault.code == ErrorCode.UNAVAILABLE:
        return _response(HTTPStatus.SERVICE_UNAVAILABLE, fault.reason)
    return _response(HTTPStatus.UNAUTHORIZED, fault.reason)


def _tls_context(cert: str | PathLike[str], key: str | PathLike[str] | None) -> ssl.SSLContext:
    """Returns what encrypts.

    Raises:
        ServerError: the files cannot be read, or are no certificate and its key.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # Without a password: nobody is there to type it, and the library would ask the terminal.
        context.load_cert_chain(cert, key, password=lambda: b"")
    except (OSError, ValueError) as fault:
        named = str(cert) if key is None else f"{cert} and {key}"
        reason = (
            fault.strerror if isinstance(fault, OSError) and fault.strerror else "no certificate with its key"
        )
        raise ServerError(f"TLS cannot be had from {named}: {reason}") from fault
    return context


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
