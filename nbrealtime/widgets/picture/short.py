"""Names as short as their place, and still apart.

Collaborators: `legend` has the places. As ``js/src/plot/short.ts`` does it.

Pure. The rule: two names that differ are never cut to the same. What all of them share at their beginning goes first,
then their middles.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["short"]


def short(names: Sequence[str], most: int, *, words: bool = True) -> list[str]:
    """``names`` in at most ``most`` characters each; ``words``: what they share is dropped up to a whole word."""
    if all(len(name) <= most for name in names):
        return list(names)
    shared = 0
    # The first and the last in order differ where any two do.
    first, last = min(names), max(names)
    while shared < len(first) and first[shared] == last[shared] and len(names) > 1:
        shared += 1
    while words and shared and first[shared - 1].isalnum():
        shared -= 1
    found = [_cut("…" + name[shared:] if shared > 1 else name, most) for name in names]
    # They differ where they were cut: these begin with that.
    for cut in set(found):
        alike = [name for name, other in zip(names, found, strict=True) if other == cut]
        if len(set(alike)) > 1:
            apart = dict(zip(alike, short(alike, most, words=False), strict=True))
            found = [apart[name] if other == cut else other for name, other in zip(names, found, strict=True)]
    return found


def _cut(name: str, most: int) -> str:
    head = most // 3
    return name if len(name) <= most else f"{name[:head]}…{name[head + 1 - most :]}"
