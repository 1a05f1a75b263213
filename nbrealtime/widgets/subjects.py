"""What a panel is about: a topic or a connection, however the user named it.

Collaborators: `live.topic.LiveTopic` and `live.connection.Connection`, and the connection's
`client.link.Link`, which every panel reads.

The one rule: a panel reads a connection's status where it is made, on its link, fresh on any
thread; not from the traits, whose notifications wait for the kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nbrealtime.client.status import LinkState, Status
from nbrealtime.errors import ConnectionClosed

if TYPE_CHECKING:
    from nbrealtime.client import Link
    from nbrealtime.live.connection import Connection
    from nbrealtime.live.topic import LiveTopic

__all__ = ["connection_of", "sentence", "status_as_json", "topic_of", "watch_link"]


def topic_of(subject: LiveTopic | str) -> LiveTopic:
    """Returns the topic itself, or the one of that name on the default connection."""
    if isinstance(subject, str):
        return connection_of().topic(subject)
    if not hasattr(subject, "feed"):
        raise TypeError(f"a topic is a name or what rt.subscribe(…) returns, not {type(subject).__name__}")
    return subject


def connection_of(subject: Any = None) -> Connection:
    """Returns a connection itself, a topic's, or the default one."""
    if subject is None:
        from nbrealtime.live.connection import default_connection

        return default_connection()
    connection = getattr(subject, "connection", subject)
    if not hasattr(connection, "link"):
        raise TypeError(f"a connection is what rt.connect(…) returns, not {type(subject).__name__}")
    found: Connection = connection
    return found


def watch_link(link: Link, changed: Callable[[], None]) -> Callable[[], None]:
    """Has ``changed`` called, on the client thread, whenever the status is another; returns what ends it."""
    try:
        return link.listen(lambda _status: changed())
    except ConnectionClosed:
        return lambda: None  # it is closed, and will be nothing else


def status_as_json(status: Status) -> dict[str, Any]:
    """Returns a status as badges and cards send it, the latency in milliseconds."""
    return {
        "state": status.state.value,
        "url": status.url,
        "user": status.user,
        "latency": None if status.latency is None else status.latency * 1000,
        "attempts": status.attempts,
        "queued": status.queued,
        "dropped": status.dropped,
        "error": status.error,
    }


def sentence(status: Status) -> str:
    """Returns why there is no connection now, in a few words; nothing if there is one, or never will be."""
    if status.state in (LinkState.CONNECTED, LinkState.CLOSED):
        return ""
    words = status.state.value
    if status.attempts:
        words += f", attempt {status.attempts}"
    return f"{words}: {status.error}" if status.error else words
