"""Where to connect, and with which token.

A target is what the user said: an address, this kernel's own server, what the
environment names, or whatever runs here. It is resolved before every attempt,
because the answer changes: a server found through discovery comes back on
another port, and a token that a function fetches expires.

The one rule: no token goes to an address that was found and has not proved
that it wrote the entry we found.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable, Hashable
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from nbrealtime import discovery
from nbrealtime.errors import ConnectionFailed, NoServer, UntrustedServer

__all__ = ["Place", "Target", "Token", "choose", "normalise"]

# Longer than for a listing: a kernel that computes answers late, and is not somebody else for that.
_PROOF_SECONDS: Final = 5.0

Token = str | Callable[[], str] | None


class Place(NamedTuple):
    """One answer: the address without a token, the token, and who it says we are."""

    url: str
    token: str | None
    user: str | None

    @property
    def full_url(self) -> str:
        """The address to open, token and all; never to be shown."""
        if self.token is None:
            return self.url
        parts = urlsplit(self.url)
        query = parse_qsl(parts.query, keep_blank_values=True)
        return urlunsplit(parts._replace(query=urlencode([*query, ("token", self.token)])))


class Target:
    """What the user said about where to connect.

    ``key`` tells targets apart that must not share a socket. ``resolve`` may block (files, a user's
    function, a server that is to prove itself) where ``may_block`` says so: it then belongs on a thread
    that may wait.
    """

    def __init__(
        self, key: Hashable, url: str, find: Callable[[], discovery.Entry] | None, token: Token
    ) -> None:
        self.key = key
        self.url = url
        self._find = find
        self._token = token
        self.may_block = find is not None or callable(token)
        self.may_renew = callable(token) or (find is not None and token is None)
        """Whether asking again may bring another token."""

    def resolve(self) -> Place:
        """Looks up the address and the token as they are now.

        Raises `NoServer`, `AmbiguousServer`, `UntrustedServer`, `ConnectionFailed` (the function that
        fetches the token failed).
        """
        url, token = self.url, self._token
        if self._find is not None:
            entry = self._find()
            try:
                url = normalise(entry.url)
            except ValueError as fault:
                raise ConnectionFailed(repr(entry.url), "its entry names no address") from fault
            # This process's own entry came from memory, not from a file: it has nothing to prove.
            if entry is not discovery.local() and not discovery.verify(entry, _PROOF_SECONDS):
                raise UntrustedServer(url)
            if token is None:
                token = entry.token
        if callable(token):
            token = _fetch(token, url)
        return Place(url, token, _user(token))


def choose(url: str | None, token: Token) -> Target:
    """What `connect` means with these arguments, now.

    An address → this process's own server → ``NBREALTIME_URL`` and ``NBREALTIME_TOKEN`` → the only
    server that runs here. An address without a token takes the token of the entry that names the same
    address, if there is one.

    Raises `NoServer`, `AmbiguousServer`, and ``ValueError`` for what is no address; never waits for
    the network.
    """
    environment_url = os.environ.get("NBREALTIME_URL") or None
    environment_token = os.environ.get("NBREALTIME_TOKEN") or None
    if url is None:
        own = discovery.local()
        if own is not None:
            return Target(("own", _identity(token)), normalise(own.url), _own, token)
        if environment_url is None:
            if token is None:
                token = environment_token
            return Target(("found", _identity(token)), normalise(discovery.find().url), discovery.find, token)
        url = environment_url
    address, spoken = _split_token(normalise(url))
    if token is None:
        token = spoken
    if token is None and (environment_url is None or _same(environment_url, address)):
        token = environment_token
    if token is None and _entry_at(address) is not None:
        return Target((address, None), address, lambda: _known(address), None)
    return Target((address, _identity(token)), address, None, token)


def normalise(url: str) -> str:
    """The WebSocket address that ``url`` means: ``http`` for ``ws`` is understood, ``/ws`` added where no path is.

    Raises ``ValueError``.
    """
    if not isinstance(url, str):
        raise TypeError(f"an address is a text like 'ws://127.0.0.1:8765', not {type(url).__name__}")
    try:
        parts = urlsplit(url.strip())
        scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
        holds_user = parts.username is not None or parts.password is not None
        host, port = parts.hostname, None if holds_user else parts.port
    except ValueError:  # in words about Python's parser, as for a port that is no number
        scheme, host, holds_user = "", None, "@" in url
    if holds_user:
        raise ValueError("an address holds no user and password: give token=… instead")
    if scheme not in ("ws", "wss") or not host:
        raise ValueError(f"{_shown(url)} is no address of a server: write 'ws://host:port'")
    netloc = f"[{host}]" if ":" in host else host
    if port is not None and port != {"ws": 80, "wss": 443}[scheme]:
        netloc = f"{netloc}:{port}"
    path = parts.path or "/"
    if path.endswith("/"):
        path = path[:-1] if path.endswith("/ws/") else f"{path}ws"
    return urlunsplit((scheme, netloc, path, parts.query, ""))


def _identity(token: Token) -> Hashable:
    """What tells tokens apart: a text by what it says, a function by being the same one."""
    try:
        hash(token)
    except TypeError:
        return id(token)
    return token


def _shown(url: str) -> str:
    """An address for a message: its query could hold a token."""
    return repr(url.partition("?")[0])


def _split_token(url: str) -> tuple[str, str | None]:
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    token = next((value for name, value in query if name == "token"), None)
    kept = [(name, value) for name, value in query if name != "token"]
    return urlunsplit(parts._replace(query=urlencode(kept))), token or None


def _same(url: str, address: str) -> bool:
    try:
        return _split_token(normalise(url))[0] == address
    except ValueError:
        return False


def _own() -> discovery.Entry:
    # Not discovery.find: a notebook that stops its server must not begin to publish to a stranger's.
    entry = discovery.local()
    if entry is None:
        raise NoServer
    return entry


def _entry_at(address: str) -> discovery.Entry | None:
    own = discovery.local()
    candidates = discovery.entries() if own is None else [own, *discovery.entries()]
    return next((entry for entry in candidates if _same(entry.url, address)), None)


def _known(address: str) -> discovery.Entry:
    entry = _entry_at(address)
    if entry is None:
        raise NoServer
    return entry


def _fetch(token: Callable[[], str], url: str) -> str:
    try:
        fetched = token()
    except Exception as fault:
        raise ConnectionFailed(url, f"the function that fetches the token failed: {fault!r}") from fault
    if not isinstance(fetched, str):
        raise ConnectionFailed(
            url, f"the function that fetches the token returned {type(fetched).__name__}, no str"
        )
    return fetched


def _user(token: Any) -> str | None:
    """Whom a JWT names, for showing; nobody is trusted for it."""
    if not isinstance(token, str) or token.count(".") != 2:
        return None
    body = token.split(".")[1]
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (msgspec.DecodeError, binascii.Error, ValueError):
        return None
    if not isinstance(claims, dict):
        return None
    for claim in ("name", "username", "sub", "userId"):
        value = claims.get(claim)
        if isinstance(value, (str, int)) and str(value):
            return str(value)
    return None
