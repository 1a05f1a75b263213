"""How one server is set up: everything that `serve` takes, checked and frozen.

The one rule: whatever is waited for has a bound in seconds, whatever is kept
has one in bytes or in number, and ``None`` switches off what may be switched
off.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike

from nbrealtime import options
from nbrealtime.hub import Grants, Limits
from nbrealtime.server.stores import HistoryOptions, check_store

__all__ = ["Config", "fresh_secret"]


def fresh_secret() -> bytes:
    """Returns a random secret, as long as the longest HMAC of the usual algorithms."""
    return secrets.token_bytes(64)


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """Options of one server.

    Arguments:
        host, port: where it listens; port 0 takes a free one.
        secret: signs and verifies tokens; a random one by default. For an asymmetric algorithm it is
            a key in PEM; with a public one the server can make no tokens.
        jwks: the address of a set of public keys that verify tokens, instead of ``secret``: https, or of
            this machine.
        limits: what one connection may ask for.
        default_grants: what a token without a ``topics`` claim may do, as such a claim.
        origins: web origins besides loopback whose pages may connect (``"https://lab.example"``);
            None switches the check off.
        public_url: where browsers reach this server, if that is not where it listens.
        algorithms: of the tokens' signatures.
        audience, issuer: what ``aud`` and ``iss`` must say; None does not look.
        tls_cert, tls_key: files in PEM; with them the server speaks wss and https. The key may stand in
            the certificate's file.
        store: where history lives: ``"memory"``, or ``"sqlite:///path"``.
        history: which topics keep how much of it; what the store has by default if None, nothing if 0.
        heartbeat: seconds between two pings of a v1 connection; None never pings.
        ping_interval: seconds of silence after which a v2 connection is asked for a sign of life, and
            dropped after half as much more; None never asks.
        rate: publishes/s of one connection; None for any number.
        waiting: connections that have not said yet who they are, at one time.
        waiting_bytes: what one of them may send besides the request.
        hello_seconds: how long a v2 connection may take to say hello.
        head_bytes, head_seconds: the most that the head of a request may take.
        request_seconds: the most that the body of a request may take.
        idle_seconds: how long an HTTP connection is kept for a next request.
        close_seconds: how long a closing connection may take to say goodbye in turn.
        late_seconds: a loop that runs later than this gives everybody that much longer.
    """

    host: str = "127.0.0.1"
    port: int = 0
    secret: str | bytes = field(default_factory=fresh_secret, repr=False)
    jwks: str | None = None
    limits: Limits = field(default_factory=Limits)
    default_grants: Sequence[Mapping[str, object]] | None = None
    origins: Sequence[str] | None = ()
    public_url: str | None = None
    algorithms: Sequence[str] = ("HS256",)
    audience: str | None = None
    issuer: str | None = None
    tls_cert: str | PathLike[str] | None = None
    tls_key: str | PathLike[str] | None = None
    store: str = "memory"
    history: HistoryOptions = None
    heartbeat: float | None = 30.0
    ping_interval: float | None = 25.0
    rate: float | None = None
    waiting: int = 100
    waiting_bytes: int = 8 * 1024
    hello_seconds: float = 5.0
    head_bytes: int = 8 * 1024
    head_seconds: float = 10.0
    request_seconds: float = 10.0
    idle_seconds: float = 30.0
    close_seconds: float = 5.0
    late_seconds: float = 2.0

    def __post_init__(self) -> None:
        options.text("host", self.host)
        options.port(self.port)
        if not isinstance(self.secret, (str, bytes)):
            raise TypeError("secret is a text or bytes")
        if not self.secret:
            raise ValueError("secret must not be empty: leave it out for a random one")
        if isinstance(self.origins, str) or isinstance(self.algorithms, str):
            raise TypeError("origins and algorithms are lists of strings, not one string")
        check_store(self.store, history=self.history)
        for name in ("heartbeat", "ping_interval", "rate"):
            value = getattr(self, name)
            if value is not None:
                options.number(name, value, "a number above 0, or None for none", options.LEAST, options.MOST)
        for name in ("waiting", "waiting_bytes", "hello_seconds", "head_bytes", "head_seconds"):
            options.number(name, getattr(self, name), "a number above 0", options.LEAST, options.MOST)
        if self.tls_key is not None and self.tls_cert is None:
            raise ValueError("tls_key needs tls_cert")

    @property
    def grants(self) -> Grants:
        """What a token without a claim of its own may do."""
        return Grants.usual() if self.default_grants is None else Grants.parse(self.default_grants)
