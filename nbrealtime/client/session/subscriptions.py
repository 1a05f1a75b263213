"""What is subscribed, and what a server that knows of it has to be told. Pure.

``wanted.py`` is one subscription, the dialects (``v1.py``, ``v2.py``) put it
into words, ``outbox.py`` keeps these in order with the publishes.

The one rule: what is wanted is kept whatever becomes of a socket, and said
again on the next one before the publishes that waited, so that a server that
echoes shows them to their publisher too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nbrealtime.client.session.outbox import Outbox
from nbrealtime.client.session.wanted import Options, SinceLike, Wanted

if TYPE_CHECKING:
    from nbrealtime.client.session.v1 import V1
    from nbrealtime.client.session.v2 import V2

__all__ = ["Subscriptions"]

_REMEMBERED: Final = 1024


class Subscriptions:
    """By the name or pattern, in the order of their first subscription."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._dialect: V1 | V2 | None = None
        self._is_first = True  # there was no connection yet
        self._of: dict[str, Wanted] = {}
        self._routes: dict[str, tuple[str, ...]] = {}

    # -- what the user wants --------------------------------------------------------------------------

    @property
    def names(self) -> tuple[str, ...]:
        """The names and patterns, in the order of subscribing."""
        return tuple(self._of)

    def get(self, name: str | None) -> Wanted | None:
        """What is subscribed under a name or pattern."""
        return None if name is None else self._of.get(name)

    def add(self, topic: str, options: Options, since: SinceLike) -> None:
        """Wants a topic or pattern; a second time is the same subscription, with these options.

        With ``since`` a second time, the stream begins there again.
        """
        wanted = self._of.get(topic)
        if wanted is None:
            wanted = self._of[topic] = Wanted(topic, options, since)
            self._routes.clear()
            # Before the first connection too: then a publish said before this stays before it.
            if self._dialect is not None:
                self._outbox.add_control(self._dialect.subscribe(wanted))
            elif self._is_first:
                self._outbox.add_mark(topic)
            return
        changed = options != wanted.options
        wanted.options = options
        if since is not None:
            wanted.since = since
        if self._dialect is not None and (changed or since is not None):
            frame = self._dialect.change(wanted, rewind=since is not None)
            if frame is not None:
                self._outbox.add_control(frame)

    def remove(self, topic: str) -> None:
        """Wants it no more."""
        if self._of.pop(topic, None) is not None:
            self._routes.clear()
            if self._dialect is not None:
                self._outbox.add_control(self._dialect.unsubscribe(topic))

    # -- what happens to the connection ---------------------------------------------------------------

    def begin(self, dialect: V1 | V2) -> None:
        """There is a connection, on which ``dialect`` is spoken: says everything on it, in its place."""
        self._dialect = dialect
        if self._is_first:
            self._outbox.begin(lambda name: dialect.subscribe(wanted) if (wanted := self.get(name)) else None)
        else:
            self._outbox.go_online([dialect.subscribe(wanted) for wanted in self._of.values()])
        self._is_first = False

    def lose(self) -> None:
        """The socket is gone, and what was asked on it."""
        self._dialect = None
        for wanted in self._of.values():
            wanted.lose()

    # -- what is heard --------------------------------------------------------------------------------

    def routes(self, topic: str) -> tuple[str, ...]:
        """The names and patterns that a message on ``topic`` is for, where it does not say."""
        routes = self._routes.get(topic)
        if routes is None:
            routes = tuple(
                name
                for name, wanted in self._of.items()
                if name == topic or (wanted.pattern is not None and wanted.pattern.matches(topic))
            )
            if len(self._routes) >= _REMEMBERED:
                self._routes.clear()
            self._routes[topic] = routes
        return routes
