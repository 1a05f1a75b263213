"""How far back somebody's picture of a growing series is wrong.

Pure. A reader keeps a mark; the rule: what ``since`` returns may be earlier than necessary for a reader that comes rarely,
and is never later.
"""

from __future__ import annotations

from bisect import bisect_right

__all__ = ["Touches"]

_MOST = 1024  # entries; thinned, never wrong, when there are more


class Touches:
    """Remembers the earliest time that was changed after each mark."""

    def __init__(self) -> None:
        self._version = 0
        self._is_seen = True
        # Versions and the earliest times touched then or later, both increasing.
        self._versions: list[int] = []
        self._times: list[float] = []

    def touch(self, time: float) -> None:
        """Take note that everything from ``time`` on may be another."""
        times = self._times
        if self._is_seen:
            self._is_seen = False
            self._version += 1
        elif time >= times[-1]:
            # Nobody has a mark from between the two, so the touch before speaks for this one.
            return
        # Whoever has not seen a later touch has not seen this one either, so this one speaks for it.
        while times and times[-1] >= time:
            del self._versions[-1], times[-1]
        self._versions.append(self._version)
        times.append(time)
        if len(times) > _MOST:
            # Of each old pair the earlier time and the later version stay: at worst a reader goes back further.
            half = _MOST // 2
            self._versions[:half] = self._versions[1:half:2]
            times[:half] = times[0:half:2]

    def since(self, mark: int) -> tuple[int, float | None]:
        """The new mark, and the earliest time touched since ``mark`` (0 at first), or None."""
        self._is_seen = True
        at = bisect_right(self._versions, mark)
        return self._version, self._times[at] if at < len(self._times) else None
