"""Who is told what about which topic: a connection's sinks.

Client thread only. The one rule: a sink hears what happened to its topic in
the order in which it happened, and messages that one read brought as one list.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbrealtime.client.guarded import guarded
from nbrealtime.client.message import Message
from nbrealtime.client.session import Presence, RefusedTopic, Subscribed
from nbrealtime.client.sink import Sink

__all__ = ["Route", "Routes"]


class Route:
    """One sink's place at one topic. Once ``open`` is false it is told nothing more."""

    __slots__ = ("open", "sink", "topic")

    def __init__(self, topic: str, sink: Sink) -> None:
        self.topic = topic
        self.sink = sink
        self.open = True


class Routes:
    """The routes of one connection, by the name or pattern that they are subscribed to."""

    def __init__(self) -> None:
        self._of: dict[str, list[Route]] = {}

    def add(self, route: Route) -> None:
        """Adds a route."""
        self._of.setdefault(route.topic, []).append(route)

    def remove(self, route: Route) -> bool:
        """Removes a route; returns whether nobody is left at its topic."""
        routes = self._of.get(route.topic, [])
        if route not in routes:
            return False
        routes.remove(route)
        if routes:
            return False
        del self._of[route.topic]
        return True

    def hand_on(self, topic: str, batch: list[Message]) -> None:
        """Gives messages to everybody at ``topic``; each gets a list of its own."""
        if batch:
            routes = self._of.get(topic, ())
            for route in tuple(routes):
                if route.open:
                    guarded(route.sink.received, batch if len(routes) == 1 else list(batch))

    def tell(self, event: Subscribed | Presence | RefusedTopic) -> None:
        """Tells everybody at the event's topic."""
        for route in tuple(self._of.get(event.topic, ())):
            if not route.open:
                continue
            if isinstance(event, Subscribed):
                guarded(route.sink.subscribed, event.count)
            elif isinstance(event, Presence):
                guarded(route.sink.presence, event.count)
            else:
                guarded(route.sink.refused, event.code, event.reason)

    def tell_offline(self) -> None:
        """Tells everybody that the connection was lost."""
        for route in self._everybody():
            guarded(route.sink.offline)

    def close(self) -> None:
        """Tells everybody that it is over, and forgets them."""
        for route in self._everybody():
            guarded(route.sink.closed)
            route.open = False
        self._of.clear()

    def _everybody(self) -> Iterator[Route]:
        # A copy: a sink may close subscriptions while it is told.
        yield from [route for routes in self._of.values() for route in routes if route.open]
