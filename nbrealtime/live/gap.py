"""A hole in a stream: what ``on_gap`` callbacks are given."""

from __future__ import annotations

import msgspec

__all__ = ["OFFLINE", "Gap"]

OFFLINE = "offline"
"""The reason of a gap that nobody can measure: there is no history to recover from."""


class Gap(msgspec.Struct, frozen=True):
    """Messages on ``topic`` that were published and are not coming.

    ``topic`` is the one that missed them; a pattern, where it is not known which of its topics did. ``missed`` is how
    many, None where nobody can tell. ``reason``: ``"unrecoverable"`` (the history does not reach back to where this
    subscription stood, or began anew), ``"slow"`` (this reader was), ``"offline"`` (the connection was away, and the
    topic has no history, or the server speaks v1; maybe nothing was missed), or another word of the server's.
    """

    topic: str
    missed: int | None
    reason: str
