"""What the pump sends for one widget, and the plain kind of it.

Collaborators: a widget owns a `Part` and hands it to `pump.join`; `pump` asks it for
frames on the pump thread; ``js/src/shared/channel.ts`` hands them to the widget's views.

A frame is a header (JSON) and buffers. The rules: buffers are ``bytes``, because they
are sent later, by another thread; and ``frame`` and ``snapshot`` run on the pump thread,
so what they read must be readable from any thread.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Protocol

from nbrealtime.widgets.audience import Viewing

__all__ = ["Frame", "Part", "StatePart", "new_key"]

Frame = tuple[dict[str, Any], list[bytes]]
"""A header that JSON can carry, and its buffers."""


def new_key(kind: str) -> str:
    """A key for a part, unique in every page that may ever show it."""
    return f"{kind}-{uuid.uuid4().hex[:16]}"


class Part(Protocol):
    """One widget's stream to the browser."""

    @property
    def key(self) -> str:
        """What the front end knows it by (the widget's synced trait ``part``)."""

    @property
    def kind(self) -> str:
        """``plot``, ``card``, ``badge``, …"""

    @property
    def max_hz(self) -> float:
        """Frames a second that make sense at all, ≤ 60."""

    def frame(self, now: float, viewing: Viewing) -> Frame | None:
        """What is new since the last frame, for every view; ``now`` is epoch seconds."""

    def snapshot(self, now: float, viewing: Viewing) -> Frame | None:
        """Everything, for a view that has nothing; does not change what the next ``frame`` says."""

    def told(self, content: dict[str, Any]) -> Frame | None:
        """A view said something of its own (``link.say``). Runs on the pump thread: quick, no widget touched.

        What it returns is sent to that view alone, with the tick that follows.
        """


class StatePart:
    """A part whose every frame is its whole state, a small dict without buffers.

    Args:
        kind: names the widget class to the front end.
        read: returns the state (JSON); called on the pump thread, at most ``max_hz`` times a second.
        told: takes a view's own words, on the pump thread; they are dropped without it.
    """

    def __init__(
        self,
        kind: str,
        read: Callable[[], dict[str, Any]],
        *,
        told: Callable[[dict[str, Any]], None] | None = None,
        max_hz: float = 4.0,
    ) -> None:
        self.key = new_key(kind)
        self.kind = kind
        self.max_hz = max_hz
        self._read = read
        self._told = told

    def frame(self, now: float, viewing: Viewing) -> Frame | None:
        """The state."""
        return self._read(), []

    def snapshot(self, now: float, viewing: Viewing) -> Frame | None:
        """The state."""
        return self._read(), []

    def told(self, content: dict[str, Any]) -> None:
        """Hands a view's words on."""
        if self._told is not None:
            self._told(content)
