"""Another token for a connection that is open.

``session/renewal.py`` decides when, ``dialer.py`` has one fetched. Runs on the
client thread. The one rule: one fetch at a time, and a connection goes on
whatever comes of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from nbrealtime.client.dialer import Dialer, explain
from nbrealtime.client.session import Event, Session
from nbrealtime.errors import RealtimeError

__all__ = ["Renewing"]


class Renewing:
    """One connection's. ``on_done`` is called with what the user should be told, once the session knows."""

    def __init__(self, dialer: Dialer, session: Session, on_done: Callable[[list[Event]], None]) -> None:
        self._dialer = dialer
        self._session = session
        self._on_done = on_done
        self._task: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Begins to fetch a token if the session wants one, and none is on its way."""
        if self._session.renewal.wanted and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._renew())
            self._task.add_done_callback(self._ended)

    async def _renew(self) -> None:
        now = asyncio.get_running_loop().time
        reports: list[Event] = []
        try:
            place = await self._dialer.resolve()
        except (OSError, ValueError, RealtimeError) as fault:
            reports = self._session.renewal_failed(now(), f"no new token: {explain(fault)}")
        else:
            if place.token is not None:
                self._session.renew(place.token, now())
        self._on_done(reports)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and (fault := task.exception()) is not None:
            raise fault
