"""What one read brought, from the session to the sinks.

``session/`` says what was heard, ``routes.py`` who is told. Runs on the client
thread. The one rule: each subscription gets its messages as one list, and
whatever else happened to it where it stands among them.
"""

from __future__ import annotations

from nbrealtime.client.message import Message
from nbrealtime.client.notices import Notices
from nbrealtime.client.routes import Routes
from nbrealtime.client.session import Report, Session

__all__ = ["Intake"]


class Intake:
    """One connection's."""

    def __init__(self, session: Session, routes: Routes, notices: Notices) -> None:
        self._session = session
        self._routes = routes
        self._notices = notices

    def read(self, frames: list[bytes], now: float, wall: float) -> None:
        """Hands on what the frames say; ``wall`` is the time of day."""
        receive, routes = self._session.receive, self._routes
        matching = self._session.subscriptions.routes
        batches: dict[str, list[Message]] = {}
        last: str | None = None
        newest: list[Message] = []
        for frame in frames:
            for event in receive(frame, now, wall):
                if isinstance(event, Message):
                    # v2 says which subscription it is for. Mostly they are all for the same.
                    name = event.subscription
                    if name is not None and name == last:
                        newest.append(event)
                        continue
                    for topic in matching(event.topic) if name is None else (name,):
                        batch = batches.get(topic)
                        if batch is None:
                            batch = batches[topic] = []
                        batch.append(event)
                        last, newest = name, batch
                elif isinstance(event, Report):
                    self._notices.report([event])
                else:
                    # What came before it is told before it.
                    last = None
                    routes.hand_on(event.topic, batches.pop(event.topic, []))
                    routes.tell(event)
        for topic, batch in batches.items():
            routes.hand_on(topic, batch)
