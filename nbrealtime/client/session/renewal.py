"""When a token has to be renewed. Pure.

A token from a function is fetched anew well before it expires and presented on
the same connection. If that fails the connection goes on, and tries again,
until the old one has expired.

The one rule: a token that the server called expired is not presented twice.
"""

from __future__ import annotations

from typing import Final

__all__ = ["Renewal"]

_FRACTION: Final = 0.75
_LEAST_SECONDS: Final = 1.0


class Renewal:
    """One connection's token. ``possible``: another one can be had by asking."""

    def __init__(self) -> None:
        self.possible = False
        self.wanted = False
        """Whether somebody should fetch a token now."""
        self.due: float | None = None
        self._ends: float | None = None
        self._expired: str | None = None
        self._current: str | None = None

    def use(self, token: str | None) -> bool:
        """A token is about to be presented; returns whether that makes sense."""
        self._current = token
        return token is None or token != self._expired

    def expired(self) -> None:
        """The server said so."""
        self._expired = self._current

    def begin(self, expires: float | None, now: float, wall: float) -> None:
        """The server told when (ms since the epoch, None: never) the token expires."""
        self.wanted = False
        if expires is None:
            self._ends = self.due = None
            return
        self._ends = now + expires / 1000 - wall
        self._plan(now)

    def fail(self, now: float) -> None:
        """No token could be had, or the server did not take it."""
        self.wanted = False
        self._plan(now)

    def end(self) -> None:
        """The socket is gone; the next one presents a token anyway."""
        self.wanted = False
        self.due = self._ends = None

    def tick(self, now: float) -> None:
        """The time has come, perhaps."""
        if self.due is not None and now >= self.due:
            self.due = None
            self.wanted = True

    def _plan(self, now: float) -> None:
        if not self.possible or self._ends is None:
            self.due = None
            return
        rest = self._ends - now
        # With less than a second left there is nothing to be gained: the server will say that it is over.
        self.due = now + _FRACTION * rest if rest > _LEAST_SECONDS else None
