"""What a server has announced about the end of a connection. Pure.

An ``error`` that says ``close`` and ``reconnect`` beforehand decides over any
close code, since proxies lose those; ``drain`` names when to be back.
``closings.py`` knows what the codes mean by themselves.

The one rule: what was announced belongs to one socket. `take` gives it out
once, and it is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from nbrealtime.client.session.closings import describe, may_reconnect
from nbrealtime.client.session.renewal import Renewal

__all__ = ["End", "Ending"]

_CLOSING_SECONDS: Final = 5.0
_TOKEN_EXPIRED: Final = 4005


class End(msgspec.Struct, frozen=True):
    """What the end of a connection means: whether to connect again, why it ended, and from when on to be back.

    ``announced``: the server said so itself, in words and not by a code alone.
    """

    again: bool
    reason: str
    announced: bool
    back_at: float | None


class Ending:
    """Of one socket after the other. ``random`` is uniform in [0, 1)."""

    def __init__(self, renewal: Renewal, random: Callable[[], float]) -> None:
        self._renewal = renewal
        self._random = random
        self._verdict: tuple[bool, str] | None = None
        self._close_by: float | None = None
        self._back_at: float | None = None

    def hear(self, said: dict[str, Any], now: float) -> bool:
        """Whether an error announces the end of the connection; then it decides what comes after."""
        close = said.get("close")
        if not isinstance(close, int) or isinstance(close, bool):
            return False
        again = said.get("reconnect")
        again = again if isinstance(again, bool) else may_reconnect(close)
        if close == _TOKEN_EXPIRED or said.get("code") == "token_expired":
            # Only another token can help.
            self._renewal.expired()
            again = self._renewal.possible
        self._verdict = (again, _reason(said))
        self._close_by = now + _CLOSING_SECONDS
        return True

    def refuse(self, said: dict[str, Any], now: float) -> None:
        """The server knows hello, and does not want this one. If it does not hang up, we do."""
        self._verdict = (True, _reason(said))
        self._close_by = now

    def drain(self, delay: Iterable[float], now: float) -> None:
        """The server is about to stop, and wants its clients back spread over a time (from, to; in ms)."""
        low, high = delay
        self._back_at = now + (low + (high - low) * self._random()) / 1000

    @property
    def deadline(self) -> float | None:
        """When one of the two below comes true."""
        if self._close_by is None or self._back_at is None:
            return self._close_by if self._back_at is None else self._back_at
        return min(self._close_by, self._back_at)

    def is_overdue(self, now: float) -> bool:
        """Whether the announced end should have come."""
        return self._close_by is not None and now >= self._close_by

    def is_replaced(self, now: float) -> bool:
        """Whether it is time to be at the draining server's successor."""
        return self._back_at is not None and now >= self._back_at

    def take(self, code: int, reason: str) -> End:
        """It has come, with a close code; returns what it means."""
        again, why = self._verdict or (may_reconnect(code), describe(code, reason))
        end = End(again, why, self._verdict is not None, self._back_at)
        self._verdict = self._close_by = self._back_at = None
        return end


def _reason(said: dict[str, Any]) -> str:
    reason = str(said.get("error") or "the server ended the connection without a reason")
    return f"token refused: {reason}" if said.get("code") == "unauthorized" else reason
