"""A store from its address: ``memory``, or ``sqlite:///path``, with options behind a ``?``.

Used by the server when it starts, and by whoever reads an address from a user.

The one rule: an address is checked whole before anything is opened, and what is
wrong with it is said with what would be right.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from nbrealtime.hub.store import Store
from nbrealtime.server.stores.history import History, HistoryOptions, HistoryRules
from nbrealtime.server.stores.memory import MemoryStore
from nbrealtime.server.stores.sqlite import SqliteStore

__all__ = ["MEMORY_HISTORY", "SQLITE_HISTORY", "check_store", "open_store"]

MEMORY_HISTORY: Final = History()
SQLITE_HISTORY: Final = History(messages=100_000, seconds=None, bytes=256 * 2**20)

Post = Callable[[Callable[[], None]], object]


@dataclass(frozen=True, slots=True)
class _Address:
    kind: Literal["memory", "sqlite"]
    path: Path | None = None
    # Of the history, and of the store itself.
    bounds: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


def check_store(address: str, *, history: HistoryOptions = None) -> None:
    """Looks whether `open_store` could make sense of its arguments; it opens nothing.

    Raises:
        ValueError: it could not.
    """
    _rules(_parse(address), history)


def open_store(
    address: str = "memory",
    *,
    history: HistoryOptions = None,
    post: Post | None = None,
    now: int | None = None,
) -> Store:
    """Opens the store at ``address``.

    Options of every store: ``messages``, ``seconds`` and ``bytes`` are the bounds of a topic's history
    (``none`` for no bound; ``messages=0`` switches it off), ``total_bytes`` bounds all together and
    ``topics`` their number. Of ``sqlite``: ``synchronous=full`` waits for the disk at every commit, so
    that what was acknowledged survives the loss of power too.

    Arguments:
        address: ``"memory"`` or ``"sqlite:///path"``. With three slashes the path is relative to the
            working directory, unless it leads to a directory only from the root; four begin an
            absolute one.
        history: which topics keep how much, as `HistoryRules` reads it; it adds to the address's options.
        post: runs a function soon on the thread that uses the store; what ``call_soon_threadsafe`` of
            its loop does. A store that answers at once needs none.
        now: milliseconds; the system's time by default.

    Raises:
        ValueError: the address or the history makes no sense.
        StoreError: what is there cannot be used.
    """
    parsed = _parse(address)
    rules = _rules(parsed, history)
    if parsed.path is None:
        return MemoryStore(rules, **parsed.options)
    if post is None:
        raise ValueError("a store with a thread of its own needs post=loop.call_soon_threadsafe")
    started = time.time_ns() // 1_000_000 if now is None else now
    return SqliteStore(parsed.path, rules, post=post, now=started, **parsed.options)


def _rules(address: _Address, history: HistoryOptions) -> HistoryRules:
    base = MEMORY_HISTORY if address.kind == "memory" else SQLITE_HISTORY
    own = HistoryRules(address.bounds or None, default=base)
    return HistoryRules(history, default=own.default)


def _parse(address: str) -> _Address:
    parts = urlsplit(address, allow_fragments=False)
    if parts.scheme == "sqlite":
        kind: Literal["memory", "sqlite"] = "sqlite"
        path = _path(address, unquote(parts.path)) if not parts.netloc else None
        if path is None:
            raise ValueError(f"{address!r} names no file: write sqlite:///lab.db, or sqlite:////data/lab.db")
    elif address.partition("?")[0] in ("memory", "memory:", "memory://", "memory:///"):
        kind, path = "memory", None
    else:
        raise ValueError(f"{address!r} is no store: write memory, or sqlite:///path")
    bounds: dict[str, Any] = {}
    options: dict[str, Any] = {}
    for name, text in parse_qsl(parts.query, keep_blank_values=True):
        if name in ("messages", "bytes", "seconds"):
            bounds[name] = _number(name, text, whole=name != "seconds", optional=name != "messages")
        elif name in ("total_bytes", "topics"):
            options[name] = _number(name, text, whole=True, optional=False)
        elif name == "synchronous" and kind == "sqlite":
            if text not in ("normal", "full"):
                raise ValueError(f"synchronous is normal or full, not {text!r}")
            options[name] = text
        else:
            known = "messages, seconds, bytes, total_bytes, topics"
            more = f"{known}, synchronous" if kind == "sqlite" else known
            raise ValueError(f"a {kind} store has no option {name!r}: it has {more}")
    return _Address(kind, path, bounds, options)


def _path(address: str, path: str) -> Path | None:
    """What follows ``sqlite://``: one slash that separates, then the path."""
    relative = path[1:]
    if not relative or relative.endswith("/"):
        return None
    if "\0" in relative:
        raise ValueError(f"{address!r} has a zero byte in its path")
    found = Path(relative).expanduser()
    # Half the world writes three slashes before /data/lab.db. Where the relative reading leads
    # nowhere and the absolute one does not, nothing else can have been meant.
    if not found.is_absolute() and not found.parent.is_dir() and Path(path).parent.is_dir():
        return Path(path)
    return found


def _number(name: str, text: str, *, whole: bool, optional: bool) -> float | None:
    if optional and text.lower() == "none":
        return None
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        raise ValueError(f"{name} is a number{', or none' if optional else ''}: {text!r}") from None
    if not value >= 0:
        raise ValueError(f"{name} must not be negative: {text!r}")
    return value
