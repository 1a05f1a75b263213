"""The asyncio face of one server: what belongs to it, and how it starts and stops.

`Service` owns the hub and everything that has a clock. Who wants to come in goes
through `door`, `entrance` and `admission`; connections hand the hub what they
read, `flusher` writes what it says, once per turn of the loop, and `roster`
watches over who is connected. `nbrealtime.server.thread` runs a service in a
thread of its own.

The one rule: everything here runs on one loop, and nothing waits for a
connection.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import time
from collections.abc import Mapping
from typing import Final

from nbrealtime.hub import Hub, Options, Session, User
from nbrealtime.hub.grants import Action
from nbrealtime.server.admission import Admissions
from nbrealtime.server.clock import milliseconds
from nbrealtime.server.config import Config
from nbrealtime.server.connection import WebSocketConnection
from nbrealtime.server.door import Door
from nbrealtime.server.entrance import Entrance
from nbrealtime.server.flusher import Flusher
from nbrealtime.server.framing import frame_text
from nbrealtime.server.heartbeat import Heartbeat
from nbrealtime.server.hello import Goodbye
from nbrealtime.server.http import HttpRoutes
from nbrealtime.server.listening import bind, tls_context
from nbrealtime.server.lobby import Lobby
from nbrealtime.server.origins import Origins
from nbrealtime.server.roster import Roster
from nbrealtime.server.stores import open_store
from nbrealtime.server.tokens import Authority, Claims
from nbrealtime.server.turn import Turn
from nbrealtime.wire import replies
from nbrealtime.wire.messages import ErrorCode
from nbrealtime.wire.v2 import Request

__all__ = ["Service"]

# Besides the WebSocket connections: HTTP requests, and heads that are still coming in.
_SPARE_TRANSPORTS: Final = 256
_BACKLOG: Final = 1024

_DRAIN, _GOING_AWAY = 4001, 1001

_logger = logging.getLogger(__name__)


class Service:
    """One server on the running loop. `start` opens it, `stop` closes it; it is used once.

    Arguments:
        config: how it is set up.
        key: proves, with the entry in the runtime directory, that an address is ours.
        turn: of the loop, if it tells.
    """

    def __init__(self, config: Config, *, key: str, turn: Turn | None = None) -> None:
        self.config = config
        self.key = key
        self.loop = asyncio.get_running_loop()
        self.authority = Authority(config)
        self.origins = Origins(config.origins, config.public_url)
        self._tls = None if config.tls_cert is None else tls_context(config.tls_cert, config.tls_key)
        # After whatever can fail: a store that is open has threads, and holds its file.
        self.store = open_store(config.store, history=config.history, post=self.loop.call_soon_threadsafe)
        self.hub = Hub(
            frame_text,
            name=secrets.token_hex(4),
            limits=config.limits,
            store=self.store,
            wake=lambda: self.flusher.schedule(),
            on_auth=self._renew,
        )
        self.flusher = Flusher(self.hub, self.loop, turn)
        self.admissions = Admissions(self.hub, self.authority, self.origins)
        self.lobby = Lobby(config.waiting)
        self.roster = Roster(
            self.loop,
            Heartbeat(
                config.heartbeat, config.late_seconds, self.loop.time(), ping_interval=config.ping_interval
            ),
        )
        self.started = time.time()
        self.port = 0
        self._http = HttpRoutes(self)
        self._door: Door | None = None
        self._socket: socket.socket | None = None
        self._stopping = False
        self._draining = False

    # -- opening and closing

    async def start(self) -> None:
        """Listens.

        Raises:
            AddressInUse: the port is taken.
            ServerError: the host is none of this machine's.
        """
        config = self.config
        try:
            self._socket = bind(config.host, config.port)
            self.port = self._socket.getsockname()[1]
            if self.authority.keys is not None:
                await self.authority.keys.start()
            await self._http.start()
            self._socket.listen(_BACKLOG)
        except BaseException:
            # The store's threads would go on, and nobody else could have its file, nor the port.
            self.store.close()
            self.drop_socket()
            raise
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
        reason = "the server is shutting down"
        self.admissions.closed = Goodbye(_GOING_AWAY, ErrorCode.UNAVAILABLE, reason, reconnect=True)
        self.flusher.close()
        deadline = self.loop.time() + seconds
        if self._door is not None:
            await self._door.close()
        for guest in self.lobby.guests():
            if isinstance(guest, Entrance):
                guest.abort()
        # Nobody needs to hear that the others leave too.
        for connection in self.roster.everybody():
            connection.go_away()
        self.flusher.flush()
        await self._http.stop()
        try:
            async with asyncio.timeout_at(deadline):
                await self.roster.emptied()
        except TimeoutError:
            for connection in self.roster.everybody():
                connection.abort()
        self.roster.close()
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
        reason = "the server is about to stop: come back"
        goodbye = self.admissions.closed = Goodbye(_DRAIN, ErrorCode.DRAINING, reason, reconnect=True)
        announcement = replies.encode_drain(0, round(seconds * 1000))
        for connection in self.roster.sessions():
            session = connection.session
            if session is not None and connection.spoken:
                self.hub.tell(session, announcement)
        self.flusher.flush()
        deadline = self.loop.time() + seconds
        while any(connection.spoken for connection in self.roster.sessions()):
            remaining = deadline - self.loop.time()
            if remaining <= 0:
                break
            # Somebody leaves, or does not: it is looked at a few times a second.
            await asyncio.sleep(min(remaining, 0.1))
        for connection in self.roster.everybody():
            connection.part(goodbye)

    def drop_socket(self) -> None:
        """Closes the listening socket, or in a forked child its copy: the port would stay taken after us."""
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
        return len(self.roster) + len(self.lobby) + self._http.count >= limit + _SPARE_TRANSPORTS

    @property
    def late_seconds(self) -> float:
        """What lateness of the loop is worth a notice."""
        return self.config.late_seconds

    @property
    def lateness(self) -> float:
        """By how many seconds the loop ran late so far, in sum."""
        return self.roster.heart.lateness

    def http_protocol(self) -> asyncio.Protocol:
        """Returns the protocol that answers HTTP requests."""
        return self._http.protocol()

    def websocket_protocol(self) -> asyncio.Protocol:
        """Returns the protocol for a request that asks for an upgrade."""
        connection = WebSocketConnection(self)
        self.roster.enter(connection)
        return connection

    def welcome(self, connection: WebSocketConnection, claims: Claims, options: Options | None) -> Session:
        """Opens the hub's session for a connection, with ``options`` a v2 one, and watches over it."""
        session = self.hub.open(claims.user, claims.grants, milliseconds(), face=connection, options=options)
        self.roster.watch(connection, spoken=options is not None)
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

    def _renew(self, session: Session, request: Request) -> None:
        """The hub's word that a session said ``auth``."""
        session.face.renewal.renew(session, request)

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
