"""Which web pages may talk to the server.

A browser names the page's origin in every such request and no page can change
it; other programs name none. The one rule: nothing is derived from ``Host`` or
``X-Forwarded-*``, which a page under a name of its own could make agree.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

__all__ = ["Origins"]

_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_SCHEMES = {"ws": "http", "wss": "https"}


class Origins:
    """The origins that are allowed: loopback names, those that were configured, the public address's.

    ``allowed`` None allows every origin.

    Raises:
        ValueError: one of them is no origin.
    """

    def __init__(self, allowed: Sequence[str] | None = (), public_url: str | None = None) -> None:
        self._any = allowed is None
        self._known: set[tuple[str, str, int | None]] = set()
        for text in (*(allowed or ()), *(() if public_url is None else (public_url,))):
            origin = _parse(text)
            if origin is None:
                raise ValueError(f"not a web origin such as https://lab.example: {text!r}")
            self._known.add(origin)

    def allow(self, named: Sequence[str]) -> bool:
        """Whether a request with these ``Origin`` headers may go on."""
        if self._any or not named:
            return True
        if len(named) > 1:
            return False
        origin = _parse(named[0])
        return origin is not None and (origin in self._known or _is_loopback(origin[1]))


def _parse(text: str) -> tuple[str, str, int | None] | None:
    """An origin's scheme, host and port, or None if it is none (``null`` is none)."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None:
        return None
    scheme = _SCHEMES.get(parts.scheme, parts.scheme)
    return scheme, parts.hostname.rstrip("."), port or _PORTS[scheme]


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
