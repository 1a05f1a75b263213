"""Who is told what about which topic: a connection's sinks.

Client thread only. The one rule: a sink hears what happened to its topic in
the order in which it happened, and messages that one read brought as one list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nbrealtime.client.guarded import guarded
from nbrealtime.client.message import Message
from nbrealtime.client.session import Gap, Options, Presence, RefusedTopic, Subscribed
from nbrealtime.client.session.wanted import SinceLike, merge
from nbrealtime.client.sink import Sink
from nbrealtime.wire.v2 import Position

__all__ = ["Route", "Routes"]


class Route:
    """One sink's place at one topic. Once ``open`` is false it is told nothing more.

    ``since`` is where its stream begins, ``options`` how it is wanted. ``floor`` is, by topic, what it has
    had already, while a stream that begins again for somebody else passes it by.
    """

    __slots__ = ("floor", "open", "options", "since", "sink", "topic")

    def __init__(
        self, topic: str, sink: Sink, *, options: Options | None = None, since: SinceLike = None
    ) -> None:
        self.topic = topic
        self.sink = sink
        self.options = Options() if options is None else options
        self.since = since
        self.floor: Mapping[str, Position] | None = None
        self.open = True

    def passes(self, message: Message) -> bool:
        """Whether a message is none that this sink had before another one's stream began again."""
        if self.floor is None:
            return True
        if message.retained:
            return self.since == "last"
        had = self.floor.get(message.topic)
        if had is None or message.offset is None:
            return True
        return message.epoch != had.epoch or message.offset > had.offset


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

    def options(self, topic: str) -> Options:
        """What the connection has to ask for, so that nothing is left out for anybody."""
        return merge(route.options for route in self._of.get(topic, ()))

    def rewind(self, topic: str, floor: Mapping[str, Position], newcomer: Route) -> None:
        """The stream of ``topic`` begins again for one of its sinks; the others have had what is in ``floor``."""
        for route in self._of.get(topic, ()):
            if route is not newcomer:
                route.floor = floor

    def hand_on(self, topic: str, batch: list[Message]) -> None:
        """Gives messages to everybody at ``topic``; each gets a list of its own."""
        if batch:
            routes = self._of.get(topic, ())
            for route in tuple(routes):
                if not route.open:
                    continue
                own = batch if len(routes) == 1 else list(batch)
                if route.floor is not None:
                    own = [message for message in own if route.passes(message)]
                if own:
                    guarded(route.sink.received, own)

    def tell(self, event: Subscribed | Presence | Gap | RefusedTopic) -> None:
        """Tells everybody at the event's topic."""
        for route in tuple(self._of.get(event.topic, ())):
            if not route.open:
                continue
            if isinstance(event, Subscribed):
                guarded(route.sink.subscribed, event.count, event.recovered, event.replayed)
            elif isinstance(event, Gap):
                guarded(route.sink.gap, event.reason, event.missed, event.of)
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
        # A copy, and looked at in turn: a sink may close subscriptions while it is told, others' too.
        for route in [route for routes in self._of.values() for route in routes]:
            if route.open:
                yield route
