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
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from nbrealtime import options
from nbrealtime.errors import InvalidToken, UnknownKey
from nbrealtime.hub import Action, Grants, User
from nbrealtime.server.config import Config
from nbrealtime.server.jwks import KeySet
from nbrealtime.wire.messages import ErrorCode

__all__ = ["Authority", "Claims"]

LEEWAY_SECONDS: Final = 5.0
# Of the year 9999: what any client's date can say.
_LAST_SECOND: Final = 253_402_300_799.0

_KNOWN: Final = frozenset(
    f"{family}{bits}" for family in ("HS", "RS", "ES", "PS") for bits in (256, 384, 512)
) | {"EdDSA"}
# A token without a key's id is tried with each key that fits, but not with any number.
_MOST_TRIES: Final = 8


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says. ``expires`` is in seconds since the epoch, None for never."""

    user: User
    grants: Grants
    expires: float | None

    @property
    def expires_ms(self) -> int | None:
        """As it is told on the wire."""
        return None if self.expires is None else int(min(self.expires, _LAST_SECOND) * 1000)


class Authority:
    """Verifies tokens, and makes them if its key can sign.

    The key is a secret (HS*), or one in PEM: a private one signs and verifies, a public one verifies; or
    it is one of a key set at the configured address (``keys``), which `fetch` brings.

    Raises:
        ValueError: an algorithm is unknown, none at all, or HMAC beside asymmetric ones: with both, a
            public key could be used as the secret of a forged token. Or the key does not fit.
    """

    def __init__(self, config: Config) -> None:
        self._algorithms = list(config.algorithms)
        if not self._algorithms or any(name not in _KNOWN for name in self._algorithms):
            raise ValueError(f"algorithms must name signatures such as HS256: {config.algorithms!r}")
        symmetric = self._algorithms[0].startswith("HS")
        if any(name.startswith("HS") is not symmetric for name in self._algorithms):
            raise ValueError(f"algorithms must not mix HS* with asymmetric ones: {config.algorithms!r}")
        self.keys: KeySet | None = None
        self._signing: Any = None
        self._key: Any = config.secret
        if config.jwks is not None:
            if symmetric:
                raise ValueError(
                    "keys from an address are public ones: algorithms must be such as RS256 or ES256"
                )
            self.keys = KeySet(config.jwks, self._algorithms)
        elif symmetric:
            if b"-----BEGIN " in _bytes(config.secret):
                raise ValueError("the secret is a key in PEM: say which algorithms it is for, such as RS256")
            self._signing = config.secret
        else:
            self._signing, self._key = _load(config.secret, self._algorithms)
        self._audience = config.audience
        self._issuer = config.issuer
        self._grants = config.grants

    def __repr__(self) -> str:
        return f"Authority({', '.join(self._algorithms)})"

    @property
    def can_sign(self) -> bool:
        """Whether it can make tokens."""
        return self._signing is not None

    async def fetch(self) -> None:
        """Looks for the keys that a `UnknownKey` asked for."""
        if self.keys is not None:
            await self.keys.fetch()

    def verify(self, token: str, now: float) -> Claims:
        """Returns what ``token`` says.

        Raises:
            UnknownKey: its key is not known yet.
            InvalidToken: it is no token, its signature is not ours, it expired or is not valid yet, or
                its claims make no sense. The message says which.
        """
        keys = [self._key] if self.keys is None else self._choose(self.keys, token)
        for key in keys[:-1]:
            try:
                return self._read(self._decode(token, key), now)
            except jwt.InvalidSignatureError:
                continue
        try:
            return self._read(self._decode(token, keys[-1]), now)
        except jwt.InvalidSignatureError:
            raise InvalidToken("the token is not valid here") from None

    def _choose(self, keys: KeySet, token: str) -> list[Any]:
        """The keys that the token may be signed with. Of its header only the names count, never an address."""
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise InvalidToken("the token is not valid here") from None
        id_, algorithm = header.get("kid"), header.get("alg")
        if algorithm not in self._algorithms or not (id_ is None or isinstance(id_, str)):
            raise InvalidToken("the token is not valid here")
        found = keys.find(id_, algorithm)
        if found:
            return found[:_MOST_TRIES]
        usable = keys.usable
        reason = "the token is not valid here" if usable else "the keys that verify tokens cannot be had now"
        code = ErrorCode.UNAUTHORIZED if usable else ErrorCode.UNAVAILABLE
        raise (UnknownKey if keys.fetchable else InvalidToken)(reason, code)

    def _decode(self, token: str, key: Any) -> Mapping[str, Any]:
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
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
        except jwt.InvalidSignatureError:
            raise
        except jwt.ExpiredSignatureError:
            raise InvalidToken("the token has expired", ErrorCode.TOKEN_EXPIRED) from None
        except jwt.ImmatureSignatureError:
            raise InvalidToken("the token is not valid yet") from None
        except (jwt.InvalidAudienceError, jwt.InvalidIssuerError):
            raise InvalidToken("the token is meant for another server") from None
        except jwt.MissingRequiredClaimError as fault:
            raise InvalidToken(f"the token lacks the claim {fault.claim}") from None
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError, OverflowError):
            # Their messages may quote the token. Whoever holds the key can look for himself.
            raise InvalidToken("the token is not valid here") from None
        return claims

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
        if self._signing is None:
            raise ValueError("this server verifies tokens with a public key and cannot make any")
        given: object = user
        if not isinstance(given, (str, int)) or isinstance(given, bool):
            raise TypeError(f"user is a name or a number, not {options.given(given)}")
        if user == "":
            raise ValueError("user is a name or a number, not an empty text")
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
            seconds = options.number(
                "ttl", ttl, "seconds above 0, or None for ever", options.LEAST, options.MOST
            )
            claims["exp"] = now + seconds
        if self._audience is not None:
            claims["aud"] = self._audience
        if self._issuer is not None:
            claims["iss"] = self._issuer
        return jwt.encode(claims, self._signing, algorithm=self._algorithms[0])


def _bytes(secret: str | bytes) -> bytes:
    return secret.encode() if isinstance(secret, str) else secret


def _load(pem: str | bytes, algorithms: Sequence[str]) -> tuple[Any, Any]:
    """Returns the key that signs, None for a public one, and the one that verifies."""
    text = _bytes(pem)
    try:
        if b"PRIVATE KEY-----" in text:
            signing = load_pem_private_key(text, password=None)
            key: Any = signing.public_key()
        else:
            signing = None
            key = jwt.get_algorithm_by_name(algorithms[0]).prepare_key(text)
        for name in algorithms:
            jwt.get_algorithm_by_name(name).prepare_key(key)
    except (jwt.PyJWTError, ValueError, TypeError, UnsupportedAlgorithm):
        # Their messages may quote the key.
        raise ValueError(f"the key is none for {', '.join(algorithms)}: it must be one in PEM") from None
    return signing, key


def _identify(claims: Mapping[str, Any]) -> User:
    for claim in ("sub", "userId"):
        found = claims.get(claim)
        if found is None or isinstance(found, bool) or not isinstance(found, str | int) or found == "":
            continue
        id_ = str(found)
        names = [
            name for label in ("name", "username") if isinstance(name := claims.get(label), str) and name
        ]
        user = User(id_, names[0] if names else id_)
        try:
            # Half a surrogate pair is valid in JSON, and can be neither sent nor stored.
            f"{user.id}{user.name}".encode()
        except UnicodeEncodeError:
            raise InvalidToken("the token's sub or name is not valid Unicode") from None
        return user
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
