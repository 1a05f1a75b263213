"""`ConnectionBadge`: the state of a connection, and a button to try again now.

Collaborators: the connection's link says how it stands, `panel.Panel` carries it,
``js/src/badge.ts`` draws it.

The one rule: the badge changes nothing by being shown; its one button does what
`Connection.reconnect` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbrealtime.client.status import LinkState
from nbrealtime.live import cells
from nbrealtime.widgets.panel import Panel
from nbrealtime.widgets.subjects import connection_of, status_as_json, watch_link

if TYPE_CHECKING:
    from nbrealtime.live.connection import Connection
    from nbrealtime.live.topic import LiveTopic

__all__ = ["ConnectionBadge"]


class ConnectionBadge(Panel):
    """Shows a connection: its state, its user, the round trip, what waits and what is wrong.

    Args:
        connection: a `Connection`, or a `LiveTopic` whose connection is meant; the default one
            without it.

    Raises:
        NoServer, AmbiguousServer: no server can be found without being told.
        FrontEndMissing: the front end was not built; the message says what to type.
    """

    _bundle = "badge"

    def __init__(self, connection: Connection | LiveTopic | None = None) -> None:
        cell = cells.current_cell()
        self._link = connection_of(connection).link
        super().__init__()
        self._watch(watch_link(self._link, self._mark))
        self._replace_with(cell)

    def __repr__(self) -> str:
        state = self._read()
        return f"ConnectionBadge of {state['url'] or 'no server'}: {state['state']}"

    def _state(self) -> dict[str, Any]:
        return status_as_json(self._link.status)

    def _receive(self, content: dict[str, Any]) -> None:
        # The attempt is made on the client's thread. A connection that stands is left alone: the view that
        # asked may be behind.
        down = self._link.status.state not in (LinkState.CONNECTED, LinkState.CLOSED)
        if content.get("type") == "reconnect" and down and not self._closed:
            self._link.reconnect()
