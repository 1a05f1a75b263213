"""Which topics a server knows: ``GET /ws/stats``, for a topic that hears nothing, and for ``rt.topics()`` in v1.

``fetch_topics`` asks and may wait for the network. ``Neighbours`` asks in the background, for whoever only wants to
show what is known by now.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from nbrealtime.client import portal
from nbrealtime.errors import ConnectionFailed, RealtimeError

if TYPE_CHECKING:
    from nbrealtime.client.target import Target

__all__ = ["Neighbours", "fetch_topics", "read_topics"]

_FRESH_SECONDS = 10.0
_SHOWN = 4
_MAX_BYTES = 4 * 2**20


def fetch_topics(target: Target, *, timeout: float = 5.0) -> dict[str, int]:
    """Return the names of the topics that somebody subscribes to, and by how many connections each.

    Raises ``ConnectionFailed``, and what ``Target.resolve`` raises. Waits at most ``timeout`` seconds for each step
    of the network; never on the client thread.
    """
    # Loaded late: it takes longer to import than most programs need it.
    import urllib.error
    import urllib.request

    place = target.resolve()
    parts = urlsplit(place.url)
    scheme = {"ws": "http", "wss": "https"}[parts.scheme]
    base = parts.path.removesuffix("/").removesuffix("/ws")
    url = urlunsplit((scheme, parts.netloc, f"{base}/ws/stats", parts.query, ""))
    request = urllib.request.Request(url)  # noqa: S310 - the scheme is one of the two above
    if place.token is not None:
        request.add_unredirected_header("Authorization", f"Bearer {place.token}")
    handlers = (
        [urllib.request.ProxyHandler({})] if parts.hostname in ("127.0.0.1", "::1", "localhost") else []
    )
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=timeout) as response:
            body = response.read(_MAX_BYTES)
        return read_topics(json.loads(body))
    except urllib.error.HTTPError as error:
        error.close()
        raise ConnectionFailed(place.url, f"/ws/stats answered {error.code} {error.reason}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise ConnectionFailed(place.url, f"/ws/stats: {reason}") from error


def read_topics(answer: Any) -> dict[str, int]:
    """Return what a list of topics says: names, and how many subscribe to each. Raises ``ValueError``."""
    rows = answer.get("topics") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise ValueError("the answer lists no topics")
    found: dict[str, int] = {}
    for row in rows:
        if isinstance(row, dict) and isinstance(row.get("topic"), str):
            subscribers = row.get("subscribers")
            found[row["topic"]] = subscribers if isinstance(subscribers, int) else 0
    return dict(sorted(found.items()))


class Neighbours:
    """What else a connection's server carries, as far as is known; looked up at most every 10 s.

    ``carrying`` names the topics that this process has heard data on.
    """

    def __init__(self, target: Callable[[], Target], carrying: Callable[[], list[str]]) -> None:
        self._target = target
        self._carrying = carrying
        self._listed: tuple[str, ...] | None = None
        self._asked_at = -_FRESH_SECONDS

    def hint(self, name: str) -> str:
        """Say which topics other than ``name`` carry data, or have subscribers; "" if nothing is known."""
        heard = [other for other in self._carrying() if other != name]
        if heard:
            return f"{_listing(heard)} {'carries' if len(heard) == 1 else 'carry'} data"
        if self._listed is None:
            return ""
        others = [other for other in self._listed if other != name and not other.startswith("$")]
        if others:
            return (
                f"the server's other topics are {_listing(others)}"
                if len(others) > 1
                else f"the server's only other topic is {others[0]}"
            )
        return "the server has no other topic"

    def refresh(self, then: Callable[[], None]) -> None:
        """Ask the server in the background unless that was done just now; call ``then()`` when it has answered."""
        now = time.monotonic()
        if now - self._asked_at < _FRESH_SECONDS:
            return
        self._asked_at = now
        portal.run(self._ask(then))

    async def _ask(self, then: Callable[[], None]) -> None:
        try:
            topics = await portal.blocking(lambda: fetch_topics(self._target()))
        except (RealtimeError, ValueError):
            return  # the connection's own state says what is wrong; this is only a hint
        self._listed = tuple(topics)
        then()


def _listing(names: list[str]) -> str:
    shown = names[:_SHOWN]
    rest = len(names) - len(shown)
    if rest:
        return f"{', '.join(shown)} and {rest} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
