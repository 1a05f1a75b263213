"""One message as it arrived: what a topic's subscribers are handed."""

from __future__ import annotations

from typing import Any

import msgspec

from nbrealtime.wire.replies import Who

__all__ = ["Message"]


class Message(msgspec.Struct, frozen=True):
    """A message that arrived on ``topic``.

    ``timestamp`` is when the server passed it on, in seconds since the epoch (of
    its arrival here, if the server did not say). ``id`` is the server's name for
    it. ``data`` is shared by everybody who received the message: copy it before
    you change it.

    What follows is known where the server tells it, and ``None`` elsewhere:
    ``offset`` and ``epoch`` are the message's place in its topic's history,
    ``user`` (with ``.id`` and ``.name``) is who published it, ``time`` when, in
    seconds by the publisher's own clock. ``retained`` marks the value that was
    kept for who comes late, ``subscription`` is the name or pattern that it came
    for, ``skipped`` how many older ones a conflating subscription did not get.
    """

    topic: str
    data: Any
    timestamp: float
    id: str | None = None
    offset: int | None = None
    epoch: str | None = None
    user: Who | None = None
    time: float | None = None
    retained: bool = False
    subscription: str | None = None
    skipped: int = 0
