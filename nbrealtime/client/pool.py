"""One socket for each server and identity, however many ask for it.

Two parts of a program that want the same address with the same token share a
connection; it is closed when the last of them has closed its link. What was
found by discovery is one and the same, whatever its address is by now.

The one rule: the count and the connection change together, under the lock,
and nothing that could wait happens there.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Hashable

from nbrealtime import lifecycle, options
from nbrealtime.client import portal
from nbrealtime.client.connection import Connection
from nbrealtime.client.link import Link
from nbrealtime.client.publishoptions import QUEUE_BYTES, OnFull, check_on_full
from nbrealtime.client.target import Token, choose

__all__ = ["open_link"]

_lock = threading.Lock()
_shared: dict[Hashable, Connection] = {}
_users: dict[Connection, int] = {}
# Every connection that may have a socket, also one whose last user has gone and that says goodbye.
_alive: set[Connection] = set()


def open_link(
    url: str | None = None,
    token: Token = None,
    *,
    name: str | None = None,
    queue_bytes: int = QUEUE_BYTES,
    on_full: OnFull = "error",
) -> Link:
    """Returns a link to a server; connects in the background, never waits for the network.

    ``url``: ``"ws://host:port"``, also ``http(s)://``, with or without a path; without one, this
    process's own server, what ``NBREALTIME_URL`` and ``NBREALTIME_TOKEN`` say, or the only server that
    runs here. ``token`` may be a function, called before every attempt, and well before the
    last one expires, on a thread of its own. ``queue_bytes`` and ``on_full`` are the `Link`'s.

    Raises `NoServer`, `AmbiguousServer`, ``TypeError``, ``ValueError``.
    """
    queue_bytes = options.whole("queue_bytes", queue_bytes, 0)
    check_on_full(on_full)
    target = choose(url, token)
    with _lock:
        connection = _shared.get(target.key)
        if connection is None or connection.is_ended:
            connection = Connection(target, on_end=_ended)
            _shared[target.key] = connection
            _users[connection] = 0
            _alive.add(connection)
            connection.start()
        _users[connection] += 1
    return Link(connection, _release, name=name, queue_bytes=queue_bytes, on_full=on_full)


def _release(connection: Connection) -> bool:
    """One user less; returns whether that was the last one."""
    with _lock:
        users = _users.get(connection)
        if users is None:
            return True
        _users[connection] = users - 1
        if users > 1:
            return False
        _forget(connection)
    portal.run(_close(connection))
    return True


def _ended(connection: Connection) -> None:
    """Called on the client thread: a connection ended, by the server's word or by ours."""
    with _lock:
        _forget(connection)
        if not connection.has_socket:
            _alive.discard(connection)


def _forget(connection: Connection) -> None:
    _users.pop(connection, None)
    if _shared.get(connection.target.key) is connection:
        del _shared[connection.target.key]


async def _close(connection: Connection) -> None:
    await connection.close()
    with _lock:
        _alive.discard(connection)


async def _close_all() -> None:
    with _lock:
        connections = tuple(_alive)
    await asyncio.gather(*(_close(connection) for connection in connections))


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()
    for connection in _alive:
        connection.forget_socket()
    _shared.clear()
    _users.clear()
    _alive.clear()


portal.on_stop(_close_all)
lifecycle.after_fork(_after_fork)
