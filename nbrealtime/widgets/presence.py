"""`PresenceBar`: how many are here on a topic.

Collaborators: the topic's feed counts (``presence_count`` includes our own connection),
`panel.Panel` carries it, ``js/src/presence.ts`` draws it.

The one rule: only a live subscription knows who is here. Otherwise the bar says why not,
never the last number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from nbrealtime.live import cells
from nbrealtime.widgets.panel import Panel
from nbrealtime.widgets.subjects import connection_of, sentence, topic_of, watch_link

if TYPE_CHECKING:
    from nbrealtime.live.topic import LiveTopic

__all__ = ["PresenceBar"]


class PresenceBar(Panel):
    """Shows how many connections are subscribed to a topic, this notebook's own included.

    It subscribes to the topic if nobody in this process has. `close` leaves the topic open,
    since others may use it.

    Args:
        topic: a `LiveTopic`, or the name of one on the default connection.

    Raises:
        InvalidTopic: the name is none.
        NoServer, AmbiguousServer: no server can be found without being told.
        FrontEndMissing: the front end was not built; the message says what to type.
    """

    _bundle = "presence"

    topic = traitlets.Unicode(read_only=True, help="the topic's name").tag(sync=True)

    def __init__(self, topic: LiveTopic | str) -> None:
        cell = cells.current_cell()
        found = topic_of(topic)
        self._feed = found.feed
        self._link = connection_of(found).link
        super().__init__(topic=found.name)
        self._watch(self._feed.watch(self._mark), watch_link(self._link, self._mark))
        self._replace_with(cell)

    def __repr__(self) -> str:
        count = self._read()["count"]
        return f"PresenceBar of {self.topic}: {'closed' if self._closed else f'{count} here' if count else 'unknown'}"

    def _state(self) -> dict[str, Any]:
        status = self._feed.status()
        live = status.state == "live"
        return {
            "topic": status.name,
            "state": status.state,
            "count": status.presence_count if live and not self._closed else None,
            "why": "" if live else status.error or sentence(self._link.status),
        }
