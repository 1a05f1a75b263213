"""How one server is set up: everything that `serve` takes, checked and frozen.

The one rule: whatever is waited for has a bound in seconds, whatever is kept
has one in bytes or in number, and ``None`` switches off what may be switched
off.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nbrealtime.hub import Grants, Limits

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
            the public key in PEM, and the server can make no tokens.
        limits: what one connection may ask for.
        default_grants: what a token without a ``topics`` claim may do, as such a claim.
        origins: web origins besides loopback whose pages may connect (``"https://lab.example"``);
            None switches the check off.
        public_url: where browsers reach this server, if that is not where it listens.
        algorithms: of the tokens' signatures.
        audience, issuer: what ``aud`` and ``iss`` must say; None does not look.
        heartbeat: seconds between two pings of a connection; None never pings.
        head_bytes, head_seconds: the most that the head of a request may take.
        request_seconds: the most that the body of a request may take.
        idle_seconds: how long an HTTP connection is kept for a next request.
        close_seconds: how long a closing connection may take to say goodbye in turn.
        late_seconds: a loop that runs later than this gives everybody that much longer.
    """

    host: str = "127.0.0.1"
    port: int = 0
    secret: str | bytes = field(default_factory=fresh_secret, repr=False)
    limits: Limits = field(default_factory=Limits)
    default_grants: Sequence[Mapping[str, object]] | None = None
    origins: Sequence[str] | None = ()
    public_url: str | None = None
    algorithms: Sequence[str] = ("HS256",)
    audience: str | None = None
    issuer: str | None = None
    heartbeat: float | None = 30.0
    head_bytes: int = 16 * 1024
    head_seconds: float = 10.0
    request_seconds: float = 10.0
    idle_seconds: float = 30.0
    close_seconds: float = 5.0
    late_seconds: float = 2.0

    def __post_init__(self) -> None:
        if not self.secret:
            raise ValueError("secret must not be empty: leave it out for a random one")
        if not 0 <= self.port <= 65535:
            raise ValueError(f"port must lie between 0 and 65535: {self.port!r}")
        if isinstance(self.origins, str) or isinstance(self.algorithms, str):
            raise TypeError("origins and algorithms are lists of strings, not one string")
        if self.heartbeat is not None and self.heartbeat <= 0:
            raise ValueError(f"heartbeat must be more than 0 seconds, or None for none: {self.heartbeat!r}")

    @property
    def grants(self) -> Grants:
        """What a token without a claim of its own may do."""
        return Grants.usual() if self.default_grants is None else Grants.parse(self.default_grants)
