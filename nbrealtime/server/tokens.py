"""Tokens: who connects, what they may do, and until when.

Ours carry ``sub`` and ``name``; ``userId`` and ``username`` mean the same.
Used by the doorway before an upgrade, by the HTTP routes, and to make tokens.

The one rule: a token appears in no message, log or repr of ours, and neither
does what is in it before its signature was checked.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jwt

from nbrealtime.errors import InvalidToken
from nbrealtime.hub import Action, Grants, User
from nbrealtime.server.config import Config

__all__ = ["Authority", "Claims"]

LEEWAY_SECONDS: Final = 5.0

_FAMILIES: Final = ("HS", "RS", "ES", "PS", "EdDSA")


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says. ``expires`` is in seconds since the epoch, None for never."""

    user: User
    grants: Grants
    expires: float | None


class Authority:
    """Verifies tokens, and makes them if its key can sign.

    Raises:
        ValueError: an algorithm is unknown, none at all, or HMAC beside asymmetric ones: with both, a
            public key could be used as the secret of a forged token.
    """

    def __init__(self, config: Config) -> None:
        self._algorithms = list(config.algorithms)
        if not self._algorithms or any(not name.startswith(_FAMILIES) for name in self._algorithms):
            raise ValueError(f"algorithms must name signatures such as HS256: {config.algorithms!r}")
        self._symmetric = self._algorithms[0].startswith("HS")
        if any(name.startswith("HS") is not self._symmetric for name in self._algorithms):
            raise ValueError(f"algorithms must not mix HS* with asymmetric ones: {config.algorithms!r}")
        self._key = config.secret
        self._audience = config.audience
        self._issuer = config.issuer
        self._grants = config.grants

    def __repr__(self) -> str:
        return f"Authority({', '.join(self._algorithms)})"

    def verify(self, token: str, now: float) -> Claims:
        """Returns what ``token`` says.

        Raises:
            InvalidToken: it is no token, its signature is not ours, it expired or is not valid yet, or
                its claims make no sense. The message says which.
        """
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=self._algorithms,
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                # Ids may be numbers with others, and become strings below.
                options={
                    "verify_sub": False,
                    "verify_jti": False,
                    "verify_aud": self._audience is not None,
                },
            )
        except jwt.ExpiredSignatureError:
            raise InvalidToken("the token has expired") from None
        except jwt.ImmatureSignatureError:
            raise InvalidToken("the token is not valid yet") from None
        except (jwt.InvalidAudienceError, jwt.InvalidIssuerError):
            raise InvalidToken("the token is meant for another server") from None
        except jwt.MissingRequiredClaimError as fault:
            raise InvalidToken(f"the token lacks the claim {fault.claim}") from None
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError, OverflowError):
            # Their messages may quote the token. Whoever holds the key can look for himself.
            raise InvalidToken("the token is not valid here") from None
        return self._read(claims, now)

    def _read(self, claims: Mapping[str, Any], now: float) -> Claims:
        user = _identify(claims)
        grants = self._grants
        if claims.get("topics") is not None:
            try:
                grants = Grants.parse(claims["topics"])
            except ValueError as fault:
                raise InvalidToken(str(fault)) from None
        expires = claims.get("exp")
        if expires is not None:
            # Let in by the leeway alone: then the leeway is what remains.
            try:
                expires = float(expires)
            except (ValueError, TypeError, OverflowError):
                raise InvalidToken("the token's exp is no time") from None
            if expires <= now:
                expires += LEEWAY_SECONDS
        return Claims(user, grants, expires)

    def issue(
        self,
        user: str | int,
        *,
        name: str | None = None,
        topics: Sequence[str] | Sequence[Mapping[str, object]] | None = None,
        allow: Sequence[str] | None = None,
        ttl: float | None = None,
    ) -> str:
        """Returns a token for ``user``; see `Server.token`."""
        if not self._symmetric:
            raise ValueError("this server verifies tokens with a public key and cannot make any")
        if isinstance(user, bool) or user == "":
            raise ValueError(f"user must be a name or a number: {user!r}")
        now = time.time()
        claims: dict[str, object] = {
            "sub": str(user),
            "name": str(user) if name is None else name,
            "iat": int(now),
        }
        grants = _claim(topics, allow)
        if grants is not None:
            Grants.parse(grants)
            claims["topics"] = grants
        if ttl is not None:
            if ttl <= 0:
                raise ValueError(f"ttl must be more than 0 seconds, or None for ever: {ttl!r}")
            claims["exp"] = now + ttl
        if self._audience is not None:
            claims["aud"] = self._audience
        if self._issuer is not None:
            claims["iss"] = self._issuer
        return jwt.encode(claims, self._key, algorithm=self._algorithms[0])


def _identify(claims: Mapping[str, Any]) -> User:
    for claim in ("sub", "userId"):
        found = claims.get(claim)
        if found is None or isinstance(found, bool) or not isinstance(found, str | int) or found == "":
            continue
        id_ = str(found)
        for label in ("name", "username"):
            name = claims.get(label)
            if isinstance(name, str) and name:
                return User(id_, name)
        return User(id_, id_)
    raise InvalidToken("the token names nobody: it needs sub or userId")


def _claim(topics: Sequence[object] | None, allow: Sequence[str] | None) -> list[dict[str, object]] | None:
    """The ``topics`` claim: ``allow`` on each of ``topics``, which may be patterns or whole grants."""
    if isinstance(topics, str) or isinstance(allow, str):
        raise TypeError("topics and allow are lists, not one string")
    if topics is None and allow is None:
        return None
    actions = [str(action) for action in (Action if allow is None else allow)]
    unknown = [action for action in actions if action not in set(Action)]
    if unknown:
        raise ValueError(f"allow knows {', '.join(Action)}: {unknown[0]!r}")
    return [
        {"match": topic, "allow": actions} if isinstance(topic, str) else dict(topic)  # type: ignore[call-overload]
        for topic in (("**",) if topics is None else topics)
    ]
