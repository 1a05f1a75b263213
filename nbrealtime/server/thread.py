"""A server in a thread of its own: what `serve` returns.

The thread ``nbrealtime-server`` owns the loop and the `Service` on it; the
`Server` handle may be used from any thread. Servers that are still open when
the interpreter ends are stopped through `nbrealtime.lifecycle`; a forked child
has no such thread and forgets them.

The one rule: nobody waits for the loop without a bound.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import getpass
import ipaddress
import logging
import secrets
import threading
import weakref
from collections.abc import Callable, Coroutine, Mapping, Sequence
from os import PathLike
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeVar

from nbrealtime import discovery, lifecycle
from nbrealtime.errors import DiscoveryError, ServerError
from nbrealtime.hub import Limits
from nbrealtime.server.config import Config, fresh_secret
from nbrealtime.server.service import Service
from nbrealtime.server.stores import HistoryOptions
from nbrealtime.server.tokens import Authority
from nbrealtime.server.turn import new_loop

__all__ = ["Server", "serve"]

Kind = Literal["kernel", "standalone"]
T = TypeVar("T")

_START_SECONDS: Final = 10.0
_CALL_SECONDS: Final = 5.0
_WILDCARDS: Final = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104

_logger = logging.getLogger(__name__)
_open: weakref.WeakSet[Server] = weakref.WeakSet()


def serve(
    port: int = 0,
    host: str = "127.0.0.1",
    secret: str | bytes | None = None,
    *,
    limits: Limits | None = None,
    default_grants: Sequence[Mapping[str, object]] | None = None,
    origins: Sequence[str] | None = (),
    public_url: str | None = None,
    algorithms: Sequence[str] = ("HS256",),
    jwks: str | None = None,
    audience: str | None = None,
    issuer: str | None = None,
    tls_cert: str | PathLike[str] | None = None,
    tls_key: str | PathLike[str] | None = None,
    store: str = "memory",
    history: HistoryOptions = None,
    heartbeat: float | None = 30.0,
    ping_interval: float | None = 25.0,
    rate: float | None = None,
    advertise: bool = True,
    kind: Kind = "kernel",
) -> Server:
    """Starts a server in a thread of its own and returns it, listening.

    It ends with `Server.close`, with its ``with`` block, or with the interpreter, and then says
    goodbye to everybody.

    Arguments:
        port: 0 takes a free one.
        host: where to listen; the default is reached from this machine only.
        secret: signs the tokens; a random one by default, which ends with the server.
        limits: what one connection may ask for.
        default_grants: what a token without a ``topics`` claim may do, as a list of
            ``{"match": pattern, "allow": [action, …]}``; by default everything but ``$…`` and other
            people's ``user:…``.
        origins: web origins besides loopback whose pages may connect; None allows every page.
        public_url: where browsers reach this server, if that is not where it listens.
        algorithms: of the tokens' signatures; for asymmetric ones (``RS256``, ``ES256``, ``EdDSA``)
            ``secret`` is a key in PEM: a private one, or a public one that can make no tokens.
        jwks: the address of a set of public keys that verify tokens, instead of ``secret``: https, or of
            this machine. It needs asymmetric ``algorithms``.
        audience, issuer: what a token's ``aud`` and ``iss`` must say, if given.
        tls_cert, tls_key: files in PEM; with them the server speaks ``wss`` and ``https``.
        store: where history lives: ``"memory"``, which ends with the server, or ``"sqlite:///path"``,
            which survives it; options follow a ``?``, as in ``"sqlite:///lab.db?synchronous=full"``.
        history: which topics keep how much: a `History`, a number of messages, ``0`` for none, or such
            values by topic pattern, of which the first that matches decides.
        heartbeat: seconds between two pings of a v1 connection; None never pings.
        ping_interval: seconds of silence after which a v2 connection is asked for a sign of life, and
            dropped after half as much more; None never asks.
        rate: how many messages a connection may publish per second; None for any number. Whoever sends
            more is read more slowly, then refused (``rate_limited``), then disconnected.
        advertise: whether to leave an entry in the runtime directory, so that this user's other
            programs find the server and may use it.
        kind: what the entry says runs it.

    Raises:
        AddressInUse: another program listens there.
        StoreError: the store's file cannot be used.
        ServerError: it cannot listen there, or did not start.
        ValueError: an option makes no sense.
    """
    config = Config(
        host=host,
        port=port,
        secret=fresh_secret() if secret is None else secret,
        limits=Limits() if limits is None else limits,
        default_grants=default_grants,
        origins=origins,
        public_url=public_url,
        algorithms=algorithms,
        jwks=jwks,
        audience=audience,
        issuer=issuer,
        tls_cert=tls_cert,
        tls_key=tls_key,
        store=store,
        history=history,
        heartbeat=heartbeat,
        ping_interval=ping_interval,
        rate=rate,
    )
    return Server(config, advertise=advertise, kind=kind)


class Server:
    """A running server. `serve` makes one."""

    def __init__(self, config: Config, *, advertise: bool = True, kind: Kind = "kernel") -> None:
        self.host = config.host
        self._authority = Authority(config)
        self._encrypted = config.tls_cert is not None
        self._key = secrets.token_hex(32)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._service: Service | None = None
        self._closed = threading.Event()
        self._closing = threading.Lock()
        self._advertisement: discovery.Advertisement | None = None
        self._entry: discovery.Entry | None = None
        started: concurrent.futures.Future[Service] = concurrent.futures.Future()
        self._thread = threading.Thread(
            target=self._run, args=(config, started), name="nbrealtime-server", daemon=True
        )
        self._thread.start()
        try:
            self._service = started.result(_START_SECONDS)
        except TimeoutError:
            raise ServerError(f"the server did not start within {_START_SECONDS:g} s") from None
        except BaseException:
            self._thread.join(_CALL_SECONDS)
            raise
        self.port = self._service.port
        if kind == "kernel" and not self._encrypted and not _is_loopback(config.host):
            _logger.warning(
                "the server listens beyond this machine, and what travels is not encrypted: give it tls_cert and "
                "tls_key, or put a TLS proxy in front of it"
            )
        _open.add(self)
        self._announce(advertise, kind)

    def __repr__(self) -> str:
        return f"Server({self.url!r}{', closed' if self.closed else ''})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # -- what it is

    @property
    def url(self) -> str:
        """Where clients of this machine connect: ``ws://host:port``, or ``wss://`` with TLS."""
        return f"{'wss' if self._encrypted else 'ws'}://{self._authority_part}"

    @property
    def http_url(self) -> str:
        """The HTTP routes' address: ``http://host:port``, or ``https://`` with TLS."""
        return f"{'https' if self._encrypted else 'http'}://{self._authority_part}"

    @property
    def closed(self) -> bool:
        """Whether it has ended."""
        return self._closed.is_set()

    @property
    def entry(self) -> discovery.Entry | None:
        """How this process finds the server; None once it is closed, and for one that is not advertised."""
        return self._entry

    @property
    def _authority_part(self) -> str:
        host = _WILDCARDS.get(self.host, self.host)
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    # -- what it does

    def token(
        self,
        user: str | int,
        *,
        name: str | None = None,
        topics: Sequence[str] | Sequence[Mapping[str, object]] | None = None,
        allow: Sequence[str] | None = None,
        ttl: float | None = None,
    ) -> str:
        """Returns a token that lets ``user`` in.

        Arguments:
            user: an id; equal ids are one user.
            name: what others see; the id by default.
            topics: names and patterns that the token is for; the server's default grants if None.
            allow: what it may do there, of ``subscribe``, ``publish``, ``presence``, ``history``; all by default.
            ttl: seconds until it expires; None for never.

        Raises:
            ValueError: something makes no sense, or the server's key cannot sign.
        """
        return self._authority.issue(user, name=name, topics=topics, allow=allow, ttl=ttl)

    def stats(self) -> dict[str, Any]:
        """Returns the topics with their subscribers, and what went in and out.

        Raises:
            ServerError: the server is closed.
        """

        return self._ask(lambda service: dict(service.stats()))

    def connections(self) -> list[dict[str, Any]]:
        """Returns who is connected: ``connection``, ``user``, ``name``, ``address``, ``since``, ``topics`` …

        ``since`` is in seconds since the epoch; ``waiting`` are the bytes that were not read yet.

        Raises:
            ServerError: the server is closed.
        """
        return self._ask(lambda service: service.roster.describe())

    def kick(self, who: str) -> int:
        """Removes a user's connections, or the one with this id; returns how many.

        They are told so, and clients of ours stay away. A token is not taken back by it.

        Raises:
            ServerError: the server is closed.
        """
        return self._ask(lambda service: service.roster.kick(who))

    def drain(self, seconds: float = 5.0) -> None:
        """Before a planned stop: lets nobody in any more and asks everybody to come back later.

        v2 clients leave within ``seconds``, spread over them. It returns when they have, or when the
        time is over and those who remained were disconnected. `close` comes next.

        Raises:
            ServerError: the server is closed.
        """
        if seconds < 0:
            raise ValueError(f"seconds must not be negative: {seconds!r}")
        service = self._running()
        with contextlib.suppress(concurrent.futures.CancelledError):  # closed meanwhile
            self._wait(service.drain(seconds), seconds + _CALL_SECONDS)

    def _running(self) -> Service:
        if self._service is None or self.closed:
            raise ServerError(f"the server at {self.url} is closed")
        return self._service

    def _ask(self, question: Callable[[Service], T]) -> T:
        """Puts a question to the service, on its loop."""
        service = self._running()

        async def ask() -> T:
            return question(service)

        found: T = self._wait(ask(), _CALL_SECONDS)
        return found

    def close(self, timeout: float = 2.0) -> None:
        """Says goodbye to everybody (1001) and ends; at most ``timeout`` seconds. A second time nothing happens."""
        with self._closing:
            if self.closed:
                return
            self._withdraw()
            loop, service = self._loop, self._service
            if loop is not None and service is not None and self._thread.is_alive():
                with contextlib.suppress(TimeoutError, RuntimeError):
                    self._wait(service.stop(timeout), timeout + 1.0)
                with contextlib.suppress(RuntimeError):  # the loop is closed: it ended by itself
                    loop.call_soon_threadsafe(loop.stop)
                if threading.current_thread() is not self._thread:
                    self._thread.join(timeout)
            self._closed.set()
            _open.discard(self)

    # -- the thread

    def _run(self, config: Config, started: concurrent.futures.Future[Service]) -> None:
        """The thread's whole life."""
        loop, turn = new_loop()
        asyncio.set_event_loop(loop)
        self._loop = loop

        async def start() -> Service:
            service = Service(config, key=self._key, turn=turn)
            await service.start()
            return service

        try:
            try:
                service = loop.run_until_complete(start())
            except BaseException as fault:  # noqa: BLE001 - whoever called serve() gets it
                started.set_exception(fault)
                return
            started.set_result(service)
            loop.run_forever()
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    def _wait(self, coroutine: Coroutine[Any, Any, Any], seconds: float) -> Any:
        loop = self._loop
        if loop is None or threading.current_thread() is self._thread:
            coroutine.close()
            raise RuntimeError("the server's own thread cannot wait for itself")
        try:
            future = asyncio.run_coroutine_threadsafe(coroutine, loop)
        except RuntimeError:
            coroutine.close()
            raise
        return future.result(seconds)

    # -- being found

    def _announce(self, advertise: bool, kind: Kind) -> None:
        """Leaves an entry. A server that cannot be found is still a server, so trouble is only logged."""
        try:
            token = self.token(_user_name())
        except ValueError:
            # With a public key we can make no token, and an entry without one opens nothing.
            return
        if not advertise:
            return
        try:
            self._advertisement = discovery.advertise(self.url, token, self._key, kind=kind)
            self._entry = self._advertisement.entry
        except (DiscoveryError, OSError) as fault:
            _logger.warning("other programs will not find this server: %s", fault)
            self._entry = discovery.describe(self.url, token, self._key, kind=kind)
        discovery.set_local(self._entry)

    def _withdraw(self) -> None:
        if self._advertisement is not None:
            self._advertisement.close()
        if self._entry is not None and discovery.local() == self._entry:
            discovery.set_local(None)
        self._entry = None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        # A container may run under a number without a name.
        return "me"


def _stop_all(seconds: float) -> None:
    for server in list(_open):
        server.close(seconds)


def _forget_all() -> None:
    """In a forked child: the threads are not here, and neither are the servers."""
    for server in list(_open):
        server._closed.set()
        if server._service is not None:
            server._service.drop_socket()
    _open.clear()


lifecycle.at_exit(lifecycle.SERVER, _stop_all)
lifecycle.after_fork(_forget_all)
