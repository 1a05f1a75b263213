"""Which topics there are, asked where the connection is: one list from ``$sys/topics``.

It names what has subscribers or a history, as far as it is granted. A server that speaks only v1 has no such list, and
``nbrealtime.live.stats`` asks that one by HTTP.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nbrealtime.client import LinkState
from nbrealtime.live.stats import read_topics

if TYPE_CHECKING:
    from nbrealtime.client import Link, Message

__all__ = ["CATALOG", "fetch_catalog"]

CATALOG = "$sys/topics"

_SLICE_SECONDS = 0.25


class _Ear:
    """A sink that waits for one message, or for the end."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.found: dict[str, int] | None = None

    def received(self, messages: Sequence[Message]) -> None:
        with contextlib.suppress(ValueError):  # a topic of that name on somebody else's server
            self.found = read_topics(messages[-1].data)
        self.done.set()

    def refused(self, code: str, reason: str) -> None:
        self.done.set()

    def offline(self) -> None:
        self.done.set()

    def closed(self) -> None:
        self.done.set()

    def subscribed(self, count: int, recovered: bool | None = None, replayed: int = 0) -> None:
        """The list follows."""

    def presence(self, count: int) -> None:
        """It does not matter who else asks."""

    def gap(self, reason: str, missed: int | None, topic: str | None = None) -> None:
        """Only the newest list matters."""


def fetch_catalog(link: Link, *, timeout: float = 3.0) -> dict[str, int] | None:
    """Return topic names and how many subscribe to each; None if this connection cannot say.

    Waits at most ``timeout`` seconds, and can be interrupted.
    """
    deadline = time.monotonic() + timeout
    status = link.status
    if status.state is LinkState.CONNECTING and status.error is None:
        link.wait_connected(timeout)
        status = link.status
    if status.state is not LinkState.CONNECTED or status.protocol != 2:
        return None
    ear = _Ear()
    subscription = link.subscribe(CATALOG, ear)
    try:
        while (left := deadline - time.monotonic()) > 0 and not ear.done.wait(min(left, _SLICE_SECONDS)):
            pass
    finally:
        subscription.close()
    return ear.found
