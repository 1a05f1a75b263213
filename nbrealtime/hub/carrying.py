"""Which topics carry data just now, whoever follows them.

The one rule: it is a hint for people who look for a topic, so it is bounded and
forgets the oldest.
"""

from __future__ import annotations

from typing import Final

__all__ = ["Carrying"]

_CARRYING_MS: Final = 60_000
_CARRYING_TOPICS: Final = 512


class Carrying:
    """When each topic was last published to."""

    __slots__ = ("_when",)

    def __init__(self) -> None:
        self._when: dict[str, int] = {}

    def note(self, name: str, now: int) -> None:
        """Remembers that ``name`` carries data."""
        if name not in self._when and len(self._when) >= _CARRYING_TOPICS:
            newest = sorted(self._when, key=self._when.__getitem__)[_CARRYING_TOPICS // 2 :]
            self._when = {kept: self._when[kept] for kept in newest}
        self._when[name] = now

    def names(self, now: int) -> list[str]:
        """The topics that were published to within the last minute, by name."""
        return sorted(name for name, when in self._when.items() if now - when <= _CARRYING_MS)
