"""A sink's place at a topic, as its owner holds it.

Made by `Link.subscribe`. The one rule: closing it is harmless at any time, on any thread, in a forked child too.
"""

from __future__ import annotations

from collections.abc import Callable

from nbrealtime.client.connection import Connection
from nbrealtime.client.routes import Route

__all__ = ["Subscription"]


class Subscription:
    """A sink's subscription; ends with `close` or with its link."""

    def __init__(self, connection: Connection, route: Route, forget: Callable[[Subscription], None]) -> None:
        self._connection = connection
        self._route = route
        self._forget = forget

    @property
    def topic(self) -> str:
        """The name or pattern."""
        return self._route.topic

    def close(self) -> None:
        """Unsubscribes. The sink is told nothing more, at most what it is being told at this moment."""
        if self._route.open:
            self._route.open = False
            self._forget(self)
            if not self._connection.is_ended:
                route = self._route
                self._connection.inbox.post(lambda: self._connection.remove_route(route))

    def __repr__(self) -> str:
        return f"Subscription({self.topic!r}, {'open' if self._route.open else 'closed'})"
