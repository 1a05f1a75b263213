"""Which publishes were seen already: the memory behind idempotent publishing.

Used by every store, on whichever thread commits. Two tables for each user: the
young one is filled, and becomes the old one when it has half the bound or is as
old as keys are remembered; what was old then is dropped whole.

The one rule: whatever is dropped before its time changes the name of that
user's memory, and is still known for a moment after: who connected just before was told the
old name, and what it writes again now relies on it. Rotating two tables costs nothing for each key; expiring keys one
by one from the front of a dict costs more the longer it lasts.
"""

from __future__ import annotations

import secrets
from typing import Final

from nbrealtime.hub.store import Committed

__all__ = ["KeyMemory", "UserKeys"]

_Key = tuple[str, str]

LINGER_MS: Final = 5_000
"""How long after its drop a key is still known: a client writes again what it must when it connects, at once."""


class UserKeys:
    """The keys of one user; times in milliseconds."""

    __slots__ = ("began", "dropped", "mark", "newest", "old", "old_newest", "young")

    def __init__(self, now: int) -> None:
        self.young: dict[_Key, Committed] = {}
        self.old: dict[_Key, Committed] = {}
        self.dropped: list[tuple[int, dict[_Key, Committed]]] = []
        self.began = now
        self.newest = now
        self.old_newest = now
        self.mark = ""


class KeyMemory:
    """What was told to whom, by (user, topic, key).

    Arguments:
        seconds: how long a key is remembered.
        per_user: how many of one user, of all topics together; those of the last seconds come on top.
        name: of the memory as a whole; a random one by default.
    """

    def __init__(self, *, seconds: float, per_user: int, name: str | None = None) -> None:
        if seconds < 0 or per_user < 1:
            raise ValueError("keys must be remembered for at least 0 seconds, and at least one of them")
        self.seconds = seconds
        self.per_user = per_user
        self.name = secrets.token_hex(6) if name is None else name
        # Users whose mark changed since somebody last looked: a store on a disk has to write that down.
        self.changed: set[str] = set()
        self._lifetime = seconds * 1000
        self._half = max(1, per_user // 2)
        self._users: dict[str, UserKeys] = {}
        self._swept = 0

    def name_for(self, user: str) -> str:
        """Returns what this memory is called for ``user``: another name means that keys were lost."""
        found = self._users.get(user)
        return self.name + found.mark if found is not None else self.name

    def mark(self, user: str, mark: str, now: int) -> None:
        """Restores a user's mark, as `marks` gave it."""
        self.of(user, now).mark = mark

    def marks(self) -> dict[str, str]:
        """Returns the marks of every user who lost keys."""
        return {user: found.mark for user, found in self._users.items() if found.mark}

    def of(self, user: str, now: int) -> UserKeys:
        """Returns the keys of a user, for `find` and `remember`: one lookup for a run of publishes."""
        found = self._users.get(user)
        if found is None:
            found = self._users[user] = UserKeys(now)
        return found

    def find(self, keys: UserKeys, pair: tuple[str, str], now: int) -> Committed | None:
        """Returns what the original of this (topic, key) was told, or None if it is new."""
        original = keys.young.get(pair) or keys.old.get(pair)
        if original is None and keys.dropped:
            keys.dropped = [(at, table) for at, table in keys.dropped if now - at < LINGER_MS]
            original = next((table[pair] for _, table in keys.dropped if pair in table), None)
        if original is None or now - original.timestamp >= self._lifetime:
            return None
        return original

    def remember(
        self, user: str, keys: UserKeys, pair: tuple[str, str], committed: Committed, now: int
    ) -> None:
        """Keeps what was told."""
        young = keys.young
        if not young:
            keys.began = now
        elif len(young) >= self._half or now - keys.began >= self._lifetime:
            self._rotate(user, keys, now)
            young = keys.young
        young[pair] = committed
        keys.newest = now

    def forget(self, user: str, pair: tuple[str, str]) -> None:
        """Takes `remember` back: its batch failed."""
        found = self._users.get(user)
        if found is not None and found.young.pop(pair, None) is None:
            found.old.pop(pair, None)

    def sweep(self, now: int) -> None:
        """Drops users whose keys have all had their time; it looks once in that time."""
        if now - self._swept < self._lifetime:
            return
        self._swept = now
        for user, found in list(self._users.items()):
            if now - found.newest >= self._lifetime:
                del self._users[user]

    def _rotate(self, user: str, found: UserKeys, now: int) -> None:
        if found.old and now - found.old_newest < self._lifetime:
            found.mark = f".{secrets.token_hex(4)}"
            self.changed.add(user)
            found.dropped = [(at, table) for at, table in found.dropped if now - at < LINGER_MS]
            found.dropped.append((now, found.old))
        found.old, found.young = found.young, {}
        found.old_newest = found.newest
        found.began = now
