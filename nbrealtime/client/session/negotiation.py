"""Which dialect a server speaks. Pure.

A client offers the subprotocol and says ``hello``; ``welcome`` means v2. A
server of the other dialect refuses the offer (401, since the token is in the
``hello``), drops it, answers with an error, or is silent: then it is v1, and
where the offer itself was the obstacle one more attempt is made without it,
with the token in the address.

The one rule: only ``welcome`` makes v2, and once an address has said it, a drop
is a drop: a broken network must not turn a connection that recovers into one
that does not.
"""

from __future__ import annotations

from typing import Any, Final

from nbrealtime.client.session.backoff import PATIENCE

__all__ = ["HELLO_SECONDS", "SILENT_SECONDS", "Memory", "Negotiation"]

SILENT_SECONDS: Final = 5.0
"""So long after its greeting a server that has not answered ``hello`` speaks v1."""

HELLO_SECONDS: Final = 10.0
"""So long a server that says nothing at all is waited for."""

_REMEMBERED: Final = 1000


class Memory:
    """What worked, by address. Shared by every connection of a process."""

    def __init__(self) -> None:
        self._of: dict[str, int] = {}

    def get(self, url: str) -> int | None:
        """The dialect, 1 or 2, or None."""
        return self._of.get(url)

    def set(self, url: str, dialect: int) -> None:
        """It worked."""
        if len(self._of) >= _REMEMBERED:
            del self._of[next(iter(self._of))]
        self._of[url] = dialect

    def forget(self, url: str) -> None:
        """It did not, this time: another server may be there now."""
        self._of.pop(url, None)


class Negotiation:
    """One attempt after the other at one address, which may change between them."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._url = ""
        self.falls_back = False
        """Whether the next attempt has to be made without the offer."""
        self._heard = False
        self._certain = False
        self.offers = False
        """Whether this attempt offers v2."""
        self._until: float | None = None

    def attempt(self, url: str) -> bool:
        """An attempt begins; returns whether it offers v2."""
        if url != self._url:
            self.falls_back = False
        self._url = url
        self._heard = False
        self.offers = not self.falls_back and self._memory.get(url) != 1
        self._until = None
        return self.offers

    # -- between the hello and its answer -------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        """When waiting ends."""
        return self._until

    def hello(self, now: float) -> None:
        """It is said."""
        # A greeting may have come with the acceptance.
        self._until = now + (SILENT_SECONDS if self._heard else HELLO_SECONDS)

    def heard(self, kind: str, data: Any, now: float, *, greeting: bool) -> int | None:
        """Something came; returns the dialect that it proves."""
        self._heard = True
        if kind == "welcome":
            return 2
        if kind == "error":
            code = data.get("code") if isinstance(data, dict) else None
            return 1 if not code or code == "unknown_type" else None
        if greeting:
            self._until = now + SILENT_SECONDS
        return None

    def expired(self) -> int | None:
        """Nothing more came; returns the dialect that this proves."""
        self._until = None
        return 1 if self._heard else None

    def settle(self, dialect: int) -> None:
        """It is known now."""
        self._until = None
        if self.offers or self._certain:
            self._memory.set(self._url, dialect)
        self.falls_back = self._certain = False

    # -- attempts that came to nothing ----------------------------------------------------------------

    def failed(self, failures: int, *, status: int | None, dropped: bool) -> bool:
        """The attempt failed; returns whether to try at once without the offer.

        ``status`` is the HTTP status that refused it; ``dropped``: it was ended, or never answered,
        without a message.
        """
        offered, self._until = self.offers, None
        known = self._memory.get(self._url)
        if offered and (status == 401 or (dropped and not self._heard and known != 2)):
            self.falls_back = True
            # A drop may have been the network's: what works after it is used, and not remembered.
            self._certain = status == 401
            return True
        self.falls_back = False
        self._certain = False
        if known == 1 or failures >= PATIENCE:
            self._memory.forget(self._url)
        return False
