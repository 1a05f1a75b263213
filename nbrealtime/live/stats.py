"""Which topics a server knows: ``GET /ws/stats``, for a topic that hears nothing, and for ``rt.topics()`` in v1.

``fetch_stats`` asks and may wait for the network. ``Neighbours`` asks in the background, for whoever only wants to
show what is known by now. Which topics carry data only our own server tells (``carrying``); of another one we know
those that have subscribers.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from nbrealtime.client import portal
from nbrealtime.errors import ConnectionFailed, RealtimeError

if TYPE_CHECKING:
    from nbrealtime.client.target import Target

__all__ = ["Neighbours", "Stats", "fetch_stats", "read_topics"]

_FRESH_SECONDS = 10.0
_SHOWN = 4
_MAX_BYTES = 4 * 2**20


class Stats(NamedTuple):
    """A server's answer: subscribers by topic, and which topics carry data, if it tells."""

    topics: dict[str, int]
    carrying: tuple[str, ...] | None


def fetch_stats(target: Target, *, timeout: float = 5.0) -> Stats:
    """Ask ``target``'s server which topics somebody subscribes to, and which carry data.

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
        return _read(json.loads(body))
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


def _read(answer: Any) -> Stats:
    topics = read_topics(answer)
    carrying = answer.get("carrying")
    if isinstance(carrying, list):
        return Stats(topics, tuple(name for name in carrying if isinstance(name, str)))
    return Stats(topics, None)


class Neighbours:
    """What else a connection's server carries, as far as is known; looked up at most every 10 s.

    ``carrying`` names the topics that this process has heard data on.
    """

    def __init__(self, target: Callable[[], Target], carrying: Callable[[], list[str]]) -> None:
        self._target = target
        self._carrying = carrying
        self._stats: Stats | None = None
        self._asked_at = -_FRESH_SECONDS

    def hint(self, name: str) -> str:
        """Say which topics other than ``name`` carry data, or have subscribers; "" if nothing is known."""
        stats = self._stats
        known = {*self._carrying(), *((stats and stats.carrying) or ())}
        carrying = sorted(other for other in known if other != name)
        if carrying:
            return f"{_listing(carrying)} {'carries' if len(carrying) == 1 else 'carry'} data"
        if stats is None:
            return ""
        if stats.carrying is not None:
            return "no other topic carries data"
        others = [other for other in stats.topics if other != name]
        if not others:
            return "the server has no other topic"
        if len(others) == 1:
            return f"the server's only other topic is {others[0]}"
        return f"the server's other topics are {_listing(others)}"

    def refresh(self, then: Callable[[], None]) -> None:
        """Ask the server in the background unless that was done just now; call ``then()`` when it has answered."""
        now = time.monotonic()
        if now - self._asked_at < _FRESH_SECONDS:
            return
        self._asked_at = now
        portal.run(self._ask(then))

    async def _ask(self, then: Callable[[], None]) -> None:
        try:
            self._stats = await portal.blocking(lambda: fetch_stats(self._target()))
        except (RealtimeError, ValueError):
            return  # the connection's own state says what is wrong; this is only a hint
        then()


def _listing(names: list[str]) -> str:
    shown = names[:_SHOWN]
    rest = len(names) - len(shown)
    if rest:
        return f"{', '.join(shown)} and {rest} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
