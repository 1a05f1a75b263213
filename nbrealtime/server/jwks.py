"""Public keys from an address: a JSON Web Key Set (RFC 7517), fetched on the server's loop.

`nbrealtime.server.tokens.Authority` looks keys up here by what a token's header
names; `nbrealtime.server.service` starts the fetching and waits for it. PyJWT's
own client blocks while it fetches, so it cannot be used on a loop.

The one rule: the address comes from the configuration and from nowhere else,
and whoever sends us tokens cannot make us fetch more often than now and then.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import jwt

__all__ = ["Key", "KeySet", "check_address", "read_keys"]

_logger = logging.getLogger(__name__)

_FETCH_SECONDS: Final = 5.0
_LARGEST: Final = 256 * 1024
_MOST_KEYS: Final = 100
# Which algorithms a kind of key is good for; another pairing is never tried.
_KINDS: Final = {"RSA": ("RS", "PS"), "EC": ("ES",), "OKP": ("EdDSA",)}


@dataclass(frozen=True, slots=True)
class Key:
    """One public key. ``algorithms`` are those that may be verified with it."""

    id: str | None
    algorithms: frozenset[str]
    material: Any


def check_address(url: str) -> str:
    """Returns the address of a key set.

    Raises:
        ValueError: it is neither https nor of this machine, so anybody on the way could change the keys.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        host = ""
    if host and (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))):
        return url
    raise ValueError(f"the keys' address must begin with https://, or be of this machine: {url!r}")


def read_keys(document: object, algorithms: Sequence[str]) -> tuple[Key, ...]:
    """Returns the keys of a set that are good for any of ``algorithms``; the others are passed over.

    Raises:
        ValueError: it is no key set.
    """
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError('a key set is an object with a list "keys"')
    found = []
    for item in document["keys"][:_MOST_KEYS]:
        if not isinstance(item, dict) or item.get("use", "sig") != "sig":
            continue
        fitting = [name for name in algorithms if name.startswith(_KINDS.get(str(item.get("kty")), ()))]
        if item.get("alg") is not None:
            fitting = [name for name in fitting if name == item["alg"]]
        for name in fitting:
            try:
                material = jwt.PyJWK.from_dict(item, algorithm=name).key
            except (jwt.PyJWTError, ValueError, TypeError, KeyError):
                # A curve that we do not know, say: it must not hide the others.
                continue
            id_ = item.get("kid")
            found.append(Key(id_ if isinstance(id_, str) else None, frozenset((name,)), material))
    return tuple(found)


class KeySet:
    """The keys at one address, fetched anew from time to time.

    A key that is not known is worth a fetch, but only one in `COOLDOWN_SECONDS`; while the address does
    not answer, the last keys stay good for `STALE_SECONDS`.
    """

    REFRESH_SECONDS = 300.0
    COOLDOWN_SECONDS = 30.0
    RETRY_SECONDS = 2.0
    STALE_SECONDS = 3600.0

    def __init__(self, url: str, algorithms: Sequence[str]) -> None:
        self.url = check_address(url)
        self._algorithms = tuple(algorithms)
        self._keys: tuple[Key, ...] = ()
        self._fetched: float | None = None
        self._tried: float | None = None
        self._fetching: asyncio.Task[None] | None = None
        self._again: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"KeySet({self.url!r}, {len(self._keys)} keys)"

    @property
    def usable(self) -> bool:
        """Whether there are keys, young enough to be trusted."""
        return self._fetched is not None and time.monotonic() - self._fetched <= self.STALE_SECONDS

    @property
    def fetchable(self) -> bool:
        """Whether `fetch` would look for newer keys now, or is doing it."""
        if self._fetching is not None or self._tried is None:
            return True
        pause = self.COOLDOWN_SECONDS if self._fetched == self._tried else self.RETRY_SECONDS
        return time.monotonic() - self._tried >= pause

    def find(self, id_: str | None, algorithm: str) -> list[Any]:
        """Returns the keys that a token with this header may be signed with."""
        if not self.usable:
            return []
        return [
            key.material
            for key in self._keys
            if algorithm in key.algorithms and (id_ is None or key.id == id_)
        ]

    async def start(self) -> None:
        """Fetches the keys, and from now on again and again. Trouble is logged; `fetch` tries again."""
        await self.fetch()
        self._again = asyncio.get_running_loop().call_later(self.REFRESH_SECONDS, self._refresh)

    async def stop(self) -> None:
        """Ends the fetching."""
        if self._again is not None:
            self._again.cancel()
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])

    async def fetch(self) -> None:
        """Looks for newer keys if it is time; everybody who asks meanwhile waits for the same answer."""
        if not self.fetchable:
            return
        if self._fetching is None:
            self._fetching = asyncio.get_running_loop().create_task(self._fetch())
        # Who waits may give up; the others still want the keys.
        await asyncio.shield(self._fetching)

    def _refresh(self) -> None:
        loop = asyncio.get_running_loop()
        if self._fetching is None:
            self._fetching = loop.create_task(self._fetch())
        self._again = loop.call_later(self.REFRESH_SECONDS, self._refresh)

    async def _fetch(self) -> None:
        try:
            keys = read_keys(await self._download(), self._algorithms)
            if not keys:
                raise ValueError(f"no key is good for {', '.join(self._algorithms)}")
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, RecursionError) as fault:
            self._tried = time.monotonic()
            _logger.warning("no keys from %s: %s", self.url, str(fault) or type(fault).__name__)
        else:
            self._keys = keys
            self._fetched = self._tried = time.monotonic()
        finally:
            self._fetching = None

    async def _download(self) -> object:
        # A redirect would lead away from what was configured.
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_FETCH_SECONDS)) as session,
            session.get(self.url, allow_redirects=False) as response,
        ):
            if response.status != 200:
                raise ValueError(f"it answered {response.status}")
            body = b""
            async for part in response.content.iter_chunked(65536):
                body += part
                if len(body) > _LARGEST:
                    raise ValueError(f"more than {_LARGEST:,} bytes")
            return json.loads(body)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
